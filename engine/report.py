"""What a run says while it goes (a Step) and when it has ended (a Report)."""

from dataclasses import dataclass

from engine.backup import Receipt


@dataclass(frozen=True, slots=True)
class Waiting:
    """Another session holds the environment's lock. `holder` is a phrase: application name, pid, since."""

    holder: str


@dataclass(frozen=True, slots=True)
class BackupStarted:
    """pg_dump was started."""


@dataclass(frozen=True, slots=True)
class BackupTaken:
    """The dump stands in its folder and its completion line was read back."""

    receipt: Receipt


@dataclass(frozen=True, slots=True)
class MigrationStarted:
    """One migration's transaction has begun. `position` counts from 1."""

    id: str
    position: int
    of: int


@dataclass(frozen=True, slots=True)
class MigrationDone:
    """One migration and its history row committed together."""

    id: str
    position: int
    of: int
    seconds: float


Step = Waiting | BackupStarted | BackupTaken | MigrationStarted | MigrationDone


@dataclass(frozen=True, slots=True)
class Done:
    """One migration that committed."""

    id: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a migration was rolled back. No field holds a row's value or a quoted literal.

    `line` counts from 1 in the file and is None when nothing points at one. `message` is the server's
    primary message, masked. `sentence` says what happened and where; `next_step` what a person can do.
    """

    migration: str
    line: int | None
    sqlstate: str
    message: str
    sentence: str
    next_step: str


@dataclass(frozen=True, slots=True)
class Report:
    """How a run ended. What `done` names committed and stays; what `left` names was not tried."""

    done: tuple[Done, ...]
    receipt: Receipt | None
    failure: Failure | None
    left: tuple[str, ...]
    seconds: float
