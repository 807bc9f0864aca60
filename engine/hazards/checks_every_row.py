"""ADD FOREIGN KEY or CHECK without NOT VALID: every row is checked under a lock that keeps writers out."""

from collections.abc import Iterator
from typing import Any

from postgast import pg_query_pb2 as pg

from engine.hazards.facts import Facts, alterations, name_of


def find(node: Any, facts: Facts) -> Iterator[str]:
    """One sentence per such constraint on a table that was there before."""
    for command in alterations(node, pg.AT_AddConstraint):
        constraint, table = getattr(command, "def").constraint, name_of(node.relation)
        if table in facts.created or constraint.skip_validation:
            continue
        if constraint.contype == pg.CONSTR_FOREIGN:
            yield _sentence("a foreign key", table, f"writes to it and to {name_of(constraint.pktable)} wait")
        elif constraint.contype == pg.CONSTR_CHECK:
            yield _sentence("a check", table, "nobody can read or write it")


def _sentence(what: str, table: str, meanwhile: str) -> str:
    return (
        f"adds {what} to {table}, and while every row of it is checked {meanwhile}. "
        "Add it NOT VALID, and VALIDATE CONSTRAINT in a later migration."
    )
