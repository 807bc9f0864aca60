"""twokey.toml as frozen values: the environments in order, who approves, which channel.

No database address can stand here: an environment names the variable that holds it, and only a worker
(`workers/config.py`) or a person's terminal (`cli/`) looks that variable up.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

#: How Slack's ids of people and of user groups look.
PERSON, GROUP = re.compile(r"[UW][A-Z0-9]{2,}"), re.compile(r"S[A-Z0-9]{2,}")


@dataclass(frozen=True, slots=True)
class Trouble:
    """One key that is not as it should be, and what to write."""

    key: str
    what: str


class WorkflowError(Exception):
    """The file at `path` cannot be read as a workflow. Names each key and what to write; never shows an address."""

    def __init__(self, path: str, *troubles: Trouble) -> None:
        super().__init__(path, *troubles)
        self.path, self.troubles = path, troubles

    @property
    def sentences(self) -> tuple[str, ...]:
        """One for each trouble, all of them that were found."""
        return tuple(f"{self.path}: {one.key} {one.what}." for one in self.troubles)

    def __str__(self) -> str:
        return "\n".join(self.sentences)


class Unreadable(WorkflowError):
    """The file itself is the trouble."""

    def __init__(self, path: str, what: str) -> None:
        super().__init__(path)
        self.what = what

    @property
    def sentences(self) -> tuple[str, ...]:
        """What keeps it from being read."""
        return (f"{self.path} {self.what}.",)


class Verbosity(StrEnum):
    """How much of a run the channel shows."""

    QUIET = "quiet"  # a success is one line; a failure is told whole
    NORMAL = "normal"  # the card, its progress in the thread, the end
    ALL = "all"  # as normal, and each migration is a line of its own in the thread


@dataclass(frozen=True, slots=True)
class Backups:
    """How one environment is backed up, and what of that stays: all, when neither limit is given."""

    form: str = "plain"
    parallel: int = 1
    keep: int | None = None
    keep_for: timedelta | None = None


def emoji(name: str) -> str:
    """An emoji's canonical name: without colons and skin tone, and `+1` for its other name."""
    bare = name.strip(":").split("::")[0]
    return {"thumbsup": "+1", "thumbsdown": "-1"}.get(bare, bare)


def is_group(listed: str) -> bool:
    """Whether an entry of a list of approvers is a user group; else it is a person."""
    return GROUP.fullmatch(listed) is not None


@dataclass(frozen=True, slots=True)
class Person:
    """One person by all that they go by, so that a second account is no second person."""

    name: str
    slack: tuple[str, ...]
    emails: tuple[str, ...]


class Extent(StrEnum):
    """How much of an environment a rehearsal restores: all rows, the schema and a sample of them, or nothing."""

    WHOLE = "whole"
    SCHEMA = "schema"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Scratch:
    """A server for databases that come and go: by the variable that holds its address.

    It is never a protected environment's, unless that is said. `room` is how many bytes a copy may take there, if that
    is limited.
    """

    dsn_variable: str
    on_protected_server: bool = False
    room: int | None = None


@dataclass(frozen=True, slots=True)
class Rehearsals:
    """Whether plans for an environment run on a copy before anyone is asked, where, and how long that counts.

    Without an `extent` they do where the environment is protected and a worker knows the server. `server` is None for
    that of [scratch]; `good_for` for as long as the request lives.
    """

    extent: Extent | None = None
    server: Scratch | None = None
    good_for: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Environment:
    """One database in the row development → test → production, and who turns its second key.

    `approvers` are ids of people and of user groups; `approvals` says how many different people it takes. `people` is
    who is who, the same for every environment.
    """

    name: str
    aliases: tuple[str, ...]
    dsn_variable: str
    protected: bool
    approvers: tuple[str, ...]
    channel: str
    verbosity: Verbosity
    backup: Backups = Backups()
    differs: tuple[str, ...] = ()  # objects of its schema that are meant to be otherwise: `index public.users_email`
    approvals: int = 1
    certifiers: tuple[str, ...] | None = None  # None lets every full member
    authors_may_approve: bool = False
    on_protected_server: bool = False  # its login may reach into a protected environment's database, and that is meant
    people: tuple[Person, ...] = ()
    rehearsals: Rehearsals = Rehearsals()


#: What a generator of others may see of the surroundings: where programs and their own settings are, and no address.
GENERATOR_SEES = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")


@dataclass(frozen=True, slots=True)
class Generate:
    """Where migrations are generated from: `models` (MODULE:NAME, found in `folder`) or a `command` that prints SQL.

    `python` is the interpreter that has what the models import; None for Twokey's own.
    """

    models: str | None
    folder: Path
    python: Path | None = None
    command: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Workflow:
    """The whole of twokey.toml."""

    migrations: Path
    backups: Path
    channel: str
    requests_expire: timedelta
    start_delay: timedelta
    approve_with: str
    reject_with: str
    lock_timeout: timedelta
    statement_timeout: timedelta
    environments: tuple[Environment, ...]
    scratch: Scratch | None = None
    generate: Generate | None = None
    approve_button: bool = False  # whether a card has buttons that do the same as its emoji
    people: tuple[Person, ...] = ()

    @property
    def differing(self) -> tuple[str, ...]:
        """What any environment declares to differ."""
        return tuple(dict.fromkeys(name for environment in self.environments for name in environment.differs))

    @property
    def dsn_variables(self) -> tuple[str, ...]:
        """Every variable that holds a database's address; who needs none of them must see none."""
        named = (environment.dsn_variable for environment in self.environments)
        return tuple(dict.fromkeys((*named, *(server.dsn_variable for server in self.scratch_servers))))

    @property
    def scratch_servers(self) -> tuple[Scratch, ...]:
        """Every server for databases that come and go."""
        servers = (self.scratch, *(environment.rehearsals.server for environment in self.environments))
        return tuple(server for server in servers if server)

    def environment(self, word: str) -> Environment | None:
        """The environment a person means by `word`: its name or one of its aliases, in any case."""
        wanted = word.casefold()
        return next((e for e in self.environments if wanted in {n.casefold() for n in (e.name, *e.aliases)}), None)

    def before(self, environment: Environment) -> Environment | None:
        """The environment that comes just before, or None for the first."""
        place = self.environments.index(environment)
        return self.environments[place - 1] if place else None

    def after(self, environment: Environment) -> Environment | None:
        """The environment that comes just after, or None for the last."""
        place = self.environments.index(environment) + 1
        return self.environments[place] if place < len(self.environments) else None
