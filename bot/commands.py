"""What can be said to `/migrate`: one frozen value per command. How each is explained: bot/phrasebook.py."""

from dataclasses import dataclass

from bot.until import Until
from ledger.request import Act


@dataclass(frozen=True, slots=True)
class Help:
    """What can be said; with a word, what that one command does."""

    word: str | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """Migrations × environments; with a name, that environment alone."""

    environment: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What an apply would run, without running it."""

    environment: str


@dataclass(frozen=True, slots=True)
class Do:
    """Write a request down: an act, its environment, and what of that is meant (`about`) or said (`note`)."""

    act: Act
    environment: str
    about: tuple[str, ...] = ()
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Freeze:
    """Let nothing start in an environment; `about` is how long in the words that were typed."""

    environment: str
    reason: str
    until: Until | None = None
    about: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Validate:
    """Compare the environments."""


@dataclass(frozen=True, slots=True)
class Backups:
    """Which backups of an environment there are, and what restores kept."""

    environment: str


@dataclass(frozen=True, slots=True)
class Edits:
    """Which files changed after an environment applied them, and how."""

    environment: str


@dataclass(frozen=True, slots=True)
class History:
    """The requests that have ended, newest first."""

    environment: str | None = None


@dataclass(frozen=True, slots=True)
class Requests:
    """The requests that are open."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """Take an open request back."""

    request_id: int


@dataclass(frozen=True, slots=True)
class Export:
    """All that the ledger holds about one request, as a file."""

    request_id: int


Question = Status | Plan | Validate | Backups | Edits
Command = Help | Question | Do | Freeze | History | Requests | Cancel | Export
