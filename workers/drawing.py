"""What a request would do now: drawn for the card, and drawn again under the lock to see that it is still the same."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine import catalog, hazards, notes, standing
from engine import plan as plans
from engine.connection import Limits, Session
from engine.files import BadFile, Migration
from engine.plan import Advice, Plan, Planned
from engine.refusals import PlanAltered, PlanRefused
from engine.squawk import Squawk
from engine.standing import Standing
from engine.statements import BadStatement
from ledger.request import Act, Hazard, Held, PlannedMigration, PlanSummary, Request
from ledger.workflow import Workflow
from workers import certificate
from workers.before import Before
from workers.hands import Hands

#: The rules' no, or the files': whoever asked can put it right. Everything else is the world's trouble.
REFUSALS = (PlanRefused, BadFile, BadStatement)


@dataclass(frozen=True, slots=True)
class Drawn:
    """What people see of it, and what is frozen of it."""

    summary: PlanSummary
    frozen: Mapping[str, Any]


def draw(hands: Hands, request: Request, session: Session, *, before: Before | None) -> Drawn:
    """What the request would do now; raises one of REFUSALS, or what looking at the environment raises."""
    files = hands.files()
    here = standing.look(session, files)
    if request.act is Act.CERTIFY:
        since = hands.book.applied_since(request.environment, request.asked_at)
        covers = certificate.cover(here, left_by=_run_meant(hands, request), since=since)
        return Drawn(certificate.summarize(here, covers, hands.workflow), {"covers": [list(one) for one in covers]})
    advice = Advice(catalog.read(session), Squawk(hands.tools.squawk))
    plan = draw_plan(here, files, before=before, workflow=hands.workflow, advice=advice)
    return Drawn(summarize(plan, before=before, workflow=hands.workflow), plan.as_json())


def check_frozen(request: Request, frozen: Mapping[str, Any]) -> None:
    """What is frozen beside the request is what was shown and approved; raises PlanAltered."""
    assert request.plan is not None
    if request.act is Act.CERTIFY:
        found = certificate.digest(request.environment, certificate.thaw(frozen))
    else:
        found = Plan.from_json(frozen).digest
    if found != request.plan.digest:
        raise PlanAltered(request.environment, request.plan.digest)


def draw_plan(
    here: Standing, files: tuple[Migration, ...], *, before: Before | None, workflow: Workflow, advice: Advice
) -> Plan:
    """The engine's plan for an environment as it stands; `before` is None for the first. Raises one of REFUSALS."""
    limits = Limits(lock_timeout=workflow.lock_timeout, statement_timeout=workflow.statement_timeout)
    return plans.draw(here, files, before=before.gate if before else None, limits=limits, advice=advice)


def summarize(plan: Plan, *, before: Before | None, workflow: Workflow) -> PlanSummary:
    """What a person is shown of a plan."""
    return PlanSummary(
        environment=plan.environment,
        protected=plan.protected,
        digest=plan.digest,
        database=plan.database,
        server=plan.server,
        head=plan.head,
        migrations=tuple(map(_planned, plan.migrations)),
        held=tuple(Held(one.id, one.why) for one in plan.held),
        certified=before.certification.by if before and before.certification else None,
        backup_folder=workflow.backups.name,
        database_bytes=plan.bytes,
        lock_timeout=spoken(plan.lock_timeout),
        statement_timeout=spoken(plan.statement_timeout),
        looked_for=hazards.NAMES,
        notes=notes.of(plan),
    )


def difference(was: PlanSummary, now: PlanSummary) -> str:
    """What changed between the plan that was shown and the one drawn just now, as a sentence."""
    before, after = [one.id for one in was.migrations], [one.id for one in now.migrations]
    if was.head != now.head:
        return f"{now.environment}'s newest migration was {was.head or 'none'} and is {now.head or 'none'} now."
    if before != after:
        more = [one for one in after if one not in before]
        if after[: len(before)] == before:
            return f"It would also run {', '.join(more)} now."
        return f"It would run {', '.join(after) or 'nothing'} now, and not {', '.join(before)}."
    for old, new in zip(was.migrations, now.migrations, strict=True):
        if old.checksum != new.checksum:
            return f"{new.id}.sql changed after the plan was shown ({old.checksum[:8]} is {new.checksum[:8]} now)."
    if was.database != now.database:
        return f"{now.environment} was the database {was.database} and is {now.database} now."
    return f"The schema of {now.environment}, its time limits or Twokey itself changed after the plan was shown."


def spoken(milliseconds: int) -> str:
    """2000 → "2 s"; 1800000 → "30 min"; 1500 → "1500 ms"."""
    for size, name in ((60_000, "min"), (1000, "s")):
        if milliseconds >= size and milliseconds % size == 0:
            return f"{milliseconds // size} {name}"
    return f"{milliseconds} ms"


def _planned(one: Planned) -> PlannedMigration:
    found = tuple(Hazard(hazard.name, hazard.line, hazard.sentence) for hazard in one.hazards)
    impact = notes.impact(one.text)
    return PlannedMigration(one.id, one.name, one.checksum, lines=one.lines, hazards=found, impact=impact)


def _run_meant(hands: Hands, request: Request) -> Request | None:
    return None if request.covers_of is None else hands.book.request(request.covers_of)
