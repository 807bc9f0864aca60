"""TRUNCATE: every row is gone at once; with CASCADE also those of tables the file does not name."""

from collections.abc import Iterator
from typing import Any

from postgast import pg_query_pb2 as pg

from engine.hazards.facts import Facts, name_of


def find(node: Any, facts: Facts) -> Iterator[str]:
    """One sentence per table that is emptied and was there before."""
    if isinstance(node, pg.TruncateStmt):
        for relation in node.relations:
            if (table := name_of(relation.range_var)) not in facts.created:
                more = _reach(relation.range_var, facts) if node.behavior == pg.DROP_CASCADE else ""
                yield (
                    f"empties {table} of all rows{facts.figures(table)}{more}. "
                    "Delete the rows you mean by their keys instead."
                )


def _reach(relation: pg.RangeVar, facts: Facts) -> str:
    """The tables that CASCADE empties too, by name where the catalog is known."""
    here = facts.relation(relation)
    if facts.catalog is None or here is None:
        return " and, by CASCADE, of every table that refers to it"
    reached = [f"{one} ({one.figures})" for one in facts.catalog.referrers(here.oid)]
    return f" and, by CASCADE, also {', '.join(reached)}" if reached else ""
