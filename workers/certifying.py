"""`certify`: a person's word that an environment was tested covers what its history holds, and is written down."""

from engine import standing
from engine.connection import Session
from ledger.events import Certified
from ledger.request import Certification, CertifiedBy, PlanSummary, Request
from workers import certificate, drawing, neighbours, reporting
from workers.craft import Drawn, Ending, Found, Frozen, Run
from workers.hands import Hands
from workers.neighbours import Known

learn = neighbours.nobody


def draw(hands: Hands, request: Request, session: Session, known: Known) -> Drawn:
    """All that is applied, unless something came after the person spoke, or after the run that they meant."""
    del known
    here = standing.look(session, hands.files())
    since = hands.book.applied_since(request.environment, request.asked_at)
    left_by = None if request.covers_of is None else hands.book.request(request.covers_of)
    covers = certificate.cover(here, left_by=left_by, since=since)
    return Drawn(certificate.summarize(here, covers, hands.workflow), {"covers": [list(one) for one in covers]})


def digest(request: Request, frozen: Frozen) -> str:
    """Of what it covers."""
    return certificate.digest(request.environment, certificate.thaw(frozen))


def difference(was: PlanSummary, now: PlanSummary) -> str:
    """Which migration came or went."""
    return drawing.difference(was, now)


def carry_out(run: Run) -> Ending:
    """The environment is left alone: the word is written into the ledger."""
    hands, request = run.hands, run.request
    covers = certificate.thaw(run.frozen)
    by = CertifiedBy(actor_id=request.actor.id, actor_name=request.actor.name, at=hands.book.now(), note=request.note)
    certification = Certification(request_id=request.id, environment=request.environment, covers=covers, by=by)
    after, ids = hands.workflow.after(hands.environment), tuple(id_ for id_, _ in covers)
    followed = after is not None and hands.book.has_arrived(after.name, ids[-1])
    why = Certified(by.actor_id, by.actor_name, migrations=ids, note=by.note, followed=followed)
    return lambda: hands.book.certify(certification, why=why)


def find_out(hands: Hands, request: Request, session: Session) -> Found:
    """What the ledger did not take stands nowhere else."""
    del session
    left = tuple(id_ for id_, _ in certificate.thaw(hands.book.frozen_plan(request.id)))
    return Found((), left, f"What is left can be asked for again: {reporting.again(request)}.")
