"""A file that failed where environments before have run it: what is to be done there before it is corrected."""

from dataclasses import replace

from engine.report import Failure
from ledger.events import BackedUp, MigrationApplied
from ledger.request import Act
from workers.hands import Hands

#: How many of an environment's requests are looked through for the run that brought a migration.
_LOOKED_THROUGH = 100


def told(hands: Hands, failure: Failure) -> Failure:
    """The failure, with what is to be done elsewhere; of a file that is stuck by its commands, the furthest first."""
    row = hands.workflow.environments
    before = row[: row.index(hands.environment)]
    if failure.elsewhere is None or not before:
        return failure
    ways = ", then ".join(f"`/migrate {_back(hands, one.name, failure.migration)}`" for one in reversed(before))
    typed = f" To type: {ways}." if failure.stuck else ""
    return replace(failure, next_step=f"{failure.next_step} {failure.elsewhere}{typed}")


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
