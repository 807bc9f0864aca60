"""Migrations that are sent ahead of their answers end exactly where one is refused."""

import threading
import time
from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest

from engine import apply, lock, transaction
from engine.backup import NothingToLose
from engine.connection import Database, Limits, Session, open_session
from engine.errors import ConnectionLost
from engine.files import Migration
from engine.report import MigrationDone, MigrationStarted, Report, Step
from tests.support.engine import bring, draw, migration
from tests.support.proxy import wire

FIFTY = range(1, 51)


def stem(number: int) -> str:
    return f"202501010000{number:02d}_m"


def fifty(**odd: str) -> list[Migration]:
    """Fifty migrations that make t1 … t50; `m26="…"` gives the 26th another text."""
    return [migration(stem(n), odd.get(f"m{n}", f"CREATE TABLE t{n} (a int)")) for n in FIFTY]


def tables(session: Session) -> int:
    row = session.conn.execute("SELECT count(*) FROM pg_tables WHERE tablename ~ '^t[0-9]+$'").fetchone()
    return row[0] if row else -1


def rows(session: Session) -> int:
    row = session.conn.execute("SELECT count(*) FROM schema_migrations").fetchone()
    return row[0] if row else -1


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("SELECT 1;\nCREATE TABLE t1 ()", 2),
        ("\n\nSELECT nope", 3),
        ("SELECT 'ünïcödé';\n/* ü */ SELECT\n  nope", 3),
        ("CREATE TABLE d (a int UNIQUE DEFERRABLE INITIALLY DEFERRED); INSERT INTO d VALUES (1), (1)", None),
        ("DO $$ BEGIN EXECUTE 'DROP TABLE schema_' || 'migrations'; END $$", None),
        ("DO $$ BEGIN RAISE 'no'; END $$", 1),
        ("SELECT $1", 1),
    ],
)
def test_a_failure_in_the_middle_of_fifty(session: Session, text: str, line: int | None) -> None:
    files = fifty(m26=text)
    with lock.only_one(session):
        ended = apply.run(session, draw(session, files), backup=NothingToLose(), actor="ada", request=None)
        lock.check(session)
    assert ended.failure
    assert (ended.failure.migration, ended.failure.line) == (stem(26), line)
    assert [one.id for one in ended.done] == [stem(n) for n in range(1, 26)]
    assert ended.left == tuple(stem(n) for n in range(27, 51))
    assert (rows(session), tables(session)) == (25, 25)
    assert session.conn.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
    assert session.conn.execute("SHOW lock_timeout").fetchone() == ("2s",)


def test_a_file_that_left_its_transaction_is_caught_before_the_next(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.forbidden.judge", lambda *_, **__: None)
    with pytest.raises(transaction.LeftTransaction):
        bring(session, fifty(m3="CREATE TABLE odd (); COMMIT; BEGIN"))
    assert (rows(session), tables(session)) == (2, 2)


@pytest.mark.parametrize("text", ["DEALLOCATE ALL", "DO $$ BEGIN EXECUTE 'DEALLOCATE ALL'; END $$"])
def test_a_file_that_lets_go_of_what_is_prepared_runs_as_any_other(session: Session, text: str) -> None:
    ended = bring(session, fifty(m3=f"CREATE TABLE odd (); {text}", m7=text))
    assert (len(ended.done), ended.failure) == (50, None)
    assert (rows(session), tables(session)) == (50, 48)
    assert session.conn.execute("SELECT count(*) FROM pg_class WHERE relname = 'odd'").fetchone() == (1,)


def test_a_file_that_divides_by_zero_runs_once(session: Session) -> None:
    session.conn.execute("CREATE SEQUENCE runs")  # which no rollback takes back
    ended = bring(session, fifty(m3="SELECT nextval('runs'); SELECT 1 / 0"))
    assert ended.failure
    assert (ended.failure.sqlstate, rows(session)) == ("22012", 2)
    assert session.conn.execute("SELECT last_value FROM runs").fetchone() == (1,)


#: A migration that puts statements of its own under whatever names it finds, and lets go of the environment's lock.
_POSES = """
CREATE TABLE odd ();
DO $$ DECLARE one record; BEGIN
  FOR one IN SELECT name FROM pg_prepared_statements WHERE statement LIKE '{like}' LOOP
    EXECUTE format('DEALLOCATE %I', one.name);
    EXECUTE format('PREPARE %I AS SELECT 1.0::float8', one.name);
  END LOOP;
  {more}
END $$
"""


@pytest.mark.parametrize("like", ["%", "%INSERT%", "%pg_locks%", "%set_config%", "COMMIT"])
def test_a_file_that_poses_as_what_stands_around_it_is_recorded_all_the_same(session: Session, like: str) -> None:
    ended = bring(session, fifty(m3=_POSES.format(like=like, more="")))
    assert (len(ended.done), ended.failure, rows(session), tables(session)) == (50, None, 50, 49)
    with psycopg.connect(session.database.dsn) as other:
        assert other.execute("SELECT count(*) FROM schema_migrations").fetchone() == (50,)


def test_a_file_that_lets_go_of_the_lock_behind_the_guards_back_is_rolled_back(session: Session) -> None:
    gone = "EXECUTE 'SELECT pg_advisory_' || 'unlock_all()';"
    with pytest.raises(transaction.LostLock):
        bring(session, fifty(m3=_POSES.format(like="%pg_locks%", more=gone)))
    assert (rows(session), tables(session)) == (2, 2)


def test_a_file_that_puts_operators_of_its_own_before_the_servers_deceives_no_guard(session: Session) -> None:
    text = """
CREATE SCHEMA evil;
CREATE FUNCTION evil.yes(int, int) RETURNS bool LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR evil.= (LEFTARG = int, RIGHTARG = int, FUNCTION = evil.yes);
CREATE FUNCTION evil.one(int, bigint) RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint';
CREATE OPERATOR evil./ (LEFTARG = int, RIGHTARG = bigint, FUNCTION = evil.one);
SET search_path = evil, pg_catalog, public;
DO $$ BEGIN EXECUTE 'SELECT pg_advisory_' || 'unlock_all()'; END $$
"""
    with pytest.raises(transaction.LostLock):
        bring(session, fifty(m3=text))
    assert (rows(session), tables(session)) == (2, 2)


def test_a_text_that_our_parser_cannot_take_apart_is_sent_whole(session: Session) -> None:
    files = fifty()
    with lock.only_one(session):
        plan = draw(session, files)
        ours = [m.text for m in plan.migrations]
        # What only another version's grammar knows; here it is the server too that refuses.
        object.__setattr__(plan.migrations[25], "text", "CREATE TABLE t26 ();\nCREATE TABLES")
        ended = apply.run(session, plan, backup=NothingToLose(), actor="ada", request=None)
    assert len(ours) == 50
    assert ended.failure
    assert (ended.failure.line, ended.failure.sqlstate) == (2, "42601")
    assert (rows(session), tables(session)) == (25, 25)


@pytest.mark.parametrize("count", [1, 50])
def test_all_together_take_a_handful_of_round_trips(development: Database, count: int) -> None:
    with wire(development.dsn, there_and_back=0.08) as through:
        at = Database("development", protected=False, dsn=through.dsn)
        with open_session(at, purpose="x") as session, lock.only_one(session):
            plan = draw(session, fifty()[:count])
            before = through.trips
            ended = apply.run(session, plan, backup=NothingToLose(), actor="ada", request=None)
            trips = through.trips - before
    assert len(ended.done) == count
    assert trips <= 11  # fifty wait no oftener than one


def test_progress_is_heard_while_the_rest_still_runs(session: Session) -> None:
    heard: list[tuple[float, Step]] = []
    bring(session, fifty(m50="SELECT pg_sleep(0.5)"), tell=lambda step: heard.append((time.monotonic(), step)))
    steps = [step for _, step in heard]
    assert [type(step) for step in steps] == [MigrationStarted, MigrationDone] * 50
    assert heard[-1][0] - heard[-3][0] > 0.4


def test_more_than_may_be_on_its_way_at_once(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.pipeline._AHEAD", 40)
    assert len(bring(session, fifty()).done) == 50
    assert tables(session) == 50


def test_much_to_read_and_much_to_send_do_not_wait_for_each_other(session: Session) -> None:
    text = "SELECT repeat('x', 100000) FROM generate_series(1, 20)" + " " * 200_000
    assert len(bring(session, [migration(stem(n), text) for n in range(1, 9)]).done) == 8


def test_a_teller_that_breaks_stops_the_server_too(development: Database) -> None:
    def tell(step: Step) -> None:
        if isinstance(step, MigrationDone):
            raise RuntimeError("no ink")  # noqa: TRY004 - not about types

    with pytest.raises(RuntimeError), open_session(development, purpose="breaks") as session:
        bring(session, fifty(m2="SELECT pg_sleep(60)"), tell=tell)
    with open_session(development, purpose="x") as session:
        assert rows(session) == 1
        assert nobody_called("breaks", session)


def nobody_called(name: str, session: Session) -> bool:
    """Whether no backend of that application_name is left, within a second."""
    for _ in range(20):
        if session.conn.execute("SELECT FROM pg_stat_activity WHERE application_name = %s", (name,)).rowcount == 0:
            return True
        time.sleep(0.05)
    return False


def test_a_server_that_ends_the_session_in_the_middle(development: Database) -> None:
    plans = []

    def lose() -> Iterator[Report]:
        with open_session(development, purpose="lost") as session, lock.only_one(session):
            plans.append(draw(session, fifty(m26="SELECT pg_sleep(60)")))
            threading.Timer(0.5, end_it).start()
            yield apply.run(session, plans[0], backup=NothingToLose(), actor="ada", request=None)

    def end_it() -> None:
        with psycopg.connect(development.dsn) as conn:
            conn.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'lost'")

    with pytest.raises(ConnectionLost):
        next(lose())
    with open_session(development, purpose="x") as session:
        done, left = apply.what_is_in(session, plans[0])
    assert (len(done), left[0]) == (25, stem(26))


def test_a_statement_of_many_has_its_own_time(development: Database) -> None:
    short = Limits(statement_timeout=timedelta(milliseconds=600))
    with open_session(development, purpose="x", limits=short) as session:
        ended = bring(session, fifty(m2="SELECT pg_sleep(0.4); SELECT pg_sleep(0.4)", m3="SELECT pg_sleep(2)"))
    assert len(ended.done) == 2
    assert ended.failure
    assert ended.failure.sqlstate == "57014"
