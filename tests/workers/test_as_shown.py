"""What runs is what was shown, to whom it was shown, and nothing that came in between."""

import psycopg
import pytest

from ledger.events import Denied, Failed, Interrupted, Ready, Refused, Withdrawn
from ledger.request import Act, Request
from ledger.states import State
from ledger.tables import plans
from tests.workers.row import FIRST, SECOND, THIRD, Row
from tests.workers.test_gate import a_bot
from workers import foreman, gate, observer


@pytest.fixture
def asked(row: Row) -> Request:
    """A planned request to bring production what test has and was certified."""
    row.bring("development", "test")
    assert row.do("test", Act.CERTIFY).state is State.APPLIED
    request = row.do("production", reason="Audit needs it")
    assert request.state is State.PLANNED
    return request


def freeze(row: Row, request_id: int, other: int) -> None:
    """Somebody who may write plans froze another one than was shown."""
    theirs = row.ledger.frozen_plan(other)
    with row.ledger._engine.begin() as tx:
        tx.execute(plans.update().where(plans.c.request_id == request_id).values(frozen=theirs))


def test_a_frozen_plan_that_was_changed_at_the_last_moment_does_not_run(
    row: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    request_id, asked, real = row.ask("development"), [], row.ledger.frozen_plan

    def frozen(number: int) -> dict[str, object]:
        asked.append(number)
        return {**real(number), **({} if len(asked) == 1 else {"head": "another"})}

    monkeypatch.setattr(row.ledger, "frozen_plan", frozen)
    assert row.ring(request_id).state is State.FAILED
    assert (len(asked), row.history("development")) == (2, [])


def test_a_frozen_plan_that_was_not_the_one_shown_does_not_run(row: Row) -> None:
    first = row.ask("development")
    foreman._plan(row.hands("development"), row.ledger.request(first))
    row.file("20260101000000_drops", "DROP TABLE users;\n")
    second = row.ask("development")
    foreman._plan(row.hands("development"), row.ledger.request(second))
    (row.migrations / "20260101000000_drops.sql").unlink()
    freeze(row, first, second)
    assert row.ring(first).state is State.FAILED
    failed = row.last(first)
    assert isinstance(failed, Failed)
    assert failed.why.endswith("of development was altered, so it will not run. Ask again for a new plan.")
    assert failed.next_step == "To type: `/migrate apply development`."
    assert row.history("development") == []


def test_a_certificate_that_was_not_the_one_shown_covers_nothing(row: Row) -> None:
    row.bring("development", "test")
    first = row.ask("test", Act.CERTIFY)
    foreman._plan(row.hands("test"), row.ledger.request(first))
    with row.ledger._engine.begin() as tx:
        tx.execute(plans.update().values(frozen={"covers": [["20260101000000_more", "c" * 64]]}))
    assert row.ring(first).state is State.FAILED
    assert row.ledger.certification("test") is None


def test_what_came_in_after_the_word_is_not_certified_by_it(row: Row) -> None:
    row.bring("development", "test")
    said = row.ask("test", Act.CERTIFY)
    later = row.file("20260101000000_later", "CREATE TABLE later ();\n")
    row.promote("development", "test")
    assert row.ring(said).state is State.REJECTED
    assert row.last(said) == Denied(
        f"{later} came to test after you asked to certify it. Test that too, then say `/migrate certify test`."
    )
    assert row.do("test", Act.CERTIFY).state is State.APPLIED


def test_what_the_bot_calls_protected_waits_for_a_second_key_whatever_the_workers_file_says(row: Row) -> None:
    wish = row.wish("development")
    request, _ = row.ledger.open(wish, expires_in=row.hands("test").workflow.requests_expire, protected=True)
    assert row.ring(request.id).state is State.PLANNED
    assert row.ring(request.id).state is State.PLANNED
    assert row.history("development") == []


def test_an_approval_given_again_while_the_bot_is_asked_stands_until_its_time(
    row: Row, asked: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    row.approve(asked.id, seen=False)
    ask = gate._ask_the_bot

    def meanwhile(*args: object) -> object:
        row.ledger.move(asked.id, State.PLANNED, why=Withdrawn("U0APPROVER", "bo"))
        row.approve(asked.id, decided=False, starts_in=row.hands("test").workflow.requests_expire / 2)
        return ask(*args)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(gate, "_ask_the_bot", meanwhile)
    with a_bot(row, asked.id):
        assert row.ring(asked.id).state is State.APPROVED
    assert isinstance(row.last(asked.id), Ready) or not any(isinstance(e, Refused) for e in row.told(asked.id))
    assert row.history("production") == []


def test_a_migration_that_lets_go_of_the_lock_ends_the_run_and_what_is_in_is_asked(row: Row) -> None:
    let_go = row.file("20250818140002_lets_go", "DO $$ BEGIN PERFORM pg_advisory_unlock_all(); END $$;\n")
    request = row.do("development")
    assert request.state is State.INTERRUPTED
    interrupted = row.last(request.id)
    assert isinstance(interrupted, Interrupted)
    assert interrupted.why.startswith(f"{let_go}.sql let go of the lock that keeps other runs out of development")
    assert (interrupted.done, interrupted.left) == ((FIRST, SECOND), (let_go, THIRD))


def test_a_look_that_meets_a_locked_table_says_so(row: Row) -> None:
    row.bring("development")
    row.sql("development", "CREATE VIEW names AS SELECT id FROM users")
    observation_id = row.ledger.ask_observation("development")
    with psycopg.connect(row.dsn["development"]) as other:
        other.execute("LOCK TABLE names, users IN ACCESS EXCLUSIVE MODE")
        observer.look(row.hands("development"), observation_id)
    body = row.ledger.observation(observation_id).body
    assert body is not None
    assert body["state"] == "refused"
    assert body["why"].startswith("The server of development refused (55P03): canceling statement due to lock timeout")
