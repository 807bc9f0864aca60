"""What each environment is now, seen from here: side by side, and none keeps the others from being seen."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from cli.surroundings import NoAddress, Surroundings
from engine import standing
from engine.connection import open_session
from engine.errors import BadAddress, ConnectionLost, EngineError, Unreachable
from engine.files import Migration
from engine.gate import Gate
from engine.standing import Standing
from engine.validate import Seen, Sight
from ledger.workflow import Environment

if TYPE_CHECKING:
    from engine.hazards.catalog import Catalog


def at_all(around: Surroundings, environments: Sequence[Environment]) -> tuple[Seen, ...]:
    """A look at each, at the same time.

    Raises BadFile, NoAddress when the shell holds no address at all, and EmptyAddress and BadAddress for any.
    """
    files = around.files()
    with ThreadPoolExecutor(max_workers=len(environments)) as pool:
        seen = tuple(pool.map(lambda one: _at(around, one, files), environments))
    if all(one.state == "unobserved" for one in seen):
        raise NoAddress(environments[0].name, environments[0].dsn_variable)
    return seen


def at(around: Surroundings, environment: Environment, files: Sequence[Migration]) -> Standing:
    """One environment's standing. Raises NoAddress, and the engine's errors of looking."""
    database = around.database(environment)
    with open_session(database, purpose=f"twokey look by {around.person}", limits=around.limits) as session:
        return standing.look(session, files)


def closely(around: Surroundings, environment: Environment, files: Sequence[Migration]) -> tuple[Standing, "Catalog"]:
    """One environment's standing, and what a migration would meet there. Raises as `at` does."""
    from engine import catalog  # brings the SQL parser, which status does without

    database = around.database(environment)
    with open_session(database, purpose=f"twokey look by {around.person}", limits=around.limits) as session:
        return standing.look(session, files), catalog.read(session)


def gate(around: Surroundings, environment: Environment, files: Sequence[Migration]) -> Gate | None:
    """What stands before an environment; None for the first. Raises as `at` does."""
    before = around.workflow.before(environment)
    # Who certified what stands in the ledger, which a terminal does not reach: nothing that needs it is changed here.
    return Gate(before.name, at(around, before, files)) if before else None


def _at(around: Surroundings, environment: Environment, files: Sequence[Migration]) -> Seen:
    def unseen(state: Sight, why: Exception) -> Seen:
        return Seen(environment.name, environment.protected, state, why=str(why))

    try:
        here = at(around, environment, files)
    except NoAddress as unset:
        return unseen("unobserved", unset)
    except BadAddress:
        raise  # what the shell holds is wrong, whatever the others say
    except (Unreachable, ConnectionLost) as away:
        return unseen("unreachable", away)
    except EngineError as wrong:
        return unseen("refused", wrong)
    return Seen(environment.name, environment.protected, "ok", here)
