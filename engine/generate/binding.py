"""The statements that make what binds tables, constraints and indexes, that of another shape. Pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain
from typing import NamedTuple, TypeVar

from engine.generate import comments, enums
from engine.generate.shape import Shape, Table

_INDEX = re.compile(r'(CREATE (?:UNIQUE )?INDEX) (?:"(?:[^"]|"")+"|\S+) (ON .*)', re.DOTALL)
_NOTHING = Table("", {}, {}, {})

Value = TypeVar("Value")


class Renaming(NamedTuple):
    """A constraint or an index that is the same under another name. `kind` is the word of its statement."""

    kind: str
    table: str
    old: str
    new: str

    def __str__(self) -> str:
        if self.kind == "INDEX":
            return f"ALTER INDEX {self.old} RENAME TO {enums.bare(self.new)}"
        return f"ALTER TABLE {self.table} RENAME CONSTRAINT {self.old} TO {self.new}"


def kept(old: Shape, new: Shape) -> dict[str, tuple[Table, Table]]:
    """Tables that are in both, as they are in each."""
    return {name: (table, new.tables[name]) for name, table in old.tables.items() if name in new.tables}


def renamings(old: Shape, new: Shape) -> Iterator[Renaming]:
    """What only has another name."""
    for table, (before, after) in kept(old, new).items():
        for one, other in _pairs(before.constraints, after.constraints):
            yield Renaming("CONSTRAINT", table, one, other)
        for one, other in _pairs(_unnamed(before), _unnamed(after)):
            yield Renaming("INDEX", table, one, other)


def renamed(shape: Shape, one: Renaming) -> Shape:
    """The shape once that statement has run."""
    said, table = dict(shape.comments), shape.tables[one.table]
    old, new = (comments.phrase(one.kind, name, one.table) for name in (one.old, one.new))
    if old in said:
        said[new] = said.pop(old)
    if one.kind == "INDEX":
        table = table._replace(indexes=_moved(table.indexes, one))
    else:
        table = table._replace(constraints=_moved(table.constraints, one))
    return replace(shape, tables={**shape.tables, one.table: table}, comments=said)


def taken_away(old: Shape, new: Shape) -> Iterator[str]:
    """References first, since they hold on to the keys of others; then indexes and what else binds a table."""
    yield from (f"ALTER TABLE {name} DROP CONSTRAINT {key}" for name, key in _references_gone(old, new))
    for name, both in kept(old, new).items():
        yield from (f"DROP INDEX {index}" for index in _changed_indexes(*both))
        for key in _changed_constraints(*both):
            if both[0].constraints[key].kind != "f":
                yield f"ALTER TABLE {name} DROP CONSTRAINT {key}"


def put_there(old: Shape, new: Shape) -> Iterator[str]:
    """Keys and checks of old tables, then all indexes, then references. A new table has its keys and checks."""
    pairs = {name: (table, old.tables.get(name, _NOTHING)) for name, table in new.tables.items()}
    coming = [(name, key) for name, both in pairs.items() for key in _changed_constraints(*both)]
    adding = {pair: new.tables[pair[0]].constraints[pair[1]] for pair in coming}
    statements = {
        pair: f"ALTER TABLE {pair[0]} ADD CONSTRAINT {pair[1]} {one.definition}" for pair, one in adding.items()
    }
    keys = (statements[pair] for pair, one in adding.items() if one.kind != "f" and pair[0] in old.tables)
    indexes = (new.tables[name].indexes[index] for name, both in pairs.items() for index in _changed_indexes(*both))
    return chain(keys, indexes, (statements[pair] for pair, one in adding.items() if one.kind == "f"))


def again(old: Shape, new: Shape) -> Iterator[str]:
    """What is taken away and put there anew, as a comment calls it."""
    for name, both in kept(old, new).items():
        yield from (comments.phrase("CONSTRAINT", key, name) for key in _changed_constraints(*both))
        yield from (comments.phrase("INDEX", key, name) for key in _changed_indexes(*both))


def _references_gone(old: Shape, new: Shape) -> Iterator[tuple[str, str]]:
    """Of a table that goes only those to another that goes: whichever goes first must not be held."""
    for name, table in old.tables.items():
        if name in new.tables:
            changed = _changed_constraints(table, new.tables[name])
            yield from ((name, key) for key in changed if table.constraints[key].kind == "f")
        else:
            refers = ((key, one.refers) for key, one in table.constraints.items())
            yield from ((name, key) for key, other in refers if other and other not in new.tables)


def _changed_constraints(here: Table, there: Table) -> list[str]:
    """Of the first, those that are not so in the second."""
    return [name for name, one in here.constraints.items() if there.constraints.get(name) != one]


def _changed_indexes(here: Table, there: Table) -> list[str]:
    ours, theirs = _unnamed(here), _unnamed(there)
    return [name for name, one in ours.items() if theirs.get(name) != one]


def _unnamed(table: Table) -> dict[str, str]:
    return {name: _INDEX.sub(r"\1 \2", definition) for name, definition in table.indexes.items()}


def _pairs(old: Mapping[str, Value], new: Mapping[str, Value]) -> Iterator[tuple[str, str]]:
    """What goes and what comes, where they are the same but for their names."""
    coming = {name: value for name, value in new.items() if name not in old}
    for name, value in old.items():
        same = next((one for one, its in coming.items() if its == value), None)
        if name not in new and same:
            del coming[same]
            yield name, same


def _moved(named: Mapping[str, Value], one: Renaming) -> dict[str, Value]:
    return {one.new if name == one.old else name: value for name, value in named.items()}
