"""A plan runs whole, or stops at the first failure and says what is in."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from engine import apply, lock, refusals, standing, transaction
from engine import failure as failures
from engine.apply import SomethingToLose
from engine.backup import NothingToLose
from engine.connection import Database, Limits, Session, open_session
from engine.errors import ConnectionLost, LockNotHeld
from engine.report import BackupStarted, BackupTaken, Failure, MigrationDone, MigrationStarted, Report, Step
from tests.support.engine import AUDIT, COLUMNS, USERS, bring, draw, migration, real_files

A, B, C = "20250101000000_a", "20250102000000_b", "20250103000000_c"
CORRECT = f"Remove the cause in development, or correct {A}.sql; then apply development again."
ELSEWHERE = (
    "The file has no `-- migrate:down` section: where another environment has run it, restore there the "
    "backup from before it, then correct it and bring it there anew. A repair would only hide that the two differ."
)


def run(session: Session, *texts: str) -> Report:
    return bring(session, [migration(stem, text) for stem, text in zip((A, B, C), texts, strict=False)])


def failure(session: Session, text: str) -> Failure:
    ended = run(session, text)
    assert ended.failure
    assert ended.done == ()
    assert session.conn.execute("SELECT count(*) FROM schema_migrations").fetchone() == (0,)
    return ended.failure


def test_without_the_lock_nothing_runs(session: Session) -> None:
    with pytest.raises(LockNotHeld):
        apply.run(session, draw(session, real_files()), backup=NothingToLose(), actor="ada", request=None)


def test_a_plan_of_another_environment_does_not_run(session: Session) -> None:
    drawn = replace(draw(session, real_files()), environment="test")
    with pytest.raises(refusals.PlanForAnother) as caught, lock.only_one(session):
        apply.run(session, drawn, backup=NothingToLose(), actor="ada", request=None)
    assert str(caught.value) == (
        "This plan was drawn for test and will not run on development. Ask for a plan of development."
    )


def test_a_history_that_moved_on_stops_the_run(session: Session) -> None:
    drawn = draw(session, real_files())
    bring(session, real_files()[:1])
    with pytest.raises(refusals.HistoryMoved) as caught, lock.only_one(session):
        apply.run(session, drawn, backup=NothingToLose(), actor="ada", request=None)
    assert str(caught.value) == (
        f"development moved on since the plan: its last migration was none and is now {USERS}. "
        "Ask again for a new plan."
    )


@pytest.mark.parametrize("what", ["CREATE TABLE t ()", "CREATE SCHEMA shop CREATE VIEW v AS SELECT 1"])
def test_without_a_backup_only_an_empty_database_is_touched(session: Session, what: str) -> None:
    session.conn.execute(what)
    with pytest.raises(SomethingToLose) as caught:
        bring(session, real_files())
    assert str(caught.value) == (
        "development is not empty, so nothing is applied without a backup. Name a folder for backups."
    )


def test_a_database_with_a_history_is_not_empty(session: Session) -> None:
    bring(session, [migration(A, "SELECT 1")])
    with pytest.raises(SomethingToLose):
        bring(session, [migration(A, "SELECT 1"), migration(B, "SELECT 1")])


@pytest.mark.parametrize(
    ("text", "line", "sqlstate", "message"),
    [
        ("SELECT 1;\n\nSELECT 'é', nope;", 3, "42703", 'column "nope" does not exist'),
        ("SELECT 1;\n\nSELECT '4711'::date;", 3, "22007", "invalid datetime format"),
        (
            "CREATE TABLE t (a int NOT NULL);\nINSERT INTO t VALUES (1);\n\nINSERT INTO t VALUES (NULL);\nSELECT 1",
            4,
            "23502",
            'null value in column "a" of relation "t" violates not-null constraint',
        ),
        ("SELECT 1;\nSELECT 1/0;", 2, "22012", "division by zero"),
        ("SELECT 1 = 'a'::text;", 1, "42883", "operator does not exist: integer = text"),
        (
            "CREATE TABLE t (a int UNIQUE DEFERRABLE INITIALLY DEFERRED);\nINSERT INTO t VALUES (1), (1);",
            None,
            "23505",
            'duplicate key value violates unique constraint "t_a_key"',
        ),
        (
            "SELECT 1;\nDO $$ BEGIN RAISE EXCEPTION 'card 4111' USING ERRCODE = '23505'; END $$;",
            2,
            "23505",
            "the message was written by a function in the database and is withheld, since it may hold rows' values",
        ),
        ("DO $$ BEGIN COMMIT; END $$;", 1, "2D000", "invalid transaction termination"),
        (
            "DO $$ BEGIN DROP TABLE schema_migrations; END $$",
            None,
            "42P01",
            'relation "public.schema_migrations" does not exist',
        ),
    ],
)
def test_a_failing_migration_is_rolled_back_and_placed(
    session: Session, text: str, line: int | None, sqlstate: str, message: str
) -> None:
    said = failure(session, text)
    where = f"{A}.sql:{line}" if line else f"{A}.sql"
    assert (said.migration, said.line, said.sqlstate, said.message) == (A, line, sqlstate, message)
    assert said.sentence == f"{where} failed on development ({sqlstate}): {message}. It was rolled back whole."
    assert (said.next_step, said.elsewhere, said.stuck) == (CORRECT, ELSEWHERE, True)
    assert session.conn.execute("SELECT to_regclass('t')").fetchone() == (None,)


def test_where_there_is_a_way_down_that_is_the_way_back(session: Session) -> None:
    said = failure(session, "-- migrate:up\nSELECT 1/0;\n-- migrate:down\nSELECT 1;")
    assert said.stuck is False
    assert (said.next_step, said.elsewhere) == (
        CORRECT,
        (
            "Where another environment has run the file, roll it back there before you correct it, and bring it there "
            "anew: a repair would only hide that the two differ."
        ),
    )
    apart = failure(session, "-- migrate:up\nSELECT 1/0;\n-- migrate:down transaction:false\nVACUUM;")
    assert apart.stuck is True
    assert str(apart.elsewhere).startswith("The file has a way down that is not one transaction: where another ")


def test_an_extension_the_server_has_not_is_named(session: Session) -> None:
    said = failure(session, "CREATE EXTENSION nope_at_all")
    assert said.elsewhere is None
    assert "extension" in said.message
    assert said.next_step == (
        "Install the extension's files on the server of development, then apply development again."
    )


def test_a_lock_that_another_session_keeps(development: Database) -> None:
    short = Limits(lock_timeout=timedelta(milliseconds=50))
    with psycopg.connect(development.dsn) as other, open_session(development, purpose="x", limits=short) as session:
        other.execute("SELECT pg_advisory_xact_lock(4)")
        said = failure(session, "SELECT pg_advisory_xact_lock(4)")
    assert (said.sqlstate, said.message) == ("55P03", "canceling statement due to lock timeout")
    assert said.next_step == (
        "Another session held a lock for longer than 0.05 s. Wait until it ends, then apply development again."
    )


def test_a_statement_that_runs_too_long(development: Database) -> None:
    short = Limits(statement_timeout=timedelta(milliseconds=500))
    with open_session(development, purpose="x", limits=short) as session:
        said = failure(session, "SELECT pg_sleep(10)")
    assert (said.sqlstate, said.next_step) == (
        "57014",
        (
            "It ran longer than 0.5 s, or was cancelled. "
            "Make it smaller or raise statement_timeout in twokey.toml, then apply development again."
        ),
    )


def test_a_privilege_that_is_missing(session: Session) -> None:
    text = "CREATE ROLE poor; SELECT set_config('role', 'poor', true); SELECT * FROM pg_authid"
    assert failure(session, text).next_step == "Give postgres the privilege, then apply development again."


@pytest.mark.parametrize(
    ("sqlstate", "next_step"),
    [
        ("40P01", "It met another transaction in a deadlock. Wait until that ends, then apply development again."),
        ("53100", "Make room on the server's disk, then apply development again."),
    ],
)
def test_the_worlds_troubles_have_their_own_way_out(session: Session, sqlstate: str, next_step: str) -> None:
    assert failures._next_step(session, A, ran=False, sqlstate=sqlstate) == next_step


def test_the_first_failure_stops_the_run_and_what_committed_stays(session: Session) -> None:
    ended = run(session, "CREATE TABLE t (a int)", "SELECT nope", "CREATE TABLE u ()")
    assert [one.id for one in ended.done] == [A]
    assert ended.failure
    assert ended.failure.migration == B
    assert ended.left == (C,)
    assert session.conn.execute("SELECT migration_id FROM schema_migrations").fetchall() == [(A,)]
    assert session.conn.execute("SELECT to_regclass('t')::text, to_regclass('u')").fetchone() == ("t", None)


def test_what_a_file_set_does_not_reach_the_next(session: Session) -> None:
    ended = run(
        session,
        "SET search_path = pg_catalog; SET lock_timeout = '1s'; CREATE TEMP TABLE t (); CREATE ROLE odd;"
        " SELECT set_config('role', 'odd', false); SET statement_timeout = '9s';"
        " SELECT set_config('role', 'none', true)",
        "DROP ROLE odd; CREATE TABLE t (); DO $$ BEGIN ASSERT current_setting('lock_timeout') = '2s'"
        " AND current_setting('statement_timeout') = '15min'; END $$",
    )
    assert ended.failure is None
    lock_is_free_again(session)


def lock_is_free_again(session: Session) -> None:
    with lock.only_one(session):
        pass


def test_a_run_with_its_backup_and_its_steps(session: Session, tmp_path: Path) -> None:
    heard: list[Step] = []
    ended = bring(session, real_files(), folder=tmp_path, tell=heard.append)
    kinds = [BackupStarted, BackupTaken, *[MigrationStarted, MigrationDone] * 3]
    assert [type(step) for step in heard] == kinds
    assert isinstance(heard[3], MigrationDone)
    assert (heard[3].id, heard[3].position, heard[3].of) == (USERS, 1, 3)
    assert [one.id for one in ended.done] == [USERS, COLUMNS, AUDIT]
    assert (ended.failure, ended.left) == (None, ())
    assert ended.receipt
    assert Path(ended.receipt.path).parent == tmp_path
    assert standing.look(session, real_files()).problems == ()
    facts = session.conn.execute("SELECT migration_id, position, applied_by, request FROM twokey_migrations ORDER BY 2")
    assert facts.fetchall() == [(USERS, 1, "ada", "7"), (COLUMNS, 2, "ada", "7"), (AUDIT, 3, "ada", "7")]


def test_a_connection_that_is_lost_is_asked_about_afterwards(development: Database) -> None:
    files = [migration(A, "CREATE TABLE t ()"), migration(B, "SELECT pg_terminate_backend(pg_backend_pid())")]
    drawn = []

    def lose() -> None:
        with open_session(development, purpose="x") as session, lock.only_one(session):
            drawn.append(draw(session, files))
            apply.run(session, drawn[0], backup=NothingToLose(), actor="ada", request=None)

    with pytest.raises(ConnectionLost):
        lose()
    with open_session(development, purpose="x") as session:
        assert apply.what_is_in(session, drawn[0]) == ((A,), (B,))


def test_a_transaction_that_was_left_is_not_taken_for_ours(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.forbidden.judge", lambda *_, **__: None)
    with pytest.raises(transaction.LeftTransaction) as caught:
        run(session, "CREATE TABLE t (); COMMIT; BEGIN")
    assert str(caught.value) == (
        f"{A}.sql left its transaction on development, so part of it may have committed without a history row. "
        "Look at development by hand before applying again."
    )
    assert session.conn.execute("SELECT count(*) FROM schema_migrations").fetchone() == (0,)
