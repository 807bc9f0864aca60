"""DROP … CASCADE: what depends on it goes too, columns and their values among it, and the file names none of that.

Tables and schemas have hazards of their own.
"""

from collections.abc import Iterator
from typing import Any

from postgast import pg_query_pb2 as pg

from engine.hazards.facts import Facts, alterations, name_of

_TOLD_ELSEWHERE = {pg.OBJECT_TABLE, pg.OBJECT_SCHEMA}


def find(node: Any, facts: Facts) -> Iterator[str]:
    """One sentence per statement, and per constraint or column of a table that was there before."""
    if isinstance(node, pg.DropStmt):
        if node.behavior == pg.DROP_CASCADE and node.remove_type not in _TOLD_ELSEWHERE:
            kind = pg.ObjectType.Name(node.remove_type).removeprefix("OBJECT_").replace("MATVIEW", "materialized view")
            yield _sentence(f"a {kind.lower()}")
        return
    commands = [*alterations(node, pg.AT_DropConstraint), *alterations(node, pg.AT_DropColumn)]
    for command in commands:
        if command.behavior == pg.DROP_CASCADE and (table := name_of(node.relation)) not in facts.created:
            yield _sentence(f"{command.name} of {table}")


def _sentence(what: str) -> str:
    return (
        f"drops {what} and, by CASCADE, whatever depends on it, which may be columns with their values. "
        "Drop it without CASCADE: PostgreSQL then names what depends on it."
    )
