"""What a rehearsal saw, as people are shown it; and its receipt, as the engine wrote it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Ran:
    """One statement that ran on the copy. `at` and `seconds` count from the run's beginning.

    `wal` is in bytes; None in what was written down before that was kept.
    """

    migration: str
    line: int
    tag: str
    at: float
    seconds: float
    rows: int | None
    rewrites: tuple[str, ...] = ()
    wal: int | None = None


@dataclass(frozen=True, slots=True)
class Barred:
    """A lock that bars others from a relation that was there before. `mode` is PostgreSQL's: ACCESS EXCLUSIVE."""

    relation: str
    mode: str
    at: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Changed:
    """How many rows of a table the plan wrote."""

    relation: str
    rows: int


@dataclass(frozen=True, slots=True)
class Outlook:
    """Who would wait by the traffic of the last `sampled` seconds, and who stands in the way now, a phrase each."""

    queries: int
    longest: float
    sampled: float
    hindrances: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A plan that ran on a restored copy of its environment. `receipt` is the hash of all that was seen.

    `extent` is whole or schema; `restored` how many seconds the restore took, checked, and `bytes` the copy's size.
    `unnamed` are tables that the plan does not name and whose rows it changed. `undo` is what the way back is worth:
    lossless, loses, irreversible or broken. `more` statements ran than are shown.
    """

    receipt: str
    extent: str
    at: str
    backup: str
    restored: float
    bytes: int
    seconds: float
    wal: int
    statements: tuple[Ran, ...]
    locks: tuple[Barred, ...]
    changes: tuple[Changed, ...]
    unnamed: tuple[str, ...]
    invalid: tuple[str, ...]
    unvalidated: tuple[str, ...]
    undo: str
    loses: tuple[str, ...]
    undone: float
    no_way_back: str | None
    outlook: Outlook
    more: int = 0


@dataclass(frozen=True, slots=True)
class Kept:
    """The receipt and the schema that the rehearsal left, as JSON."""

    receipt: Mapping[str, Any]
    schema: Mapping[str, Any]
