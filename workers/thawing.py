"""`thaw`: what people said to freeze an environment is lifted. The environment itself is only looked at."""

from dataclasses import dataclass

from engine import plan, standing
from engine.connection import Session
from engine.refusals import PlanRefused
from ledger.request import Fact, Freeze, PlanSummary, Request
from workers import drawing, neighbours, reporting
from workers.craft import Drawn, Ending, Found, Frozen, Run
from workers.hands import Hands
from workers.neighbours import Known

learn = neighbours.nobody


@dataclass(eq=False)
class NotFrozen(PlanRefused):
    """Nobody froze it, somebody else thawed it, or its time was over."""

    environment: str

    def __str__(self) -> str:
        return f"{self.environment} is not frozen."


def draw(hands: Hands, request: Request, session: Session, known: Known) -> Drawn:
    """The freezes that stand, and the database that they are about."""
    del known
    here, freezes = standing.look(session, ()), hands.book.freezes(request.environment)
    if not freezes:
        raise NotFrozen(here.environment)
    bound = {
        "act": "thaw",
        "environment": here.environment,
        "protected": here.protected,
        "database": here.database,
        "system_identifier": here.system_identifier,
        "freezes": sorted(one.request_id for one in freezes),
    }
    facts = tuple(Fact("Lifts", _said(one)) for one in freezes)
    return Drawn(drawing.alone(hands, here, digest=plan.sealed(bound), facts=facts), bound)


def digest(request: Request, frozen: Frozen) -> str:
    """Of all that is frozen."""
    del request
    return plan.sealed(frozen)


def difference(was: PlanSummary, now: PlanSummary) -> str:
    """Which freeze came or ended, or which database is another."""
    before, after = ([fact.sentence for fact in one.facts] for one in (was, now))
    if before == after:
        return drawing.difference(was, now)
    came = [one for one in after if one not in before]
    return f"It was frozen again: {came[0]}." if came else f"One freeze of {now.environment} is over already."


def carry_out(run: Run) -> Ending:
    """Exactly what was frozen is lifted: nobody agreed to lift what came later."""
    lifts = run.frozen["freezes"]
    return lambda: run.hands.book.thaw(run.request.id, lifts=lifts)


def find_out(hands: Hands, request: Request, session: Session) -> Found:
    """What the ledger did not take stands nowhere else."""
    del session
    left = tuple(f"#{one}" for one in hands.book.frozen_plan(request.id)["freezes"])
    return Found((), left, f"It is frozen still. Ask again: {reporting.again(request)}.")


def _said(freeze: Freeze) -> str:
    ends = f"until {freeze.until:%Y-%m-%d %H:%M} UTC" if freeze.until else "until it is thawed"
    since = f"{freeze.at:%Y-%m-%d %H:%M} UTC"
    return f"#{freeze.request_id}, frozen by {freeze.actor_name} at {since} {ends}: {freeze.reason}"
