"""What was done at a terminal is found by the environment's own worker, and written down once."""

from datetime import UTC, datetime

import pytest
from rq.timeouts import JobTimeoutException

from engine import deeds, history
from engine.connection import open_session
from engine.scratch import Server
from ledger.records import Notice
from ledger.states import State
from playground.embedded import Postgres
from tests.workers.row import FIRST, SECOND, THIRD, Row
from workers import watching
from workers.tasks import TASKS

NAMES = ("development", "test", "production")


def watch(row: Row, name: str = "development") -> None:
    """The ring of a watch comes to the worker of `name`, by the name that the doorbell writes."""
    row.ledger.watch(name)
    [watch_id] = [one for one, environment in row.ledger.unwatched(-watching.OVERLAP) if environment == name]
    task, _ = TASKS["workers.tasks.watch"]
    task(row.hands(name), watch_id)


def notices(row: Row) -> tuple[Notice, ...]:
    return row.ledger.notices(NAMES)


def test_a_run_at_a_terminal_is_one_notice_however_often_it_is_seen(row: Row) -> None:
    watch(row)
    assert notices(row) == ()
    row.bring("development")
    for _ in range(3):
        watch(row)
    [notice] = notices(row)
    assert (notice.environment, notice.earlier) == ("development", False)
    assert [(one.act, one.what, one.by) for one in notice.deeds] == [
        ("apply", (FIRST,), "test"),
        ("apply", (SECOND,), "test"),
        ("apply", (THIRD,), "test"),
    ]


def test_what_was_done_for_a_request_is_told_by_its_own_story_alone(row: Row) -> None:
    watch(row)
    assert row.do("development").state is State.APPLIED
    watch(row)
    assert notices(row) == ()


def test_an_environment_that_is_met_with_a_past_is_told_of_in_one_notice(row: Row) -> None:
    row.bring("development")
    row.file("20250901000000_more", "CREATE TABLE more ();")
    row.dsn["test"] = row.dsn["development"]
    watch(row)
    [notice] = notices(row)
    assert notice.earlier
    assert len(notice.deeds) == 3


def test_an_address_that_leads_elsewhere_tells_nothing(row: Row, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    row.bring("development")
    row.dsn["test"] = row.dsn["development"]
    watch(row, "test")
    assert notices(row) == ()
    assert "that database says it is development" in caplog.text


def test_a_database_that_is_down_is_looked_at_later(row: Row, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    row.dsn["development"] = "postgresql://nobody:hunter2@127.0.0.1:1/app"
    watch(row)
    assert "development (127.0.0.1, database app) cannot be reached" in caplog.text
    assert "hunter2" not in caplog.text


def test_a_server_that_says_nothing_more_is_left_alone(
    row: Row, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def hang(*_: object, **__: object) -> None:
        raise JobTimeoutException

    caplog.set_level("INFO")
    monkeypatch.setattr(deeds, "at_terminal", hang)
    watch(row)
    assert "development let us in and then did not answer in time." in caplog.messages


def test_a_ring_for_another_environment_is_not_ours(row: Row, caplog: pytest.LogCaptureFixture) -> None:
    row.ledger.watch("test")
    watching.watch(row.hands("development"), 1)
    watching.watch(row.hands("development"), 999)
    assert "Watch 1 is for test, not for us." in caplog.messages
    assert "The ledger has no watch 999. Ask again." in caplog.messages


def test_a_deed_that_is_dated_ahead_does_not_hide_the_next(row: Row) -> None:
    watch(row)
    row.bring("development")
    row.sql("development", "UPDATE twokey_deeds SET at = now() + interval '9 years'")
    watch(row)
    with open_session(row.hands("development").database, purpose="twokey test") as session:
        deeds.write(session, history.prepare(session), "discard", what=("old",), by="ada", request=None)
    watch(row)
    assert [one.what for notice in notices(row)[1:] for one in notice.deeds] == [("old",)]


def test_a_copy_that_a_killed_rehearsal_left_is_dropped_an_hour_after(row: Row, postgres: Postgres) -> None:
    old, new = "20200101_000000", f"{datetime.now(UTC):%Y%m%d_%H%M%S}"
    names = [f"twokey_scratch_rehearsal_production_{when}_00000000" for when in (old, new)]
    for name in names:
        postgres.create(name)
    row.scratch = Server(postgres.url(), on_protected_server=True)
    watch(row, "production")
    left = row.sql("production", "SELECT datname FROM pg_database WHERE datname LIKE 'twokey_scratch_rehearsal%'")
    assert left == [(names[1],)]
    postgres.drop(names[1])
    row.scratch = Server("postgresql://nobody@127.0.0.1:1/postgres")
    watch(row, "production")  # a server that is away harms no watch
