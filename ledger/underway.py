"""What a run meets under way, for its progress message: events like the others, in the list of ledger/events.py."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Blocker:
    """A session in a migration's way. `seconds` is the age of its transaction; None where that may not be known."""

    pid: int
    role: str
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Blocked:
    """A migration waits for a lock that others hold."""

    migration: str
    by: tuple[Blocker, ...]


@dataclass(frozen=True, slots=True)
class TriedAgain:
    """A migration gave way to others and was rolled back; after `seconds` it is tried for the `number`th time."""

    migration: str
    number: int
    of: int
    seconds: float


@dataclass(frozen=True, slots=True)
class StatementRan:
    """One statement of a migration that is no transaction ran, and stays."""

    migration: str
    number: int
    of: int
