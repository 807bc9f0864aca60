"""After a protected run it is told, once, how the environment fared since and how it had fared before."""

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from ledger import verification
from ledger.book import Book
from ledger.events import Failed, MigrationApplied, Started
from ledger.records import Pulse
from ledger.request import Act
from ledger.states import State
from ledger.underway import MigrationReverted, Reverted, Settled, Stretch
from tests.support.ledger import a_request_in, a_wish, role_url
from tests.support.waiting import wait_for
from tests.workers.row import Row
from workers import gate, settling, watching

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SPAN = timedelta(seconds=0.5)


def watch(row: Row, name: str) -> None:
    [watch_id] = [one for one, environment in row.ledger.unwatched(-MINUTE) if environment == name]
    watching.watch(row.hands(name), watch_id)


def feel(row: Row) -> None:
    watch(row, "production")


def settled(row: Row, request_id: int) -> list[Any]:
    return [event for event in row.told(request_id) if isinstance(event, Settled)]


def felt(minute: int, counted: int = 0, *, waiting: int = 0, since: datetime | None = None) -> Pulse:
    """At that minute, with as many deadlocks, twice as many rollbacks, ten times as many commits."""
    return Pulse(AT + minute * MINUTE, since, counted, 2 * counted, 10 * counted, waiting)


def test_one_look_is_no_stretch() -> None:
    assert settling.stretch(()) is None
    assert settling.stretch((felt(1),)) is None


def test_what_lies_between_the_first_look_and_the_last() -> None:
    seen = (felt(1, 5), felt(2, 5, waiting=3), felt(4, 7, waiting=1))
    assert settling.stretch(seen) == Stretch(180, 3, 2, 4, 24, 3, anew=False)


def test_what_was_counted_anew_began_at_nothing() -> None:
    assert settling.stretch((felt(1, 50), felt(2, 51), felt(3, 1))) == Stretch(120, 3, 2, 4, 24, 0, anew=True)
    told_to = (felt(1, 5), felt(2, 6, since=AT), felt(3, 7, since=AT))
    assert settling.stretch(told_to) == Stretch(120, 3, 7, 14, 84, 0, anew=True)


def test_a_protected_run_is_told_of_once_with_what_was_before_it(
    row: Row, owner_says: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "PATIENCE", timedelta())  # the bot has looked already
    row.bring("development", "test")
    assert row.do("test", Act.CERTIFY).state is State.APPLIED
    hands, request = row.hands("production"), row.do("production")
    row.ledger.watch("production")
    feel(row)
    feel(row)
    row.approve(request.id)
    assert row.ring(request.id).state is State.APPLIED
    (began,) = (told.at for told in row.ledger.events(request.id) if isinstance(told.event, Started))
    first = "at = (SELECT min(at) FROM pulses)"  # and as if the two looks had been so long before
    owner_says(
        f"UPDATE pulses SET waiting = CASE WHEN {first} THEN 0 ELSE 2 END,"
        f" at = '{began}'::timestamptz - CASE WHEN {first} THEN interval '0.4 s' ELSE interval '0.1 s' END"
        f" WHERE at < '{began}'"
    )
    felt_by_now = row.ledger.pulses("production", since=began, until=row.ledger.now())
    assert len(felt_by_now) == 1  # at its end, before any look
    settling.settle(hands)
    assert not settled(row, request.id)  # ten minutes have not passed
    for _ in range(2):
        with psycopg.connect(row.dsn["production"]) as conn:
            conn.execute("SELECT 1")
            conn.rollback()
        feel(row)
    wait_for(lambda: row.ledger.unsettled("production", SPAN))
    settling.settle(hands, SPAN)
    settling.settle(hands, SPAN)
    (told,) = settled(row, request.id)
    assert (told.before, told.meanwhile) == (Stretch(0, 2, 0, 0, told.before.transactions, 2, anew=False), ())
    assert (told.after.looks, told.after.deadlocks, told.after.waiting, told.after.anew) == (3, 0, 0, False)
    assert told.after.rollbacks >= 1
    assert row.ledger.settle(request.id, told) is False
    assert verification.of_ledger(row.ledger).breaches == ()


def test_where_nobody_could_look_that_is_told(row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "PATIENCE", timedelta())
    row.bring("development", "test")
    assert row.do("test", Act.CERTIFY).state is State.APPLIED
    first = row.do("production")
    row.approve(first.id)
    assert row.ring(first.id).state is State.APPLIED
    wait_for(lambda: row.ledger.unsettled("production", SPAN))
    settling.settle(row.hands("production"), SPAN)
    assert settled(row, first.id) == [Settled(None, None, ())]


def test_what_is_unprotected_or_changed_nothing_is_not_told_of(row: Row) -> None:
    row.ledger.watch("development")
    watch(row, "development")
    request = row.do("development")
    assert request.state is State.APPLIED
    failed = row.do("production", Act.ROLLBACK)
    for name in ("development", "production"):
        assert row.ledger.unsettled(name, timedelta()) == ()
        assert row.ledger.pulses(name, since=request.asked_at, until=row.ledger.now()) == ()
    assert settled(row, failed.id) == []


def test_a_run_that_failed_is_told_of_where_it_changed_something(ledger: Book) -> None:
    for changed in (False, True):
        request = a_request_in(ledger, State.APPLYING, wish=a_wish(environment="production"), protected=True)
        if changed:
            ledger.tell(request.id, MigrationApplied("20250818140001_add_user_columns", 1, 2, 0.1))
        ledger.move(request.id, State.FAILED, why=Failed(why="It failed.", next_step="Fix it."))
    assert [one.request_id for one in ledger.unsettled("production", timedelta())] == [request.id]


def test_what_ran_meanwhile_is_named(row: Row) -> None:
    for _ in range(2):
        wish = a_wish(environment="production", act=Act.ROLLBACK)
        request = a_request_in(row.ledger, State.APPLYING, wish=wish, protected=True)
        row.ledger.tell(request.id, MigrationReverted("20250818140001_add_user_columns", 1, 2, 0.1))
        row.ledger.move(request.id, State.APPLIED, why=Reverted(("20250818140001_add_user_columns",), 0.1))
    wait_for(lambda: len(row.ledger.unsettled("production", SPAN)) == 2)
    settling.settle(row.hands("production"), SPAN)
    assert [settled(row, number) for number in (1, 2)] == [[Settled(None, None, ("#2",))], [Settled(None, None, ())]]


def test_an_interruption_that_was_found_out_late_is_told_of(ledger: Book, owner_says: Callable[[str], None]) -> None:
    request = a_request_in(ledger, State.INTERRUPTED, wish=a_wish(environment="production"), protected=True)
    owner_says("UPDATE requests SET beat_at = now() - interval '9 hours'")
    assert [one.request_id for one in ledger.unsettled("production", timedelta())] == [request.id]


def test_where_nobody_watches_nothing_is_felt(ledger: Book) -> None:
    ledger.pulse("production", felt(0))
    assert ledger.pulses("production", since=AT, until=ledger.now()) == ()


def test_pulses_are_kept_for_a_day(row: Row, owner_says: Callable[[str], None]) -> None:
    row.ledger.watch("production")
    feel(row)
    owner_says("UPDATE pulses SET at = at - interval '25 hours'")
    with closing(Book(role_url(row.ledger_url, "twokey_worker"))) as book:
        book.pulse("production", felt(0))
    now = row.ledger.now()
    assert len(row.ledger.pulses("production", since=now - timedelta(days=2), until=now)) == 1
