"""ALTER COLUMN … TYPE: mostly the whole table is written anew while nobody can read it."""

from collections.abc import Iterator
from typing import Any

from postgast import pg_query_pb2 as pg

from engine.hazards import types
from engine.hazards.facts import Facts, alterations, name_of, type_of


def find(node: Any, facts: Facts) -> Iterator[str]:
    """One sentence per column whose type changes in a table that was there before and is written anew."""
    for command in alterations(node, pg.AT_AlterColumnType):
        if (table := name_of(node.relation)) not in facts.created:
            here = facts.relation(node.relation)
            column = getattr(command, "def").column_def
            old, new = here and here.columns.get(command.name), type_of(column)
            if old and not column.HasField("raw_default") and not types.rewrites(old, new):
                continue
            said = f" from {old} to {new}" if old else ""
            yield (
                f"changes the type of {table}.{command.name}{said}, which {'' if old else 'may '}"
                f"write{'s' if old else ''} the whole table anew{facts.figures(table)} while nobody can read it. "
                "On a large table add a new column, fill it in batches and switch over."
            )
