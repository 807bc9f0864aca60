"""`discard`: a database that a restore kept is dropped, for good."""

from engine import former, history, identity, lock, plan, standing
from engine.connection import Session
from engine.former import NoSuchFormer
from ledger.events import Discarded
from ledger.request import Fact, PlanSummary, Request
from ledger.states import State
from workers import drawing, neighbours, reporting
from workers.craft import Drawn, Ending, Found, Frozen, NotUnderstood, Run
from workers.hands import Hands
from workers.neighbours import Known

learn = neighbours.nobody


def draw(hands: Hands, request: Request, session: Session, known: Known) -> Drawn:
    """Which database goes, and how much was in it."""
    del known
    if len(request.about) != 1:
        raise NotUnderstood(request.words)
    here, name = standing.look(session, ()), request.about[0]
    there = {one.name: one.bytes for one in former.kept(session)}
    if name not in there:
        raise NoSuchFormer(here.environment, name, tuple(there))
    bound = {
        "act": "discard",
        "environment": here.environment,
        "protected": here.protected,
        "database": here.database,
        "system_identifier": here.system_identifier,
        "former": name,
    }
    fact = Fact("Drops", f"{name}, {there[name]:,} bytes, for good: what was written before the restore is in it alone")
    return Drawn(drawing.alone(hands, here, digest=plan.sealed(bound), facts=(fact,)), bound)


def digest(request: Request, frozen: Frozen) -> str:
    """Of all that is frozen."""
    del request
    return plan.sealed(frozen)


def difference(was: PlanSummary, now: PlanSummary) -> str:
    """Which history or database is another."""
    return drawing.difference(was, now)


def carry_out(run: Run) -> Ending:
    """The database that was frozen, if it still is one that a restore kept."""
    lock.check(run.session)
    identity.meet(run.session, history.prepare(run.session))
    gone = former.drop(run.session, run.frozen["former"], actor=run.actor, request=run.label)
    return run.ends(State.APPLIED, Discarded(gone.name, gone.bytes))


def find_out(hands: Hands, request: Request, session: Session) -> Found:
    """It is there, or it is gone."""
    del hands
    if request.about[0] in {one.name for one in former.kept(session)}:
        return Found((), request.about, f"It is still there. Ask again: {reporting.again(request)}.")
    return Found(request.about, (), "It is gone.")
