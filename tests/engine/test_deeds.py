"""What was done stays written down, whatever becomes of the history, of the migration and of the database."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from engine import amend, apply, deeds, former, history, lock, standing, validate
from engine.backup import NothingToLose
from engine.connection import Database, Session, open_session
from engine.form import Form
from engine.standing import Standing
from engine.validate import Seen
from tests.support.engine import bring, draw, migration, real_files
from tests.support.restore import KEPT, ask, restored, taken

A, B, C = "20250101000000_a", "20250102000000_b", "20250103000000_c"
FILES = [
    migration(A, "CREATE TABLE a ();"),
    migration(B, "-- migrate:up transaction:false\nCREATE TABLE b ();\nVACUUM b;\n"),
]
EDITED = [migration(A, "CREATE TABLE a ( );"), FILES[1]]

Short = tuple[str, tuple[str, ...], str]


@contextmanager
def locked(environment: Database) -> Iterator[Session]:
    with open_session(environment, purpose="twokey test") as session, lock.only_one(session):
        yield session


def told(environment: Database) -> list[Short]:
    """Act, what and who of all that was done at a terminal, as a session of somebody else finds it."""
    with open_session(environment, purpose="twokey look") as session:
        return [(one.act, one.what, one.by) for one in deeds.at_terminal(session, history.prepare(session))]


def applied(environment: Database, *more: str) -> None:
    with locked(environment) as session:
        plan = draw(session, [*FILES, *(migration(C, text) for text in more)])
        apply.run(session, plan, backup=NothingToLose(), actor="ada", request=None)


LATER = "20250901000000_later"
BOTH: list[Short] = [("apply", (A,), "ada"), ("apply", (B,), "ada")]


def test_what_failed_is_no_deed(development: Database) -> None:
    applied(development, "SELECT 1/0;")
    assert told(development) == BOTH


def test_what_was_done_for_a_request_is_written_down_and_not_the_terminals(development: Database) -> None:
    with open_session(development, purpose="twokey test") as session:
        bring(session, FILES)
        home = history.prepare(session)
        every = [(one.act, one.what, one.by, one.request) for one in deeds.every(session, home)]
        assert every == [("apply", (A,), "ada", "7"), ("apply", (B,), "ada", "7")]
    assert told(development) == []


def test_a_run_that_is_still_going_on_waits(development: Database) -> None:
    with locked(development) as session:
        plan = draw(session, FILES)
        apply.run(session, plan, backup=NothingToLose(), actor="ada", request=None)
        assert told(development) == []
    assert told(development) == BOTH


def test_deeds_of_one_run_bear_the_same_mark_and_are_read_from_a_moment_on(development: Database) -> None:
    applied(development)
    with open_session(development, purpose="twokey look") as session:
        home = history.prepare(session)
        first, second = deeds.at_terminal(session, home)
        assert first.backend == second.backend
        assert first.id != second.id
        assert deeds.at_terminal(session, home, since=first.at) == (second,)
        assert deeds.at_terminal(session, home, since=second.at + timedelta(seconds=1)) == ()


def test_a_baseline_and_a_repair_are_deeds(development: Database) -> None:
    with locked(development) as session:
        amend.baseline(session, FILES, through=B, actor="ada", request=None)
        amend.repair(session, EDITED, accept=[A], actor="bo", request=None)
    assert told(development) == [("baseline", (A,), "ada"), ("baseline", (B,), "ada"), ("repair", (A,), "bo")]


def test_what_was_done_last_explains_what_stands_there_and_is_told_whole(development: Database) -> None:
    applied(development)
    with locked(development) as session:
        home = history.prepare(session)
        last = deeds.newest(session, home)()
        assert last
        assert last.what == (A, B)
        assert validate.overview([seen(session)])["environments"][0]["deed"] is None  # the history itself says it
        amend.repair(session, EDITED, accept=[A], actor="bo", request="#7")
        deeds.write(session, home, "discard", what=["old"], by="ada", request=None)
        here = seen(session)
    assert here.standing
    assert Standing.from_json(json.loads(json.dumps(here.standing.as_json()))) == here.standing
    told = validate.overview([here])["environments"][0]["deed"]
    assert datetime.fromisoformat(told.pop("at")).tzinfo
    assert told == {"act": "repair", "what": [A], "by": "bo", "request": "#7"}


def seen(session: Session) -> Seen:
    return Seen("development", protected=False, state="ok", standing=standing.look(session, FILES))


def test_an_environment_of_an_older_version_gets_the_record_and_keeps_all_it_has(development: Database) -> None:
    applied(development)
    ask(development, "DROP TABLE twokey_deeds")
    assert told(development) == []
    with locked(development) as session:
        assert [row.id for row in history.read(session, history.prepare(session))] == [A, B]


@pytest.mark.parametrize("form", [Form.PLAIN, Form.CUSTOM])
def test_a_restore_keeps_what_was_done_since_the_backup_and_is_a_deed_itself(
    shop: Database, tmp_path: Path, form: Form
) -> None:
    ask(shop, "DROP TABLE twokey_deeds")  # as in a backup of an older version
    source = taken(shop, tmp_path, form)
    with locked(shop) as session:
        history.prepare(session)
        before = amend.baseline(
            session, [*real_files(), migration(LATER, "SELECT 1;")], through=LATER, actor="ada", request=None
        )
    restored(shop, source)
    with open_session(shop, purpose="twokey test") as session:
        former.drop(session, KEPT, actor="bo", request=None)
    assert told(shop) == [
        ("baseline", before, "ada"),
        ("restore", (source.backup.name, KEPT), "ada"),
        ("discard", (KEPT,), "bo"),
    ]
