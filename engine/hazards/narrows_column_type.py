"""ALTER COLUMN … TYPE to a type with less room: values fail the migration, or lose what does not fit."""

from collections.abc import Iterator
from typing import Any

from postgast import pg_query_pb2 as pg

from engine.hazards import types
from engine.hazards.facts import Facts, alterations, name_of, type_of


def find(node: Any, facts: Facts) -> Iterator[str]:
    """One sentence per column that is there and gets less room."""
    for command in alterations(node, pg.AT_AlterColumnType):
        here = facts.relation(node.relation)
        if here and (old := here.columns.get(command.name)):
            new = type_of(getattr(command, "def").column_def)
            if lost := types.narrows(old, new):
                yield (
                    f"narrows {name_of(node.relation)}.{command.name} from {old} to {new} ({here.figures}): {lost}. "
                    "Look for such values first, and keep the old column until nobody misses them."
                )
