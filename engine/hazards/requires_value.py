"""ALTER COLUMN … SET NOT NULL: the whole table is read while nobody else may, and one row without a value fails it."""

from collections.abc import Iterator
from typing import Any

from postgast import pg_query_pb2 as pg

from engine.hazards.facts import Facts, alterations, name_of


def find(node: Any, facts: Facts) -> Iterator[str]:
    """One sentence per column of a table that was there before."""
    for command in alterations(node, pg.AT_SetNotNull):
        if (table := name_of(node.relation)) not in facts.created:
            yield (
                f"requires {table}.{command.name}, so every row is checked while nobody can read or write the table, "
                f"and one without a value fails it. First ADD CHECK ({command.name} IS NOT NULL) NOT VALID and "
                "VALIDATE it in a later migration; then this takes no time."
            )
