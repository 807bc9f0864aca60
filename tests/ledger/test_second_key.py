"""Who may say yes when it is a user group, when it takes several, and when one person has two accounts."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from ledger import people
from ledger.policy import Allowed, Denied, NeedsApproval, approvals_missing, may_ask, may_cancel, may_decide
from ledger.request import Act, Actor, Author, Group, Kind, Origin, Request
from ledger.second_key import unknown_authors
from ledger.workflow import Environment, Person
from tests.ledger.test_policy import (
    APPROVED,
    CERTIFIED,
    CY,
    EVE,
    GONE,
    NOBODY_ELSE,
    NOW,
    PLANNED,
    PROD,
    SEEN,
    TEST,
    YES,
    starts,
)
from tests.support.ledger import ADA, BO, a_plan

S = "S0APPROVERS"
BOTH, CY_ALONE, EMPTY = Group(S, (BO.id, CY.id)), Group(S, (CY.id,)), Group(S, ())
GROUPED = replace(PROD, approvers=(S,))
PLANNED_SO = replace(PLANNED, groups=(BOTH,))
READY = replace(APPROVED, groups=(BOTH,))
SEEN_SO = replace(SEEN, groups=(BOTH,))
IN_NO_GROUP = "You are not an approver of production. "

TWO = replace(PROD, approvals=2)
CY_TOO = replace(YES, actor=CY, event_ts="1.2")
SEEN_BOTH = replace(SEEN, approving=(BO, CY))

ADAS = ("U0ENGINEER", "U0ADATWO")
ADA_TWO = replace(ADA, id=ADAS[1])
MAPPED = replace(PROD, approvers=(BO.id, ADA_TWO.id), people=(Person("Ada", ADAS, ()),))
VERIFIED = (people.mark("ada@example.com"),)
LISTED = replace(PROD, approvers=(BO.id, ADA_TWO.id))
NOT_YOURS = Denied("You asked for #7, so the second key is not yours. Those who may: <@U0APPROVER>.")


def asks(environment: Environment, *groups: Group, actor: Actor = ADA) -> object:
    facts = {"act": Act.APPLY, "open_requests": (), "before": TEST, "certification": CERTIFIED, "freeze": None}
    return may_ask(actor, environment, groups=groups, **facts)


def decides(
    *groups: Group, actor: Actor = BO, request: Request = PLANNED_SO, environment: Environment = GROUPED
) -> object:
    return may_decide(actor, request, environment, now=NOW, freeze=None, groups=groups)


def missing(
    *by: Actor, environment: Environment = TWO, request: Request = PLANNED, groups: Iterable[Group] = ()
) -> int:
    said = [replace(YES, actor=one, event_ts=f"1.{n}") for n, one in enumerate(by)]
    return approvals_missing(request, environment, decisions=said, groups=groups)


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        (asks(GROUPED, BOTH), NeedsApproval((BO.id, CY.id))),
        (asks(GROUPED, BOTH, actor=BO), NeedsApproval((CY.id,))),
        (asks(replace(PROD, approvers=(EVE.id, S)), BOTH), NeedsApproval((EVE.id, BO.id, CY.id))),
        *(
            (
                asks(GROUPED, *groups),
                Denied(
                    "Nobody else may approve production now: nobody else is listed, or in the user groups that its "
                    "approvers in twokey.toml name. Add a person."
                ),
            )
            for groups in ((EMPTY,), (), (Group("S0OTHER", (BO.id,)),), (Group(S, (ADA.id,)),))
        ),
        # Several different people.
        (asks(TWO), NeedsApproval((BO.id, CY.id), missing=2)),
        (
            asks(TWO, actor=CY),
            Denied(
                "production takes 2 different people besides whoever asked, and only <@U0APPROVER> may approve it. "
                "Add people to its approvers in twokey.toml."
            ),
        ),
        (
            asks(replace(TWO, people=(Person("Bo", (BO.id, CY.id), ()),))),
            Denied(
                "production takes 2 different people besides whoever asked, and only <@U0APPROVER>, <@U0SECOND> may "
                "approve it. Add people to its approvers in twokey.toml."
            ),
        ),
        # The requester's own second account is not a second person.
        (asks(MAPPED), NeedsApproval((BO.id,))),
    ],
)
def test_who_is_asked_for_the_second_key(verdict: object, expected: object) -> None:
    assert verdict == expected


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        (decides(BOTH), Allowed()),
        (decides(BOTH, actor=CY), Allowed()),
        # In the group now, and not when it was asked: who could add themselves then could approve.
        (decides(Group(S, (EVE.id,)), actor=EVE), Denied(f"{IN_NO_GROUP}Nobody else may approve production yet.")),
        (decides(CY_ALONE), Denied(f"{IN_NO_GROUP}Those who may: <@U0SECOND>.")),
        (decides(EMPTY), Denied(f"{IN_NO_GROUP}Nobody else may approve production yet.")),
        (decides(), Denied(f"{IN_NO_GROUP}Nobody else may approve production yet.")),
        (decides(BOTH, request=PLANNED), Denied(f"{IN_NO_GROUP}Nobody else may approve production yet.")),
        (
            decides(
                Group(S, tuple(f"U{n}" for n in range(9))),
                request=replace(PLANNED, groups=(Group(S, tuple(f"U{n}" for n in range(9))),)),
            ),
            Denied(f"{IN_NO_GROUP}Those who may: <@U0>, <@U1>, <@U2>, <@U3>, <@U4>, <@U5> and 3 more."),
        ),
    ],
)
def test_a_group_is_who_was_in_it_then_and_is_in_it_now(verdict: object, expected: object) -> None:
    assert verdict == expected


def test_self_approval_under_the_same_account() -> None:
    listed = replace(PROD, approvers=(ADA.id, BO.id))
    assert decides(actor=ADA, environment=listed) == NOT_YOURS


def test_self_approval_under_a_second_account_of_the_map() -> None:
    assert decides(actor=ADA_TWO, environment=MAPPED) == NOT_YOURS
    by_ada_two = replace(YES, actor=ADA_TWO)
    assert starts(environment=MAPPED, decisions=(by_ada_two,)) == NeedsApproval((BO.id,))


def test_self_approval_under_a_second_account_with_the_same_verified_address() -> None:
    request = replace(PLANNED, actor=replace(ADA, marks=VERIFIED))
    same, other = replace(ADA_TWO, marks=VERIFIED), replace(ADA_TWO, marks=(people.mark("eve@example.com"),))
    assert decides(actor=same, request=request, environment=LISTED) == Denied(
        "You asked for #7, so the second key is not yours. Those who may: <@U0APPROVER>, <@U0ADATWO>."
    )
    assert decides(actor=other, request=request, environment=LISTED) == Allowed()
    approved = replace(APPROVED, actor=request.actor)
    by_same = replace(YES, actor=same)
    assert starts(approved, LISTED, decisions=(by_same,)) == NeedsApproval((BO.id, ADA_TWO.id))
    # Known only when Slack is looked at: the witness has the last word.
    unmarked, seen = replace(YES, actor=ADA_TWO), replace(SEEN, approving=(same,))
    assert isinstance(starts(approved, LISTED, decisions=(unmarked,), witness=seen), Denied)


def test_one_person_with_two_accounts_is_one_approval_of_two() -> None:
    known = replace(TWO, people=(Person("Bo", (BO.id,), ("bo@example.com",)),), approvers=(BO.id, CY.id, EVE.id))
    bo_again = replace(CY, marks=(people.mark("bo@example.com"),))
    assert missing(BO, environment=known) == 1
    assert missing(BO, bo_again, environment=known) == 1
    assert missing(BO, bo_again, EVE, environment=known) == 0


@pytest.mark.parametrize(
    ("left", "by"),
    [(2, ()), (1, (BO,)), (0, (BO, CY)), (1, (BO, BO)), (2, (ADA,)), (1, (BO, replace(CY, kind=Kind.GUEST)))],
)
def test_how_many_are_missing(left: int, by: tuple[Actor, ...]) -> None:
    assert missing(*by) == left


def test_what_is_said_about_another_plan_or_taken_back_is_missing() -> None:
    for gone in (replace(YES, digest="e2" * 32), replace(YES, withdrawn_ts="1.9"), replace(YES, request_id=8)):
        assert approvals_missing(PLANNED, PROD, decisions=(gone,), groups=()) == 1
    assert approvals_missing(replace(PLANNED, plan=None), PROD, decisions=(YES,), groups=()) == 1


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        (starts(READY, GROUPED, witness=SEEN_SO), Allowed()),
        # Removed from the group between the reaction and the run, or the group gone.
        (
            starts(READY, GROUPED, witness=replace(SEEN, groups=(CY_ALONE,))),
            Denied(GONE_CY := GONE.why.replace("<@U0APPROVER>, ", "")),
        ),
        (starts(READY, GROUPED, witness=replace(SEEN, groups=(EMPTY,))), NOBODY_ELSE),
        (starts(READY, GROUPED, witness=SEEN), NOBODY_ELSE),
        # In the group now, and not when it was asked.
        (starts(replace(APPROVED, groups=(CY_ALONE,)), GROUPED, witness=SEEN_SO), NeedsApproval((CY.id,))),
        (
            starts(APPROVED, GROUPED, witness=SEEN_SO),
            Denied(
                "Nobody else may approve production now: nobody else is listed, or in the user groups that its "
                "approvers in twokey.toml name. Add a person."
            ),
        ),
        # What a captured bot says of a group that this worker's file does not list is nothing.
        (
            starts(replace(APPROVED, groups=(Group("S0OTHER", (EVE.id,)),)), decisions=(replace(YES, actor=EVE),)),
            NeedsApproval((BO.id, CY.id)),
        ),
        # Two different people.
        (starts(environment=TWO, decisions=(YES, CY_TOO), witness=SEEN_BOTH), Allowed()),
        (starts(environment=TWO), NeedsApproval((BO.id, CY.id), missing=1)),
        (starts(environment=TWO, decisions=()), NeedsApproval((BO.id, CY.id), missing=2)),
        (starts(PLANNED, TWO, decisions=(YES, CY_TOO)), NeedsApproval((BO.id, CY.id), missing=2)),
        (starts(environment=TWO, decisions=(YES, replace(YES, event_ts="1.3"))), NeedsApproval((BO.id, CY.id))),
        (starts(environment=TWO, decisions=(YES, CY_TOO), witness=SEEN), GONE),
        (
            starts(
                environment=TWO,
                decisions=(YES, CY_TOO),
                witness=replace(SEEN, approving=(BO, replace(CY, kind=Kind.DEACTIVATED))),
            ),
            Denied(GONE_CY.replace("<@U0SECOND>", "<@U0APPROVER>")),
        ),
    ],
)
def test_what_may_start_with_groups_and_several(verdict: object, expected: object) -> None:
    assert verdict == expected


ADA_AND_BO = Origin("c" * 40, (Author("Ada", VERIFIED[0]), Author("Bo B", people.mark("bo@example.com"))))
WRITTEN = replace(PLANNED, plan=replace(a_plan(environment="production", protected=True), origin=ADA_AND_BO))
WRITTEN_AND_APPROVED = replace(WRITTEN, state=APPROVED.state, starts_at=APPROVED.starts_at)
KNOWN = replace(PROD, people=(Person("Bo", (BO.id,), ("bo@example.com",)),))
WROTE = Denied("You wrote a part of what #7 is about, and authors do not approve it. Those who may: <@U0SECOND>.")


@pytest.mark.parametrize("act", [act for act in Act if act.has_authors])
def test_an_author_of_the_map_does_not_approve_what_they_wrote(act: Act) -> None:
    assert decides(request=replace(WRITTEN, act=act), environment=KNOWN) == WROTE
    assert starts(replace(WRITTEN_AND_APPROVED, act=act), KNOWN) == NeedsApproval((CY.id,))


def test_whom_the_plan_bars_no_other_map_lets_in() -> None:
    assert WRITTEN.plan
    barring = replace(WRITTEN.plan, barred=(BO.id, people.mark("bo@example.com")))
    for environment in (PROD, replace(PROD, authors_may_approve=True)):
        assert decides(request=replace(WRITTEN, plan=barring), environment=environment) == WROTE
        assert starts(replace(WRITTEN_AND_APPROVED, plan=barring), environment) == NeedsApproval((CY.id,))


def test_an_author_of_the_map_may_where_that_is_set_and_cancels_anyway() -> None:
    assert decides(request=WRITTEN, environment=KNOWN) == WROTE
    assert decides(request=WRITTEN, environment=KNOWN, actor=CY) == Allowed()
    assert decides(request=WRITTEN, environment=replace(KNOWN, authors_may_approve=True)) == Allowed()
    assert may_cancel(BO, WRITTEN, KNOWN) == Allowed()


def test_an_author_with_the_same_verified_address_does_not_approve_either() -> None:
    known_by_slack = replace(BO, marks=(people.mark("bo@example.com"),))
    assert decides(request=WRITTEN, environment=PROD, actor=known_by_slack) == Denied(
        "You wrote a part of what #7 is about, and authors do not approve it. "
        "Those who may: <@U0APPROVER>, <@U0SECOND>."
    )
    seen = replace(SEEN, approving=(known_by_slack,))
    assert isinstance(starts(WRITTEN_AND_APPROVED, PROD, witness=seen), Denied)


def test_an_author_that_no_map_knows_is_named() -> None:
    assert WRITTEN.plan
    assert unknown_authors(WRITTEN.plan, KNOWN) == ("Ada",)
    assert unknown_authors(replace(WRITTEN.plan, origin=None), KNOWN) == ()


@pytest.mark.parametrize(
    ("listed", "groups", "refused"),
    [
        (None, (), None),
        ((ADA.id,), (), None),
        ((S,), (Group(S, (ADA.id,)),), None),
        ((BO.id,), (), "Those who may: <@U0APPROVER>."),
        ((S,), (BOTH,), "Those who may: <@U0APPROVER>, <@U0SECOND>."),
        ((S,), (EMPTY,), "Its certifiers in twokey.toml name nobody."),
        ((), (), "Its certifiers in twokey.toml name nobody."),
    ],
)
def test_who_may_certify(listed: tuple | None, groups: tuple[Group, ...], refused: str | None) -> None:
    test = replace(TEST, certifiers=listed)
    expected = Denied(f"You are not a certifier of test. {refused}") if refused else Allowed()
    facts = {"act": Act.CERTIFY, "open_requests": (), "before": None, "certification": None, "freeze": None}
    assert may_ask(ADA, test, groups=groups, **facts) == expected
    request = replace(APPROVED, act=Act.CERTIFY, environment="test", protected=False, groups=groups)
    assert starts(request, test, decisions=(), witness=None) == expected


def test_the_requester_under_another_account_and_the_group_may_cancel() -> None:
    assert may_cancel(ADA_TWO, PLANNED, MAPPED) == Allowed()
    assert may_cancel(BO, PLANNED_SO, GROUPED, groups=(BOTH,)) == Allowed()
    assert may_cancel(BO, PLANNED_SO, GROUPED, groups=(EMPTY,)) == Denied(
        "#7 can be cancelled by <@U0ENGINEER>, who asked."
    )
