"""Requests with their stories, and what a person reads of the messages that come of them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot import messages
from bot.blocks import Body
from bot.messages import Slot
from ledger import events
from ledger.events import Event
from ledger.records import Told
from ledger.request import Act, CertifiedBy, PlanSummary, Request
from ledger.states import State
from ledger.workflow import Environment, Verbosity
from tests.bot.conftest import CHANNEL, a_workflow
from tests.support.ledger import ADA, a_plan

T = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
WORKFLOW = a_workflow()
IDS = ("20250818140001_add_user_columns", "20250818150001_create_audit_table")

ASKED = events.Asked("U0ENGINEER", "ada", "apply", "production", None)
PLANNED = events.Planned("d1" * 32, IDS)
BY_RULE = events.Approved("policy", "policy", "2026-11-22T10:00:00+00:00")
BY_BO = events.Approved("U0APPROVER", "bo", "2026-11-22T10:02:15+00:00")
STARTED = events.Started("host:1")
BACKED_UP = events.BackedUp("production-backup-2026-11-22T10-00-00.sql", 12_300, "c" * 64, 0.4)
FIRST_IN = events.MigrationApplied(IDS[0], 1, 2, 0.02)
SECOND_IN = events.MigrationApplied(IDS[1], 2, 2, 1.5)
BROKEN = events.Failed(
    "z.sql:3 failed on production (42601): syntax error at or near “TABEL”. It was rolled back whole.",
    "Fix the file, then ask again.",
    IDS[1],
    3,
    "42601",
    (IDS[0],),
    ("20250818160001_z",),
)


def a_summary(environment: Environment) -> PlanSummary:
    certified = CertifiedBy("U0ENGINEER", "ada", T, "clicked <through>") if environment.protected else None
    plan = a_plan(environment=environment.name, protected=environment.protected)
    return replace(plan, certified=certified, database_bytes=12_300_000)


def told(*story: Event) -> tuple[Told, ...]:
    return tuple(
        Told(seq, T + timedelta(seconds=seq), event, f"{seq:x}" * 64) for seq, event in enumerate(story, start=1)
    )


def a_request(state: State, *, environment: str = "production") -> Request:
    """Ada's seventh: an apply without a plan."""
    return Request(
        id=7,
        act=Act.APPLY,
        environment=environment,
        protected=environment == "production",
        actor=ADA,
        reason=None,
        note=None,
        covers_of=None,
        channel=CHANNEL,
        state=state,
        asked_at=T,
        expires_at=T + timedelta(hours=4),
        starts_at=None,
        plan=None,
        version=1,
    )


def slots(
    name: str, state: State, *story: Event, act: Act = Act.APPLY, plan: bool = True, verbosity: Verbosity | None = None
) -> dict[str, Slot]:
    environment = WORKFLOW.environment(name)
    assert environment is not None
    if verbosity is not None:
        environment = replace(environment, verbosity=verbosity)
        flow = replace(
            WORKFLOW, environments=tuple(environment if e.name == name else e for e in WORKFLOW.environments)
        )
    else:
        flow = WORKFLOW
    request = replace(
        a_request(state, environment=name),
        act=act,
        reason="Ship\nit <!here>" if environment.protected else None,
        plan=a_summary(environment) if plan else None,
        version=len(story),
    )
    return {slot.name: slot for slot in messages.project(request, environment, told=told(*story), workflow=flow)}


def lines(body: Body) -> list[str]:
    """Every line a person reads, in order; a button as [label action=value]."""
    found: list[str] = []
    for block in body.blocks:
        if block["type"] == "section":
            found += block["text"]["text"].split("\n")
        elif block["type"] == "context":
            found += [element["text"] for element in block["elements"]]
        else:
            found += [f"[{b['text']['text']} {b['action_id']}={b['value']}]" for b in block["elements"]]
    return found


def state_line(name: str, state: State, *story: Event) -> str:
    return lines(slots(name, state, *story)["card"].body)[1]
