"""Statements that write a whole table anew, though they do not look like it."""

from collections.abc import Iterator
from typing import Any

import postgast
from postgast import pg_query_pb2 as pg

from engine.hazards.facts import Facts, alterations, name_of

#: Functions whose value stands for all rows, so a default of them is kept once in the catalog.
_STEADY = {
    "current_setting", "date_trunc", "jsonb_build_array", "jsonb_build_object", "json_build_array",
    "json_build_object", "lower", "make_date", "make_interval", "now", "statement_timestamp", "timezone",
    "to_char", "transaction_timestamp", "upper",
}  # fmt: skip
_VOLATILE = {
    "clock_timestamp", "gen_random_bytes", "gen_random_uuid", "nextval", "random", "timeofday", "uuid_generate_v1",
    "uuid_generate_v4", "uuidv4", "uuidv7",
}  # fmt: skip
_SERIAL = {"serial", "serial2", "serial4", "serial8", "smallserial", "bigserial"}
_WHOLE = {
    pg.AT_SetLogged: "SET LOGGED",
    pg.AT_SetUnLogged: "SET UNLOGGED",
    pg.AT_SetTableSpace: "SET TABLESPACE",
    pg.AT_SetAccessMethod: "SET ACCESS METHOD",
    pg.AT_SetExpression: "SET EXPRESSION",
}


def find(node: Any, facts: Facts) -> Iterator[str]:
    """One sentence per table that was there before and is written anew, naming why."""
    relation = getattr(node, "relation", None)
    if not isinstance(relation, pg.RangeVar) or (table := name_of(relation)) in facts.created:
        return
    for because, surely in _reasons(node):
        yield (
            f"{'writes' if surely else 'may write'} the whole table {table} anew{facts.figures(table)} "
            f"while nobody can read it: {because}. Run it while the table is quiet, or split it into small steps."
        )


def _reasons(node: Any) -> Iterator[tuple[str, bool]]:
    if isinstance(node, pg.ClusterStmt):
        yield "CLUSTER", True
    for kind, words in _WHOLE.items():
        yield from ((words, True) for _ in alterations(node, kind))
    for command in alterations(node, pg.AT_AddColumn):
        column = getattr(command, "def").column_def
        yield from ((f"the column {column.colname} {because}", surely) for because, surely in _fills(column))


def _fills(column: Any) -> Iterator[tuple[str, bool]]:
    """Why a new column needs a value of its own in each row."""
    if column.type_name.names[-1].string.sval in _SERIAL:
        yield "counts the rows", True
    for one in column.constraints:
        constraint = one.constraint
        if constraint.contype == pg.CONSTR_IDENTITY:
            yield "counts the rows", True
        elif constraint.contype == pg.CONSTR_GENERATED and constraint.generated_kind != "v":
            yield "is generated and stored", True
        elif constraint.contype == pg.CONSTR_DEFAULT:
            yield from _volatile(constraint)


def _volatile(constraint: Any) -> Iterator[tuple[str, bool]]:
    names = {call.funcname[-1].string.sval for call in postgast.find_nodes(constraint, pg.FuncCall)} - _STEADY
    if known := names & _VOLATILE:
        yield f"has a default that differs from row to row ({', '.join(sorted(known))})", True
    elif names:
        yield f"has a default that may differ from row to row ({', '.join(sorted(names))})", False
