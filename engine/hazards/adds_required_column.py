"""ADD COLUMN … NOT NULL without a default: it fails as soon as the table has a row."""

from collections.abc import Iterator
from typing import Any

from postgast import pg_query_pb2 as pg

from engine.hazards.facts import Facts, alterations, name_of

_FILLS_ITSELF = {pg.CONSTR_DEFAULT, pg.CONSTR_IDENTITY, pg.CONSTR_GENERATED}
_SERIAL = {"serial", "serial2", "serial4", "serial8", "smallserial", "bigserial"}


def find(node: Any, facts: Facts) -> Iterator[str]:
    """One sentence per required column without a value for the rows that are there."""
    for command in alterations(node, pg.AT_AddColumn):
        column = getattr(command, "def").column_def
        said = {constraint.constraint.contype for constraint in column.constraints}
        serial = column.type_name.names[-1].string.sval in _SERIAL
        required = said & {pg.CONSTR_NOTNULL, pg.CONSTR_PRIMARY} and not said & _FILLS_ITSELF and not serial
        if required and (table := name_of(node.relation)) not in facts.created:
            yield (
                f"adds the column {column.colname} to {table} as NOT NULL without a default, "
                "which fails as soon as the table has a row. Give it a default, or fill it before requiring it."
            )
