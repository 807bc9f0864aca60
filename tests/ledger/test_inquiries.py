"""A question is asked once, observed by each environment, answered once and shown once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from ledger.book import Book
from ledger.errors import NoSuchRecord
from ledger.records import Inquiry, Question, Share
from tests.support.ledger import ADA, BO

ALL = ("development", "test", "production")


def ask(ledger: Book, key: str = "trigger-1", environments: tuple[str, ...] = ALL) -> tuple[Inquiry, bool]:
    return ledger.ask(
        question=Question.STATUS,
        environment=None,
        environments=environments,
        actor=ADA,
        channel="C0MIGRATE",
        response_url="https://hooks.slack.test/commands/secret",
        key=key,
    )


def test_a_question_has_a_pending_observation_for_each_environment(ledger: Book) -> None:
    inquiry, new = ask(ledger)
    assert new
    assert (inquiry.question, inquiry.environment, inquiry.actor) == (Question.STATUS, None, ADA)
    assert (inquiry.answered_at, inquiry.body, inquiry.delivered_at, inquiry.share) == (None, None, None, None)
    pending = ledger.observations(inquiry.id)
    assert [one.environment for one in pending] == list(ALL)
    assert all(one.body is None and one.observed_at is None and one.inquiry_id == inquiry.id for one in pending)


def test_the_same_question_twice_is_one_inquiry(ledger: Book) -> None:
    first, _ = ask(ledger)
    assert ask(ledger) == (first, False)
    assert len(ledger.observations(first.id)) == 3


def test_whoever_fills_the_last_observation_is_told_so(ledger: Book) -> None:
    inquiry, _ = ask(ledger)
    first, second, last = ledger.observations(inquiry.id)
    assert ledger.observe(second.id, {"applied": 2}) is None
    assert ledger.observe(first.id, {}) is None
    assert ledger.observe(last.id, {}) == inquiry.id
    assert ledger.observe(last.id, {"second": "ring"}) is None
    seen = ledger.observation(second.id)
    assert seen.body == {"applied": 2}
    assert seen.observed_at is not None
    assert seen.observed_at >= seen.asked_at
    assert ledger.observation(last.id).body == {}


def test_of_observers_that_finish_at_once_exactly_one_is_the_last(ledger: Book) -> None:
    for round_ in range(5):
        inquiry, _ = ask(ledger, key=f"round-{round_}")
        ids = [one.id for one in ledger.observations(inquiry.id)]
        with ThreadPoolExecutor(3) as threads:
            told = list(threads.map(lambda one: ledger.observe(one, {}), ids))
        assert sorted(told, key=str) == [inquiry.id, None, None]


def test_a_gate_asks_without_a_question(ledger: Book) -> None:
    wanted = ledger.ask_observation("test")
    assert ledger.observation(wanted).environment == "test"
    assert ledger.observe(wanted, {"head": None}) is None
    assert ledger.observation(wanted).body == {"head": None}


def test_the_first_answer_wins(ledger: Book) -> None:
    inquiry, _ = ask(ledger)
    assert ledger.answer(inquiry.id, {"question": "status"})
    assert not ledger.answer(inquiry.id, {"question": "late"})
    answered = ledger.inquiry(inquiry.id)
    assert answered.body == {"question": "status"}
    assert answered.answered_at is not None


def test_an_answer_is_delivered_once(ledger: Book) -> None:
    first, _ = ask(ledger, "a")
    second, _ = ask(ledger, "b")
    assert [one.id for one in ledger.inquiries_open()] == [first.id, second.id]
    ledger.answer(first.id, {})
    ledger.delivered(first.id)
    assert [one.id for one in ledger.inquiries_open()] == [second.id]


def test_what_slack_takes_no_more_is_not_waited_for(ledger: Book, owner_says: Callable[[str], None]) -> None:
    ask(ledger)
    owner_says("UPDATE inquiries SET asked_at = asked_at - interval '31 min'")
    assert ledger.inquiries_open() == ()


def test_the_address_of_the_answer_is_kept_apart(ledger: Book) -> None:
    inquiry, _ = ask(ledger)
    assert "secret" not in repr(inquiry)
    assert ledger.response_url(inquiry.id) == "https://hooks.slack.test/commands/secret"


def test_an_answer_is_shared_once(ledger: Book) -> None:
    inquiry, _ = ask(ledger)
    assert not ledger.share(inquiry.id, actor=ADA, channel="C0MIGRATE")
    ledger.answer(inquiry.id, {})
    assert ledger.share(inquiry.id, actor=ADA, channel="C0MIGRATE")
    assert not ledger.share(inquiry.id, actor=BO, channel="C0OTHER")
    (waiting,) = ledger.shares_open()
    assert waiting.share == Share(ADA.id, ADA.name, "C0MIGRATE", ts=None)
    ledger.shared_as(inquiry.id, "1700000000.000200")
    assert ledger.shares_open() == ()
    assert ledger.inquiry(inquiry.id).share == Share(ADA.id, ADA.name, "C0MIGRATE", ts="1700000000.000200")


@pytest.mark.parametrize(
    ("look_up", "sentence"),
    [
        (lambda ledger: ledger.observation(9), "The ledger has no observation 9. Ask again."),
        (lambda ledger: ledger.observe(9, {}), "The ledger has no observation 9. Ask again."),
        (lambda ledger: ledger.inquiry(9), "The ledger has no inquiry 9. Ask again."),
        (lambda ledger: ledger.response_url(9), "The ledger has no inquiry 9. Ask again."),
    ],
)
def test_an_unknown_record_is_said(ledger: Book, look_up: Callable[[Book], object], sentence: str) -> None:
    with pytest.raises(NoSuchRecord) as caught:
        look_up(ledger)
    assert str(caught.value) == sentence
