"""Nothing starts in the frost, whatever the bot says; and what ends it takes what every change takes."""

import pytest

from ledger.errors import FrozenMeanwhile
from ledger.events import Denied, Halted, Interrupted, Released, Stale, Started, Thawed
from ledger.records import Question
from ledger.request import Act, Request
from ledger.states import State
from tests.support.ledger import BO, a_wish
from tests.workers.row import Row
from tests.workers.test_gate import turn
from workers import inspector, observer


def freeze(row: Row, name: str) -> int:
    wish = a_wish(environment=name, act=Act.FREEZE, reason="the disk is full")
    return row.ledger.freeze(wish, until=None, protected=name == "production")[0].id


def why_not(row: Row, request: Request) -> str:
    assert request.state is State.REJECTED
    refused = row.last(request.id)
    assert isinstance(refused, Denied)
    return refused.why


def test_what_was_asked_before_the_frost_is_refused_by_the_worker(row: Row) -> None:
    asked = row.ask("test", Act.BACKUP)
    frozen = freeze(row, "test")
    assert why_not(row, row.ring(asked)) == (
        f"Nothing starts on test now: ada froze it (#{frozen}: the disk is full). `/migrate thaw test` ends that."
    )
    assert row.do("development").state is State.APPLIED
    thaw = row.do("test", Act.THAW)
    assert (thaw.state, row.last(thaw.id)) == (State.APPLIED, Thawed((f"#{frozen}",)))
    assert row.do("test", Act.BACKUP).state is State.APPLIED
    assert why_not(row, row.do("test", Act.THAW)) == "test is not frozen."


@pytest.fixture
def waits(row: Row) -> Request:
    """A change of production that waits for its second key."""
    row.bring("development", "test")
    assert row.do("test", Act.CERTIFY).state is State.APPLIED
    request = row.do("production")
    assert request.state is State.PLANNED
    return request


def test_a_thaw_of_production_takes_two_keys_and_starts_nothing(row: Row, waits: Request) -> None:
    row.approve(waits.id, seen=True)
    frozen = freeze(row, "production")
    assert row.ring(waits.id).state is State.PLANNED
    thaw = row.do("production", Act.THAW, reason="it has room again")
    assert thaw.plan
    [fact] = thaw.plan.facts
    assert fact.name == "Lifts"
    assert fact.sentence.startswith(f"#{frozen}, frozen by ada at 20")
    assert fact.sentence.endswith(" UTC until it is thawed: the disk is full")
    assert row.ring(thaw.id).state is State.PLANNED
    assert row.ledger.frozen("production") is not None
    assert turn(row, thaw.id).state is State.APPLIED
    assert row.ledger.frozen("production") is None
    assert [type(one) for one in row.told(waits.id)][-2:] == [Halted, Released]
    assert row.ledger.request(waits.id).state is State.PLANNED
    assert turn_again(row, waits).state is State.APPLIED


def turn_again(row: Row, waits: Request) -> Request:
    """Bo takes the reaction away and gives it again."""
    [said] = row.ledger.decisions(waits.id)
    row.ledger.withdraw(request_id=waits.id, actor_id=BO.id, verdict=said.verdict, event_ts=said.event_ts)
    return turn(row, waits.id)


def test_a_bot_that_approves_in_the_frost_starts_nothing(row: Row, waits: Request) -> None:
    freeze(row, "production")
    with pytest.raises(FrozenMeanwhile):
        turn(row, waits.id)
    assert row.ring(waits.id).state is State.PLANNED
    assert row.history("production") == []


def test_a_thaw_that_was_agreed_on_lifts_no_later_freeze(row: Row) -> None:
    row.bring("production")
    freeze(row, "production")
    thaw = row.do("production", Act.THAW)
    row.approve(thaw.id, seen=False)
    second = freeze(row, "production")
    assert row.ring(thaw.id).state is State.STALE
    stale = row.last(thaw.id)
    assert isinstance(stale, Stale)
    assert stale.what.startswith(f"It was frozen again: #{second}, frozen by ada at ")
    assert stale.what.endswith("Ask again: `/migrate thaw production`.")
    assert len(row.ledger.freezes("production")) == 2


def test_a_thaw_of_which_nobody_knows_the_end_lifted_nothing(row: Row) -> None:
    row.bring("production")
    frozen = freeze(row, "production")
    thaw = row.do("production", Act.THAW)
    row.approve(thaw.id)
    row.ledger.move(thaw.id, State.APPLYING, why=Started("host:1"))
    inspector.inspect(row.hands("production"), thaw.id)
    ended = row.last(thaw.id)
    assert isinstance(ended, Interrupted)
    assert (ended.done, ended.left) == ((), (f"#{frozen}",))
    assert ended.why.endswith("It is frozen still. Ask again: `/migrate thaw production`.")
    assert row.ledger.frozen("production") is not None


def test_the_status_tells_of_the_frost(row: Row) -> None:
    row.bring("test")
    freeze(row, "test")
    inquiry, _ = row.ledger.ask(
        question=Question.STATUS,
        environment="test",
        environments=("test",),
        actor=BO,
        channel="C0MIGRATE",
        response_url="https://example.org",
        key="k",
    )
    [asked] = row.ledger.observations(inquiry.id)
    observer.look(row.hands("test"), asked.id)
    body = row.ledger.inquiry(inquiry.id).body
    assert body
    assert body["environments"][0]["frozen"] == {"by": "ada", "until": None, "reason": "the disk is full"}
