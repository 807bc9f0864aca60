"""What the rules say while an environment is frozen."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ledger.policy import Allowed, Denied, NeedsApproval, may_decide
from ledger.request import Act, Freeze
from ledger.states import State
from tests.ledger.test_policy import (
    ADA,
    APPROVED,
    BO,
    BUSY,
    CY,
    FREE,
    NOW,
    PLANNED,
    PROD,
    TEST,
    asks,
    starts,
)

FREEZE = Freeze(9, "production", "ada <@U0BOSS>", "the `disk` is full", NOW, until=None)
FOR_GOOD = Denied(
    "Nothing starts on production now: ada ‹@U0BOSS› froze it (#9: the 'disk' is full). "
    "`/migrate thaw production` ends that."
)
FOR_NOW = Denied(
    "Nothing starts on production now: ada ‹@U0BOSS› froze it until 2026-11-22 12:00 UTC (#9: the 'disk' is full). "
    "`/migrate thaw production` ends that. After that, take your reaction away and give it again."
)
ON_TEST = Denied(
    "Nothing starts on test now: ada ‹@U0BOSS› froze it (#9: the 'disk' is full). `/migrate thaw test` ends that."
)


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        *((asks(act=act, freeze=FREEZE), FOR_GOOD) for act in Act if act not in {Act.FREEZE, Act.THAW}),
        (asks(act=Act.APPLY, environment=TEST, freeze=FREEZE), ON_TEST),
        # It can be frozen for longer by anybody, and thawed: with a second person where it is protected.
        (asks(act=Act.FREEZE, freeze=FREEZE), Allowed()),
        (asks(act=Act.FREEZE, environment=replace(PROD, approvers=())), Allowed()),
        (asks(act=Act.THAW, freeze=FREEZE, certification=None), NeedsApproval((BO.id, CY.id))),
        (asks(act=Act.THAW, environment=TEST, freeze=FREEZE), Allowed()),
        # A thaw waits for nothing that waits for it, and there is one.
        (asks(act=Act.THAW, open_requests=(APPROVED,)), NeedsApproval((BO.id, CY.id))),
        (asks(act=Act.THAW, open_requests=(replace(APPROVED, act=Act.THAW),)), Denied(BUSY)),
        (asks(open_requests=(replace(APPROVED, act=Act.THAW),)), NeedsApproval((BO.id, CY.id))),
    ],
)
def test_what_may_be_asked(verdict: object, expected: object) -> None:
    assert verdict == expected


def decides(act: Act, freeze: Freeze | None) -> object:
    return may_decide(BO, replace(PLANNED, act=act), PROD, now=NOW, freeze=freeze)


def test_a_yes_to_anything_but_a_thaw_is_refused() -> None:
    assert decides(Act.APPLY, replace(FREEZE, until=NOW + timedelta(hours=2))) == FOR_NOW
    assert decides(Act.THAW, FREEZE) == Allowed()


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        (starts(freeze=FREEZE), FOR_GOOD),
        (starts(replace(APPROVED, act=Act.THAW), freeze=FREEZE), Allowed()),
        (starts(replace(FREE, state=State.APPROVED), TEST, freeze=FREEZE), ON_TEST),
        (starts(replace(FREE, state=State.APPROVED, act=Act.BACKUP), TEST, freeze=FREEZE), ON_TEST),
        (starts(replace(FREE, state=State.APPROVED, act=Act.THAW), TEST, freeze=FREEZE), Allowed()),
    ],
)
def test_what_may_start(verdict: object, expected: object) -> None:
    assert verdict == expected


def test_whoever_asked_is_named_harmlessly() -> None:
    boss = replace(APPROVED, actor=replace(ADA, name="<@U0BOSS>"))
    busy = asks(open_requests=(boss,))
    assert isinstance(busy, Denied)
    assert "‹@U0BOSS› asked" in busy.why
