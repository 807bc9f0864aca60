"""What cannot be one transaction runs statement by statement, and goes on where it stopped."""

from pathlib import Path

import pytest

from engine import apart, failure, shelf, statements
from engine.connection import Session
from engine.report import StatementRan, Step
from engine.statements import Forbidden
from engine.transaction import Part
from tests.support.engine import bring, migration

A, B = "20250101000000_a", "20250102000000_b"
ALONE = "-- migrate:up transaction:false\n"


@pytest.fixture
def doubled(session: Session) -> Session:
    """A session on a database with one value twice in t.a."""
    session.conn.execute("CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1)")
    return session


def test_an_index_is_built_concurrently_and_the_history_knows(doubled: Session, tmp_path: Path) -> None:
    files = [migration(A, f"{ALONE}CREATE INDEX CONCURRENTLY i ON t (a);\nVACUUM t;"), migration(B, "SELECT 1")]
    heard: list[Step] = []
    ended = bring(doubled, files, folder=tmp_path, tell=heard.append)
    assert [one.id for one in ended.done] == [A, B]
    assert [one for one in heard if isinstance(one, StatementRan)] == [StatementRan(A, 1, 2), StatementRan(A, 2, 2)]
    assert doubled.conn.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass").fetchone() == (
        True,
    )
    assert doubled.conn.execute("SELECT count(*) FROM twokey_progress").fetchone() == (0,)
    assert doubled.conn.execute("SHOW lock_timeout").fetchone() == ("2s",)


def test_it_goes_on_at_the_statement_that_failed(doubled: Session, tmp_path: Path) -> None:
    text = f"{ALONE}CREATE TABLE once ();\n\nCREATE UNIQUE INDEX CONCURRENTLY i ON t (a);\nCREATE TABLE after ()"
    ended = bring(doubled, [migration(A, text), migration(B, "SELECT 1")], folder=tmp_path)
    assert ended.failure
    assert ended.failure.sentence == (
        f'{A}.sql:4 failed on development (23505): could not create unique index "i".'
        " Of its 3 statements 1 ran and stay; the next apply goes on at this one."
        " The index public.i is left behind, invalid."
    )
    assert ended.failure.next_step == (
        "Drop what is left behind: DROP INDEX CONCURRENTLY public.i; by hand, since it may still be wanted. "
        f"Part of {A}.sql ran, so it must stay as it is: remove the cause in development; then apply development again."
    )
    assert ended.left == (B,)
    doubled.conn.execute("DROP INDEX CONCURRENTLY public.i; ")
    doubled.conn.execute("DELETE FROM t")
    assert bring(doubled, [migration(A, text), migration(B, "SELECT 1")], folder=tmp_path).failure is None
    assert doubled.conn.execute("SELECT to_regclass('after')::text").fetchone() == ("after",)


def test_an_invalid_index_is_not_taken_for_the_one_that_was_asked_for(doubled: Session, tmp_path: Path) -> None:
    text = f"{ALONE}CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON t (a)"
    assert bring(doubled, [migration(A, text)], folder=tmp_path).failure
    doubled.conn.execute("DELETE FROM t")
    again = bring(doubled, [migration(A, text)], folder=tmp_path)
    assert again.failure
    assert again.failure.message == "the index exists already and is invalid, so it was skipped"
    assert "The index public.i is left behind, invalid." in again.failure.sentence
    doubled.conn.execute("DROP INDEX i")
    assert bring(doubled, [migration(A, text)], folder=tmp_path).failure is None


def test_a_constraint_that_the_rows_break_is_named_and_validated_by_the_next_apply(
    doubled: Session, tmp_path: Path
) -> None:
    doubled.conn.execute("ALTER TABLE t ADD CONSTRAINT older CHECK (a > 5) NOT VALID")
    text = (
        f"{ALONE}ALTER TABLE t ADD CONSTRAINT small CHECK (a < 1) NOT VALID;\n"
        "ALTER TABLE t VALIDATE CONSTRAINT small;\nVACUUM t"
    )
    ended = bring(doubled, [migration(A, text)], folder=tmp_path)
    assert ended.failure
    assert ended.failure.sentence.endswith(
        " Of its 3 statements 1 ran and stay; the next apply goes on at this one."
        " The constraint small on public.t is left behind, not validated."
    )
    assert ended.failure.next_step.startswith("Correct the rows that break the constraint. ")
    doubled.conn.execute("DELETE FROM t")
    assert bring(doubled, [migration(A, text)], folder=tmp_path).failure is None
    valid = "SELECT conname, convalidated FROM pg_constraint WHERE conrelid = 't'::regclass ORDER BY 1"
    assert doubled.conn.execute(valid).fetchall() == [("older", False), ("small", True)]


def test_of_one_or_of_all_that_did_not_run_it_is_said_so(doubled: Session, tmp_path: Path) -> None:
    build = "CREATE UNIQUE INDEX CONCURRENTLY i ON t (a);"
    ended = bring(doubled, [migration(A, f"{ALONE}{build}")], folder=tmp_path)
    assert ended.failure
    assert " Its statement did not run; the next apply begins with it anew. The index " in ended.failure.sentence
    assert ended.failure.elsewhere is not None
    doubled.conn.execute("DROP INDEX i")
    ended = bring(doubled, [migration(A, f"{ALONE}{build}\nSELECT 1;")], folder=tmp_path)
    assert ended.failure
    assert " None of its 2 statements ran; the next apply begins with it anew. The index " in ended.failure.sentence
    whole = Part(1, 1, (), ("c on t",))
    assert failure._stays(whole) == (
        "Its statement ran and stays; the next apply only writes its history row. "
        "The constraint c on t is left behind, not validated."
    )


def test_no_backup_that_holds_a_part_of_a_migration_is_the_one_from_before_it(doubled: Session, tmp_path: Path) -> None:
    text = f"{ALONE}CREATE TABLE once ();\nCREATE UNIQUE INDEX CONCURRENTLY i ON t (a);"
    first = bring(doubled, [migration(A, text)], folder=tmp_path).receipt
    doubled.conn.execute("DROP INDEX i; DELETE FROM t")
    second = bring(doubled, [migration(A, text)], folder=tmp_path)
    assert first
    assert second.receipt
    assert second.failure is None
    assert shelf.before(tmp_path, "development", []) == Path(first.path).name != Path(second.receipt.path).name


def test_an_invalid_index_that_no_statement_complained_about_stops_it(doubled: Session, tmp_path: Path) -> None:
    hide = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'i'::regclass"
    text = f"{ALONE}CREATE INDEX i ON t (a);\n{hide};"
    ended = bring(doubled, [migration(A, text)], folder=tmp_path)
    assert ended.failure
    assert ended.failure.sentence == (
        f"{A}.sql failed on development (55000): an index that it left is not valid."
        " All its 2 statements ran and stay; the next apply only writes its history row."
        " The index public.i is left behind, invalid."
    )
    assert ended.failure.next_step == (
        "Make valid what is left behind: REINDEX INDEX CONCURRENTLY public.i; then apply development again."
    )
    doubled.conn.execute("REINDEX INDEX CONCURRENTLY i")
    assert bring(doubled, [migration(A, text)], folder=tmp_path).failure is None
    assert doubled.conn.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass").fetchall() == [
        (True,)
    ]


def test_a_file_that_changed_part_way_is_refused_before_anything_runs(doubled: Session, tmp_path: Path) -> None:
    texts = [f"{ALONE}CREATE TABLE once (); SELECT {column} FROM t" for column in ("nope", "a")]
    assert bring(doubled, [migration(A, texts[0])], folder=tmp_path).failure
    with pytest.raises(apart.ChangedPartWay) as caught:
        bring(doubled, [migration(A, texts[1])], folder=tmp_path)
    assert str(caught.value) == (
        f"{A}.sql was changed after its first statement ran on development. Nothing was run. "
        "Restore the file as it was, and put what must change in a new migration."
    )
    assert "its first 2 statements ran" in str(apart.ChangedPartWay("development", A, 2))


def test_a_first_statement_that_fails_leaves_nothing_and_may_be_corrected(doubled: Session, tmp_path: Path) -> None:
    ended = bring(doubled, [migration(A, f"{ALONE}SELECT nope")], folder=tmp_path)
    assert ended.failure
    assert ended.failure.sentence.endswith("It was rolled back whole.")
    assert bring(doubled, [migration(A, f"{ALONE}SELECT 1")], folder=tmp_path).failure is None


def test_without_the_option_it_stays_refused_and_the_server_s_affairs_always() -> None:
    with pytest.raises(Forbidden):
        statements.parse(migration(A, "CREATE INDEX CONCURRENTLY i ON t (a)"))
    with pytest.raises(Forbidden):
        statements.parse(migration(A, f"{ALONE}CREATE DATABASE d"))
    with pytest.raises(Forbidden):
        statements.parse(migration(A, f"{ALONE}BEGIN"))
