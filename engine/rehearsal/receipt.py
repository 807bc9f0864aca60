"""What a rehearsal saw, as one frozen record: what an approver reads, and part of what an approval binds to."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from engine import plan
from engine.roundtrip import Trip, Verdict
from engine.standing import Standing

#: How much of the environment was there: all rows, or the schema and the first rows of each table.
Extent = Literal["whole", "schema"]

#: From the best to the worst; a plan's way back is worth what that of its worst migration is.
_WORTH: tuple[Verdict, ...] = ("lossless", "loses", "irreversible", "broken")
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock on a relation that was there before: `mode` as PostgreSQL writes it ("ACCESS EXCLUSIVE").

    Held from `at` for `seconds`, at most: from the beginning of the statement that took it (`number`) to the commit.
    """

    relation: str
    mode: str
    number: int
    at: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Ran:
    """One statement. `number` and `line` count from 1, in the file; `tag` is the server's ("ALTER TABLE").

    `at` counts seconds from the run's beginning. `rows` is None where the server counts none. `wal` is in bytes, of all
    that the scratch server wrote meanwhile. `rewrites` are tables whose files were written anew.
    """

    number: int
    line: int
    tag: str
    at: float
    seconds: float
    rows: int | None
    wal: int
    rewrites: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """How many rows of a table a file wrote. `emptied` are those that went with a TRUNCATE or with the table."""

    relation: str
    inserted: int
    updated: int
    deleted: int
    emptied: int

    @property
    def touched(self) -> int:
        """All of them together: what a file declares as `rows users 0`."""
        return self.inserted + self.updated + self.deleted + self.emptied


@dataclass(frozen=True, slots=True)
class File:
    """One migration as it ran. `together`: in one transaction; else statement by statement."""

    id: str
    together: bool
    at: float
    seconds: float
    statements: tuple[Ran, ...]
    locks: tuple[Lock, ...]
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one table before and after the whole plan; None where there is no such table."""

    table: str
    before: int | None
    after: int | None


@dataclass(frozen=True, slots=True)
class Proof:
    """The backup that was restored: the file's name, its SHA-256, when and where in the WAL its snapshot was taken."""

    backup: str
    sha256: str
    at: str
    lsn: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Receipt:
    """A plan that ran on a restored copy. `plan` is its digest without a receipt, `at` when it began (ISO 8601, UTC).

    `head` and `before` are the history and fingerprint that it ran on, `after` the fingerprint that it left. `bytes` is
    the restored copy's size; `proof.seconds` how long the restore took, checked. `seconds` is the run alone.
    `unnamed`: tables that the plan does not name and whose rows it changed. Durations are in seconds.
    """

    environment: str
    plan: str
    extent: Extent
    at: str
    server: str
    proof: Proof
    bytes: int
    head: str | None
    before: str
    after: str
    seconds: float
    files: tuple[File, ...]
    rows: tuple[Rows, ...]
    unnamed: tuple[str, ...]
    invalid: tuple[str, ...]
    unvalidated: tuple[str, ...]
    trips: tuple[Trip, ...]
    undo_seconds: float

    @property
    def undo(self) -> Verdict:
        """What the way back of the whole plan is worth."""
        return _WORTH[max((_WORTH.index(one.verdict) for one in self.trips), default=0)]

    @property
    def loses(self) -> tuple[str, ...]:
        """What the way back of the whole plan loses, a phrase each."""
        return tuple(dict.fromkeys(phrase for one in self.trips for phrase in one.loses))

    @property
    def hash(self) -> str:
        """SHA-256 in hex over the whole record, durations too: it is written once and then travels as it is."""
        return plan.sealed(self.as_json())

    def as_json(self) -> dict[str, Any]:
        """The same in JSON's own kinds of value."""
        return {"receipt": _VERSION, **asdict(self), "trips": [one.as_json() for one in self.trips]}

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> "Receipt":
        """The Receipt that `as_json` described; raises KeyError, TypeError or ValueError."""
        parts = dict(said)
        if parts.pop("receipt") != _VERSION:
            raise ValueError
        parts |= {
            "proof": Proof(**said["proof"]),
            "files": tuple(map(_file, said["files"])),
            "rows": tuple(Rows(**one) for one in said["rows"]),
            "trips": tuple(map(Trip.from_json, said["trips"])),
        }
        parts |= {name: tuple(said[name]) for name in ("unnamed", "invalid", "unvalidated")}
        return cls(**parts)


def stale(receipt: Receipt, here: Standing, *, now: datetime, good_for: timedelta) -> str | None:
    """Why the receipt stands no longer for what would run now, as sentences with the way out; None while it does."""
    name = receipt.environment
    if here.environment != name:
        return f"The rehearsal was of {name} and not of {here.environment}. {here.environment} needs one of its own."
    if here.head != receipt.head:
        return f"The history of {name} has moved on since the rehearsal. What is left to run needs a new one."
    if here.fingerprint != receipt.before:
        return f"The schema of {name} is no longer the one that was rehearsed on. The plan needs a new one."
    began = datetime.fromisoformat(receipt.at)
    if now - began > good_for:
        counts = f"{good_for.total_seconds() / 60:.0f} minutes (`rehearsal_good_for`, or until its request ends)"
        return f"The rehearsal began at {began:%Y-%m-%d %H:%M} UTC and counts for {counts}. The plan needs a new one."
    return None


def _file(said: Mapping[str, Any]) -> File:
    parts = {
        "statements": tuple(Ran(**{**one, "rewrites": tuple(one["rewrites"])}) for one in said["statements"]),
        "locks": tuple(Lock(**one) for one in said["locks"]),
        "changes": tuple(Change(**one) for one in said["changes"]),
    }
    return File(**{**said, **parts})
