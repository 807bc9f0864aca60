"""`repair`: files that changed after they were applied count as they are now, and nothing runs."""

from engine import amend, amendment, standing
from engine.amend import Edited
from engine.amendment import Amendment, Folder
from engine.connection import Session
from ledger.events import Repaired
from ledger.request import Fact, PlanSummary, Request
from ledger.states import State
from workers import drawing, edits, neighbours, righting
from workers.craft import Drawn, Ending, Found, Frozen, NotUnderstood, Run
from workers.hands import Hands
from workers.neighbours import Known

learn = neighbours.nobody

#: Of how many files a card says how much changed.
TOLD = 10


def draw(hands: Hands, request: Request, session: Session, known: Known) -> Drawn:
    """Which files would count as they are, and how much of each is another than what ran."""
    del known
    if not request.about:
        raise NotUnderstood(request.words)
    files = hands.files()
    here, found = standing.look(session, files), amend.edited(session, files)
    there = Folder(files, hands.checkout(files))
    drawn = amendment.repair(here, there, found, accept=request.about, limits=hands.limits)
    changed = [_changed(one) for one in found if one.id in request.about]
    nothing = Fact(
        "Nothing runs",
        f"{here.environment} must be as these files say now, and nobody looks whether it is. "
        f"`/migrate repair {here.environment}` shows each change",
    )
    return Drawn(righting.summarize(hands, drawn, *changed[:TOLD], nothing), drawn.as_json())


def digest(request: Request, frozen: Frozen) -> str:
    """Of the amendment, once its texts and its digest are found to belong together."""
    del request
    return Amendment.from_json(frozen).digest


def difference(was: PlanSummary, now: PlanSummary) -> str:
    """Which file, history or database is another."""
    return drawing.difference(was, now)


def carry_out(run: Run) -> Ending:
    """The frozen texts count, all of them or none."""
    drawn = Amendment.from_json(run.frozen)
    ids = tuple(one.id for one in drawn.migrations)
    amend.repair(run.session, drawn.files, accept=ids, actor=run.actor, request=run.label)
    return run.ends(State.APPLIED, Repaired(ids))


def find_out(hands: Hands, request: Request, session: Session) -> Found:
    """The environment's own record says whether it was done."""
    return righting.find_out(hands, request, session)


def _changed(one: Edited) -> Fact:
    return Fact("Changed", f"{one.id}: {edits.measure(one)}")
