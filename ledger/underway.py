"""What a run meets under way, and what acts without migrations come to: events like those of ledger/events.py."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rehearsing:
    """Before anyone is asked, the plan runs on a copy. `what` is a phrase that says how far that is."""

    what: str


@dataclass(frozen=True, slots=True)
class Foretold:
    """What a run took, beside what its rehearsal had foretold: `seconds` and `took`, `queries` and those that `waited`.

    `error` is by which part of what was foretold it took longer. `waited` and `longest` are None where nobody looked.
    """

    seconds: float
    took: float
    error: float | None
    queries: int
    waited: int | None
    longest: float | None


@dataclass(frozen=True, slots=True)
class Stretch:
    """How an environment fared between the first and the last of some looks, `seconds` apart.

    `transactions` are all that ended, `waiting` the most sessions that one look saw waiting for a lock. `anew`: the
    server began to count anew meanwhile, so that some of what happened may be missing.
    """

    seconds: float
    looks: int
    deadlocks: int
    rollbacks: int
    transactions: int
    waiting: int
    anew: bool


@dataclass(frozen=True, slots=True)
class Settled:
    """How the environment fared in the minutes after a run, beside those before it; None where nobody could look.

    `meanwhile` are the requests whose runs began in those minutes.
    """

    after: Stretch | None
    before: Stretch | None
    meanwhile: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unlike:
    """After a run the schema is not the one that its rehearsal left. `differences` are a sentence each."""

    differences: tuple[str, ...]


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
class TakenOver:
    """Files stand in the history as applied, though none of them ran."""

    migrations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Repaired:
    """Edited files count as they are now. Nothing ran."""

    migrations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Generating:
    """A migration is being generated. `what` is a phrase that says what is done now."""

    what: str


@dataclass(frozen=True, slots=True)
class Generated:
    """A migration was drafted and proven; nothing was written into any folder.

    `back`: it has a way back, proven too. `reordered`: tables whose columns stand in another order after that.
    `hazards` are sentences.
    """

    migration: str
    text: str
    checksum: str
    back: bool
    reordered: tuple[str, ...]
    hazards: tuple[str, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class NothingGenerated:
    """The environment is what `source` declares."""

    source: str


@dataclass(frozen=True, slots=True)
class Discarded:
    """A database that a restore had kept is gone."""

    database: str
    bytes: int


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
class Halted:
    """The environment was frozen, by request `by`, while this request waited."""

    by: int
    actor_name: str
    reason: str
    until: str | None


@dataclass(frozen=True, slots=True)
class Frozen:
    """A person said that nothing may start in the environment, `until` a moment (ISO 8601, UTC) or for good.

    `already` is the freeze that lasted longest of those that stood there when this one was said.
    """

    actor_id: str
    actor_name: str
    reason: str
    until: str | None
    already: Halted | None = None  # None in a story from before it was told, too


@dataclass(frozen=True, slots=True)
class Lifted:
    """The freeze that this request said is lifted, by the thaw `by` that this person asked for."""

    by: int
    actor_name: str


@dataclass(frozen=True, slots=True)
class RanOut:
    """The time of the freeze that this request said is over."""


@dataclass(frozen=True, slots=True)
class Thawed:
    """The freezes that these requests said are lifted: `#12`. `still` are those that came later and stand."""

    freezes: tuple[str, ...]
    still: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Released:
    """The environment was thawed, by request `by`, while this request waited."""

    by: int


@dataclass(frozen=True, slots=True)
class Exported:
    """Somebody had all that the ledger holds about the request put into its channel, as a file."""

    actor_id: str
    actor_name: str
