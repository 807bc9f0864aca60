"""One dataclass per fact worth telling. An event is the audit record and the source of what Slack shows.

Fields are plain JSON (text, numbers, booleans, nothing, tuples of text), so a row read back equals the
event that was written. No field ever holds a DSN, a password or a row's value.
"""

from dataclasses import dataclass
from typing import get_args

from ledger.judged import Agreed, Approved, Cancelled, Noted, Refused, Rejected, Withdrawn
from ledger.underway import (
    BackupKept,
    Blocked,
    Compared,
    Discarded,
    Exported,
    Foretold,
    Frozen,
    Generated,
    Generating,
    Halted,
    Lifted,
    MigrationReverted,
    NothingGenerated,
    RanOut,
    Rehearsing,
    Released,
    Repaired,
    Restored,
    Restoring,
    Reverted,
    Settled,
    StatementRan,
    TakenOver,
    Thawed,
    TriedAgain,
    Unlike,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """Someone asked; the request is written down."""

    actor_id: str
    actor_name: str
    act: str
    environment: str
    reason: str | None
    about: tuple[str, ...] = ()
    note: str | None = None
    groups: tuple[str, ...] = ()  # each user group that mattered, followed by who was in it
    channel: str | None = None  # where; None in a story from before it was told
    protected: bool | None = None  # by the bot's twokey.toml; likewise
    by: str | None = None  # the hash of all that is known of who asked (ledger/words.py); likewise


@dataclass(frozen=True, slots=True)
class Planned:
    """A worker read the folder and the database; the plan stands beside the request.

    `frozen` is the hash of its canonical JSON, texts and all (`chain.hash_of`), `receipt` that of what was seen when it
    was rehearsed, if it was, and `shown` that of what people are shown of it; the book adds them.
    """

    digest: str
    migrations: tuple[str, ...]
    frozen: str | None = None
    receipt: str | None = None
    shown: str | None = None


@dataclass(frozen=True, slots=True)
class Denied:
    """The rules said no. `why` is a sentence that says who can do what next; `again` whether asking again may help."""

    why: str
    again: bool = True


@dataclass(frozen=True, slots=True)
class ExpiryWarned:
    """The request will expire soon."""

    minutes_left: int


@dataclass(frozen=True, slots=True)
class Expired:
    """Nobody turned the second key in time."""


@dataclass(frozen=True, slots=True)
class Stale:
    """What was approved is no longer what would run. `what` is a sentence that names the difference."""

    what: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """Another run holds the environment's lock."""

    holder: str


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A worker should be at work on this, and none has answered for so long."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Answered:
    """After a silence, a worker is at work on this again."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A worker holds the lock and asks the bot what Slack shows now."""


@dataclass(frozen=True, slots=True)
class Witnessed:
    """The bot read the card's reactions back from Slack, and looked up whoever `pressed` its button."""

    approving: tuple[str, ...]
    rejecting: tuple[str, ...]
    pressed: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()  # each user group among the approvers, followed by who was in it
    ours: bool | None = None  # whether the channels were this workspace's alone; None in stories from before
    asking: str | None = None  # the hash of the account of whoever asked, as it was then; None in stories from before


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
    """A person said the environment was tested; `migrations` is what that covers.

    `followed`: the environment after it had the newest of them already, as far as the ledger knew.
    """

    actor_id: str
    actor_name: str
    migrations: tuple[str, ...]
    note: str | None
    followed: bool = False


Event = (
    Asked
    | Rehearsing
    | Planned
    | Denied
    | Approved
    | Agreed
    | Withdrawn
    | Refused
    | Noted
    | Rejected
    | Cancelled
    | ExpiryWarned
    | Expired
    | Stale
    | Waiting
    | Unanswered
    | Answered
    | Ready
    | Witnessed
    | Started
    | BackedUp
    | MigrationApplied
    | Applied
    | Blocked
    | TriedAgain
    | StatementRan
    | Foretold
    | Settled
    | Unlike
    | Compared
    | MigrationReverted
    | Reverted
    | BackupKept
    | Restoring
    | Restored
    | Discarded
    | Generating
    | Generated
    | NothingGenerated
    | TakenOver
    | Repaired
    | Failed
    | Interrupted
    | Certified
    | Frozen
    | Halted
    | Lifted
    | RanOut
    | Thawed
    | Released
    | Exported
)

#: The name an event has in the ledger, and the class it is there.
KINDS: dict[str, type[Event]] = {kind.__name__: kind for kind in get_args(Event)}
