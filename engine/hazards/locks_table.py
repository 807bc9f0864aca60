"""LOCK TABLE: held until the migration ends; without a mode nobody else even reads."""

from collections.abc import Iterator
from typing import Any

from postgast import pg_query_pb2 as pg

from engine.hazards.facts import Facts, name_of

#: The modes as PostgreSQL numbers them, and who waits (documentation, table 13.2).
_HINDERS = {
    3: "ALTER TABLE and the like",
    4: "VACUUM, CREATE INDEX and ALTER TABLE",
    5: "whoever writes to it",
    6: "whoever writes to it",
    7: "whoever writes to it",
    8: "whoever reads it or writes to it",
}


def find(node: Any, facts: Facts) -> Iterator[str]:
    """One sentence per table that was there before and at which somebody has to wait."""
    if isinstance(node, pg.LockStmt) and node.mode in _HINDERS:
        for relation in node.relations:
            if (table := name_of(relation.range_var)) not in facts.created:
                yield (
                    f"locks {table} until the migration ends: {_HINDERS[node.mode]} must wait as long. "
                    "Leave it out; each statement takes the lock it needs."
                )
