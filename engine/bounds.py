"""What PostgreSQL would let a migration touch and we do not: the engine's own tables and the run's time limits."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import postgast
from postgast import pg_query_pb2 as pg

from engine import sections, statements
from engine.connection import Limits, milliseconds
from engine.errors import EngineError
from engine.files import Migration
from engine.history import ALL_TABLES
from engine.statements import Forbidden, Statement

_UNITS = {"us": 0.001, "": 1, "ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}


def check(file: Migration, found: Iterable[Statement], *, schema: str, limits: Limits) -> None:
    """Every statement of the way up, which is `found`, and of the way down stays within them.

    `schema` is where the engine's tables are. Raises Forbidden.
    """
    down = sections.cut(file.text).down
    within(file.file, (*found, *(statements.fit(file.file, down) if down else ())), schema=schema, limits=limits)


def within(file: str, found: Iterable[Statement], *, schema: str, limits: Limits) -> None:
    """The same for these statements of a file. Raises Forbidden."""
    allowed = {
        "lock_timeout": milliseconds(limits.lock_timeout),
        "statement_timeout": milliseconds(limits.statement_timeout),
    }
    for one in found:
        if table := _bookkeeping(one, schema):
            because = "is where Twokey keeps what ran here, and no migration changes that"
            raise Forbidden(file, one.line, table, because, "Remove the statement.")
        if (name := _loosened(one, allowed)) is not None:
            because = f"would go beyond the {allowed[name]} ms that the plan shows"
            way_out = f"Set less, or raise {name} in twokey.toml."
            raise Forbidden(file, one.line, f"SET {name}", because, way_out)


def refusals(files: Iterable[Migration], *, limits: Limits) -> dict[str, str]:
    """Which files no plan would be drawn with, by id, and why: for who asks before there is a plan."""
    found = dict[str, str]()
    for file in files:
        try:
            check(file, statements.parse(file), schema="public", limits=limits)
        except EngineError as refused:
            found[file.id] = str(refused)
    return found


def _loosened(statement: Statement, allowed: Mapping[str, int]) -> str | None:
    """The limit that a SET would let a statement exceed. No limit is the longest one, and RESET may mean none."""
    node = statement.node
    if statement.kind != "variable_set_stmt" or not allowed.get(node.name):
        return None
    asked = _asked(node)
    return None if asked is not None and 1 <= asked <= allowed[node.name] else node.name


def _asked(node: pg.VariableSetStmt) -> float | None:
    """The milliseconds that a SET asks for; None where it does not say."""
    if node.kind != pg.VAR_SET_VALUE or len(node.args) != 1:
        return None
    value = node.args[0].a_const
    said = value.sval.sval or value.fval.fval or str(value.ival.ival)
    number = said.strip().rstrip("abcdefghijklmnopqrstuvwxyz")
    unit = _UNITS.get(said.strip()[len(number) :])
    try:
        return None if unit is None else float(number) * unit
    except ValueError:
        return None


def _bookkeeping(statement: Statement, schema: str) -> str | None:
    """The engine's table that a statement would change, or the schema it would drop them with."""
    dropped = statement.kind == "drop_stmt" and statement.node.remove_type == pg.OBJECT_SCHEMA
    if dropped and any(one.string.sval == schema for one in statement.node.objects):
        return f"The schema {schema}"
    # Printing a tree is quick in C, walking it in Python is not; few statements name these tables.
    printed = str(statement.node)
    if not any(table in printed for table in ALL_TABLES):
        return None
    return next((name for home, name in _changed(statement) if name in ALL_TABLES and home in ("", schema)), None)


def _changed(statement: Statement) -> Iterator[tuple[str, str]]:
    """Schema (empty where none is said) and name of each table that a statement changes."""
    for node in (statement.node, *_within(statement.node)):
        for relation in _WRITES_TO.get(type(node).DESCRIPTOR.name, _nothing)(node):
            yield relation.schemaname, relation.relname
    if statement.kind == "drop_stmt" and statement.node.remove_type == pg.OBJECT_TABLE:
        for thing in statement.node.objects:
            *home, name = (part.string.sval for part in thing.list.items)
            yield home[-1] if home else "", name


def _within(node: Any) -> Iterator[Any]:
    """The changes that a WITH makes on the side."""
    for kind in (pg.InsertStmt, pg.UpdateStmt, pg.DeleteStmt, pg.MergeStmt):
        yield from postgast.find_nodes(node, kind)


def _one(node: Any) -> Iterable[pg.RangeVar]:
    return (node.relation,)


def _many(node: Any) -> Iterable[pg.RangeVar]:
    return (one.range_var for one in node.relations)


def _nothing(_: Any) -> Iterable[pg.RangeVar]:
    return ()


_WRITES_TO: Mapping[str, Callable[[Any], Iterable[pg.RangeVar]]] = {
    **dict.fromkeys(("InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"), _one),
    **dict.fromkeys(("AlterTableStmt", "AlterObjectSchemaStmt", "RenameStmt", "CreateTrigStmt", "RuleStmt"), _one),
    **dict.fromkeys(("TruncateStmt", "LockStmt"), _many),
    "CopyStmt": lambda node: (node.relation,) if node.is_from else (),
}
