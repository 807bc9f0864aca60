"""`backup`: a dump with its manifest. It changes nothing in its environment and takes no other backup away."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from engine import backup, history, identity, lock, manifest, plan, standing
from engine.connection import Session
from engine.report import BackupStarted, BackupTaken
from engine.shelf import Keep
from ledger.events import BackupKept
from ledger.request import PlanSummary, Request
from ledger.states import State
from workers import drawing, neighbours
from workers.craft import Drawn, Ending, Found, Frozen, Run
from workers.hands import Hands
from workers.neighbours import Known

learn = neighbours.nobody


def draw(hands: Hands, request: Request, session: Session, known: Known) -> Drawn:
    """Which database is dumped."""
    del request, known
    here = standing.look(session, ())
    bound = {
        "act": "backup",
        "environment": here.environment,
        "database": here.database,
        "system_identifier": here.system_identifier,
    }
    return Drawn(drawing.alone(hands, here, digest=plan.sealed(bound), facts=()), bound)


def digest(request: Request, frozen: Frozen) -> str:
    """Of all that is frozen."""
    del request
    return plan.sealed(frozen)


def difference(was: PlanSummary, now: PlanSummary) -> str:
    """Which database is another."""
    return drawing.difference(was, now)


def carry_out(run: Run) -> Ending:
    """What `keep_backups` says is for the backups of runs: asking for one more must not push out a good one."""
    session = run.session
    lock.check(session)
    identity.meet(session, history.prepare(session))
    run.step(BackupStarted())
    receipt = backup.take(session, into=replace(run.hands.into, keep=Keep()), now=datetime.now(UTC))
    run.step(BackupTaken(receipt))
    path = Path(receipt.path)
    return run.ends(State.APPLIED, BackupKept(path.name, manifest.read(path).contents.in_short))


def find_out(hands: Hands, request: Request, session: Session) -> Found:
    """A dump that was cut off bears no backup's name; a finished one is listed."""
    del hands, session
    return Found((), (), f"If it was finished, `/migrate backups {request.environment}` lists it.")
