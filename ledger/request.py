"""What was asked, by whom, and what was planned: the values the four rooms speak about."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ledger.rehearsed import Rehearsal
from ledger.states import State


class Act(StrEnum):
    """What a request would do to its environment."""

    APPLY = "apply"
    CERTIFY = "certify"
    ROLLBACK = "rollback"
    BACKUP = "backup"
    RESTORE = "restore"
    DISCARD = "discard"
    BASELINE = "baseline"
    REPAIR = "repair"
    FREEZE = "freeze"
    THAW = "thaw"
    GENERATE = "generate"

    @property
    def changes(self) -> bool:
        """Whether it changes its environment, so that a protected one needs a second key; all do but those named."""
        return self not in {Act.CERTIFY, Act.BACKUP, Act.FREEZE, Act.GENERATE}

    @property
    def occupies(self) -> bool:
        """Whether a protected environment has one of these at a time; a thaw is for what waits, and waits for none."""
        return self.changes and self is not Act.THAW

    @property
    def runs(self) -> bool:
        """Whether it runs the migrations that it is about, so that hazards count and a backup comes first."""
        return self in {Act.APPLY, Act.ROLLBACK}

    @property
    def has_authors(self) -> bool:
        """Whether it runs what somebody wrote, or lets that count; whoever wrote it may be barred from agreeing."""
        return self in {Act.APPLY, Act.ROLLBACK, Act.BASELINE, Act.REPAIR}


#: The acts that change their environment, and those of which a protected one has one at a time.
CHANGING = tuple(act for act in Act if act.changes)
OCCUPYING = tuple(act for act in Act if act.occupies)


class Kind(StrEnum):
    """What Slack says a person is. Only a full member may ask, certify, cancel or approve."""

    FULL_MEMBER = "full_member"
    GUEST = "guest"
    BOT = "bot"
    DEACTIVATED = "deactivated"
    OUTSIDER = "outsider"  # of another workspace, or a stranger met through a shared channel
    UNKNOWN = "unknown"  # Slack left a flag out; what is not said is not granted


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did something. `id` and `team` are the identity; `name` is decoration and proves nothing.

    `marks` are what else is this person, as `ledger/people.py` has it: other accounts, hashes of e-mail addresses.
    """

    id: str
    team: str
    name: str
    kind: Kind
    marks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Who was in a user group when Slack was asked."""

    id: str
    members: tuple[str, ...]

    @property
    def told(self) -> str:
        """The same in one line of a story: `S0APPROVERS U0APPROVER U0SECOND`."""
        return " ".join((self.id, *self.members))


#: Who approves where nothing is protected: the rules themselves.
POLICY = Actor(id="policy", team="", name="policy", kind=Kind.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Hazard:
    """One thing in a migration that an approver should know before saying yes."""

    name: str
    line: int
    sentence: str


@dataclass(frozen=True, slots=True)
class PlannedMigration:
    """One file of a plan, without its text. `impact` is what its author says that the application must know."""

    id: str
    name: str
    checksum: str
    lines: int
    hazards: tuple[Hazard, ...] = ()
    impact: str | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """A later file that this plan leaves pending, and why."""

    id: str
    why: str


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that a person should know of a plan besides its migrations: what it is called, and a sentence."""

    name: str
    sentence: str


@dataclass(frozen=True, slots=True)
class CertifiedBy:
    """Who said that the environment before was tested."""

    actor_id: str
    actor_name: str
    at: datetime
    note: str | None


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote a part of what runs, as git says it; `mark` is the hash of an e-mail address."""

    name: str
    mark: str


@dataclass(frozen=True, slots=True)
class Origin:
    """The newest commit of what runs, and everybody who wrote or helped to write a file of it."""

    commit: str
    authors: tuple[Author, ...]


@dataclass(frozen=True, slots=True)
class PlanSummary:
    """What a person is shown of a plan, and what an approval binds to (`digest`, 64 hex digits).

    `migrations` are what runs, or what the act is about, in the order in which it happens. `looked_for` are the names
    of the hazards that were looked for; nobody looked for any other. `notes` are sentences that nobody
    is refused for. `rehearsal` is what it did on a copy; `unrehearsed` why it did not run on one, where it might have.
    """

    environment: str
    protected: bool
    digest: str
    database: str
    server: str
    head: str | None
    migrations: tuple[PlannedMigration, ...]
    held: tuple[Held, ...]
    certified: CertifiedBy | None
    backup_folder: str
    database_bytes: int | None
    lock_timeout: str
    statement_timeout: str
    looked_for: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()
    origin: Origin | None = None  # None where the folder is no git checkout
    barred: tuple[str, ...] = ()  # marks of its authors, where they may not approve: the ledger itself refuses them
    rehearsal: Rehearsal | None = None
    unrehearsed: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One wish to change an environment, as the ledger holds it."""

    id: int
    act: Act
    environment: str
    protected: bool  # whether the bot's twokey.toml protected it when it was asked; others may add to that, never take
    actor: Actor
    reason: str | None
    note: str | None
    covers_of: int | None  # the request whose result is meant, when a button under its message was pressed
    channel: str  # where it was asked; what happens is told in the environment's own channel
    state: State
    asked_at: datetime
    expires_at: datetime
    starts_at: datetime | None
    plan: PlanSummary | None
    version: int  # how many events it has
    about: tuple[str, ...] = ()  # what of its environment, in the words that follow its name: `last 2`, a backup
    groups: tuple[Group, ...] = ()  # the user groups that mattered, as they were when it was asked

    @property
    def words(self) -> str:
        """What was asked, as a person types it after `/migrate`."""
        return " ".join((self.act, *self.following))

    @property
    def following(self) -> tuple[str, ...]:
        """What is typed after the act's own word. What is generated is for the first environment, which goes unsaid."""
        return self.about if self.act is Act.GENERATE else (self.environment, *self.about)


@dataclass(frozen=True, slots=True)
class Wish:
    """A request before it is written down. `key` tells two deliveries of the same wish from two wishes."""

    act: Act
    environment: str
    actor: Actor
    channel: str
    key: str
    reason: str | None = None
    note: str | None = None
    covers_of: int | None = None
    about: tuple[str, ...] = ()
    groups: tuple[Group, ...] = ()


class Verdict(StrEnum):
    """What a person's reaction says about a request."""

    APPROVE = "approve"
    REJECT = "reject"


class Source(StrEnum):
    """How a person's word came to be known."""

    REACTION = "reaction"  # Slack told of it when it happened
    RECONCILE = "reconcile"  # Slack's word was lost, and the card's reactions were read back
    BUTTON = "button"  # pressed: nothing stands in Slack that could be read back


@dataclass(frozen=True, slots=True)
class Decision:
    """A person's word on one digest of one request. `withdrawn_ts` is set when it was taken back."""

    request_id: int
    actor: Actor
    verdict: Verdict
    digest: str
    event_ts: str
    withdrawn_ts: str | None
    source: Source = Source.REACTION


@dataclass(frozen=True, slots=True)
class Witness:
    """What Slack said, at one moment, about the card of a request that is ready to start, and about people."""

    request_id: int
    at: datetime
    approving: tuple[Actor, ...]  # those whose approving reaction stands there now
    rejecting: tuple[Actor, ...]
    pressed: tuple[Actor, ...] = ()  # those whose press stands in the ledger, as Slack knows them now
    groups: tuple[Group, ...] = ()  # the user groups among the approvers, as they were at that moment
    ours: bool = False  # the channels of its card and of its asking are this workspace's alone; unsaid is not so
    asking: Actor | None = None  # who asked, as Slack knows them now


@dataclass(frozen=True, slots=True)
class Freeze:
    """A person's word that nothing may start in an environment, for good or `until` a moment; `request_id` said it."""

    request_id: int
    environment: str
    actor_name: str
    reason: str
    at: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Certification:
    """A person's word that an environment was tested, and exactly which (migration id, checksum) that covers."""

    request_id: int
    environment: str
    covers: tuple[tuple[str, str], ...]
    by: CertifiedBy
