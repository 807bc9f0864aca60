"""The engine's plan of an environment and what a person is shown of it; for a card, and for the answer to `plan`."""

from engine import checkout, hazards, notes
from engine import plan as plans
from engine.connection import Limits, milliseconds
from engine.files import Migration
from engine.plan import Advice, Plan, Planned
from engine.standing import Standing
from ledger.request import Author, Fact, Hazard, Held, Origin, PlannedMigration, PlanSummary
from ledger.workflow import Workflow
from workers.hands import Hands
from workers.neighbours import Before


def draw_plan(
    here: Standing, files: tuple[Migration, ...], *, before: Before | None, workflow: Workflow, advice: Advice
) -> Plan:
    """The engine's plan for an environment as it stands; `before` is None for the first. Raises as `plan.draw` does."""
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
        migrations=tuple(map(shown, plan.migrations)),
        held=tuple(Held(one.id, one.why) for one in plan.held),
        certified=before.certification.by if before and before.certification else None,
        backup_folder=workflow.backups.name,
        database_bytes=plan.bytes,
        lock_timeout=spoken(plan.lock_timeout),
        statement_timeout=spoken(plan.statement_timeout),
        looked_for=hazards.NAMES,
        notes=notes.of(plan),
        origin=origin(plan.origin),
    )


def alone(hands: Hands, here: Standing | plans.Drawn, *, digest: str, facts: tuple[Fact, ...]) -> PlanSummary:
    """What a person is shown of an act that runs no migration."""
    return PlanSummary(
        environment=here.environment,
        protected=here.protected,
        digest=digest,
        database=here.database,
        server=here.server,
        head=here.head,
        migrations=(),
        held=(),
        certified=None,
        backup_folder=hands.workflow.backups.name,
        database_bytes=here.bytes,
        lock_timeout=spoken(milliseconds(hands.limits.lock_timeout)),
        statement_timeout=spoken(milliseconds(hands.limits.statement_timeout)),
        facts=facts,
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
    if was.origin != now.origin:
        return (
            f"git says otherwise who wrote what runs: its newest commit was {_commit(was)} and is {_commit(now)} now."
        )
    if was.database != now.database:
        return f"{now.environment} was the database {was.database} and is {now.database} now."
    return f"The schema of {now.environment}, its time limits or Twokey itself changed after the plan was shown."


def spoken(milliseconds: int) -> str:
    """2000 → "2 s"; 1800000 → "30 min"; 1500 → "1500 ms"."""
    for size, name in ((60_000, "min"), (1000, "s")):
        if milliseconds >= size and milliseconds % size == 0:
            return f"{milliseconds // size} {name}"
    return f"{milliseconds} ms"


def origin(found: checkout.Origin | None) -> Origin | None:
    """Who wrote what it is about, without the engine."""
    if found is None:
        return None
    return Origin(found.commit, tuple(Author(author.name, author.mark) for author in found.authors))


def _commit(summary: PlanSummary) -> str:
    return summary.origin.commit[:12] if summary.origin else "none"


def shown(one: Planned) -> PlannedMigration:
    """One migration without its text."""
    found = tuple(Hazard(hazard.name, hazard.line, hazard.sentence) for hazard in one.hazards)
    impact = notes.impact(one.text)
    return PlannedMigration(one.id, one.name, one.checksum, lines=one.lines, hazards=found, impact=impact)
