"""What a run meets under way, and what acts without migrations come to: events like those of ledger/events.py."""

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


@dataclass(frozen=True, slots=True)
class BackupKept:
    """A backup that was asked for by itself stands in its folder. `holds` is a phrase."""

    file: str
    holds: str


@dataclass(frozen=True, slots=True)
class Restoring:
    """A restore goes on. `what` is a phrase that says what it does now."""

    what: str


@dataclass(frozen=True, slots=True)
class Restored:
    """The backup is swapped in. `kept` is what the old database is called now."""

    backup: str
    kept: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Discarded:
    """A database that a restore had kept is gone."""

    database: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Exported:
    """Somebody had all that the ledger holds about the request put into its channel, as a file."""

    actor_id: str
    actor_name: str
