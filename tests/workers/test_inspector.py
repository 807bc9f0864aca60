"""Runs that ended without a word: what is in is asked, and never guessed."""

import threading
import time
from datetime import timedelta

import psycopg
import pytest

from engine import apply, lock
from engine.connection import Database, open_session
from engine.errors import ConnectionLost
from ledger.errors import LedgerUnreachable
from ledger.events import Failed, Interrupted, Started, Waiting
from ledger.request import Act, Request
from ledger.states import State
from tests.workers.row import FIRST, SECOND, THIRD, Row
from workers import foreman, inspector, running, scribe


def claimed(row: Row, monkeypatch: pytest.MonkeyPatch, name: str = "development", act: Act = Act.APPLY) -> Request:
    """A request whose worker claimed it and then died."""
    with monkeypatch.context() as dying:
        dying.setattr(running, "carry_out", lambda *_: None)
        request = row.do(name, act)
    assert request.state is State.APPLYING
    return request


def apply_first(row: Row) -> None:
    """One migration of the plan is in, as if the run had come so far."""
    only = Row(row.folder / "only", row.ledger, row.ledger_url, row.redis_url, row.dsn)
    only.migrations.mkdir(parents=True)
    only.config.write_text(row.config.read_text())
    (only.migrations / f"{FIRST}.sql").write_bytes((row.migrations / f"{FIRST}.sql").read_bytes())
    only.bring("development")


def test_a_run_that_fell_silent_is_interrupted_with_what_is_in_and_what_is_left(
    row: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = claimed(row, monkeypatch)
    apply_first(row)
    inspector.inspect(row.hands("development"), request.id)
    assert row.ledger.request(request.id).state is State.INTERRUPTED
    assert row.last(request.id) == Interrupted(
        why=(
            "The worker of development fell silent in the middle of the run. "
            "What is left can be asked for again: `/migrate apply development`."
        ),
        done=(FIRST,),
        left=(SECOND, THIRD),
    )


def test_a_run_that_did_everything_but_tell_has_nothing_left(row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    request = claimed(row, monkeypatch)
    with monkeypatch.context() as silent:
        silent.setattr(scribe.Scribe, "write", lambda *_: None)
        again = row.do("development")
    assert again.state is State.APPLYING
    inspector.inspect(row.hands("development"), request.id)
    interrupted = row.last(request.id)
    assert isinstance(interrupted, Interrupted)
    assert interrupted.why.endswith("in the middle of the run. Everything of it is in.")
    assert (interrupted.done, interrupted.left) == ((FIRST, SECOND, THIRD), ())


def test_a_run_whose_session_still_holds_the_lock_is_left_alone(row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    request = claimed(row, monkeypatch)
    at = Database("development", protected=False, dsn=row.dsn["development"])
    with open_session(at, purpose=f"twokey apply #{request.id}") as session, lock.only_one(session):
        inspector.inspect(row.hands("development"), request.id)
        inspector.inspect(row.hands("development"), request.id)
        assert row.ledger.request(request.id).state is State.APPLYING
    *_, started, waiting = row.told(request.id)
    assert isinstance(started, Started)
    assert isinstance(waiting, Waiting)
    assert waiting.holder.startswith(f"twokey apply #{request.id} (pid ")


def test_a_lock_that_another_run_holds_proves_that_ours_is_over(row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    request = claimed(row, monkeypatch)
    at = Database("development", protected=False, dsn=row.dsn["development"])
    with open_session(at, purpose=f"twokey apply #{request.id}1") as session, lock.only_one(session):
        inspector.inspect(row.hands("development"), request.id)
    assert row.ledger.request(request.id).state is State.INTERRUPTED


def test_a_certification_that_was_not_written_down_covers_nothing(row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    row.bring("development", "test")
    request = claimed(row, monkeypatch, "test", Act.CERTIFY)
    inspector.inspect(row.hands("test"), request.id)
    interrupted = row.last(request.id)
    assert isinstance(interrupted, Interrupted)
    assert (interrupted.done, interrupted.left) == ((), (FIRST, SECOND, THIRD))
    assert row.ledger.certification("test") is None


def test_an_inspection_of_anything_else_changes_nothing(row: Row, caplog: pytest.LogCaptureFixture) -> None:
    request = row.do("development")
    story = row.told(request.id)
    inspector.inspect(row.hands("development"), request.id)
    inspector.inspect(row.hands("test"), request.id)
    inspector.inspect(row.hands("development"), 999)
    assert row.told(request.id) == story
    assert "#999: There is no request #999." in caplog.text


def test_a_connection_lost_in_the_middle_is_followed_by_a_question_to_the_environment(row: Row) -> None:
    row.file("20250818140002_suicide", "SELECT pg_terminate_backend(pg_backend_pid());\n")
    request = row.do("development")
    assert request.state is State.INTERRUPTED
    assert row.last(request.id) == Interrupted(
        why=(
            "The connection to development was lost in the middle of the run. "
            "What is left can be asked for again: `/migrate apply development`."
        ),
        done=(FIRST, SECOND),
        left=("20250818140002_suicide", THIRD),
    )


def test_an_environment_that_stays_away_leaves_the_end_to_an_inspection(
    row: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "ASK_FOR", timedelta(seconds=0.1))
    monkeypatch.setattr(running, "_PAUSE", 0.1)
    hands, request_id = row.hands("development"), row.ask("development")

    def lose(*_: object, **__: object) -> None:
        object.__setattr__(hands.database, "dsn", "postgresql://nobody@127.0.0.1:1/app")
        raise ConnectionLost("development")

    with monkeypatch.context() as losing:
        losing.setattr(apply, "run", lose)
        foreman.run(hands, request_id)
    assert row.ledger.request(request_id).state is State.APPLYING
    inspector.inspect(row.hands("development"), request_id)
    interrupted = row.last(request_id)
    assert isinstance(interrupted, Interrupted)
    assert interrupted.left == (FIRST, SECOND, THIRD)


def test_an_error_nobody_knows_in_the_middle_is_named_and_asked_about(
    row: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apply, "run", lambda *_, **__: 1 / 0)
    request = row.do("development")
    assert request.state is State.INTERRUPTED
    interrupted = row.last(request.id)
    assert isinstance(interrupted, Interrupted)
    assert interrupted.why == (
        "The run met an error that the worker does not know (ZeroDivisionError); its log tells more. "
        "What is left can be asked for again: `/migrate apply development`."
    )


def test_a_migration_that_leaves_its_transaction_is_named(row: Row) -> None:
    row.file("20250818140002_hides_a_commit", "DO $$ BEGIN EXECUTE 'COMMIT'; END $$;\n")
    request = row.do("development")
    assert isinstance(row.last(request.id), Failed | Interrupted)
    assert row.history("development") == [FIRST, SECOND]


def test_a_ledger_that_goes_away_in_the_middle_hears_everything_later_and_once(
    row: Row, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(scribe, "_PAUSES", (0.05,))
    request_id = row.ask("development")
    hands = row.hands("development")
    real, refused = type(hands.book).tell, 0

    def away(*arguments: object) -> None:
        nonlocal refused
        if threading.current_thread() is not threading.main_thread() and refused < 5:
            refused += 1
            raise LedgerUnreachable
        real(*arguments)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(type(hands.book), "tell", away)
    foreman.run(hands, request_id)
    assert refused == 5
    assert row.ledger.request(request_id).state is State.APPLIED
    kinds = [type(event).__name__ for event in row.told(request_id)]
    assert kinds[3:] == ["Started", "BackedUp", *["MigrationApplied"] * 3, "Applied"]
    assert "The run goes on and is told later." in caplog.text


def test_a_ledger_that_never_comes_back_is_given_up_and_nothing_is_run_again(
    row: Row, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(scribe, "_PAUSES", (0.05,))
    monkeypatch.setattr(scribe, "PERSIST_FOR", timedelta(seconds=0.2))
    book = row.ledger
    request = claimed(row, monkeypatch)
    writer = scribe.Scribe(book, request.id)

    def away() -> None:
        raise LedgerUnreachable

    with writer.writing():
        writer.write(away)
    assert f"#{request.id}: its end could not be written. An inspection will find it." in caplog.text
    inspector.inspect(row.hands("development"), request.id)
    assert row.ledger.request(request.id).state is State.INTERRUPTED


def test_a_run_beats_while_it_has_nothing_to_say(row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scribe, "BEAT_EVERY", timedelta(seconds=0.05))
    request = claimed(row, monkeypatch)
    before = heard(row, request.id)
    with scribe.Scribe(row.ledger, request.id).writing():
        time.sleep(0.3)
    assert heard(row, request.id) > before


def test_a_run_that_has_much_to_say_beats_too(row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scribe, "BEAT_EVERY", timedelta(seconds=0.1))
    request = claimed(row, monkeypatch)
    before = heard(row, request.id)
    talker = scribe.Scribe(row.ledger, request.id)
    with talker.writing():
        for _ in range(30):
            talker.write(lambda: None)
            time.sleep(0.01)
    assert heard(row, request.id) > before


def heard(row: Row, request_id: int) -> object:
    with psycopg.connect(row.ledger_url) as conn:
        found = conn.execute("SELECT beat_at FROM requests WHERE id = %s", (request_id,)).fetchone()
    assert found
    return found[0]
