"""What a rehearsal saw, laid out in time: a lane for each statement, and one for each relation that it barred. Pure.

Names come from SQL that somebody wrote: they are cut, and lose what cannot be seen. Where there are more lanes than a
phone can show, the longest stand and the others share one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.blocks import counted, cut, seconds, size, visible
from ledger.rehearsed import Barred, Ran, Rehearsal

#: How many lanes are shown of each kind, and how long a name in one may be, which is cut again where it does not fit.
STATEMENTS = 16
RELATIONS = 9
NAME = 60

#: How long an alternative text may be, in Slack: in bytes, for it does not say in what.
ALT = 1000

#: The kind of a bar that is no lock.
RUNS = "runs"

#: The modes that bar somebody, the weakest first, and whom.
BARS = {
    "SHARE": "writes wait",
    "SHARE ROW EXCLUSIVE": "writes wait",
    "EXCLUSIVE": "writes wait",
    "ACCESS EXCLUSIVE": "reads and writes wait",
}
_STRENGTH = tuple(BARS)


@dataclass(frozen=True, slots=True)
class Bar:
    """Something that lasted: a statement (RUNS) or a lock, by its mode. In seconds from the run's beginning."""

    kind: str
    at: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Lane:
    """One line of the picture. `kind` is that of its strongest bar; `figure` is what is said of it in numbers."""

    name: str
    figure: str
    kind: str
    bars: tuple[Bar, ...]

    @property
    def begins(self) -> float:
        """When its first bar does."""
        return min(one.at for one in self.bars)

    @property
    def longest(self) -> float:
        """How long its longest bar is."""
        return max(one.seconds for one in self.bars)


@dataclass(frozen=True, slots=True)
class Timeline:
    """A picture before it is drawn. Time runs from 0 to `seconds`; `warning` is empty where there is none."""

    title: str
    subtitle: str
    warning: str
    seconds: float
    statements: tuple[Lane, ...]
    locks: tuple[Lane, ...]

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> "Timeline":
        """The Timeline whose fields these are."""
        return cls(**{**said, "statements": _lanes(said["statements"]), "locks": _lanes(said["locks"])})


def of(request_id: int, environment: str, seen: Rehearsal) -> Timeline:
    """The rehearsal of a request, as its picture shows it."""
    sample = "The schema and a sample of rows alone: it will take longer than this."
    ends = [one.at + one.seconds for one in (*seen.statements, *seen.locks)]
    return Timeline(
        title=visible(f"Rehearsal of #{request_id} on a copy of {environment}"),
        subtitle=_subtitle(seen),
        warning="" if seen.extent == "whole" else sample,
        seconds=max([seen.seconds, *ends]) or 0.001,
        statements=_statements(seen),
        locks=_locks(seen),
    )


def in_words(picture: Timeline) -> str:
    """The same for whoever does not see it."""
    ran = "; ".join(f"{one.name}, {one.figure}" for one in picture.statements)
    held = "; ".join(f"{one.name} {one.figure}, from {seconds(one.begins)} on" for one in picture.locks)
    parts = [f"{picture.title}: {picture.subtitle}.", picture.warning, f"Locks: {held or 'none that bars anybody'}."]
    text = " ".join(part for part in (*parts, f"Statements: {ran}.") if part)
    whole = text.encode()
    return text if len(whole) <= ALT else f"{whole[: ALT - 3].decode(errors='ignore')}…"


def _subtitle(seen: Rehearsal) -> str:
    ran = counted(len(seen.statements) + seen.more, "statement")
    copy = f"{size(seen.bytes)} restored in {seconds(seen.restored)}"
    return f"{ran} in {seconds(seen.seconds)} · {size(seen.wal)} of WAL · {copy}"


def _statements(seen: Rehearsal) -> tuple[Lane, ...]:
    ran = seen.statements
    if len(ran) <= STATEMENTS:
        return tuple(map(_statement, ran))
    by_length = sorted(ran, key=lambda one: -one.seconds)
    shown, others = by_length[: STATEMENTS - 1], by_length[STATEMENTS - 1 :]
    together = sum(one.seconds for one in others)
    bars = tuple(Bar(RUNS, one.at, one.seconds) for one in others)
    rest = Lane(f"{len(others)} others", f"together {seconds(together)}", RUNS, bars)
    return (*(_statement(one) for one in sorted(shown, key=lambda one: one.at)), rest)


def _statement(one: Ran) -> Lane:
    place = f"line {one.line} of {one.migration.partition('_')[2] or one.migration}"
    rows = [counted(one.rows, "row")] if one.rows is not None else []
    figure = " · ".join([*rows, *(["writes anew"] if one.rewrites else []), seconds(one.seconds)])
    return Lane(_name(f"{one.tag} · {place}"), figure, RUNS, (Bar(RUNS, one.at, one.seconds),))


def _locks(seen: Rehearsal) -> tuple[Lane, ...]:
    """One lane for each relation, the strongest and then the longest barred first."""
    held = dict[str, list[Barred]]()
    for one in seen.locks:
        held.setdefault(one.relation, []).append(one)
    lanes = sorted(map(_relation, held.values()), key=lambda lane: (-_strength(lane.kind), -lane.longest))
    if len(lanes) <= RELATIONS:
        return tuple(lanes)
    return (*lanes[: RELATIONS - 1], _other_relations(lanes[RELATIONS - 1 :]))


def _relation(held: Sequence[Barred]) -> Lane:
    mode = max((one.mode for one in held), key=_strength)
    longest = max(one.seconds for one in held if one.mode == mode)
    times = sum(one.mode == mode for one in held)
    figure = f"{mode} {seconds(longest)}" if times == 1 else f"{times} × {mode}, {seconds(longest)} at most"
    bars = _in_turn(Bar(one.mode, one.at, one.seconds) for one in held)
    return Lane(_name(held[0].relation), figure, mode, bars)


def _other_relations(lanes: Sequence[Lane]) -> Lane:
    longest = max(lane.longest for lane in lanes)
    bars = _in_turn(bar for lane in lanes for bar in lane.bars)
    return Lane(f"{len(lanes)} other relations", f"{seconds(longest)} at most", lanes[0].kind, bars)


def _in_turn(bars: Iterable[Bar]) -> tuple[Bar, ...]:
    """The weaker first, so that a stronger one is drawn over it."""
    return tuple(sorted(bars, key=lambda one: (_strength(one.kind), one.at)))


def _strength(mode: str) -> int:
    return _STRENGTH.index(mode) if mode in BARS else len(_STRENGTH)


def _name(text: str) -> str:
    return cut(visible(text), NAME)


def _lanes(said: Sequence[Mapping[str, Any]]) -> tuple[Lane, ...]:
    return tuple(Lane(**{**one, "bars": tuple(Bar(**bar) for bar in one["bars"])}) for one in said)
