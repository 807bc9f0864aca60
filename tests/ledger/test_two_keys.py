"""One rule says whether a request waits for a second person; the rooms and the ledger's own questions follow it."""

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from ledger.book import Book
from ledger.events import Planned
from ledger.policy import Denied, needs_second_key, takes_two_keys
from ledger.request import Act
from ledger.states import State
from tests.ledger.test_policy import ASKED, DIGEST, PLANNED, PROD, SEEN, TEST, starts
from tests.ledger.test_second_key import KNOWN, WRITTEN_AND_APPROVED
from tests.support.ledger import ADA, BO, a_frozen, a_plan, a_wish


@pytest.mark.parametrize(("file", "asked", "database"), list(product([False, True], repeat=3)))
def test_whoever_calls_it_protected_is_enough(file: bool, asked: bool, database: bool) -> None:
    plan = a_plan(environment="production", protected=database)
    request = replace(PLANNED, protected=asked, plan=plan)
    environment = replace(PROD, protected=file)
    for act in Act:
        wanted = act.changes and (file or asked or database)
        assert needs_second_key(replace(request, act=act), environment) is wanted
        assert takes_two_keys(act, environment) is (act.changes and file)


def test_a_plan_that_should_stand_and_does_not_lets_nobody_go_on_alone() -> None:
    nowhere = replace(ASKED, protected=False, environment="test")
    assert not needs_second_key(nowhere, TEST)
    for state in (State.PLANNED, State.APPROVED, State.APPLYING):
        assert needs_second_key(replace(nowhere, state=state), TEST)


def test_what_the_database_alone_calls_protected_waits_in_the_ledger_too(ledger: Book) -> None:
    summary = a_plan(protected=True)
    soon, _ = ledger.open(a_wish(), expires_in=timedelta(minutes=5), protected=False)
    ledger.lay_plan(soon.id, summary=summary, frozen=a_frozen(summary), why=Planned(DIGEST, ()))
    assert ledger.expiring(timedelta(minutes=30)) == (soon.id,)
    assert ledger.unclaimed(timedelta()) == ()


def test_in_a_channel_that_others_share_since_nothing_protected_starts() -> None:
    assert starts(witness=replace(SEEN, ours=False)) == Denied(
        "#7 did not start: Slack does not say that its channel is this workspace's alone, and nothing protected runs "
        "where strangers read. Unshare the channel, or name another in twokey.toml, then ask again."
    )


def test_where_every_other_approver_wrote_it_nobody_may() -> None:
    assert starts(WRITTEN_AND_APPROVED, replace(KNOWN, approvers=(BO.id,))) == Denied(
        "production takes 1 person besides whoever asked, and nobody else may approve this: its other approvers wrote "
        "a part of it. Add people to its approvers in twokey.toml, or say authors_may_approve = true there."
    )
    two = replace(KNOWN, approvals=2)
    assert starts(WRITTEN_AND_APPROVED, two) == Denied(
        "production takes 2 different people besides whoever asked, and only <@U0SECOND> may approve this: its other "
        "approvers wrote a part of it. Add people to its approvers in twokey.toml, "
        "or say authors_may_approve = true there."
    )
    # It is advised where it would help, and nowhere else.
    three = starts(WRITTEN_AND_APPROVED, replace(KNOWN, approvals=3))
    assert isinstance(three, Denied)
    assert three.why.endswith("Add people to its approvers in twokey.toml.")
    alone = starts(WRITTEN_AND_APPROVED, replace(KNOWN, approvers=(ADA.id,)))
    assert isinstance(alone, Denied)
    assert alone.why.startswith("You are the only approver of production,")
