"""What an environment is now, for whoever asked; a database that is down costs the others nothing."""

import time
from collections.abc import Sequence
from datetime import timedelta

import pytest
from rq.timeouts import JobTimeoutException

from engine import catalog, standing
from engine.connection import Session, open_session
from engine.errors import EngineError
from engine.files import Migration
from engine.plan import Advice
from ledger import plain
from ledger.records import Inquiry, Question
from ledger.request import Act
from tests.support.ledger import ADA
from tests.workers.row import FIRST, SECOND, THIRD, Row
from workers import drawing, neighbours, observer

DOWN = "postgresql://nobody:hunter2@127.0.0.1:1/app"


def ask(row: Row, question: Question, environment: str | None = None, *, of: tuple[str, ...]) -> Inquiry:
    """Ask, and have every worker of `of` that is awake look; gives the inquiry as it stands then."""
    key = f"{question} {time.monotonic()}"
    inquiry, _ = row.ledger.ask(
        question=question, environment=environment, environments=of, actor=ADA, channel="C1", response_url="x", key=key
    )
    for observation in row.ledger.observations(inquiry.id):
        if observation.environment not in row.asleep:
            observer.look(row.hands(observation.environment), observation.id)
    return row.ledger.inquiry(inquiry.id)


ALL = ("development", "test", "production")


def test_the_worker_that_looks_last_answers_status_for_all(row: Row) -> None:
    row.promote("development")
    body = ask(row, Question.STATUS, of=ALL).body
    assert body
    assert [(e["name"], e["state"], e["applied"], e["pending"]) for e in body["environments"]] == [
        ("development", "ok", 3, []),
        ("test", "ok", 0, [FIRST, SECOND, THIRD]),
        ("production", "ok", 0, [FIRST, SECOND, THIRD]),
    ]
    assert body["environments"][0]["last"]["by"] == "ada (U0ENGINEER)"
    assert body["migrations"][0] == {"id": FIRST, "cells": ["applied", "pending", "pending"]}


def test_a_plan_for_an_environment_that_the_worker_does_not_know(row: Row) -> None:
    assert ask(row, Question.PLAN, "staging", of=("development",)).body == {
        "question": "plan",
        "environment": "staging",
        "plan": None,
        "refusal": "The worker that answers has no environment staging in its twokey.toml. Give all the same file.",
    }


def test_a_database_that_is_down_is_unreachable_while_the_others_answer(row: Row) -> None:
    row.dsn["test"] = DOWN
    began = time.monotonic()
    body = ask(row, Question.STATUS, of=ALL).body
    assert time.monotonic() - began < 3
    assert body
    assert [e["state"] for e in body["environments"]] == ["ok", "unreachable", "ok"]
    assert body["environments"][1]["why"] == (
        "test (127.0.0.1, database app) cannot be reached: nothing listens there. "
        "Start the server, or correct the environment's address."
    )
    assert body["migrations"][0]["cells"] == ["pending", "unknown", "pending"]


def test_status_with_a_bad_file_holds_the_histories_alone(row: Row) -> None:
    row.bring("development")
    row.dsn["test"] = DOWN
    row.file("nonsense", "SELECT 1;")
    body = ask(row, Question.STATUS, of=ALL).body
    assert body
    assert [(e["state"], e["applied"], e["pending"]) for e in body["environments"]] == [
        ("unread", 3, None),
        ("unreachable", None, None),
        ("unread", 0, None),
    ]
    assert body["environments"][0]["last"]["migration"] == THIRD
    assert body["migrations"][0] == {"id": FIRST, "cells": ["applied", "unknown", "absent"]}
    assert body["folder"][0].startswith("nonsense.sql is not named like a migration.")
    [notice] = row.ledger.notices(ALL)  # what was done at a terminal is told all the same
    assert notice.environment == "development"


def test_nothing_passes_a_gate_by_a_history_alone(row: Row) -> None:
    row.bring("development")
    row.file("nonsense", "SELECT 1;")
    body = ask(row, Question.PLAN, "test", of=("development", "test")).body
    assert body
    assert (body["plan"], body["refusal"].split(".")[0]) == (None, "nonsense")
    body = ask(row, Question.VALIDATE, of=ALL).body
    assert body
    assert (body["consistent"], body["ready"]) == (False, [])
    hands, unread = row.hands("test"), observer.observe(row.hands("development"))
    (row.migrations / "nonsense.sql").unlink()  # each worker has a folder of its own
    known = neighbours.of(hands, row.hands("development").environment, body=unread)
    with open_session(hands.database, purpose="test") as session:
        here = standing.look(session, hands.files())
    with pytest.raises(EngineError, match="and development was not observed"):
        drawing.draw_plan(here, hands.files(), before=known, workflow=hands.workflow, advice=Advice())


def test_validate_calls_nothing_ready_that_would_not_run(row: Row) -> None:
    row.bring("development")
    row.file("20260101000000_typo", "CREATE TABEL typo ();")
    body = ask(row, Question.VALIDATE, of=ALL).body
    assert body
    assert body["ready"] == []
    assert [(one["kind"], one["migration"]) for one in body["findings"]] == [("refused", "20260101000000_typo")]


def test_validate_names_what_differs_between_two_of_one_history(row: Row) -> None:
    row.bring("development", "test")
    row.sql(
        "test", "CREATE INDEX by_hand ON users (id); DELETE FROM twokey_schemas"
    )  # what its history makes nobody knows
    body = ask(row, Question.VALIDATE, of=ALL).body
    assert body
    assert [(one["kind"], one["environment"]) for one in body["findings"]] == [("differs", "test")] * 2
    assert body["findings"][1]["sentence"] == (
        "index public.by_hand is here and not there: CREATE INDEX by_hand ON public.users USING btree (id)."
    )
    config = row.config.read_text()
    row.config.write_text(config.replace('name = "test"', 'name = "test"\ndiffers = ["index public.by_hand"]'))
    body = ask(row, Question.VALIDATE, of=ALL).body
    assert body
    assert body["findings"] == []


def test_an_address_that_leads_elsewhere_is_refused_not_shown(row: Row) -> None:
    row.bring("development")
    row.dsn["test"] = row.dsn["development"]
    body = ask(row, Question.VALIDATE, of=ALL).body
    assert body
    assert [e["state"] for e in body["environments"]] == ["ok", "refused", "ok"]
    assert "that database says it is development" in body["environments"][1]["why"]
    assert body["consistent"] is False


def test_a_server_that_says_nothing_more_is_unreachable(row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(*_: object) -> None:
        raise JobTimeoutException

    monkeypatch.setattr(standing, "look", hang)
    assert observer.observe(row.hands("development")) == {
        "state": "unreachable",
        "why": "development let us in and then did not answer in time.",
    }


def test_who_did_not_look_in_time_is_unobserved_in_the_answer(row: Row) -> None:
    row.asleep.add("test")
    inquiry = ask(row, Question.STATUS, of=ALL)
    assert inquiry.answered_at is None
    observer.answer(row.hands("development"), inquiry.id)
    body = row.ledger.inquiry(inquiry.id).body
    assert body
    assert [e["state"] for e in body["environments"]] == ["ok", "unobserved", "ok"]
    assert body["environments"][1]["why"] == "No worker answers. Start one: python -m workers test"
    row.asleep.clear()
    observer.look(row.hands("test"), row.ledger.observations(inquiry.id)[1].id)
    assert row.ledger.inquiry(inquiry.id).body == body  # the first answer stays


def test_validate_names_what_is_ready_and_whether_it_is_certified(row: Row) -> None:
    row.bring("development", "test")
    ready = {"from": "test", "to": "production", "migrations": [FIRST, SECOND, THIRD]}
    body = ask(row, Question.VALIDATE, of=ALL).body
    assert body
    assert body["ready"] == [{**ready, "certified": False}]
    row.do("test", Act.CERTIFY)
    body = ask(row, Question.VALIDATE, of=ALL).body
    assert body
    assert body["ready"] == [{**ready, "certified": True}]


@pytest.mark.parametrize("of", [("development", "test"), ("test", "development")])
def test_plan_shows_what_an_apply_would_ask_for_whoever_looks_last(row: Row, of: tuple[str, ...]) -> None:
    row.file("20260101000000_index_users", "CREATE INDEX IF NOT EXISTS users_pkey ON users (email);\n")
    row.bring("development")
    row.sql("test", "CREATE TABLE users (id int PRIMARY KEY)")  # what only somebody who looks there can know
    body = ask(row, Question.PLAN, "test", of=of).body
    assert body
    assert (body["environment"], body["refusal"]) == ("test", None)
    assert "if_not_exists_skips" in {h["name"] for one in body["plan"]["migrations"] for h in one["hazards"]}
    planned = row.do("test").plan
    assert planned
    assert plain.dump(planned) == body["plan"]


def test_a_plan_whose_database_goes_away_between_the_looks_says_why(row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    row.bring("development")

    def slow(_: object) -> None:
        raise JobTimeoutException

    monkeypatch.setattr(catalog, "read", slow)
    body = ask(row, Question.PLAN, "test", of=("development", "test")).body
    assert body
    assert body["refusal"] == "test let us in and then did not answer in time."


@pytest.mark.parametrize(
    ("environment", "of", "refusal"),
    [
        ("test", ("development", "test"), f"development does not have {FIRST}.sql yet"),
        ("test", ("test",), "test only gets what development has, and development was not observed."),
        ("test", ("development",), "No worker answers. Start one: python -m workers test"),
        ("staging", ("development",), "The worker that answers has no environment staging in its twokey.toml."),
    ],
)
def test_plan_says_why_an_apply_would_be_refused(row: Row, environment: str, of: tuple[str, ...], refusal: str) -> None:
    body = ask(row, Question.PLAN, environment, of=of).body
    assert body
    assert body["plan"] is None
    assert body["refusal"].startswith(refusal)


def test_plan_says_that_an_apply_would_be_refused_for_what_the_login_reaches(row: Row) -> None:
    row.bring("production")
    row.config.write_text(row.config.read_text().replace("on_protected_server = true\n", ""))
    body = ask(row, Question.PLAN, "development", of=("development",)).body
    assert body
    assert body["plan"] is None
    assert body["refusal"].startswith("development's login postgres may change ")


def test_the_plan_of_an_unreachable_environment_is_its_reason(row: Row) -> None:
    row.dsn["test"] = DOWN
    body = ask(row, Question.PLAN, "test", of=("development", "test")).body
    assert body
    assert body["refusal"].startswith("test (127.0.0.1, database app) cannot be reached: nothing listens there.")


def test_an_observation_of_another_environment_is_not_ours_to_fill(row: Row, caplog: pytest.LogCaptureFixture) -> None:
    observation_id = row.ledger.ask_observation("test")
    observer.look(row.hands("development"), observation_id)
    assert row.ledger.observation(observation_id).body is None
    assert f"Observation {observation_id} is about test, not about us." in caplog.messages


def test_rings_for_what_is_not_there_harm_nobody(row: Row, caplog: pytest.LogCaptureFixture) -> None:
    observer.look(row.hands("development"), 999)
    observer.answer(row.hands("development"), 999)
    assert "The ledger has no observation 999. Ask again." in caplog.text


def test_a_body_of_another_version_is_said_to_be_one(row: Row) -> None:
    row.asleep.add("test")
    inquiry = ask(row, Question.STATUS, of=("test",))
    row.ledger.observe(row.ledger.observations(inquiry.id)[0].id, {"state": "fine"})
    observer.answer(row.hands("development"), inquiry.id)
    body = row.ledger.inquiry(inquiry.id).body
    assert body
    assert body["environments"][0]["why"] == "A worker of another version looked. Start all workers anew."


def test_looking_leaves_a_statement_no_more_than_three_seconds(row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[timedelta] = []
    real = standing.look

    def look(session: Session, files: Sequence[Migration]) -> standing.Standing:
        seen.append(session.limits.statement_timeout)
        return real(session, files)

    monkeypatch.setattr(standing, "look", look)
    observer.observe(row.hands("development"))
    assert seen == [timedelta(seconds=3)]


def test_whoever_looks_hears_what_was_done_at_a_terminal_and_answers_first(row: Row) -> None:
    ask(row, Question.STATUS, of=ALL)
    row.bring("development")
    assert row.ledger.notices(ALL) == ()
    ask(row, Question.STATUS, of=ALL)
    [notice] = row.ledger.notices(ALL)
    assert (notice.environment, notice.earlier) == ("development", False)
    assert [one.what for one in notice.deeds] == [(FIRST,), (SECOND,), (THIRD,)]
