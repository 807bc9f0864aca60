"""A freeze holds from the moment in which it is written down, whatever anybody else says."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from ledger import evidence, verification, words
from ledger.book import Book
from ledger.errors import FrozenMeanwhile, IllegalMove
from ledger.events import Approved, Asked, Event, Frozen, Halted, Lifted, RanOut, Released, Started, Thawed, Withdrawn
from ledger.request import POLICY, Act, Decision, Request, Verdict
from ledger.states import State
from ledger.tables import requests
from tests.support.ledger import ADA, BO, DIGEST, a_request_in, a_wish, role_url
from tests.support.waiting import wait_for

Say = Callable[[str], None]

#: A freeze of an hour is over by itself; and stands again.
OVER = "UPDATE freezes SET at = at - interval '3 h', until = until - interval '2 h'"
ANEW = "UPDATE freezes SET until = until + interval '2 h'"


def freeze(book: Book, until: datetime | timedelta | None = None, environment: str = "production") -> Request:
    wish = a_wish(environment=environment, act=Act.FREEZE, reason="the disk is full")
    return book.freeze(wish, until=until, protected=environment == "production")[0]


def waiting(book: Book, state: State, act: Act = Act.APPLY) -> Request:
    return a_request_in(book, state, wish=a_wish(environment="production", act=act), protected=True)


def test_a_freeze_is_done_as_it_is_written_down(ledger: Book) -> None:
    wish = a_wish(environment="production", act=Act.FREEZE, reason="the disk is full")
    frozen, new = ledger.freeze(wish, until=timedelta(hours=2), protected=True)
    assert (new, frozen.state, frozen.version) == (True, State.APPLIED, 2)
    standing = ledger.frozen("production")
    assert standing is not None
    assert standing.until is not None
    assert timedelta(hours=1, minutes=59) < standing.until - standing.at <= timedelta(hours=2)
    told = [told.event for told in ledger.events(frozen.id)]
    by = words.hash_of_actor(ADA)
    assert told == [
        Asked(ADA.id, ADA.name, "freeze", "production", "the disk is full", channel="C0MIGRATE", protected=True, by=by),
        Frozen(ADA.id, ADA.name, "the disk is full", standing.until.isoformat()),
    ]
    assert ledger.freeze(wish, until=None, protected=True) == (frozen, False)
    assert ledger.frozen("test") is None
    assert evidence.verify(evidence.gather(ledger, frozen.id)).breaches == ()


def test_whoever_waits_is_told_and_a_turned_key_is_taken_out(ledger: Book) -> None:
    ended = waiting(ledger, State.STALE)
    approved = waiting(ledger, State.APPROVED)
    elsewhere = a_request_in(ledger, State.APPROVED)
    frozen = freeze(ledger)
    halted = Halted(frozen.id, ADA.name, "the disk is full", None)
    stands = ledger.request(approved.id)
    assert (stands.state, stands.starts_at) == (State.PLANNED, None)
    assert [told.event for told in ledger.events(approved.id)][-2:] == [Withdrawn(POLICY.id, POLICY.name), halted]
    assert [ledger.request(one.id).version for one in (ended, elsewhere)] == [ended.version, elsewhere.version]


def test_an_approval_from_before_or_in_the_frost_counts_no_more(ledger: Book, ledger_url: str, owner_says: Say) -> None:
    """Where several have to approve, the one who comes back must not find the other's old word still standing."""
    waits, elsewhere = waiting(ledger, State.PLANNED), a_request_in(ledger, State.PLANNED)
    for one in (waits, elsewhere):
        assert ledger.decide(Decision(one.id, BO, Verdict.APPROVE, DIGEST, "1.2", None))
    bot = Book(role_url(ledger_url, "twokey_bot"), name="bot")
    freeze(bot, timedelta(hours=1))
    bot.close()
    [before], [there] = ledger.decisions(waits.id), ledger.decisions(elsewhere.id)
    assert before.withdrawn_ts is not None
    assert abs(float(before.withdrawn_ts) - ledger.now().timestamp()) < 60
    assert there.withdrawn_ts is None
    anew = Decision(waits.id, BO, Verdict.APPROVE, DIGEST, "1.3", None)
    with pytest.raises(FrozenMeanwhile) as refused:
        ledger.decide(anew)
    again = f"#{waits.id} was frozen while you approved it. Approve it anew when that is over."
    assert str(refused.value) == again
    with pytest.raises(FrozenMeanwhile):
        ledger.move(waits.id, State.APPROVED, why=Approved(BO.id, BO.name, ""))
    owner_says(OVER)
    assert ledger.decide(anew)
    assert ledger.decisions(waits.id)[-1] == anew


def test_a_freeze_that_is_over_as_it_is_written_down_tells_nobody(
    ledger: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    approved, take = waiting(ledger, State.APPROVED), ledger._take_keys_out

    def slowly(*those: Any, **named: Any) -> None:
        time.sleep(0.3)
        take(*those, **named)

    monkeypatch.setattr(ledger, "_take_keys_out", slowly)
    frozen = freeze(ledger, timedelta(seconds=0.2))
    assert (frozen.state, ledger.frozen("production")) == (State.APPLIED, None)
    assert ledger.events(approved.id)[-1].event == Withdrawn(POLICY.id, POLICY.name)


def test_what_runs_finishes(ledger: Book) -> None:
    running = waiting(ledger, State.APPLYING)
    freeze(ledger)
    assert ledger.request(running.id) == running


@pytest.mark.parametrize("act", [Act.APPLY, Act.BACKUP, Act.CERTIFY])
def test_the_ledger_itself_lets_nothing_be_claimed_there(ledger: Book, owner_says: Say, act: Act) -> None:
    freeze(ledger, timedelta(hours=1))
    owner_says(OVER)
    approved = waiting(ledger, State.APPROVED, act)
    owner_says(ANEW)
    with pytest.raises(IllegalMove):
        ledger.move(approved.id, State.APPLYING, why=Started("host:1"))
    owner_says(OVER)
    assert ledger.frozen("production") is None
    assert ledger.move(approved.id, State.APPLYING, why=Started("host:1")).state is State.APPLYING


def test_a_thaw_lifts_what_it_names_and_no_more(ledger: Book) -> None:
    waits = waiting(ledger, State.PLANNED)
    first, second = freeze(ledger, timedelta(hours=1)), freeze(ledger)
    assert [one.request_id for one in ledger.freezes("production")] == [second.id, first.id]
    thaw = waiting(ledger, State.APPLYING, Act.THAW)
    third = freeze(ledger, timedelta(hours=3))
    assert ledger.thaw(thaw.id, lifts=(first.id, second.id)).state is State.APPLIED
    # Who waits is not told that it is over while a freeze stands that nobody agreed to lift: nothing could start.
    assert ledger.events(thaw.id)[-1].event == Thawed((f"#{first.id}", f"#{second.id}"), (f"#{third.id}",))
    [left] = ledger.freezes("production")
    assert left.until is not None
    halted = Halted(third.id, ADA.name, "the disk is full", left.until.isoformat())
    assert ledger.events(waits.id)[-1].event == halted
    assert [one.request_id for one in ledger.freezes("production")] == [third.id]
    assert [type(told.event) for told in ledger.events(thaw.id)].count(Halted) == 0
    again = waiting(ledger, State.APPLYING, Act.THAW)
    ledger.thaw(again.id, lifts=(third.id,))
    assert ledger.events(waits.id)[-1].event == Released(again.id)


def test_a_shorter_freeze_does_not_hide_an_endless_one(ledger: Book) -> None:
    approved = waiting(ledger, State.APPROVED)
    endless = freeze(ledger)
    freeze(ledger, timedelta(hours=1))
    standing = ledger.frozen("production")
    assert standing is not None
    assert standing.request_id == endless.id
    told = [one.event for one in ledger.events(approved.id)]
    assert {one.by for one in told if isinstance(one, Halted)} == {endless.id}


def test_a_freeze_says_what_stood_there_already(ledger: Book, owner_says: Say) -> None:
    freeze(ledger, environment="test")
    first = freeze(ledger, timedelta(hours=1))
    owner_says(OVER)
    second, third = freeze(ledger, timedelta(hours=1)), freeze(ledger)
    fourth = freeze(ledger, timedelta(minutes=1))
    said = {one.id: frozen_as(ledger, one).already for one in (first, second, third, fourth)}
    until = frozen_as(ledger, second).until
    assert said == {
        first.id: None,
        second.id: None,
        third.id: Halted(second.id, ADA.name, "the disk is full", until),
        fourth.id: Halted(third.id, ADA.name, "the disk is full", None),
    }


def frozen_as(book: Book, request: Request) -> Frozen:
    [event] = [told.event for told in book.events(request.id) if isinstance(told.event, Frozen)]
    return event


def test_a_freeze_is_told_that_it_is_over_by_the_thaw_or_by_its_time(
    ledger: Book, ledger_url: str, owner_says: Say
) -> None:
    """Each by the login that finds it out, once, and never both."""
    worker, sweep = (Book(role_url(ledger_url, role), name=role) for role in ("twokey_worker", "twokey_sweep"))
    ended, lifted, lasting = freeze(ledger, timedelta(hours=1)), freeze(ledger), freeze(ledger)
    owner_says(f"{OVER} WHERE request_id = {ended.id}")
    assert sweep.run_out() == (ended.id,)
    sweep.tell(ended.id, RanOut())
    assert sweep.run_out() == ()
    thaw = waiting(ledger, State.APPLYING, Act.THAW)
    worker.thaw(thaw.id, lifts=(lifted.id,))
    last = [ledger.events(one.id)[-1].event for one in (ended, lifted, lasting)]
    assert last == [RanOut(), Lifted(thaw.id, thaw.actor.name), frozen_as(ledger, lasting)]
    assert ledger.request(lifted.id).state is State.APPLIED
    owner_says(
        f"UPDATE freezes SET at = now() - interval '2 h', until = now() - interval '1 h' WHERE request_id = {lifted.id}"
    )
    assert sweep.run_out() == ()
    assert verification.of_ledger(ledger).breaches == ()
    assert evidence.verify(evidence.gather(ledger, lifted.id)).breaches == ()
    worker.close()
    sweep.close()


def test_after_a_freeze_as_many_are_missing_as_it_takes(ledger: Book) -> None:
    approved = waiting(ledger, State.APPROVED)
    wish = a_wish(environment="production", act=Act.FREEZE, reason="the disk is full")
    ledger.freeze(wish, until=None, protected=True, approvals=2)
    assert Withdrawn(POLICY.id, POLICY.name, missing=2) in [one.event for one in ledger.events(approved.id)]


def test_a_moment_that_is_over_and_a_freeze_without_a_reason_are_no_freezes(ledger: Book) -> None:
    with pytest.raises(DBAPIError, match="freezes_check"):
        freeze(ledger, datetime(2020, 1, 1, tzinfo=UTC))
    with pytest.raises(DBAPIError, match="reason"):
        ledger.freeze(a_wish(act=Act.FREEZE), until=None, protected=False)
    assert ledger.requests(open_only=False, limit=9) == ()


def test_the_bot_can_freeze_and_lift_nothing_and_the_worker_the_other_way_round(ledger: Book, ledger_url: str) -> None:
    bot, worker = (Book(role_url(ledger_url, role), name=role) for role in ("twokey_bot", "twokey_worker"))
    approved = waiting(ledger, State.APPROVED)
    first = freeze(bot)
    assert bot.request(approved.id).state is State.PLANNED
    thaw = waiting(ledger, State.APPLYING, Act.THAW)
    with pytest.raises(DBAPIError) as caught:
        bot.thaw(thaw.id, lifts=(first.id,))
    assert isinstance(caught.value.orig, InsufficientPrivilege)
    with pytest.raises(DBAPIError) as caught:
        worker.freeze(a_wish(act=Act.FREEZE, reason="why", actor=BO), until=None, protected=False)
    assert isinstance(caught.value.orig, InsufficientPrivilege)
    assert worker.thaw(thaw.id, lifts=(first.id,)).state is State.APPLIED
    bot.close()
    worker.close()


@pytest.fixture
def other(ledger_url: str) -> Iterator[Book]:
    """Another process's book of the same ledger."""
    book = Book(ledger_url, name="bot")
    yield book
    book.close()


def waiting_for_a_lock(ledger: Book) -> int:
    there = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with ledger._engine.begin() as tx:  # a new one each time: within one transaction the server tells the same again
        return tx.execute(text(there)).scalar_one()


def one_after_the_other(ledger: Book, request: Request, *deeds: Callable[[], object]) -> list[Future[object]]:
    """They come in this order and in one moment: each waits for the request's row before the next one begins."""
    with ThreadPoolExecutor() as pool, ledger._engine.begin() as held:
        held.execute(select(requests.c.id).where(requests.c.id == request.id).with_for_update())
        done = []
        for count, deed in enumerate(deeds, start=1):
            done.append(pool.submit(deed))
            wait_for(lambda count=count: waiting_for_a_lock(ledger) == count)
        held.commit()
        wait(done)
    return done


@pytest.mark.parametrize("freezes_first", [True, False])
def test_a_yes_and_a_freeze_of_one_moment_wait_for_each_other(ledger: Book, other: Book, freezes_first: bool) -> None:
    """Whichever comes first, no yes is left standing."""
    waits = waiting(ledger, State.PLANNED)
    yes = Decision(waits.id, BO, Verdict.APPROVE, DIGEST, "1.2", None)
    deeds = [lambda: freeze(other), lambda: ledger.decide(yes)]
    done = one_after_the_other(ledger, waits, *(deeds if freezes_first else reversed(deeds)))
    assert isinstance(done[1].exception(), FrozenMeanwhile) is freezes_first
    assert [one.withdrawn_ts is None for one in ledger.decisions(waits.id)] == ([] if freezes_first else [False])


@pytest.mark.parametrize(
    ("environment", "state", "to", "why", "refused"),
    [
        ("production", State.PLANNED, State.APPROVED, Approved(BO.id, BO.name, ""), FrozenMeanwhile),
        ("production", State.APPROVED, State.APPLYING, Started("host:1"), IllegalMove),
        ("test", State.APPROVED, State.APPLYING, Started("host:1"), IllegalMove),
    ],
)
def test_a_move_that_waits_for_a_freeze_sees_it(
    ledger: Book, other: Book, environment: str, state: State, to: State, why: Event, refused: type[IllegalMove]
) -> None:
    wish = a_wish(environment=environment)
    waits = a_request_in(ledger, state, wish=wish, protected=environment == "production")
    deeds = (lambda: freeze(other, environment=environment), lambda: ledger.move(waits.id, to, why=why))
    frozen, moved = one_after_the_other(ledger, waits, *deeds)
    assert frozen.exception() is None
    assert type(moved.exception()) is refused
    assert ledger.request(waits.id).state is (State.APPROVED if environment == "test" else State.PLANNED)
