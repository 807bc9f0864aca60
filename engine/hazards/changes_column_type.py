"""ALTER COLUMN … TYPE: mostly the whole table is written anew while nobody can read it."""

from collections.abc import Iterator
from typing import Any

from postgast import pg_query_pb2 as pg

from engine.hazards.facts import Facts, alterations, name_of


def find(node: Any, facts: Facts) -> Iterator[str]:
    """One sentence per column whose type changes in a table that was there before."""
    for command in alterations(node, pg.AT_AlterColumnType):
        if (table := name_of(node.relation)) not in facts.created:
            yield (
                f"changes the type of {table}.{command.name}, "
                "which may write the whole table anew while nobody can read it. "
                "On a large table add a new column, fill it in batches and switch over."
            )
