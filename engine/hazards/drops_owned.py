"""DROP OWNED BY: everything a role owns in this database is gone, whatever that is by now."""

from collections.abc import Iterator
from typing import Any

from postgast import pg_query_pb2 as pg

from engine.hazards.facts import Facts

_MYSELF = {
    pg.ROLESPEC_CURRENT_ROLE: "the current role",
    pg.ROLESPEC_CURRENT_USER: "the current role",
    pg.ROLESPEC_SESSION_USER: "the session's role",
}


def find(node: Any, _: Facts) -> Iterator[str]:
    """One sentence per role."""
    if isinstance(node, pg.DropOwnedStmt):
        for role in node.roles:
            whose = _MYSELF.get(role.role_spec.roletype, role.role_spec.rolename)
            yield (
                f"drops everything in this database that belongs to {whose}, with every row. "
                "Give it to another role with REASSIGN OWNED, and drop what you mean by its own name."
            )
