"""`baseline`: pending files stand in the history as applied, and none of them runs: the database has it all already."""

from engine import amend, amendment, standing
from engine.amendment import Amendment, Folder
from engine.connection import Session
from ledger.events import TakenOver
from ledger.request import Fact, PlanSummary, Request
from ledger.states import State
from workers import drawing, neighbours, righting
from workers.craft import Drawn, Ending, Found, Frozen, NotUnderstood, Run
from workers.hands import Hands
from workers.neighbours import Known

learn = neighbours.nobody


def draw(hands: Hands, request: Request, session: Session, known: Known) -> Drawn:
    """Which files would be written down."""
    del known
    if len(request.about) != 1:
        raise NotUnderstood(request.words)
    files = hands.files()
    here, there = standing.look(session, files), Folder(files, hands.checkout(files))
    drawn = amendment.baseline(here, there, through=request.about[0], limits=hands.limits)
    must = f"{here.environment} must have what these make already, and nobody looks whether it has"
    fact = Fact("Nothing runs", f"and nothing is backed up: {must}")
    return Drawn(righting.summarize(hands, drawn, fact), drawn.as_json())


def digest(request: Request, frozen: Frozen) -> str:
    """Of the amendment, once its texts and its digest are found to belong together."""
    del request
    return Amendment.from_json(frozen).digest


def difference(was: PlanSummary, now: PlanSummary) -> str:
    """Which file, history or database is another."""
    before, after = (", ".join(one.id for one in drawn.migrations) for drawn in (was, now))
    if was.head == now.head and before != after:
        return f"It would write down {after} now, and not {before}."
    return drawing.difference(was, now)


def carry_out(run: Run) -> Ending:
    """The frozen texts stand in the history, all of them or none."""
    drawn = Amendment.from_json(run.frozen)
    taken = amend.take_over(run.session, drawn.files, actor=run.actor, request=run.label)
    return run.ends(State.APPLIED, TakenOver(taken))


def find_out(hands: Hands, request: Request, session: Session) -> Found:
    """The environment's own record says whether it was done."""
    return righting.find_out(hands, request, session)
