"""A file that failed where environments before have run it: what is to be done there before it is corrected."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import takewhile

from cli import looking
from cli.surroundings import NoAddress, Surroundings
from engine import shelf
from engine.errors import EngineError
from engine.files import stamp_of
from engine.report import Failure
from ledger.workflow import Environment


def told(around: Surroundings, environment: Environment, failure: Failure) -> Failure:
    """The failure, with what is to be done elsewhere; of a file that is stuck by its commands, the furthest first."""
    if failure.elsewhere is None or around.workflow.before(environment) is None:
        return failure
    ways = ", then ".join(_ways(around, environment, failure.migration)) if failure.stuck else ""
    typed = f" To type: {ways}" if ways else ""
    return replace(failure, next_step=f"{failure.next_step} {failure.elsewhere}{typed}")


def _ways(around: Surroundings, environment: Environment, migration: str) -> Iterator[str]:
    environments = around.workflow.environments
    for one in reversed(environments[: environments.index(environment)]):
        if back := _back(around, one, migration):
            yield f"{'/migrate' if one.protected else 'twokey'} {back}"


def _back(around: Surroundings, environment: Environment, migration: str) -> str | None:
    """To the backup from before it, or where to look for one; None where it has not run."""
    try:
        here = looking.at(around, environment, None)
    except (NoAddress, EngineError):
        return f"backups {environment.name}"
    if not here.has(migration):
        return None
    stamp = stamp_of(migration)
    older = [entry.id for entry in takewhile(lambda entry: stamp_of(entry.id) != stamp, here.applied)]
    found = shelf.before(around.workflow.backups, environment.name, older)
    return f"restore {environment.name} {found}" if found else f"backups {environment.name}"
