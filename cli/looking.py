"""What each environment is now, seen from here: side by side, and none keeps the others from being seen."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cli.surroundings import NoAddress, Surroundings
from cli.terminal import note
from engine import drift, fingerprint, history, snapshot, standing
from engine.connection import Session, open_session
from engine.errors import BadAddress, ConnectionLost, EngineError, Unreachable
from engine.files import BadFile, Migration
from engine.fingerprint import Inventory
from engine.standing import Standing
from engine.validate import Seen, Sight
from ledger.workflow import Environment

if TYPE_CHECKING:
    from engine.agreement import Agreement
    from engine.gate import Gate
    from engine.replay import Replays
    from engine.report import Report
    from engine.snapshot import Snapshot


def at_all(
    around: Surroundings,
    environments: Sequence[Environment],
    files: tuple[Migration, ...] | BadFile,
    *,
    closely: bool = False,
) -> tuple[Seen, ...]:
    """A look at each, at the same time; `closely`: with its schema, and beside its history replayed, where it can be.

    With a folder that cannot be read, its history alone. Raises NoAddress when the shell holds no address at all (and
    the folder can be read), EmptyAddress and BadAddress.
    """
    close = _Closely(_replays(around)) if closely else None
    with ThreadPoolExecutor(max_workers=len(environments)) as pool:
        seen = tuple(pool.map(lambda one: _at(around, one, files, close), environments))
    if all(one.state == "unobserved" for one in seen) and not isinstance(files, BadFile):
        around.database(environments[0])  # which says that it is not set, and what else is not
    return seen


def look(session: Session, files: Sequence[Migration] | None) -> Standing:
    """The session's environment as it stands. Whoever looks is told when that wrote into the database."""
    here = standing.look(session, files)
    if here.marked:
        is_now = f"{here.environment}{', protected' if here.protected else ''}"
        note(f"{here.database} was marked: from now on it is {is_now}. Twokey's tables are in {here.schema}.")
    return here


def at(around: Surroundings, environment: Environment, files: Sequence[Migration] | None) -> Standing:
    """One environment's standing. Raises NoAddress, and the engine's errors of looking."""
    database = around.database(environment)
    with open_session(database, purpose=f"twokey look by {around.person}", limits=around.limits) as session:
        return look(session, files)


@dataclass(frozen=True, slots=True)
class _Closely:
    """How to look at a whole schema; `replays` is None where there is no scratch server."""

    replays: "Replays | None"

    def at(
        self, around: Surroundings, environment: Environment, files: Sequence[Migration] | None
    ) -> tuple[Standing, Inventory]:
        """Its standing, and its schema without what any environment declares to differ. Raises as `at` does."""
        database = around.database(environment)
        with open_session(database, purpose=f"twokey look by {around.person}", limits=around.limits) as session:
            here = look(session, files)
            things = drift.without(fingerprint.inventory(session, history.prepare(session)), database.uncompared)
            replayed = self.replays.drift(session, here.drift) if self.replays else here.drift
            return replace(here, drift=replayed), things


def agreement(around: Surroundings, environment: Environment, report: "Report") -> "Agreement | None":
    """After a run: its schema beside the one that the same history made earlier, here or on the environment before.

    None where nothing was changed, or there is nothing to hold it against.
    """
    from engine import agreement

    settled, before = report.settled, around.workflow.before(environment)
    if settled is None:
        return agreement.unread(environment.name) if report.done else None
    if settled.earlier:
        return agreement.of(settled, settled.earlier, against=environment.name, declared=environment.differs)
    if before is None:
        return None
    declared = {*environment.differs, *before.differs}
    try:
        there = _schema_at(around, before, settled.live.history)
    except (NoAddress, EngineError) as away:
        return agreement.unknown(before.name, str(away).rstrip("."))
    return agreement.of(settled, there, against=before.name, declared=declared)


def _schema_at(around: Surroundings, environment: Environment, name: str) -> "Snapshot | None":
    """What the history of this name made of an environment. Raises as `at` does."""
    database = around.database(environment)
    with open_session(database, purpose=f"twokey look by {around.person}", limits=around.limits) as session:
        return snapshot.at(session, history.prepare(session), name)


def gate(around: Surroundings, environment: Environment, files: Sequence[Migration]) -> "Gate | None":
    """What stands before an environment; None for the first. Raises as `at` does."""
    from engine.gate import Gate  # brings every refusal's words, which status does without

    before = around.workflow.before(environment)
    # Who certified what stands in the ledger, which a terminal does not reach: nothing that needs it is changed here.
    return Gate(before.name, at(around, before, files)) if before else None


def _replays(around: Surroundings) -> "Replays | None":
    """None where twokey.toml names no scratch server, or this shell not its address."""
    from engine.replay import Replays  # brings the SQL parser, which status does without
    from engine.scratch import NoScratch

    try:
        return Replays(around.scratch())
    except (NoScratch, NoAddress):
        return None


def _at(
    around: Surroundings,
    environment: Environment,
    files: tuple[Migration, ...] | BadFile,
    close: _Closely | None,
) -> Seen:
    def unseen(state: Sight, why: Exception) -> Seen:
        return Seen(environment.name, environment.protected, state, why=str(why))

    try:
        read = None if isinstance(files, BadFile) else files
        here, things = close.at(around, environment, read) if close else (at(around, environment, read), None)
    except NoAddress as unset:
        return unseen("unobserved", unset)
    except BadAddress:
        raise  # what the shell holds is wrong, whatever the others say
    except (Unreachable, ConnectionLost) as away:
        return unseen("unreachable", away)
    except EngineError as wrong:
        return unseen("refused", wrong)
    if isinstance(files, BadFile):
        return replace(unseen("unread", files), history=here)
    return Seen(environment.name, environment.protected, "ok", here, things=things)
