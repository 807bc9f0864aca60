"""TRUNCATE: every row is gone at once; with CASCADE also those of tables the file does not name."""

from collections.abc import Iterator
from typing import Any

from postgast import pg_query_pb2 as pg

from engine.hazards.facts import Facts, name_of


def find(node: Any, facts: Facts) -> Iterator[str]:
    """One sentence per table that is emptied and was there before."""
    if isinstance(node, pg.TruncateStmt):
        more = " and, by CASCADE, of every table that refers to it" if node.behavior == pg.DROP_CASCADE else ""
        for relation in node.relations:
            if (table := name_of(relation.range_var)) not in facts.created:
                yield f"empties {table} of all rows{more}. Delete the rows you mean by their keys instead."
