"""The events of a request that runs: what its worker tells from the start to the end. `ledger.events` has them all."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Started:
    """A worker claimed the request. `worker` is host and pid."""

    worker: str


@dataclass(frozen=True, slots=True)
class BackedUp:
    """The dump was written and its completion line read back. `manifest` is the hash of its manifest's JSON."""

    file: str
    bytes: int
    sha256: str
    seconds: float
    manifest: str | None = None


@dataclass(frozen=True, slots=True)
class MigrationApplied:
    """One migration and its history row committed together."""

    migration: str
    position: int
    of: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Applied:
    """Every migration of the plan is in."""

    migrations: tuple[str, ...]
    seconds: float


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
class Compared:
    """After a run its schema was held against what the same history made of another environment, or of this one before.

    `state` is same, differs or unknown; `sentence` says it, and `differences` are a sentence each.
    """

    against: str
    state: str
    sentence: str
    differences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MigrationReverted:
    """One migration was taken back and its history row with it, committed together."""

    migration: str
    position: int
    of: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Reverted:
    """Every migration of the plan is taken back, newest first."""

    migrations: tuple[str, ...]
    seconds: float


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
class Failed:
    """The run stopped. What `done` names committed and stays; what `left` names was not tried."""

    why: str
    next_step: str
    migration: str | None = None
    line: int | None = None
    sqlstate: str | None = None
    done: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The worker fell silent; the environment's own history was asked what is in."""

    why: str
    done: tuple[str, ...]
    left: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Certified:
    """A person said the environment was tested; `migrations` is what that covers."""

    actor_id: str
    actor_name: str
    migrations: tuple[str, ...]
    note: str | None
