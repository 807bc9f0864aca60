"""What a file declares that it does, held against what it did in rehearsal. Pure.

    -- effects: alters users; creates orders; rows users 0

`alters`, `creates` and `drops` name relations, `rows` a relation and how many of its rows are written. Several
lines are one declaration. Where there is one, all must match: relations and rows that it does not mention stay.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from engine.drift import Difference
from engine.rehearsal.receipt import Change

_LINE = re.compile(r"^[ \t]*--[ \t]*effects:[ \t]*(.*?)[ \t]*$", re.IGNORECASE | re.MULTILINE)
_ROWS = re.compile(r"rows\s+(\S+)\s+([\d_,]+)", re.IGNORECASE)
_VERBS = ("alters", "creates", "drops")

_KINDS = {"table", "partitioned table", "view", "materialized view", "foreign table"}
_ON = re.compile(r" ON (?:ONLY )?(\S+) ")


class Unreadable(Exception):
    """A declaration that says nothing we know. `part` is a piece of the file's own line."""

    def __init__(self, line: int, part: str) -> None:
        super().__init__(line, part)
        self.line, self.part = line, part


@dataclass(frozen=True, slots=True)
class Effects:
    """What one file declares; `line` is where it first does. Relations are named as the file names them."""

    line: int
    alters: frozenset[str]
    creates: frozenset[str]
    drops: frozenset[str]
    rows: Mapping[str, int]


def declared(text: str) -> Effects | None:
    """What the file's `-- effects:` lines say; None without any. Raises Unreadable."""
    lines = list(_LINE.finditer(text))
    if not lines:
        return None
    told: dict[str, set[str]] = {verb: set() for verb in _VERBS}
    rows: dict[str, int] = {}
    for one in lines:
        number = text.count("\n", 0, one.start()) + 1
        for part in filter(None, map(str.strip, one[1].split(";"))):
            verb, _, names = part.partition(" ")
            if counted := _ROWS.fullmatch(part):
                rows[counted[1]] = int(re.sub(r"[_,]", "", counted[2]))
            elif verb.lower() in told and names.strip():
                told[verb.lower()] |= {name.strip() for name in names.split(",")}
            else:
                raise Unreadable(number, part)
    first = text.count("\n", 0, lines[0].start()) + 1
    return Effects(first, *(frozenset(told[verb]) for verb in _VERBS), rows=rows)


def against(said: Effects, differences: Iterable[Difference], changes: Iterable[Change]) -> Iterator[str]:
    """Where the file did otherwise than it said, a phrase each. `differences`: after (here), before (there)."""
    did = _did(differences)
    for verb, names in zip(_VERBS, (said.alters, said.creates, said.drops), strict=True):
        for name in sorted(did[verb]):
            if not any(_is(one, name) for one in names):
                yield f"it {verb} {name}"
        for one in sorted(names):
            if not any(_is(one, name) for name in did[verb]):
                yield f"it {verb} no {one}"
    touched = {change.relation: change.touched for change in changes}
    for name, count in touched.items():
        wanted = next((number for one, number in said.rows.items() if _is(one, name)), 0)
        if count != wanted:
            yield f"it writes {count:,} rows of {name} and not {wanted:,}"
    for one, number in said.rows.items():
        if number and not any(_is(one, name) for name in touched):
            yield f"it writes no row of {one} and not {number:,}"


def _is(said: str, name: str) -> bool:
    """Whether a name in the file means this relation, which is written with its schema."""
    return said == name or ("." not in said and name.rpartition(".")[2] == said)


def _did(differences: Iterable[Difference]) -> Mapping[str, set[str]]:
    did: dict[str, set[str]] = {verb: set() for verb in _VERBS}
    for one in differences:
        if one.kind in _KINDS:
            verb = "drops" if one.here is None else "creates" if one.there is None else "alters"
            did[verb].add(one.name)
        elif relation := _relation(one):
            did["alters"].add(relation)
    return did


def _relation(one: Difference) -> str | None:
    """The relation that a part of one belongs to."""
    match one.kind:
        case "columns of":
            return one.name
        case "column" | "constraint" | "trigger" | "rule" | "policy":
            return one.name[: one.name.rindex('."')] if one.name.endswith('"') else one.name.rpartition(".")[0]
        case "index":
            found = _ON.search(one.here or one.there or "")
            return found[1] if found else None
        case _:
            return None
