"""What every act is to the hands, so that one frame serves them all: drawn, drawn again, carried out, asked about."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from engine import manifest
from engine.connection import Session
from engine.files import BadFile
from engine.former import NoSuchFormer
from engine.generate.errors import NotGenerated
from engine.generate.naming import NoName
from engine.manifest import BackupDoubtful
from engine.refusals import PlanRefused
from engine.rehearsal import EffectsDiffer, RehearsalFailed
from engine.report import BackupTaken, Step
from engine.revert import CannotRevert
from engine.scratch import NoScratch
from engine.statements import BadStatement
from ledger.events import BackedUp, Event
from ledger.rehearsed import Kept
from ledger.request import PlanSummary, Request
from ledger.states import State
from workers import reporting
from workers.hands import Hands
from workers.neighbours import Known

#: The rules' no, or the files': whoever asked can put it right. Everything else is the world's trouble.
REFUSALS = (
    PlanRefused,
    CannotRevert,
    BackupDoubtful,
    NoSuchFormer,
    NotGenerated,
    NoName,
    NoScratch,
    BadFile,
    BadStatement,
    RehearsalFailed,
    EffectsDiffer,
)

Frozen = Mapping[str, Any]
#: The one call on the book that ends a request.
Ending = Callable[[], Any]


class StillAtWork(Exception):
    """The run's own session still holds the lock: its end is not known yet, to itself neither."""

    def __init__(self, holder: str) -> None:
        super().__init__(holder)
        self.holder = holder


@dataclass(eq=False)
class NotUnderstood(PlanRefused):
    """The words of a request mean nothing to this worker."""

    words: str

    def __str__(self) -> str:
        return f"The worker does not understand `{self.words}`. Give bot and workers the same version, then ask again."


@dataclass(eq=False)
class NoScratchHere(PlanRefused):
    """twokey.toml names a scratch server, and this worker was not given its address."""

    environment: str
    variable: str
    meanwhile: str = ""

    def __str__(self) -> str:
        return (
            f"The worker of {self.environment} has no scratch server. Whoever runs Twokey: set {self.variable} for it, "
            f"to the address of a server with nothing to lose, and start it anew.{self.meanwhile}"
        )


@dataclass(frozen=True, slots=True)
class Drawn:
    """What people see of it, what is frozen of it, and what its rehearsal saw, if there was one."""

    summary: PlanSummary
    frozen: Frozen
    rehearsed: Kept | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """How far a run came that ended without a word: what is done of it, what is left, and a sentence on what now."""

    done: tuple[str, ...]
    left: tuple[str, ...]
    now: str


@dataclass(frozen=True, slots=True)
class Run:
    """A claimed request under its environment's lock. To tell, or to call the book by `write`, takes no time.

    `frozen` was laid beside the request when it was planned, and is what its digest was made from.
    """

    hands: Hands
    request: Request
    session: Session
    frozen: Frozen
    tell: Callable[[Event], None]
    write: Callable[[Callable[[], Any]], None]

    @property
    def actor(self) -> str:
        """Who asked, for the environment's own records."""
        return f"{self.request.actor.name} ({self.request.actor.id})"

    @property
    def label(self) -> str:
        """The request, for the same."""
        return f"#{self.request.id}"

    def step(self, said: Step) -> None:
        """Tell what the engine says while it goes; of a backup its manifest is kept, too."""
        event = reporting.step(said)
        if isinstance(said, BackupTaken) and isinstance(event, BackedUp):
            holds = manifest.read(Path(said.receipt.path)).as_json()
            self.write(lambda: self.hands.book.backed_up(self.request.id, event, manifest=holds))
        elif event:
            self.tell(event)

    def ends(self, to: State, why: Event) -> Ending:
        """The move that ends the request."""
        return lambda: self.hands.book.move(self.request.id, to, why=why)


def purpose(request: Request) -> str:
    """The application_name of a run's session: what others see in pg_stat_activity, and who holds the lock."""
    return f"twokey {request.act} #{request.id}"


class Craft(Protocol):
    """One act. Each is a module; `workers/acts.py` is the list of them."""

    def learn(self, hands: Hands, /) -> Known:
        """What must be known of other environments before it is drawn."""
        ...

    def draw(self, hands: Hands, request: Request, session: Session, known: Known) -> Drawn:
        """What it would do now; raises one of REFUSALS, or what looking at the environment raises."""
        ...

    def digest(self, request: Request, frozen: Frozen) -> str:
        """The digest of what is frozen, worked out anew; raises PlanAltered when it does not belong together."""
        ...

    def difference(self, was: PlanSummary, now: PlanSummary) -> str:
        """What changed between what was shown and what was drawn just now, as a sentence."""
        ...

    def carry_out(self, run: Run) -> Ending:
        """Do what is frozen; gives the call that ends it. What it raises, but for a lost session, changed nothing."""
        ...

    def find_out(self, hands: Hands, request: Request, session: Session) -> Found:
        """How far a run came that is over, asked of the environment itself."""
        ...
