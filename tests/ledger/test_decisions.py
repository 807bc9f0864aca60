"""Reactions are heard once, judged in Slack's order, and never turn a requester into their own second key."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.exc import DataError, IntegrityError

from ledger import people, words
from ledger.book import Book
from ledger.errors import AuthorsDecision, NoSuchRequest, OwnDecision
from ledger.events import Witnessed
from ledger.records import Heard
from ledger.request import Decision, Verdict, Witness
from ledger.states import State
from tests.support.ledger import ADA, BO, DIGEST, a_plan, a_request_in

REACTION = Heard(
    team="T0TWOKEY",
    channel="C0MIGRATE",
    message_ts="1700000000.000100",
    actor_id=BO.id,
    emoji="white_check_mark",
    added=True,
    event_ts="1700000010.000100",
    event_id="Ev1",
)


@pytest.fixture
def yes(ledger: Book) -> Decision:
    """Bo's approval of a planned request, not written down yet."""
    request = a_request_in(ledger, State.PLANNED)
    return Decision(request.id, BO, Verdict.APPROVE, DIGEST, event_ts="1700000010.000100", withdrawn_ts=None)


def test_a_reaction_is_heard_once(ledger: Book) -> None:
    assert ledger.hear(REACTION)
    assert not ledger.hear(REACTION)
    (heard,) = ledger.unjudged()
    assert replace(heard, id=0, heard_at=None) == REACTION


def test_reactions_are_judged_in_the_order_of_slack(ledger: Book) -> None:
    later = replace(REACTION, event_id="Ev3", event_ts="10000000000.000000")
    earlier = replace(REACTION, event_id="Ev2", event_ts="1600000000.000000", added=False)
    for reaction in (later, REACTION, earlier):
        ledger.hear(reaction)
    heard = ledger.unjudged()
    assert [one.event_id for one in heard] == ["Ev2", "Ev1", "Ev3"]
    ledger.judged(heard[0].id)
    assert [one.event_id for one in ledger.unjudged()] == ["Ev1", "Ev3"]
    assert not ledger.hear(earlier)


def test_a_decision_is_written_once(ledger: Book, yes: Decision) -> None:
    assert ledger.decide(yes)
    assert not ledger.decide(yes)
    assert ledger.decisions(yes.request_id) == (yes,)


def test_the_requester_cannot_be_the_second_key(ledger: Book, yes: Decision) -> None:
    for verdict in Verdict:
        with pytest.raises(OwnDecision) as caught:
            ledger.decide(replace(yes, actor=ADA, verdict=verdict))
        assert str(caught.value) == (
            f"Whoever asked for #{yes.request_id} cannot decide about it. The second key is someone else's."
        )
    assert ledger.decisions(yes.request_id) == ()


def test_an_author_whom_the_plan_bars_cannot_decide_under_any_account(ledger: Book) -> None:
    mark = people.mark("bo@example.com")
    plan = replace(a_plan(), barred=(BO.id, "U0BOTWO", mark))
    request = a_request_in(ledger, State.PLANNED, plan=plan)
    no = Decision(request.id, BO, Verdict.REJECT, DIGEST, "1.1", None)
    by_mail = replace(BO, id="U0SECOND", marks=("U0OTHER", mark))
    for actor in (BO, replace(BO, id="U0BOTWO"), by_mail):
        for said in (no, replace(no, verdict=Verdict.APPROVE)):
            with pytest.raises(AuthorsDecision) as caught:
                ledger.decide(replace(said, actor=actor))
            assert str(caught.value) == (
                f"Whoever wrote a part of what #{request.id} is about does not decide about it. Ask somebody else."
            )
    assert ledger.decide(replace(no, actor=replace(by_mail, marks=("U0OTHER",))))
    assert ledger.withdraw(request_id=request.id, actor_id="U0SECOND", verdict=Verdict.REJECT, event_ts="1.2")


def test_a_decision_cannot_name_another_requester(
    ledger: Book, yes: Decision, owner_says: Callable[[str], None]
) -> None:
    lie = (
        "INSERT INTO decisions (request_id, requester_id, actor_id, actor_team, actor_name, actor_kind, verdict, "
        "digest, event_ts) "
        f"VALUES ({yes.request_id}, 'U0OTHER', '{ADA.id}', '', '', '', 'approve', '{DIGEST}', '1.1')"
    )
    with pytest.raises(IntegrityError, match="decisions_request_id_requester_id_fkey"):
        owner_says(lie)


@pytest.mark.parametrize("changed", [{"digest": "e2" * 32}, {"event_ts": "soon"}, {"request_id": 404}])
def test_a_decision_is_about_a_plan_that_exists(ledger: Book, yes: Decision, changed: dict) -> None:
    with pytest.raises((IntegrityError, DataError)):
        ledger.decide(replace(yes, **changed))


def test_removing_a_reaction_takes_the_word_back(ledger: Book, yes: Decision) -> None:
    ledger.decide(yes)
    removal = {"request_id": yes.request_id, "actor_id": BO.id, "event_ts": "1700000020.5"}
    assert not ledger.withdraw(verdict=Verdict.REJECT, **removal)
    assert ledger.withdraw(verdict=Verdict.APPROVE, **removal)
    assert not ledger.withdraw(verdict=Verdict.APPROVE, **removal)
    assert ledger.decisions(yes.request_id) == (replace(yes, withdrawn_ts="1700000020.5"),)


def test_an_older_removal_leaves_a_newer_word(ledger: Book, yes: Decision) -> None:
    ledger.decide(yes)
    assert not ledger.withdraw(
        request_id=yes.request_id, actor_id=BO.id, verdict=Verdict.APPROVE, event_ts="1700000009.999999"
    )


def test_a_word_can_be_given_again(ledger: Book, yes: Decision) -> None:
    ledger.decide(yes)
    ledger.withdraw(request_id=yes.request_id, actor_id=BO.id, verdict=Verdict.APPROVE, event_ts="1700000020.5")
    again = replace(yes, event_ts="1700000030.000001")
    assert ledger.decide(again)
    assert ledger.decisions(yes.request_id)[-1] == again


def test_a_witness_is_told_and_the_newest_counts(ledger: Book) -> None:
    request = a_request_in(ledger, State.APPROVED)
    assert ledger.latest_witness(request.id) is None
    empty = Witness(request.id, ledger.now(), approving=(), rejecting=(), ours=True, asking=ADA)
    seen = Witness(request.id, ledger.now(), approving=(BO,), rejecting=(ADA,), ours=True, asking=ADA)
    ledger.witness(empty)
    ledger.witness(seen)
    assert ledger.latest_witness(request.id) == seen
    assert ledger.events(request.id)[-1].event == Witnessed(
        approving=(BO.id,), rejecting=(ADA.id,), ours=True, asking=words.hash_of_actor(ADA)
    )
    assert ledger.request(request.id).version == request.version + 2


def test_a_witness_is_never_fresher_than_the_ledgers_clock(ledger: Book) -> None:
    request = a_request_in(ledger, State.APPROVED)
    ledger.witness(
        Witness(request.id, ledger.now() + timedelta(hours=1), approving=(BO,), rejecting=(), ours=True, asking=ADA)
    )
    latest = ledger.latest_witness(request.id)
    assert latest is not None
    assert latest.at <= ledger.now()


def test_nobody_witnesses_what_was_not_asked(ledger: Book) -> None:
    with pytest.raises(NoSuchRequest):
        ledger.witness(Witness(404, ledger.now(), approving=(), rejecting=(), ours=True, asking=ADA))
