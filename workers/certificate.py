"""What a person's word that an environment was tested covers: exactly what its history holds at that moment."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.connection import milliseconds
from engine.refusals import HistoryDisagrees, PlanRefused
from engine.standing import Standing
from ledger.request import PlannedMigration, PlanSummary, Request
from ledger.workflow import Workflow

Covers = tuple[tuple[str, str], ...]


@dataclass(eq=False)
class NothingToCertify(PlanRefused):
    """No migration was ever applied there."""

    environment: str

    def __str__(self) -> str:
        return (
            f"{self.environment} has no applied migration, so there is nothing to certify. "
            "Bring it something and test that first."
        )


@dataclass(eq=False)
class NotInOrder(HistoryDisagrees):
    """The history of the environment and the folder do not agree, so nobody can say what was tested."""

    def __str__(self) -> str:
        return f"{self.environment} cannot be certified as it is. {' '.join(self.problems)}"


@dataclass(eq=False)
class MovedOn(PlanRefused):
    """What is there now is not what the run left that the person meant."""

    environment: str
    request_id: int
    newest: str

    def __str__(self) -> str:
        return (
            f"{self.environment} moved on since #{self.request_id}: its newest migration is {self.newest} now. "
            f"Test that, then say `/migrate certify {self.environment}`."
        )


@dataclass(eq=False)
class CameInSince(PlanRefused):
    """Something was applied after the person spoke, so they cannot have tested it."""

    environment: str
    newest: str

    def __str__(self) -> str:
        return (
            f"{self.newest} came to {self.environment} after you asked to certify it. "
            f"Test that too, then say `/migrate certify {self.environment}`."
        )


def cover(here: Standing, *, left_by: Request | None, since: str | None = None) -> Covers:
    """(id, checksum) of all that is applied here; raises a child of PlanRefused when that cannot be certified.

    `left_by` is the run under whose message the button was pressed: what it left must still be the newest. `since` is
    a migration that was applied after the person spoke; a word said before cannot cover it.
    """
    if here.problems:
        raise NotInOrder(here.environment, tuple(one.sentence for one in here.problems), here.edited)
    if not here.applied:
        raise NothingToCertify(here.environment)
    if since is not None:
        raise CameInSince(here.environment, since)
    newest = here.applied[-1].id
    if left_by is not None and newest != _left_as_newest(left_by):
        raise MovedOn(here.environment, left_by.id, newest)
    return here.covers


def summarize(here: Standing, covers: Covers, workflow: Workflow) -> PlanSummary:
    """A certificate in the shape of a plan: its migrations are what it covers, and nothing of it runs."""
    return PlanSummary(
        environment=here.environment,
        protected=here.protected,
        digest=digest(here.environment, covers),
        database=here.database,
        server=here.server,
        head=here.head,
        migrations=tuple(
            PlannedMigration(id=id_, name=id_.partition("_")[2] or id_, checksum=checksum, lines=0)
            for id_, checksum in covers
        ),
        held=(),
        certified=None,
        backup_folder=workflow.backups.name,
        database_bytes=None,
        lock_timeout=f"{milliseconds(workflow.lock_timeout)} ms",
        statement_timeout=f"{milliseconds(workflow.statement_timeout)} ms",
    )


def thaw(frozen: Mapping[str, Any]) -> Covers:
    """What was frozen beside a request to certify."""
    return tuple((id_, checksum) for id_, checksum in frozen["covers"])


def digest(environment: str, covers: Covers) -> str:
    """SHA-256 in hex over canonical JSON, as the engine's plans have it: keys sorted, no blanks, UTF-8."""
    bound = {"certify": environment, "covers": covers}
    return hashlib.sha256(
        json.dumps(bound, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    ).hexdigest()


def _left_as_newest(run: Request) -> str | None:
    return run.plan.migrations[-1].id if run.plan and run.plan.migrations else None
