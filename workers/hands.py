"""What the worker of one environment holds: its database, its rules, the ledger and the bell. Nothing of another's."""

import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from engine import checkout, files
from engine.backup import Into
from engine.checkout import Checkout
from engine.connection import Database, Limits
from engine.files import BadFile, Migration
from engine.form import Form
from engine.scratch import Server
from engine.shelf import Keep
from engine.tools import Tools
from ledger.book import Book
from ledger.doorbell import Doorbell
from ledger.workflow import Environment, Workflow

#: A person waits five seconds for an answer, so a look gives up before.
LOOK_TIMEOUT = timedelta(seconds=3)


@dataclass(frozen=True, slots=True)
class Hands:
    """One environment's worker. `environment` is what its own twokey.toml says, whatever a request says."""

    environment: Environment
    workflow: Workflow
    database: Database
    tools: Tools
    book: Book
    doorbell: Doorbell
    scratch: Server | None = None
    rehearsal: Server | None = None  # where plans run on a copy before anyone is asked
    generator_sees: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def limits(self) -> Limits:
        """How long a statement may wait and run here."""
        return Limits(lock_timeout=self.workflow.lock_timeout, statement_timeout=self.workflow.statement_timeout)

    @property
    def looking(self) -> Limits:
        """The same for a look, which somebody waits for."""
        return replace(self.limits, statement_timeout=min(LOOK_TIMEOUT, self.limits.statement_timeout))

    @property
    def name(self) -> str:
        """Who this is, for the story of a run: host and pid."""
        return f"{socket.gethostname()}:{os.getpid()}"

    @property
    def into(self) -> Into:
        """Where and how this environment is backed up, and what of that stays."""
        ours = self.environment.backup
        keep = Keep(ours.keep, ours.keep_for)
        return Into(self.workflow.backups, self.tools, form=Form(ours.form), parallel=ours.parallel, keep=keep)

    def files(self) -> tuple[Migration, ...]:
        """The folder as it is now; raises BadFile."""
        return files.read(self.workflow.migrations)

    def folder(self) -> tuple[Migration, ...] | BadFile:
        """The same, or why it cannot be read: for who shows what is known without it."""
        return files.attempt(self.workflow.migrations)

    def checkout(self, files: Sequence[Migration]) -> Checkout | None:
        """What git says of the folder whose files these are, if it is a checkout; raises BadFile."""
        return checkout.read(self.workflow.migrations, files, git=self.tools.git)
