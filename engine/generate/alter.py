"""The statements that make one table's columns of another's. Pure."""

import re
from collections.abc import Iterator, Mapping

from engine.generate import sequences
from engine.generate.shape import Column, Shape, Table

#: Within each of these PostgreSQL converts by itself; between others a person reads the conversion in the file.
_CONVERT = (
    {"smallint", "integer", "bigint", "numeric", "real", "double precision"},
    {"text", "character varying", "character"},
)
_SERIAL = {"smallint": "smallserial", "integer": "serial", "bigint": "bigserial"}


def is_serial(column: Column, shape: Shape) -> bool:
    """Whether the column owns a sequence as its serial type makes it."""
    if column.sequence is None or column.type not in _SERIAL:
        return False
    sequence = shape.sequences[column.sequence]
    return sequence.plain and sequence.type == column.type


def definition(name: str, column: Column, *, serial: bool) -> str:
    """The column as CREATE TABLE and ADD COLUMN take it; as a serial one, which makes its own sequence, if so."""
    if serial:
        return f"{name} {_SERIAL[column.type]}"
    parts = [name, column.type, f"COLLATE {column.collation}" if column.collation else "", column.generated]
    if column.identity:
        return " ".join(filter(None, [*parts, _identity(column)]))
    parts += [f"DEFAULT {column.default}" if column.default else "", "NOT NULL" if column.not_null else ""]
    return " ".join(filter(None, parts))


def columns(name: str, old: Table, new: Table, *, serial: Mapping[str, bool]) -> Iterator[str]:
    """What alters the table; `serial` says it of each new column. Columns go only after the others came."""
    table, again = f"ALTER TABLE {name}", set(made_again(old, new))
    yield from (f"{table} DROP COLUMN {column}" for column in old.columns if column in again)
    for column, wanted in new.columns.items():
        if column not in old.columns or column in again:
            yield f"{table} ADD COLUMN {definition(column, wanted, serial=serial[column])}"
        else:
            changes = _changes(column, old.columns[column], wanted)
            yield from (f"{table} ALTER COLUMN {column} {change}" for change in changes)
            if wanted.identity and not old.columns[column].identity:
                sequence = sequences.of_identity(name, column)
                yield from sequences.catching_up(sequence, name, column, options=wanted.options)
    yield from (f"{table} DROP COLUMN {column}" for column in old.columns if column not in new.columns)


def made_again(old: Table, new: Table) -> Iterator[str]:
    """Columns that are dropped and added, because what they compute cannot be altered."""
    for name, column in new.columns.items():
        if name in old.columns and column.generated and old.columns[name].generated != column.generated:
            yield name


def _changes(name: str, old: Column, new: Column) -> Iterator[str]:
    retyped = (old.type, old.collation) != (new.type, new.collation)
    if old.generated and not new.generated:
        yield "DROP EXPRESSION"
    if old.identity and not new.identity:
        yield "DROP IDENTITY"
    if old.default and (retyped or new.default is None):
        yield "DROP DEFAULT"
    if retyped:
        yield _type(name, old, new)
    if old.not_null != new.not_null:
        yield "SET NOT NULL" if new.not_null else "DROP NOT NULL"
    if new.default and (retyped or old.default != new.default):
        yield f"SET DEFAULT {new.default}"
    yield from _reidentified(old, new)


def _type(name: str, old: Column, new: Column) -> str:
    collated = f" COLLATE {new.collation}" if new.collation else ""
    by_itself = new.generated or _converts(_family(old.type), _family(new.type))
    using = "" if by_itself else f" USING {name}::{new.type}"
    return f"TYPE {new.type}{collated}{using}"


def _family(type_: str) -> str:
    return re.sub(r"\(.*?\)", "", type_)


def _converts(old: str, new: str) -> bool:
    return old == new or any({old, new} <= each for each in _CONVERT)


def _identity(column: Column) -> str:
    options = f" ({column.options})" if column.options else ""
    return f"GENERATED {column.identity} AS IDENTITY{options}"


def _reidentified(old: Column, new: Column) -> Iterator[str]:
    if not new.identity:
        return
    if not old.identity:
        yield f"ADD {_identity(new)}"
        return
    if old.identity != new.identity:
        yield f"SET GENERATED {new.identity}"
    if old.options != new.options:
        yield " ".join(f"SET {option}" for option in sequences.whole(new.options))
