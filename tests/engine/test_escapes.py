"""What a migration or an address does to get out of its transaction, its lock or its environment, and does not."""

from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from engine import errors, lock
from engine.connection import Database, Session, open_session
from engine.errors import LockNotHeld
from engine.report import Report
from engine.transaction import LostLock
from tests.support.engine import bring, migration

A, B, C = "20250101000000_a", "20250102000000_b", "20250103000000_c"


def run(session: Session, *texts: str) -> Report:
    return bring(session, [migration(stem, text) for stem, text in zip((A, B, C), texts, strict=False)])


def history(session: Session) -> list[str]:
    return [id_ for (id_,) in session.conn.execute("SELECT migration_id FROM schema_migrations ORDER BY id").fetchall()]


def test_a_migration_that_lets_go_of_the_lock_is_rolled_back_and_nothing_follows(session: Session) -> None:
    let_go = "CREATE TABLE t (); DO $$ BEGIN PERFORM pg_advisory_unlock_all(); END $$"
    with pytest.raises(LostLock) as caught:
        run(session, "CREATE TABLE fine ()", let_go, "CREATE TABLE u ()")
    assert str(caught.value) == (
        f"{B}.sql let go of the lock that keeps other runs out of development, so it was rolled back and nothing "
        "after it was tried. Take advisory locks in it with pg_advisory_xact_lock() alone."
    )
    assert history(session) == [A]
    assert session.conn.execute("SELECT to_regclass('t'), to_regclass('u')").fetchone() == (None, None)


def test_a_backslash_in_a_quote_ends_no_transaction_whatever_the_database_is_set_to(
    development: Database,
) -> None:
    text = r"CREATE TABLE t (); SELECT '\', '; COMMIT; --'"
    loose = replace(development, dsn=f"{development.dsn}&options=-c%20standard_conforming_strings%3Doff")
    with open_session(loose, purpose="x") as session:
        assert run(session, text).failure is None
        assert history(session) == [A]


def test_what_a_migration_deallocates_the_next_ones_do_not_miss(session: Session, tmp_path: Path) -> None:
    many = [migration(f"202501{day:02}000000_m", "SELECT 1") for day in range(1, 9)]
    last = migration("20250120000000_last", "DEALLOCATE ALL")
    assert bring(session, [*many, last], folder=tmp_path).failure is None


def test_a_search_path_that_hides_the_history_is_no_first_contact(development: Database) -> None:
    with open_session(development, purpose="x") as session:
        run(session, "CREATE SCHEMA shop")
    elsewhere = replace(development, environment="test", dsn=f"{development.dsn}&options=-c%20search_path%3Dshop")
    with open_session(elsewhere, purpose="x") as session, pytest.raises(errors.HistoryElsewhere) as caught:
        run(session, "SELECT 1")
    assert str(caught.value) == (
        "The history in this database stands in the schema public, where the search_path of test does not lead. "
        "Correct the address, or set the role's search_path so that public comes first."
    )
    with psycopg.connect(development.dsn) as conn:
        assert conn.execute("SELECT to_regclass('shop.schema_migrations')").fetchone() == (None,)


def test_an_error_of_the_server_that_nobody_met_before_is_told_in_our_words(development: Database) -> None:
    with pytest.raises(errors.ServerRefused) as caught, open_session(development, purpose="x") as session:
        session.conn.execute("CREATE TABLE t (a int UNIQUE); INSERT INTO t VALUES (4711), (4711)")
    assert str(caught.value) == (
        'The server of development refused (23505): duplicate key value violates unique constraint "t_a_key". '
        "Remove the cause, or wait until it passes, then ask again."
    )
    assert "4711" not in repr(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://u:hunt@er2@nowhere.invalid/shop",
        "postgresql://u:hunt/er2@nowhere.invalid/shop",
        "postgresql://u:hunt/er2@nowhere.invalid:5432/shop",
        "postgresql://u:hunt@x/er2@nowhere.invalid/shop",
        "postgresql://u:hunt@er2:x@nowhere.invalid/shop",
    ],
)
def test_a_password_that_was_not_percent_encoded_is_not_shown_in_pieces(dsn: str) -> None:
    with (
        pytest.raises(errors.BadAddress) as caught,
        open_session(Database("test", protected=False, dsn=dsn), purpose="x"),
    ):
        raise AssertionError
    assert "er2" not in f"{caught.value!r} {caught.value}"


def test_the_lock_of_another_session_is_not_ours(development: Database, session: Session) -> None:
    with open_session(development, purpose="other") as other, lock.only_one(other), pytest.raises(LockNotHeld):
        lock.check(session)
