"""What came of asking: the values between the desk, which decides, and the messages, which find the words."""

from dataclasses import dataclass
from datetime import datetime

from ledger.records import Notice, Told
from ledger.request import Act, Certification, Freeze, Request
from ledger.workflow import Environment


@dataclass(frozen=True, slots=True)
class WrittenDown:
    """The request is in the ledger. `new` is False for a second delivery of the same wish; `rung` if a worker heard.

    `behind` is the open request of the same environment that came before it, if there is one.
    """

    request: Request
    new: bool
    rung: bool
    behind: int | None = None


@dataclass(frozen=True, slots=True)
class Looking:
    """A question is in the ledger, and the workers of `environments` were asked, if Redis rang (`rung`)."""

    environments: tuple[str, ...]
    rung: bool


@dataclass(frozen=True, slots=True)
class Helped:
    """Help was asked for: for everything, or for one word."""

    word: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a list of requests: the request, and its story, from which the end and the backup are read.

    `link` leads to its message, where one stands.
    """

    request: Request
    told: tuple[Told, ...]
    link: str | None = None


#: How much of what happened one answer names.
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Listed:
    """A list of requests, newest first. `open` tells the open ones from the ended ones.

    Among the ended ones is what was done at a terminal (`noticed`).
    """

    open: bool
    environment: str | None
    entries: tuple[Entry, ...]
    noticed: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True)
class TakenBack:
    """The request is cancelled."""

    request: Request


@dataclass(frozen=True, slots=True)
class Station:
    """One environment as the ledger knows it: the last run that changed it, who tested it, and who froze it."""

    environment: Environment
    last: Entry | None
    certification: Certification | None
    freeze: Freeze | None = None


@dataclass(frozen=True, slots=True)
class Home:
    """One person's tab, as the ledger had it `at` that moment. `waiting` are those of `open` they may turn."""

    waiting: tuple[Entry, ...]
    open: tuple[Entry, ...]
    stations: tuple[Station, ...]
    ended: tuple[Entry, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class HandedOut:
    """The evidence of a request will stand in that channel."""

    request_id: int
    channel: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing was written. `why` is a sentence that says who can do what next."""

    why: str


@dataclass(frozen=True, slots=True)
class AskInModal:
    """A protected environment: the modal asks for its name and a reason; nothing is written until it comes back."""

    environment: Environment
    channel: str
    act: Act = Act.APPLY
    about: tuple[str, ...] = ()
    covers_of: int | None = None


#: The fields of that form.
NAME_FIELD, REASON_FIELD = "environment", "reason"


@dataclass(frozen=True, slots=True)
class Mistyped:
    """The modal came back with a field that has to be typed again. `field` is its block id."""

    field: str
    why: str


@dataclass(frozen=True, slots=True)
class Shared:
    """The answer will stand in the channel."""


@dataclass(frozen=True, slots=True)
class FrozenNow:
    """The environment is frozen by this request, which is done; `until` somebody thaws it where that is None.

    `longest` is the freeze there that lasts longest, if that is another one.
    """

    request: Request
    until: datetime | None
    longest: Freeze | None = None


Outcome = FrozenNow | WrittenDown | Looking | Helped | Listed | TakenBack | HandedOut | Refused | AskInModal | Shared
