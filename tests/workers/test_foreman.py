"""One request from asked to its end, as the ledger tells it."""

import threading
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from engine import lock, tools
from engine.connection import Database, open_session
from ledger.errors import LedgerUnreachable
from ledger.events import (
    Applied,
    Approved,
    BackedUp,
    Cancelled,
    Denied,
    Failed,
    MigrationApplied,
    Planned,
    Started,
    Waiting,
)
from ledger.request import POLICY
from ledger.states import State
from tests.support.ledger import ADA
from tests.support.waiting import wait_for
from tests.workers.row import FIRST, SECOND, THIRD, Row
from workers import drawing, foreman, neighbours


def test_an_apply_where_nothing_is_protected_goes_from_asked_to_applied_in_one_ring(row: Row) -> None:
    request = row.do("development")
    assert request.state is State.APPLIED
    story = row.told(request.id)
    assert [type(event).__name__ for event in story] == [
        "Asked", "Planned", "Approved", "Started", "BackedUp", *["MigrationApplied"] * 3, "Applied",
    ]  # fmt: skip
    _, planned, approved, started, backed_up, one, _, _, applied = story
    assert isinstance(planned, Planned)
    assert planned.migrations == (FIRST, SECOND, THIRD)
    assert isinstance(approved, Approved)
    assert approved.actor_id == POLICY.id
    assert isinstance(started, Started)
    assert isinstance(backed_up, BackedUp)
    assert (row.migrations / "schema-backups" / backed_up.file).stat().st_size == backed_up.bytes
    assert isinstance(one, MigrationApplied)
    assert (one.migration, one.position, one.of) == (FIRST, 1, 3)
    assert isinstance(applied, Applied)
    assert applied.migrations == (FIRST, SECOND, THIRD)
    assert row.history("development") == [FIRST, SECOND, THIRD]


def why_not(row: Row, name: str) -> str:
    """Ask for an apply that the rules refuse; gives their sentence."""
    request = row.do(name)
    assert request.state is State.REJECTED
    refused = row.last(request.id)
    assert isinstance(refused, Denied)
    return refused.why


def test_what_the_rules_refuse_is_rejected_with_the_engines_sentence(row: Row) -> None:
    assert why_not(row, "test") == (
        f"development does not have {FIRST}.sql yet, so test cannot get it. Bring it to development first."
    )
    row.bring("development")
    assert why_not(row, "development") == (
        "development already has every migration of the folder. There is nothing to apply."
    )
    assert row.last(row.do("development").id) == Denied(why_not(row, "development"), again=False)
    row.bring("test")
    assert why_not(row, "production") == (
        f"{FIRST}.sql is on test but not certified there, so production cannot get it. "
        "Test test, then certify test first."
    )


def test_where_no_worker_observes_the_environment_before_the_gate_stays_shut(
    row: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbours, "PATIENCE", timedelta(seconds=0.1))
    row.asleep.add("development")
    assert why_not(row, "test") == (
        "test only gets what development has, and development was not observed. "
        "Start the worker of development or bring its database back, then ask again."
    )


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("20260101000000_broken", "SELEC 1;\n", "20260101000000_broken.sql:1:1 is not SQL that PostgreSQL understands"),
        ("20260101000000_broken", "", "20260101000000_broken.sql holds no SQL statement."),
        ("january_broken", "SELECT 1;\n", "january_broken.sql is not named like a migration."),
        ("20250818150001_twice", "SELECT 1;\n", "have the same timestamp"),
    ],
)
def test_a_file_that_cannot_be_a_migration_is_refused_by_name(row: Row, name: str, text: str, sentence: str) -> None:
    row.file(name, text)
    assert sentence in why_not(row, "development")


def test_trouble_of_the_world_before_anything_ran_is_a_failure_that_says_the_next_step(row: Row) -> None:
    row.dsn["development"] = "postgresql://nobody:hunter2@127.0.0.1:1/app"
    request = row.do("development")
    assert request.state is State.FAILED
    failed = row.last(request.id)
    assert isinstance(failed, Failed)
    assert failed.why == (
        "development (127.0.0.1, database app) cannot be reached: nothing listens there. "
        "Start the server, or correct the environment's address."
    )
    assert failed.next_step == "After that, ask again: `/migrate apply development`."


def test_an_address_that_leads_to_another_environment_is_refused(row: Row) -> None:
    row.bring("development")
    row.dsn["test"] = row.dsn["development"]
    request = row.do("test")
    assert request.state is State.FAILED
    failed = row.last(request.id)
    assert isinstance(failed, Failed)
    assert failed.why.startswith("The address of test leads to ")
    assert "that database says it is development. Correct the address." in failed.why
    assert row.history("development") == [FIRST, SECOND, THIRD]


def test_without_pg_dump_nothing_is_applied(row: Row, tmp_path: Path) -> None:
    request_id = row.ask("development")
    foreman.run(replace(row.hands("development"), tools=tools.find(str(tmp_path), "")), request_id)
    assert row.ledger.request(request_id).state is State.FAILED
    failed = row.last(request_id)
    assert isinstance(failed, Failed)
    assert failed.why.startswith(f"There is no pg_dump in {tmp_path}, the folder that PG_BIN names")
    assert (failed.done, failed.left) == ((), (FIRST, SECOND, THIRD))
    assert row.history("development") == []


def test_the_first_failure_stops_the_run_and_says_what_is_in(row: Row) -> None:
    broken = row.file("20250818140002_broken", "CREATE TABLE fine ();\nINSERT INTO users (email) VALUES (NULL);\n")
    request = row.do("development")
    assert request.state is State.FAILED
    failed = row.last(request.id)
    assert isinstance(failed, Failed)
    assert (failed.migration, failed.line, failed.sqlstate) == (broken, 2, "23502")
    assert (failed.done, failed.left) == ((FIRST, SECOND), (THIRD,))
    assert failed.why.startswith(f"{broken}.sql:2 failed on development (23502): ")
    assert failed.why.endswith("It was rolled back whole.")
    assert row.history("development") == [FIRST, SECOND]


def test_rung_twice_nothing_happens_twice(row: Row) -> None:
    request = row.do("development")
    story = row.told(request.id)
    row.ring(request.id)
    assert row.told(request.id) == story


def test_two_workers_rung_at_once_have_one_winner(row: Row) -> None:
    request_id = row.ask("development")
    workers = [threading.Thread(target=foreman.run, args=(row.hands("development"), request_id)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert row.ledger.request(request_id).state is State.APPLIED
    kinds = [type(event).__name__ for event in row.told(request_id)]
    assert [kinds.count(once) for once in ("Planned", "Approved", "Started", "BackedUp", "Applied")] == [1] * 5
    assert row.history("development") == [FIRST, SECOND, THIRD]


def test_a_ring_for_another_environment_is_left_alone(row: Row, caplog: pytest.LogCaptureFixture) -> None:
    request_id = row.ask("test")
    foreman.run(row.hands("development"), request_id)
    assert row.ledger.request(request_id).state is State.ASKED
    assert f"#{request_id} is for test, not for us." in caplog.messages


def test_a_ring_for_a_request_that_is_not_there_harms_nobody(row: Row, caplog: pytest.LogCaptureFixture) -> None:
    foreman.run(row.hands("development"), 999)
    assert "#999: There is no request #999." in caplog.text


def test_who_waits_for_the_lock_is_told_once_who_holds_it(row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreman, "LOCK_POLL", timedelta(seconds=0.2))
    request_id = row.ask("development")
    holding = Database("development", protected=False, dsn=row.dsn["development"])
    with open_session(holding, purpose="twokey apply #99") as session, lock.only_one(session):
        waiting = threading.Thread(target=foreman.run, args=(row.hands("development"), request_id))
        waiting.start()
        wait_for(lambda: any(isinstance(event, Waiting) for event in row.told(request_id)))
        time.sleep(0.5)  # two more tries for the lock
        assert row.ledger.request(request_id).state is State.APPROVED
    waiting.join()
    assert row.ledger.request(request_id).state is State.APPLIED
    (told,) = [event for event in row.told(request_id) if isinstance(event, Waiting)]
    assert told.holder.startswith("twokey apply #99 (pid ")


def test_who_is_cancelled_while_waiting_for_the_lock_lets_go(row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreman, "LOCK_POLL", timedelta(seconds=0.1))
    request_id = row.ask("development")
    holding = Database("development", protected=False, dsn=row.dsn["development"])
    with open_session(holding, purpose="twokey apply #99") as session, lock.only_one(session):
        waiting = threading.Thread(target=foreman.run, args=(row.hands("development"), request_id))
        waiting.start()
        wait_for(lambda: row.ledger.request(request_id).state is State.APPROVED)
        row.ledger.move(request_id, State.CANCELLED, why=Cancelled(ADA.id, ADA.name))
        waiting.join(5)
        assert not waiting.is_alive()
    assert row.history("development") == []


def test_an_error_of_our_own_is_told_and_not_left_to_expire(row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "draw_plan", lambda *_, **__: 1 / 0)
    request = row.do("development")
    assert request.state is State.FAILED
    assert row.last(request.id) == Failed(
        why="The worker met an error it does not know (ZeroDivisionError). Nothing was changed.",
        next_step="Its log tells more. Ask again when that is understood.",
    )


def test_a_worker_that_died_between_plan_and_start_is_followed_by_the_next_ring(
    row: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise LedgerUnreachable

    request_id = row.ask("development")
    with monkeypatch.context() as dying:
        dying.setattr(type(row.ledger), "move", away)
        assert row.ring(request_id).state is State.PLANNED
    assert row.ring(request_id).state is State.APPLIED


def test_a_ledger_that_is_away_leaves_the_request_to_the_next_ring(
    row: Row, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(*_: object, **__: object) -> None:
        raise LedgerUnreachable

    request_id = row.ask("development")
    with monkeypatch.context() as leaving:
        leaving.setattr(type(row.ledger), "lay_plan", away)
        assert row.ring(request_id).state is State.ASKED
    assert f"#{request_id}: The ledger's database cannot be reached." in caplog.text
    assert row.ring(request_id).state is State.APPLIED
