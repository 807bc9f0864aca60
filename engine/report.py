"""What a run says while it goes (a Step) and when it has ended (a Report)."""

from dataclasses import dataclass

from engine.backup import Receipt
from engine.snapshot import Settled


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


@dataclass(frozen=True, slots=True)
class Blocker:
    """Another session that kept a migration waiting for a lock. `role`: what it is, when it is the server's own.

    `seconds` is the age of its transaction, `since` when its statement began (UTC); None where we may not know.
    """

    pid: int
    role: str
    seconds: float | None
    since: str | None

    def __str__(self) -> str:
        age = f", in its transaction for {self.seconds:.0f} s" if self.seconds is not None else ""
        since = f", its statement begun at {self.since} UTC" if self.since else ""
        return f"pid {self.pid} (role {self.role}{age}{since})"


@dataclass(frozen=True, slots=True)
class Blocked:
    """A migration waits for a lock that others hold."""

    id: str
    by: tuple[Blocker, ...]


@dataclass(frozen=True, slots=True)
class TriedAgain:
    """A migration gave way to others and was rolled back; after `seconds` it is tried for the `number`th time."""

    id: str
    number: int
    of: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Reverted:
    """One migration was taken back, and its history row with it."""

    id: str
    position: int
    of: int
    seconds: float


@dataclass(frozen=True, slots=True)
class StatementRan:
    """One statement of a migration that is no transaction ran, and stays."""

    id: str
    number: int
    of: int


Step = (
    Waiting
    | StatementRan
    | Reverted
    | BackupStarted
    | BackupTaken
    | MigrationStarted
    | MigrationDone
    | Blocked
    | TriedAgain
)


@dataclass(frozen=True, slots=True)
class Done:
    """One migration that committed."""

    id: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a migration was rolled back. No field holds a row's value or a quoted literal.

    `line` counts from 1 in the file and is None when nothing points at one. `message` is the server's
    primary message, masked. `sentence` says what happened and where; `next_step` what a person can do. Where that is to
    correct the file, `elsewhere` says what comes before that on environments that have run it; `stuck`: it cannot be
    rolled back there.
    """

    migration: str
    line: int | None
    sqlstate: str
    message: str
    sentence: str
    next_step: str
    elsewhere: str | None = None
    stuck: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """How a run ended. What `done` names committed and stays; what `left` names was not tried.

    `settled` is the schema afterwards; None when nothing committed, something stopped part way, or nobody could look.
    """

    done: tuple[Done, ...]
    receipt: Receipt | None
    failure: Failure | None
    left: tuple[str, ...]
    seconds: float
    settled: Settled | None = None
