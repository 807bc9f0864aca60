"""How many queries would wait and how long: the locks that a rehearsal saw × what goes on in the environment. Pure.

While a table is barred, rate × time queries arrive (Little's law, for an open system). But whoever waits asks for
nothing else meanwhile, so for one file no more wait than have a session, or come to have one: the bound of a closed
system (Schroeder, Wierman and Harchol-Balter, "Open Versus Closed", NSDI 2006). The smaller of the two is foretold.
With 8 clients of pgbench and a table barred for 14 s in rehearsal, that is 8, and 8 waited; by the rate it was 58,577.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from engine.rehearsal.receipt import File, Receipt
from engine.rehearsal.traffic import Hindrance, Replica, Traffic

#: Who waits for whom: readers for ACCESS EXCLUSIVE alone, writers for all of these.
_BARS_READS = {"ACCESS EXCLUSIVE"}
_BARS_WRITES = {"SHARE", "SHARE ROW EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE"}

#: Table → for how many seconds its readers, and its writers, are kept waiting.
Barred = Mapping[str, tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Wait:
    """One table whose readers or writers would wait: for how long at most, and about how many of them.

    `reads` and `writes` are the seconds that they are barred from it in all.
    """

    relation: str
    reads: float
    writes: float
    queries: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a run would do to others. `sampled` is for how many seconds the traffic was looked at.

    `queries` counts scans and rows written, and sessions where these are fewer, so it is at most as many; `longest` is
    how long one of them waits at most, in seconds, when nobody is in the run's own way.
    """

    queries: int
    longest: float
    sampled: float
    waits: tuple[Wait, ...]
    hindrances: tuple[Hindrance, ...] = ()
    replicas: tuple[Replica, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The same in JSON's own kinds of value."""
        return asdict(self)

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> "Forecast":
        """The Forecast that `as_json` described."""
        parts = {
            "waits": tuple(Wait(**one) for one in said["waits"]),
            "hindrances": tuple(Hindrance(**{**one, "holds": tuple(one["holds"])}) for one in said["hindrances"]),
            "replicas": tuple(Replica(**one) for one in said["replicas"]),
        }
        return cls(**{**said, **parts})


def relations(receipt: Receipt) -> tuple[str, ...]:
    """Everything that a run locks, in any mode."""
    return tuple(sorted({one.relation for file in receipt.files for one in file.locks}))


def of(receipt: Receipt, first: Traffic, last: Traffic) -> Forecast:
    """Who would wait if the run met the traffic that there was between the two looks."""
    barred = [_barred(file, last.tables) for file in receipt.files]
    waiting = [_waiting(one, first, last) for one in barred]
    names = sorted({name for one in barred for name in one})
    return Forecast(
        queries=round(sum(many for one in waiting for many in one.values())),
        longest=max((seconds for one in barred for pair in one.values() for seconds in pair), default=0.0),
        sampled=round(last.at - first.at, 3),
        waits=tuple(_wait(name, barred, waiting) for name in names),
    )


def beside(said: Forecast, hindrances: Sequence[Hindrance], replicas: Sequence[Replica]) -> Forecast:
    """The same, with who stands there now."""
    return replace(said, hindrances=tuple(hindrances), replicas=tuple(replicas))


def _barred(file: File, tables: Mapping[str, str]) -> Barred:
    """For how long readers and writers of each table wait in this file. A locked index bars its table's readers."""
    found = defaultdict[str, tuple[float, float]](lambda: (0.0, 0.0))
    for one in file.locks:
        name = tables.get(one.relation, one.relation)
        reads, writes = found[name]
        if one.mode in _BARS_READS:
            reads = max(reads, one.seconds)
        if one.mode in _BARS_WRITES:
            writes = max(writes, one.seconds)
        found[name] = reads, writes
    return {name: pair for name, pair in found.items() if any(pair)}


def _waiting(barred: Barred, first: Traffic, last: Traffic) -> Mapping[str, float]:
    """About how many wait for each table while one file bars it: as many as ask, or of all together those who can."""
    asked = {
        name: reads * _rate(first, last, first.reads.get(name, 0), last.reads.get(name, 0))
        + writes * _rate(first, last, first.writes.get(name, 0), last.writes.get(name, 0))
        for name, (reads, writes) in barred.items()
    }
    part = min(_sessions(barred, first, last) / max(sum(asked.values()), 1e-9), 1.0)
    return {name: many * part for name, many in asked.items()}


def _sessions(barred: Barred, first: Traffic, last: Traffic) -> float:
    """How many there are, and come to be while a file bars them; no bound where those are not counted."""
    if first.connected is None or last.connected is None:
        return math.inf
    longest = max((seconds for pair in barred.values() for seconds in pair), default=0.0)
    return max(first.sessions, last.sessions) + longest * _rate(first, last, first.connected, last.connected)


def _rate(first: Traffic, last: Traffic, before: int, after: int) -> float:
    """By how much a counter grew in a second."""
    return max(after - before, 0) / max(last.at - first.at, 0.001)


def _wait(name: str, barred: Sequence[Barred], waiting: Sequence[Mapping[str, float]]) -> Wait:
    reads, writes = (sum(one[name][which] for one in barred if name in one) for which in (0, 1))
    queries = round(sum(one.get(name, 0.0) for one in waiting))
    return Wait(name, round(reads, 6), round(writes, 6), queries)
