"""Two schemas held against each other, object by object, in words a person reads. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from engine import masking
from engine.fingerprint import Inventory, Thing

#: More than this of a definition is no help in a sentence.
_WORDS_SHOWN = 160
#: Kinds whose name begins with that of the table they belong to.
_PARTS = {"column", "constraint", "trigger", "rule", "policy"}

_Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Difference:
    """One object that is otherwise. `here` and `there` are what it is, in words; None where it is not."""

    kind: str
    name: str
    here: str | None
    there: str | None

    @property
    def label(self) -> str:
        """What a person calls the object, and what `differs` in twokey.toml names: `index public.users_email_trgm`."""
        return f"{self.kind} {self.name}"

    @property
    def sentence(self) -> str:
        """What is here, and what is there, for a channel: a literal in a definition is masked."""
        here, there = (words and masking.literals(words) for words in (self.here, self.there))
        if there is None:
            return f"{self.label} is here and not there{_defined(': ', here)}"
        if here is None:
            return f"{self.label} is not here; there it is{_defined(' ', there) or ' defined'}"
        if not (_short(here) and _short(there)) or here == there:
            return f"{self.label} is defined otherwise than there"
        return f"{self.label} is {here or 'plain'}, there it is {there or 'plain'}"

    def as_json(self) -> dict[str, Any]:
        """The same in JSON's own kinds of value, with the sentence."""
        return {
            "kind": self.kind,
            "name": self.name,
            "here": self.here,
            "there": self.there,
            "sentence": self.sentence,
        }

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> "Difference":
        """The Difference that `as_json` described."""
        return cls(said["kind"], said["name"], said["here"], said["there"])


State = Literal["none", "drifted", "unknown"]
Source = Literal["replay", "snapshot"]


@dataclass(frozen=True, slots=True)
class Drift:
    """A live schema beside the one that its history implies.

    `by` is how the latter is known: "replay" of every applied text, or the "snapshot" of the last run. `why` it is not.
    """

    state: State
    by: Source | None = None
    why: str | None = None
    differences: tuple[Difference, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The same in JSON's own kinds of value."""
        differences = [one.as_json() for one in self.differences]
        return {"state": self.state, "by": self.by, "why": self.why, "differences": differences}

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> "Drift":
        """The Drift that `as_json` described."""
        differences = tuple(map(Difference.from_json, said["differences"]))
        return cls(said["state"], said["by"], said["why"], differences)


def between(live: Inventory, implied: Inventory, *, by: Source, declared: Collection[str]) -> Drift:
    """Whether a schema is what its history implies, but for what is declared to differ."""
    found = compare(live, implied, declared=declared)
    return Drift("drifted" if found else "none", by, None, found)


def without(things: Inventory, declared: Collection[str]) -> Inventory:
    """The same without what is declared to differ, and what belongs to that."""
    if not declared:
        return things
    gone = {one.name for one in things if one.kind == "relation" and _difference(one, None).label in declared}
    return tuple(one for one in things if not (_difference(one, None).label in declared or _goes_with(one, gone)))


def unknown(why: str) -> Drift:
    """Nothing is known of what the history implies; `why` is a sentence."""
    return Drift("unknown", None, why)


def compare(here: Iterable[Thing], there: Iterable[Thing], *, declared: Collection[str] = ()) -> tuple[Difference, ...]:
    """What differs, by kind and name, but for what is declared to. What belongs to a table that one lacks goes with it.

    Of columns that stand in another order one difference per table is told, and none where others explain it.
    """
    ours, theirs = _by_key(here), _by_key(there)
    unlike = [key for key in sorted(ours.keys() | theirs.keys()) if _value(ours, key) != _value(theirs, key)]
    alone = {name for kind, name in unlike if kind == "relation" and _alone(ours, theirs, (kind, name))}
    told = [key for key in unlike if not _goes_with(ours.get(key) or theirs[key], alone)]
    moved = [key for key in told if _is_moved(ours, theirs, key)]
    found = [_difference(ours.get(key), theirs.get(key)) for key in told if key not in set(moved)]
    found += _orders(ours, theirs, moved)
    return tuple(one for one in found if one.label not in declared)


def carried(after: Inventory, *, before: Inventory, implied: Inventory) -> Inventory:
    """What a history implies after a run that began with `before` where `implied` was right.

    What differed then and was not touched by the run is as wrong as it was, so it is taken as it should have been.
    """
    live, was, right = _by_key(after), _by_key(before), _by_key(implied)
    for key in was.keys() | right.keys():
        if _value(was, key) != _value(right, key) and _value(live, key) == _value(was, key):
            live.pop(key, None)
            if key in right:
                live[key] = right[key]
    return tuple(live.values())


def _by_key(things: Iterable[Thing]) -> dict[_Key, Thing]:
    return {(one.kind, one.name): one for one in things}


def _value(things: Mapping[_Key, Thing], key: _Key) -> tuple[bool, str | None]:
    return (key in things, things[key].value if key in things else None)


def _alone(ours: Mapping[_Key, Thing], theirs: Mapping[_Key, Thing], key: _Key) -> bool:
    return key not in ours or key not in theirs


def _table(name: str) -> str:
    """The relation that a column belongs to; a quoted name may hold dots."""
    return name[: name.rindex('."')] if name.endswith('"') else name.rpartition(".")[0]


def _goes_with(thing: Thing, alone: Collection[str]) -> bool:
    """Whether the object is part of a relation that one of the two lacks altogether."""
    if thing.kind in _PARTS:
        return any(thing.name.startswith(f"{table}.") for table in alone)
    ons = (f" {on} {table} " for table in alone for on in ("ON", "ON ONLY"))
    return thing.kind == "index" and any(on in thing.words for on in ons)


def _is_moved(ours: Mapping[_Key, Thing], theirs: Mapping[_Key, Thing], key: _Key) -> bool:
    """Whether the column is the same and only stands elsewhere."""
    return key[0] == "column" and not _alone(ours, theirs, key) and ours[key].words == theirs[key].words


def _orders(ours: Mapping[_Key, Thing], theirs: Mapping[_Key, Thing], moved: Iterable[_Key]) -> Iterator[Difference]:
    for table in sorted({_table(name) for _, name in moved}):
        here, there = (_columns(things, table) for things in (ours, theirs))
        if set(here) == set(there):
            yield Difference("columns of", table, ", ".join(here), ", ".join(there))


def _columns(things: Mapping[_Key, Thing], table: str) -> list[str]:
    """The table's columns in their order, which their values begin with."""
    found = [one for one in things.values() if one.kind == "column" and _table(one.name) == table]
    return [one.name[len(table) + 1 :] for one in sorted(found, key=lambda one: int((one.value or "0").split()[0]))]


def _difference(ours: Thing | None, theirs: Thing | None) -> Difference:
    known = ours or theirs
    assert known is not None
    if known.kind != "relation":
        return Difference(known.kind, known.name, ours and ours.words, theirs and theirs.words)
    # A person says which kind of relation; it is said twice where the two are of different kinds.
    kinds = {one.words.partition(",")[0] for one in (ours, theirs) if one}
    here, there = (
        one and (one.words.partition(",")[2].strip() if len(kinds) == 1 else one.words) for one in (ours, theirs)
    )
    return Difference(known.words.partition(",")[0], known.name, here, there)


def _short(words: str) -> bool:
    return "\n" not in words and len(words) <= _WORDS_SHOWN


def _defined(joint: str, words: str | None) -> str:
    return f"{joint}{words}" if words and _short(words) else ""
