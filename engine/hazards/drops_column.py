"""ALTER TABLE … DROP COLUMN: the values are gone, and code that still names the column fails."""

from collections.abc import Iterator
from typing import Any

from postgast import pg_query_pb2 as pg

from engine.hazards.facts import Facts, alterations, name_of


def find(node: Any, facts: Facts) -> Iterator[str]:
    """One sentence per column that is dropped from a table that was there before."""
    for command in alterations(node, pg.AT_DropColumn):
        if (table := name_of(node.relation)) not in facts.created:
            yield (
                f"drops the column {command.name} of {table} with every value in it{facts.figures(table)}. "
                "Release code that no longer reads it first."
            )
