"""What can be said to `/migrate`: one frozen value per command, and the table that help is made from."""

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


@dataclass(frozen=True, slots=True)
class Described:
    """One row of help: the word, what follows it, and what it does, in one sentence."""

    word: str
    takes: str
    does: str

    @property
    def usage(self) -> str:
        """The command as a person types it after `/migrate`."""
        return f"{self.word} {self.takes}".rstrip()


#: Every command, in the order in which help lists them.
TABLE: tuple[Described, ...] = (
    Described("status", "[environment]", "Shows which migrations are where, who applied the last one and when."),
    Described("plan", "<environment>", "Shows what an apply would run there, and runs nothing."),
    Described("apply", "<environment>", "Backs the environment up and runs what is pending there."),
    Described("promote", "<environment>", "The same as apply, for every environment but the first."),
    Described("certify", "<environment> [note]", "Says that it was tested, so that a protected one may follow."),
    Described(
        "rollback", "<environment> [to <migration> | last <n>]", "Takes the newest migrations back, after a backup."
    ),
    Described("backup", "<environment>", "Dumps it and puts a manifest beside the dump. Changes nothing there."),
    Described("backups", "<environment>", "Lists its backups, and the databases that restores kept."),
    Described("restore", "<environment> <backup>", "Brings it back to a backup; the old database is kept."),
    Described("discard", "<environment> <database>", "Drops a database that a restore kept, for good."),
    Described("generate", "<name>", "Drafts a migration from what changed in the models, proven; somebody commits it."),
    Described(
        "baseline", "<environment> <migration>", "Writes files down as applied, up to that one, where their schema is."
    ),
    Described(
        "repair", "<environment> [migration …]", "Shows which files changed after they ran; lets those named count so."
    ),
    Described(
        "freeze",
        "<environment> [until] <reason>",
        "Lets nothing start there: `2h`, `2026-12-01 09:00` (UTC), or until it is thawed.",
    ),
    Described("thaw", "<environment>", "Ends what a freeze began; of a protected one with a second person."),
    Described("validate", "", "Compares the environments: missing, extra, edited, out of order, ready to promote."),
    Described(
        "history",
        "[environment]",
        "Lists what has ended or was done at a terminal, with who, when and backup.",
    ),
    Described("requests", "", "Lists the requests that are open."),
    Described("cancel", "<number>", "Takes an open request back."),
    Described("export", "<number>", "Puts all that is known of it under its message, as a file that verifies offline."),
    Described("help", "[command]", "Shows this list, or what one command does."),
)
