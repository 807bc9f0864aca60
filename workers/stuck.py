"""A file that failed and cannot be rolled back where it has run: the commands that lead back there."""

from dataclasses import replace

from engine.report import Failure
from ledger.events import BackedUp, MigrationApplied
from ledger.request import Act
from workers.hands import Hands

#: How many of an environment's requests are looked through for the run that brought a migration.
_LOOKED_THROUGH = 100


def told(hands: Hands, failure: Failure) -> Failure:
    """The failure; where its file is stuck, its next step names the way back on each environment before, last first."""
    row = hands.workflow.environments
    before = reversed(row[: row.index(hands.environment)]) if failure.stuck else ()
    ways = ", then ".join(f"`/migrate {_back(hands, one.name, failure.migration)}`" for one in before)
    return replace(failure, next_step=f"{failure.next_step} To type: {ways}.") if ways else failure


def _back(hands: Hands, environment: str, migration: str) -> str:
    """To the backup of the run that brought it, as the ledger knows it; or where to look for one."""
    for request in hands.book.requests(environment=environment, open_only=False, limit=_LOOKED_THROUGH):
        planned = request.plan.migrations if request.plan and request.act is Act.APPLY else ()
        if migration in (one.id for one in planned):
            told = [one.event for one in hands.book.events(request.id)]
            taken = [one.file for one in told if isinstance(one, BackedUp)]
            if taken and any(isinstance(one, MigrationApplied) and one.migration == migration for one in told):
                return f"restore {environment} {taken[-1]}"
    return f"backups {environment}"
