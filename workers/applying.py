"""`apply`: what is pending and may come now runs, after a backup."""

from dataclasses import replace

from engine import apply, catalog, standing
from engine.connection import Session
from engine.plan import Advice, Plan
from engine.rehearsal import watch
from engine.squawk import Squawk
from ledger.request import PlanSummary, Request
from workers import comparing, drawing, elsewhere, neighbours, promises, rehearsing, reporting
from workers.craft import Drawn, Ending, Found, Frozen, Run
from workers.hands import Hands
from workers.neighbours import Known

learn = neighbours.before


def draw(hands: Hands, request: Request, session: Session, known: Known) -> Drawn:
    """The engine's plan, with hazards judged by the live catalog, and rehearsed where that is so."""
    files = hands.files()
    here = standing.look(session, files)
    advice = Advice(catalog.read(session), Squawk(hands.tools.squawk), hands.checkout(files))
    plan = drawing.draw_plan(here, files, before=known.before, workflow=hands.workflow, advice=advice)
    seen = rehearsing.bind(hands, request, here, plan)
    summary = drawing.summarize(seen.plan, before=known.before, workflow=hands.workflow)
    shown = replace(summary, rehearsal=seen.shown, unrehearsed=seen.why_not)
    return Drawn(shown, seen.plan.as_json(), seen.kept)


def digest(request: Request, frozen: Frozen) -> str:
    """Of the plan, once its texts and its digest are found to belong together."""
    del request
    return Plan.from_json(frozen).digest


def difference(was: PlanSummary, now: PlanSummary) -> str:
    """Which file, history or database is another."""
    return drawing.difference(was, now)


def carry_out(run: Run) -> Ending:
    """The frozen texts run; the first failure ends it, and is told."""
    plan = Plan.from_json(run.frozen)
    into = run.hands.into
    with watch.during(run.session) as seen:
        report = apply.run(run.session, plan, backup=into, actor=run.actor, request=run.label, tell=run.step)
    if report.failure:
        report = replace(report, failure=elsewhere.told(run.hands, report.failure))
    promises.tell(run, report, seen.actual)
    comparing.tell(run, report)
    return run.ends(*reporting.applied(report))


def find_out(hands: Hands, request: Request, session: Session) -> Found:
    """The environment's own history has a row for each migration that is in."""
    done, left = apply.what_is_in(session, Plan.from_json(hands.book.frozen_plan(request.id)))
    again = f"What is left can be asked for again: {reporting.again(request)}."
    return Found(done, left, again if left else "Everything of it is in.")
