"""Which environments are watched, and what was done there at a terminal: written once, whoever brings it."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from ledger.book import Book
from ledger.errors import NoSuchRecord
from ledger.records import Deed, Notice

AT = datetime(2026, 11, 22, 14, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def a_deed(number: int) -> Deed:
    return Deed(f"deed-{number}", AT + timedelta(seconds=number), "apply", (f"{number}_x",), "ada (terminal)")


def numbers(notices: Sequence[Notice]) -> list[list[str]]:
    return [[one.id.removeprefix("deed-") for one in notice.deeds] for notice in notices]


def test_no_such_watch(ledger: Book) -> None:
    with pytest.raises(NoSuchRecord) as caught:
        ledger.watch_heard(7)
    assert str(caught.value) == "The ledger has no watch 7. Ask again."


def test_what_was_there_before_the_first_look_is_one_notice(ledger: Book) -> None:
    ledger.watch("test")
    ledger.notice("test", [[a_deed(1)], [a_deed(2), a_deed(3)]])
    [only] = ledger.notices(["test"])
    assert only.earlier
    assert only.deeds == (a_deed(1), a_deed(2), a_deed(3))


def test_what_comes_after_it_is_a_notice_for_each_run(ledger: Book) -> None:
    ledger.notice("test", [])
    ledger.notice("test", [[a_deed(1)], [a_deed(2), a_deed(3)]])
    assert numbers(ledger.notices(["test"])) == [["1"], ["2", "3"]]
    assert [one.earlier for one in ledger.notices(["test"])] == [False, False]
    assert ledger.noticed_until("test") == AT + timedelta(seconds=3)
    assert (ledger.notices(["production"]), ledger.noticed_until("production")) == ((), None)


def test_what_is_brought_again_is_written_once_and_what_is_new_of_a_run_is_told(ledger: Book) -> None:
    ledger.notice("test", [])
    for run in ([a_deed(1)], [a_deed(1)], [a_deed(1), a_deed(2)]):
        ledger.notice("test", [run])
    assert numbers(ledger.notices(["test"])) == [["1"], ["2"]]


def test_the_newest_are_listed_whether_they_were_told_or_not(ledger: Book) -> None:
    for environment, number in (("test", 1), ("production", 2), ("test", 3)):
        ledger.notice(environment, [])
        ledger.notice(environment, [[a_deed(number)]])
    [told, _] = ledger.notices(["test"])
    ledger.noticing(told.id, channel="C1")
    ledger.noticed_as(told.id, "1.2")
    assert numbers(ledger.noticed("test", limit=9)) == [["3"], ["1"]]
    assert numbers(ledger.noticed(None, limit=2)) == [["3"], ["2"]]


def test_two_workers_at_once_write_once(ledger: Book) -> None:
    ledger.notice("test", [])
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: ledger.notice("test", [[a_deed(1)], [a_deed(2)]]), range(8)))
    assert numbers(ledger.notices(["test"])) == [["1"], ["2"]]


def test_the_same_name_in_another_environment_is_another_deed(ledger: Book) -> None:
    for name in ("test", "production"):
        ledger.notice(name, [])
        ledger.notice(name, [[a_deed(1)]])
    assert [one.environment for one in ledger.notices(["test", "production"])] == ["test", "production"]


def test_a_place_is_reserved_once_and_kept(ledger: Book) -> None:
    ledger.notice("test", [[a_deed(1)]])
    [waiting] = ledger.notices(["test"])
    assert ledger.noticing(waiting.id, channel="C1")
    assert not ledger.noticing(waiting.id, channel="C2")
    ledger.noticed_as(waiting.id, "1.1")
    assert ledger.notices(["test"]) == ()


def test_a_watch_is_due_at_once_then_after_a_while_and_never_twice(ledger: Book, ledger_url: str) -> None:
    def later(what: str) -> None:
        with psycopg.connect(ledger_url) as conn:
            conn.execute(f"UPDATE watches SET {what}".encode())

    ledger.watch("test")
    ledger.watch("test")
    [(watch_id, _)] = due = ledger.unwatched(MINUTE)
    assert due == ((watch_id, "test"),)
    ledger.watch_rung(watch_id, ledger.now())
    assert ledger.unwatched(MINUTE) == ()
    later("rung_at = clock_timestamp() - interval '11 min'")  # nobody heard it: Redis lost the ring
    assert ledger.unwatched(MINUTE) == due
    assert ledger.watch_heard(watch_id) == "test"
    assert ledger.unwatched(MINUTE) == ()
    later("heard_at = clock_timestamp() - interval '61 s'")
    assert ledger.unwatched(MINUTE) == due
