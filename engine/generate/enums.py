"""The statements that give an enum type other labels: some more, or a new type in its place. Pure."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

_NAME = re.compile(r'(?:.*\.)?("(?:[^"]|"")+"|[^".]+)', re.DOTALL)
_BEFORE = "twokey_before"


class Use(NamedTuple):
    """A column of an enum type or of an array of it, and the default it shall have afterwards."""

    table: str
    column: str
    array: bool
    had_default: bool
    default: str | None


def relabel(name: str, old: Sequence[str], new: Sequence[str], *, used: Sequence[Use]) -> Iterator[str]:
    """The type has the new labels. PostgreSQL takes no label away and moves none, so then the type is made again."""
    return _more(name, old, new) if grows(old, new) else _again(name, new, used)


def grows(old: Sequence[str], new: Sequence[str]) -> bool:
    """Whether labels only come."""
    return [label for label in new if label in old] == list(old)


def bare(name: str) -> str:
    """A name without the schema that may stand before it."""
    found = _NAME.fullmatch(name)
    return found[1] if found else name


def _more(name: str, old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    for place, label in enumerate(new):
        if label not in old:
            where = f"AFTER {new[place - 1]}" if place else f"BEFORE {old[0]}" if old else ""
            yield f"ALTER TYPE {name} ADD VALUE {label} {where}".rstrip()


def _again(name: str, new: Sequence[str], used: Sequence[Use]) -> Iterator[str]:
    yield f"ALTER TYPE {name} RENAME TO {_BEFORE}"
    yield f"CREATE TYPE {name} AS ENUM ({', '.join(new)})"
    for use in used:
        column, many = f"ALTER TABLE {use.table} ALTER COLUMN {use.column}", "[]" if use.array else ""
        if use.had_default:
            yield f"{column} DROP DEFAULT"
        yield f"{column} TYPE {name}{many} USING {use.column}::text{many}::{name}{many}"
        if use.default:
            yield f"{column} SET DEFAULT {use.default}"
    yield f"DROP TYPE {name.removesuffix(bare(name))}{_BEFORE}"
