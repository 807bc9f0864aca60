"""How many queries would wait and how long: the locks that a rehearsal saw × what goes on in the environment. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from engine.rehearsal.receipt import File, Receipt
from engine.rehearsal.traffic import Hindrance, Replica, Traffic

#: Who waits for whom: readers for ACCESS EXCLUSIVE alone, writers for all of these.
_BARS_READS = {"ACCESS EXCLUSIVE"}
_BARS_WRITES = {"SHARE", "SHARE ROW EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE"}


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

    `queries` counts scans and rows written, so it is at most as many; `longest` is how long one of them waits at most,
    in seconds, when nobody is in the run's own way.
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
    names = sorted({name for one in barred for name in one})
    waits = tuple(
        _wait(name, [one[name] for one in barred if name in one], _rates(name, first, last)) for name in names
    )
    return Forecast(
        queries=sum(one.queries for one in waits),
        longest=max((seconds for one in barred for pair in one.values() for seconds in pair), default=0.0),
        sampled=round(last.at - first.at, 3),
        waits=waits,
    )


def beside(said: Forecast, hindrances: Sequence[Hindrance], replicas: Sequence[Replica]) -> Forecast:
    """The same, with who stands there now."""
    return replace(said, hindrances=tuple(hindrances), replicas=tuple(replicas))


def _barred(file: File, tables: Mapping[str, str]) -> Mapping[str, tuple[float, float]]:
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


def _rates(name: str, first: Traffic, last: Traffic) -> tuple[float, float]:
    """Reads and writes of the table in a second."""
    seconds = max(last.at - first.at, 0.001)
    pairs = ((first.reads, last.reads), (first.writes, last.writes))
    reads, writes = (max(after.get(name, 0) - before.get(name, 0), 0) / seconds for before, after in pairs)
    return reads, writes


def _wait(name: str, barred: Sequence[tuple[float, float]], rates: tuple[float, float]) -> Wait:
    reads, writes = (sum(one[which] for one in barred) for which in (0, 1))
    return Wait(name, round(reads, 6), round(writes, 6), round(reads * rates[0] + writes * rates[1]))
