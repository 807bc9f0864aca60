"""Questions about environments, answered from what each one's worker observed, in the shapes that the bot renders."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from rq.timeouts import JobTimeoutException

from engine import bounds, catalog, drift, validate
from engine.connection import open_session
from engine.errors import EngineError
from engine.files import BadFile
from engine.plan import Advice
from engine.squawk import Squawk
from engine.validate import Seen
from ledger import plain
from ledger.records import Inquiry, Observation, Question
from ledger.request import Act
from ledger.workflow import Environment
from workers import backups, drawing, edits, neighbours, reaching, reporting, sight
from workers.hands import Hands

Bodies = Mapping[str, sight.Body | None]


def whose(hands: Hands, inquiry: Inquiry, observations: Sequence[Observation]) -> str | None:
    """The environment whose own worker has to draw the answer, if that is not ours: a plan meets a live database."""
    if inquiry.question is not Question.PLAN or inquiry.environment == hands.environment.name:
        return None
    seen = {one.environment for one in observations if one.body and one.body["state"] == "ok"}
    return inquiry.environment if inquiry.environment in seen else None


def draw(hands: Hands, inquiry: Inquiry, observations: Sequence[Observation]) -> dict[str, Any]:
    """The answer's body. Looks at the ledger and the folder, and for a plan or backups at our own environment."""
    bodies = {one.environment: one.body for one in observations}
    match inquiry.question:
        case Question.STATUS:
            return _with_freezes(hands, validate.overview(_seen(hands, bodies)))
        case Question.VALIDATE:
            seen = [_closely(hands, one, bodies[one.name]) for one in _seen(hands, bodies)]
            return validate.compare(seen, refusals=_refusals(hands, seen))
        case Question.BACKUPS:
            return backups.listed(hands)
        case Question.REPAIR:
            return edits.listed(hands)
        case Question.PLAN:
            environment = hands.workflow.environment(inquiry.environment or "")
            return _plan(hands, environment, bodies) if environment else _not_here(inquiry.environment)


def _with_freezes(hands: Hands, overview: dict[str, Any]) -> dict[str, Any]:
    """The overview, with what is frozen: that stands in the ledger, whoever answers."""
    for environment in overview["environments"]:
        freeze = hands.book.frozen(environment["name"])
        environment["frozen"] = freeze and {
            "by": freeze.actor_name,
            "until": freeze.until.isoformat() if freeze.until else None,
            "reason": freeze.reason,
        }
    return overview


def _seen(hands: Hands, bodies: Bodies) -> list[Seen]:
    """What was asked about, in the workflow's order."""
    asked = [one for one in hands.workflow.environments if one.name in bodies]
    return [sight.read(one, bodies[one.name], certification=hands.book.certification(one.name)) for one in asked]


def _closely(hands: Hands, seen: Seen, body: sight.Body | None) -> Seen:
    """With its schema as it was, without what any environment declares to differ."""
    schema = sight.schema(body) if body else None
    return replace(seen, things=schema and drift.without(schema.things, hands.database.uncompared))


def _refusals(hands: Hands, seen: Sequence[Seen]) -> dict[str, str]:
    """Which pending files of our own folder no plan would be drawn with."""
    folder, pending = hands.folder(), {id_ for one in seen if one.standing for id_ in one.standing.pending}
    waiting = () if isinstance(folder, BadFile) else (file for file in folder if file.id in pending)
    return bounds.refusals(waiting, limits=hands.limits)


def _plan(hands: Hands, environment: Environment, bodies: Bodies) -> dict[str, Any]:
    """The plan that an apply would ask for now, or the sentence that refuses it."""
    here = sight.read(environment, bodies.get(environment.name), certification=None)
    if here.standing is None:
        return _refused(environment.name, here.why)
    earlier = hands.workflow.before(environment)
    known = earlier and neighbours.of(hands, earlier, body=bodies.get(earlier.name))
    try:
        files = hands.files()
        with open_session(hands.database, purpose="twokey plan", limits=hands.looking) as session:
            reaching.guard(hands, session, Act.APPLY)
            advice = Advice(catalog.read(session), Squawk(hands.tools.squawk), hands.checkout(files))
        plan = drawing.draw_plan(here.standing, files, before=known, workflow=hands.workflow, advice=advice)
    except EngineError as refused:
        return _refused(environment.name, reporting.sentence(refused))
    except JobTimeoutException:
        return _refused(environment.name, f"{environment.name} let us in and then did not answer in time.")
    summary = drawing.summarize(plan, before=known, workflow=hands.workflow)
    return {"question": "plan", "environment": environment.name, "plan": plain.dump(summary), "refusal": None}


def _refused(name: str | None, why: str | None) -> dict[str, Any]:
    return {"question": "plan", "environment": name, "plan": None, "refusal": why}


def _not_here(name: str | None) -> dict[str, Any]:
    return _refused(
        name, f"The worker that answers has no environment {name} in its twokey.toml. Give all the same file."
    )
