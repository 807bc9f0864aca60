"""The statements that make one shape of another, in an order that works. Pure.

The way down is the same with the two changed about. What cannot be said in a statement is named, never left out.
"""

from collections.abc import Iterator, Mapping
from functools import reduce
from itertools import chain
from typing import TypeVar

from engine.generate import alter, binding, comments, enums, sequences
from engine.generate.enums import Use
from engine.generate.shape import Shape, Table

Value = TypeVar("Value")


class Unsayable(Exception):
    """What differs and cannot be generated, a phrase each."""

    def __init__(self, what: tuple[str, ...]) -> None:
        super().__init__(what)
        self.what = what


def between(old: Shape, new: Shape) -> tuple[str, ...]:
    """The statements, without semicolons; none when there is no difference. Raises Unsayable."""
    if unsayable := tuple(_unsayable(old, new)):
        raise Unsayable(unsayable)
    renamings = tuple(binding.renamings(old, new))
    old = reduce(binding.renamed, renamings, old)
    made = set(_by_serials(old, new))
    again = {*binding.again(old, new), *_made_again(old, new)}
    return tuple(
        chain(
            map(str, renamings),
            binding.taken_away(old, new),
            (f"CREATE SCHEMA {name}" for name in new.schemas if name not in old.schemas),
            _enums(old, new),
            (f"CREATE DOMAIN {name} AS {new.domains[name]}" for name in _added(old.domains, new.domains)),
            sequences.before_tables(old.sequences, new.sequences, made=made),
            _tables(old, new, made),
            (f"DROP TABLE {name}" for name in _added(new.tables, old.tables)),
            binding.put_there(old, new),
            sequences.after_tables(old.sequences, new.sequences, made=made),
            comments.between(old, new, again=again),
            (f"DROP SEQUENCE {name}" for name in _unowned(old, new)),
            (f"DROP DOMAIN {name}" for name in _added(new.domains, old.domains)),
            (f"DROP TYPE {name}" for name in _added(new.enums, old.enums)),
            (f"DROP SCHEMA {name}" for name in old.schemas if name not in new.schemas),
        )
    )


def _added(old: Mapping[str, Value], new: Mapping[str, Value]) -> list[str]:
    return [name for name in new if name not in old]


def _unsayable(old: Shape, new: Shape) -> Iterator[str]:
    for name, definition in new.domains.items():
        if old.domains.get(name, definition) != definition:
            yield f"domain {name} is {old.domains[name]} and would be {definition}"
    for name, (before, after) in binding.kept(old, new).items():
        if before.storage != after.storage:
            yield f"table {name} is stored {before.storage or 'as usual'} and would be {after.storage or 'as usual'}"


def _by_serials(old: Shape, new: Shape) -> Iterator[str]:
    """Sequences that come with a serial column that comes."""
    for name, table in new.tables.items():
        there = old.tables[name].columns if name in old.tables else {}
        for key, column in table.columns.items():
            if key not in there and column.sequence not in old.sequences and alter.is_serial(column, new):
                yield column.sequence or ""


def _tables(old: Shape, new: Shape, made: set[str]) -> Iterator[str]:
    """New tables, then new, changed and dropped columns of the others."""
    serial = {
        name: {key: alter.is_serial(one, new) and one.sequence in made for key, one in table.columns.items()}
        for name, table in new.tables.items()
    }
    for name in _added(old.tables, new.tables):
        yield _table(name, new.tables[name], serial[name])
    for name, both in binding.kept(old, new).items():
        yield from alter.columns(name, *both, serial=serial[name])


def _table(name: str, table: Table, serial: Mapping[str, bool]) -> str:
    unlogged, rest = ("UNLOGGED ", table.storage[9:]) if table.storage.startswith("UNLOGGED") else ("", table.storage)
    inside = [alter.definition(key, column, serial=serial[key]) for key, column in table.columns.items()]
    inside += [f"CONSTRAINT {key} {one.definition}" for key, one in table.constraints.items() if one.kind != "f"]
    body = ",\n  ".join(inside)
    return f"CREATE {unlogged}TABLE {name} (\n  {body}\n) {rest}".rstrip()


def _unowned(old: Shape, new: Shape) -> Iterator[str]:
    """Sequences to drop: not those that go with the column they belong to."""
    columns = {(name, column) for name, table in new.tables.items() for column in table.columns}
    for name in _added(new.sequences, old.sequences):
        if (owner := old.sequences[name].owner) is None or owner in columns:
            yield name


def _enums(old: Shape, new: Shape) -> Iterator[str]:
    for name, labels in new.enums.items():
        if name not in old.enums:
            yield f"CREATE TYPE {name} AS ENUM ({', '.join(labels)})"
        elif old.enums[name] != labels:
            yield from enums.relabel(name, old.enums[name], labels, used=tuple(_uses(name, old, new)))


def _uses(enum: str, old: Shape, new: Shape) -> Iterator[Use]:
    for name, table in old.tables.items():
        wanted = new.tables[name].columns if name in new.tables else {}
        for column, one in table.columns.items():
            if one.type in (enum, f"{enum}[]"):
                same = column in wanted and wanted[column].type == one.type
                default = wanted[column].default if same else None
                yield Use(name, column, one.type.endswith("[]"), one.default is not None, default)


def _made_again(old: Shape, new: Shape) -> Iterator[str]:
    """Columns and enum types made anew, as a comment calls them."""
    for name, both in binding.kept(old, new).items():
        yield from (f"COLUMN {name}.{key}" for key in alter.made_again(*both))
    for name, labels in new.enums.items():
        if not enums.grows(old.enums.get(name, ()), labels):
            yield f"TYPE {name}"
