"""Every branch of the rules is one line here, with the sentence that a person reads."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ledger.policy import Allowed, Denied, NeedsApproval, may_ask, may_cancel, may_decide, may_start
from ledger.request import Act, Actor, Certification, CertifiedBy, Decision, Kind, Request, Verdict, Witness
from ledger.states import FINAL, SAID, State
from ledger.workflow import Environment, Verbosity
from tests.support.ledger import ADA, BO, DIGEST, a_plan

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
CY = replace(BO, id="U0SECOND", name="cy")
EVE = replace(BO, id="U0OBSERVER", name="eve")

TEST = Environment(
    name="test",
    aliases=(),
    dsn_variable="TEST_DATABASE_URL",
    protected=False,
    approvers=(),
    channel="C0MIGRATE",
    verbosity=Verbosity.NORMAL,
)
PROD = replace(TEST, name="production", protected=True, approvers=(BO.id, CY.id))
CERTIFIED = Certification(3, "test", covers=(), by=CertifiedBy(ADA.id, ADA.name, NOW, None))

APPROVED = Request(
    id=7,
    act=Act.APPLY,
    environment="production",
    protected=True,
    actor=ADA,
    reason="users want it",
    note=None,
    covers_of=None,
    channel="C0MIGRATE",
    state=State.APPROVED,
    asked_at=NOW - timedelta(minutes=10),
    expires_at=NOW + timedelta(hours=3),
    starts_at=NOW - timedelta(seconds=1),
    plan=a_plan(environment="production", protected=True),
    version=3,
)
PLANNED = replace(APPROVED, state=State.PLANNED, starts_at=None)
ASKED = replace(PLANNED, state=State.ASKED, plan=None)
YES = Decision(7, BO, Verdict.APPROVE, DIGEST, event_ts="1.1", withdrawn_ts=None)
NO = replace(YES, verdict=Verdict.REJECT)
SEEN = Witness(7, NOW - timedelta(seconds=5), approving=(BO,), rejecting=(), ours=True, asking=ADA)

A_MEMBER = "Ask a full member of the workspace."
KINDS = {
    Kind.GUEST: ("Guests cannot ask or decide here.", A_MEMBER),
    Kind.BOT: ("Bots and workflows cannot ask or decide here.", "A person has to do it."),
    Kind.DEACTIVATED: (
        "This account is deactivated and cannot ask or decide here.",
        A_MEMBER,
    ),
    Kind.OUTSIDER: ("People of other workspaces cannot ask or decide here.", "Ask a full member of this workspace."),
    Kind.UNKNOWN: ("Slack did not say whether this is a full member, so it does not count.", "Ask a colleague."),
}
EMPTY = "Its approvers in twokey.toml are empty. Add a person there."
NOBODY = "Nobody may approve production: its approvers in twokey.toml are empty. Add a person there."
ONLY_YOU = (
    "You are the only approver of production, and the second key must be someone else's. "
    "Add another person to its approvers in twokey.toml."
)
WAIT = "Wait for its end, or take it back with `/migrate cancel 7`."
BUSY = f"#7 is open for production: ada asked, and it is approved. {WAIT}"
UNCERTIFIED = (
    "test is not certified, and production gets what was certified there. "
    "After testing, say `/migrate certify test`, then ask again."
)
EXPIRED = "#7 expired at 2026-11-22 10:00 UTC. Ask again for a new plan."
ELSEWHERE = "#7 is for production, not for test. Ask for it there."


def asks(actor: Actor = ADA, environment: Environment = PROD, **facts):
    facts = {"act": Act.APPLY, "open_requests": (), "before": TEST, "certification": CERTIFIED, "freeze": None} | facts
    return may_ask(actor, environment, **facts)


@pytest.mark.parametrize("kind", KINDS)
def test_only_full_members_ask_decide_and_cancel(kind: Kind) -> None:
    assert set(KINDS) == set(Kind) - {Kind.FULL_MEMBER}
    why, whom_to_ask = KINDS[kind]
    refused = Denied(f"{why} {whom_to_ask}")
    stranger = replace(BO, kind=kind)
    assert asks(stranger) == refused
    assert asks(stranger, TEST) == refused
    assert asks(stranger, act=Act.CERTIFY) == refused
    assert decides(stranger) == Denied(f"{why} Those who may: <@U0APPROVER>, <@U0SECOND>.")
    assert may_cancel(replace(ADA, kind=kind), PLANNED, PROD) == refused


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        (asks(), NeedsApproval((BO.id, CY.id))),
        (asks(BO), NeedsApproval((CY.id,))),
        (asks(environment=TEST, open_requests=(replace(APPROVED, environment="test"),)), Allowed()),
        (asks(environment=TEST, certification=None), Allowed()),
        (asks(act=Act.CERTIFY, open_requests=(APPROVED,), certification=None), Allowed()),
        (asks(environment=replace(PROD, approvers=())), Denied(NOBODY)),
        (asks(BO, replace(PROD, approvers=(BO.id,))), Denied(ONLY_YOU)),
        (asks(open_requests=(APPROVED,)), Denied(BUSY)),
        (asks(open_requests=(replace(APPROVED, environment="test"),)), NeedsApproval((BO.id, CY.id))),
        (asks(open_requests=(replace(APPROVED, act=Act.CERTIFY),)), NeedsApproval((BO.id, CY.id))),
        (asks(open_requests=(replace(APPROVED, state=State.APPLIED),)), NeedsApproval((BO.id, CY.id))),
        (asks(act=Act.BACKUP, open_requests=(APPROVED,), certification=None), Allowed()),
        (asks(act=Act.RESTORE, certification=None), NeedsApproval((BO.id, CY.id))),
        (asks(act=Act.ROLLBACK, open_requests=(APPROVED,)), Denied(BUSY)),
        (asks(open_requests=(replace(APPROVED, act=Act.RESTORE),)), Denied(BUSY)),
        (asks(open_requests=(replace(APPROVED, act=Act.BACKUP),)), NeedsApproval((BO.id, CY.id))),
        (asks(certification=None), Denied(UNCERTIFIED)),
        (asks(certification=replace(CERTIFIED, environment="development")), Denied(UNCERTIFIED)),
        (asks(before=None, certification=None), NeedsApproval((BO.id, CY.id))),
    ],
)
def test_who_may_ask(verdict: object, expected: object) -> None:
    assert verdict == expected


def decides(actor: Actor = BO, request: Request = PLANNED, environment: Environment = PROD, now: datetime = NOW):
    return may_decide(actor, request, environment, now=now, freeze=None)


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        (decides(), Allowed()),
        (decides(CY), Allowed()),
        (decides(request=APPROVED), Allowed()),
        (decides(environment=TEST), Denied(ELSEWHERE)),
        (
            decides(ADA),
            Denied("You asked for #7, so the second key is not yours. Those who may: <@U0APPROVER>, <@U0SECOND>."),
        ),
        (
            decides(ADA, environment=replace(PROD, approvers=(ADA.id, BO.id))),
            Denied("You asked for #7, so the second key is not yours. Those who may: <@U0APPROVER>."),
        ),
        (
            decides(ADA, environment=replace(PROD, approvers=(ADA.id,))),
            Denied("You asked for #7, so the second key is not yours. Nobody else may approve production yet."),
        ),
        (
            decides(EVE),
            Denied("You are not an approver of production. Those who may: <@U0APPROVER>, <@U0SECOND>."),
        ),
        (decides(environment=replace(PROD, approvers=())), Denied(f"You are not an approver of production. {EMPTY}")),
        (decides(request=ASKED), Denied("#7 has no plan yet. React on its card when the plan stands there.")),
        (
            decides(request=replace(APPROVED, state=State.APPLYING)),
            Denied("#7 is running already, so a reaction changes nothing."),
        ),
        (decides(request=replace(PLANNED, expires_at=NOW)), Denied(EXPIRED)),
        (decides(request=replace(PLANNED, expires_at=NOW + timedelta(microseconds=1))), Allowed()),
    ],
)
def test_who_may_decide(verdict: object, expected: object) -> None:
    assert verdict == expected


@pytest.mark.parametrize("state", sorted(FINAL))
def test_what_is_over_is_neither_decided_nor_cancelled_nor_started(state: State) -> None:
    over = replace(APPROVED, state=state)
    again = f"#7 {SAID[state]}, so a reaction changes nothing. Ask again for a new plan."
    assert decides(request=over) == Denied(again)
    assert may_cancel(ADA, over, PROD) == Denied(f"#7 {SAID[state]} already. There is nothing left to cancel.")
    assert starts(over) == Denied(f"#7 {SAID[state]} and cannot start.")


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        (may_cancel(ADA, ASKED, PROD), Allowed()),
        (may_cancel(ADA, PLANNED, PROD), Allowed()),
        (may_cancel(BO, APPROVED, PROD), Allowed()),
        (may_cancel(ADA, PLANNED, TEST), Denied(ELSEWHERE)),
        (
            may_cancel(EVE, PLANNED, PROD),
            Denied(
                "#7 can be cancelled by <@U0ENGINEER>, who asked, "
                "or by an approver of production: <@U0APPROVER>, <@U0SECOND>."
            ),
        ),
        (
            may_cancel(EVE, replace(ASKED, environment="test"), TEST),
            Denied("#7 can be cancelled by <@U0ENGINEER>, who asked."),
        ),
        (
            may_cancel(ADA, replace(APPROVED, state=State.APPLYING), PROD),
            Denied("#7 is running and cannot be cancelled. Its message will say how it ends."),
        ),
    ],
)
def test_who_may_cancel(verdict: object, expected: object) -> None:
    assert verdict == expected


def starts(request: Request = APPROVED, environment: Environment = PROD, **facts):
    facts = {"decisions": (YES,), "witness": SEEN, "digest": DIGEST, "now": NOW} | ORDINARY | facts
    return may_start(request, environment, **facts)


FREE = replace(PLANNED, protected=False, environment="test", plan=a_plan(environment="test"))
BOTH = NeedsApproval((BO.id, CY.id))
ORDINARY = {"approve_button": False, "freeze": None}
REJECTED = Denied("#7 was rejected by <@U0APPROVER>. Talk to them, then ask again.")
NOBODY_LOOKED = "nobody looked at its reactions in the last 30 seconds. Check that the bot runs; the request waits."
UNSEEN = Denied(f"#7 did not start: {NOBODY_LOOKED}")
GONE = Denied(
    "#7 did not start: the approving reaction is gone, or came from somebody who may no longer approve. "
    "<@U0APPROVER>, <@U0SECOND> can react."
)
NOBODY_ELSE = Denied(
    "#7 did not start: the approving reaction is gone, or came from somebody who may no longer approve. "
    "Another approver of production can react."
)
NOT_HIM = Denied(
    "#7 did not start: the approving reaction is gone, or came from somebody who may no longer approve. "
    "<@U0SECOND> can react."
)
CHANGED = Denied(
    "What would run is no longer what #7 showed: its digest was d1d1d1d1d1d1 and is e2e2e2e2e2e2 now. "
    "Ask again for a new plan."
)


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        # What stops any run.
        (starts(environment=TEST), Denied(ELSEWHERE)),
        (starts(ASKED), Denied("#7 has no plan yet. A worker draws it first.")),
        (starts(replace(APPROVED, plan=None)), Denied("#7 has no plan yet. A worker draws it first.")),
        (starts(replace(APPROVED, state=State.APPLYING)), Denied("#7 is running and cannot start.")),
        (starts(replace(APPROVED, expires_at=NOW)), Denied(EXPIRED)),
        (starts(digest="e2" * 32), CHANGED),
        # Where nothing is protected, the rules themselves approve.
        (starts(FREE, TEST, decisions=(), witness=None), Allowed()),
        (starts(replace(FREE, state=State.APPROVED), TEST, decisions=(), witness=None), Allowed()),
        (starts(replace(PLANNED, act=Act.CERTIFY), decisions=(), witness=None), Allowed()),
        (starts(FREE, TEST, digest="e2" * 32), CHANGED),
        # A local twokey.toml cannot unprotect what the database calls protected.
        (starts(environment=replace(PROD, protected=False), decisions=()), BOTH),
        (starts(environment=replace(PROD, protected=False, approvers=())), Denied(NOBODY)),
        (starts(replace(APPROVED, plan=a_plan(environment="production")), decisions=()), BOTH),
        # … and what the bot called protected stays so, whatever the worker's file says.
        (starts(replace(APPROVED, plan=a_plan(environment="production")), replace(PROD, protected=False), decisions=()),
         BOTH),
        # The second key.
        (starts(), Allowed()),
        (starts(environment=replace(PROD, approvers=())), Denied(NOBODY)),
        (starts(decisions=()), BOTH),
        (starts(PLANNED), BOTH),
        (starts(decisions=(replace(YES, withdrawn_ts="1.2"),)), BOTH),
        (starts(decisions=(replace(YES, digest="e2" * 32),)), BOTH),
        (starts(decisions=(replace(YES, request_id=8),)), BOTH),
        (starts(decisions=(replace(YES, actor=EVE),)), BOTH),
        (starts(decisions=(replace(YES, actor=ADA),), environment=replace(PROD, approvers=(ADA.id, BO.id))),
         NeedsApproval((BO.id,))),
        *((starts(decisions=(replace(YES, actor=replace(BO, kind=kind)),)), BOTH) for kind in KINDS),
        # A no stands until it is taken back.
        (starts(decisions=(YES, NO)), REJECTED),
        (starts(decisions=(YES, replace(NO, withdrawn_ts="1.2"))), Allowed()),
        (starts(decisions=(YES, replace(NO, actor=EVE))), Allowed()),
        # Until the start there is time to stop it.
        (starts(replace(APPROVED, starts_at=NOW + timedelta(microseconds=1))),
         Denied("#7 is approved and its start is still ahead. It will be rung again then.")),
        (starts(replace(APPROVED, starts_at=None)),
         Denied("#7 is approved and its start is still ahead. It will be rung again then.")),
        (starts(replace(APPROVED, starts_at=NOW)), Allowed()),
        # What Slack shows now has the last word.
        (starts(witness=None), UNSEEN),
        (starts(witness=replace(SEEN, at=NOW - timedelta(seconds=30))), Allowed()),
        (starts(witness=replace(SEEN, at=NOW - timedelta(seconds=30, microseconds=1))), UNSEEN),
        (starts(witness=replace(SEEN, at=NOW)), Allowed()),
        (starts(witness=replace(SEEN, at=NOW + timedelta(seconds=1))), UNSEEN),
        (starts(witness=replace(SEEN, request_id=8)), UNSEEN),
        (starts(witness=replace(SEEN, approving=())), GONE),
        (starts(witness=replace(SEEN, approving=(CY,))), GONE),
        (starts(witness=replace(SEEN, approving=(ADA, EVE))), GONE),
        (starts(witness=replace(SEEN, approving=(EVE, BO))), Allowed()),
        *((starts(witness=replace(SEEN, approving=(replace(BO, kind=kind),))), NOT_HIM) for kind in KINDS),
        (starts(witness=replace(SEEN, approving=(replace(BO, kind=Kind.GUEST),)),
                environment=replace(PROD, approvers=(BO.id,))), NOBODY_ELSE),
        (starts(witness=replace(SEEN, rejecting=(BO,))), REJECTED),
        (starts(witness=replace(SEEN, rejecting=(EVE, ADA))), Allowed()),
        (starts(witness=replace(SEEN, approving=(CY,)), decisions=(YES, replace(YES, actor=CY))), Allowed()),
    ],
)  # fmt: skip
def test_what_may_start(verdict: object, expected: object) -> None:
    assert verdict == expected
