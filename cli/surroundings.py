"""What the person's shell gives: the workflow file, the environments' addresses, where PostgreSQL's programs lie."""

import getpass
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cli import workflow
from engine import files
from engine.connection import Database, Limits
from engine.files import BadFile, Migration
from ledger.workflow import Environment, Scratch, Workflow

if TYPE_CHECKING:
    from engine import scratch
    from engine.checkout import Checkout
    from engine.tools import Tools


class WrongUsage(Exception):
    """What was typed, or what the shell holds, cannot be meant. `more` are sentences for whom it stops."""

    @property
    def more(self) -> tuple[str, ...]:
        """None, as a rule."""
        return ()


class UnknownEnvironment(WrongUsage):
    """No environment has this name or alias."""

    def __init__(self, word: str, known: tuple[str, ...], near: str | None) -> None:
        super().__init__(word, known, near)
        self.word, self.known, self.near = word, known, near

    def __str__(self) -> str:
        hint = f" Did you mean {self.near}?" if self.near else ""
        return f"twokey.toml has no environment {self.word!r}. It has {', '.join(self.known)}.{hint}"


class NoAddress(WrongUsage):
    """The variable that holds an environment's address is not set. `also`: the others of twokey.toml that are not."""

    def __init__(self, environment: str, variable: str, also: tuple[str, ...] = ()) -> None:
        super().__init__(environment, variable, also)
        self.environment, self.variable, self.also = environment, variable, also

    def __str__(self) -> str:
        return (
            f"{self.variable} is not set; it holds the address of {self.environment}. "
            f"Set it: export {self.variable}=postgresql://login:password@host/database"
        )

    @property
    def more(self) -> tuple[str, ...]:
        """Which else are not set: whoever is stopped by this one would be by the next."""
        return (f"Not set either: {', '.join(self.also)}.",) if self.also else ()


class EmptyAddress(WrongUsage):
    """The variable that holds an environment's address is set to nothing, which nobody means."""

    def __init__(self, variable: str) -> None:
        super().__init__(variable)
        self.variable = variable

    def __str__(self) -> str:
        return f"{self.variable} is empty. Set it to postgresql://login:password@host/database, or unset it."


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The workflow, and the shell around it."""

    workflow: Workflow

    def environment(self, word: str) -> Environment:
        """The environment a person means; raises UnknownEnvironment."""
        if found := self.workflow.environment(word):
            return found
        from difflib import get_close_matches

        names = {name: e.name for e in self.workflow.environments for name in (e.name, *e.aliases)}
        begun = {whole for name, whole in names.items() if len(word) > 1 and name.startswith(word.casefold())}
        near = [*begun] if len(begun) == 1 else [names[one] for one in get_close_matches(word.casefold(), names, n=1)]
        known = tuple(e.name for e in self.workflow.environments)
        raise UnknownEnvironment(word, known, near[0] if near else None)

    def database(self, environment: Environment) -> Database:
        """Where an environment is; raises NoAddress, EmptyAddress."""
        address = os.environ.get(environment.dsn_variable)
        if address == "":
            raise EmptyAddress(environment.dsn_variable)
        if address is None:
            raise NoAddress(environment.name, environment.dsn_variable, self._unset(environment.dsn_variable))
        name, protected, differing = environment.name, environment.protected, self.workflow.differing
        return Database(name, protected, address, differs=environment.differs, uncompared=differing)

    def scratch(self, ours: Scratch | None = None) -> "scratch.Server":
        """Where scratch databases live (None: in [scratch]), and what is protected as far as we know.

        Raises NoScratch, NoAddress.
        """
        from engine import scratch

        ours = ours or self.workflow.scratch
        if ours is None:
            raise scratch.NoScratch
        address = os.environ.get(ours.dsn_variable)
        if not address:
            raise NoAddress("the scratch server", ours.dsn_variable, self._unset(ours.dsn_variable))
        known = (e for e in self.workflow.environments if e.protected and os.environ.get(e.dsn_variable))
        return scratch.Server(address, tuple(map(self.database, known)), ours.on_protected_server, ours.room)

    def _unset(self, *but: str) -> tuple[str, ...]:
        return tuple(name for name in self.workflow.dsn_variables if name not in but and name not in os.environ)

    def files(self) -> tuple[Migration, ...]:
        """The folder as it is now; raises BadFile."""
        return files.read(self.workflow.migrations)

    def folder(self) -> tuple[Migration, ...] | BadFile:
        """The same, or why it cannot be read: for who shows what is known without it."""
        return files.attempt(self.workflow.migrations)

    def checkout(self, files: Sequence[Migration]) -> "Checkout | None":
        """What git says of the folder and these files of it, if it is a checkout; raises BadFile."""
        from engine import checkout  # who only looks asks no git

        return checkout.read(self.workflow.migrations, files, git=self.tools.git)

    @property
    def limits(self) -> Limits:
        """How long a statement may wait and run."""
        return Limits(lock_timeout=self.workflow.lock_timeout, statement_timeout=self.workflow.statement_timeout)

    @property
    def tools(self) -> "Tools":
        """Where to look for pg_dump: PG_BIN, else PATH, else the embedded wheel."""
        return tools()

    @property
    def person(self) -> str:
        """Who sits at the terminal, for the history."""
        return f"{getpass.getuser()} (terminal)"


def tools() -> "Tools":
    """Where to look for programs; needs no workflow file."""
    from engine.tools import find  # who only looks starts no program

    return find(os.environ.get("PG_BIN"), os.environ.get("PATH", ""))


def here() -> Surroundings:
    """The surroundings of this process; raises WorkflowError."""
    return Surroundings(workflow.read())
