"""A session opens, or a sentence says why not; and it leaves nothing behind."""

import pickle
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from engine import connection, errors
from engine.connection import Database, Limits, Session, open_session
from playground.embedded import Postgres
from tests.support.proxy import wire

SECRET = "hunter2"
ROOT = Path(__file__).parents[2]


def refusal(dsn: str) -> errors.EngineError:
    with (
        pytest.raises(errors.EngineError) as caught,
        open_session(Database("test", protected=False, dsn=dsn), purpose="x"),
    ):
        raise AssertionError
    assert SECRET not in f"{caught.value!r} {caught.value} {caught.value.__cause__}"
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    return caught.value


def test_an_address_is_not_shown() -> None:
    assert SECRET not in repr(Database("test", protected=False, dsn=f"postgresql://u:{SECRET}@h/d"))


@pytest.mark.parametrize(
    "dsn", [f"host=h password {SECRET}", f"postgresql://u:{SECRET}@h/d?{SECRET}=1", "postgresql://%zz"]
)
def test_an_address_that_cannot_be_read(dsn: str) -> None:
    assert str(refusal(dsn)) == (
        "The database address of test is not one PostgreSQL understands. "
        "Write it as postgresql://name:password@host:5432/database, special characters percent-encoded."
    )


def test_nothing_listens_there() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        said = refusal(f"postgresql://u:{SECRET}@127.0.0.1:{free.getsockname()[1]}/shop")
    assert str(said) == (
        "test (127.0.0.1, database shop) cannot be reached: nothing listens there. "
        "Start the server, or correct the environment's address."
    )


def test_what_is_opened_beside_a_session_leads_to_the_very_server_it_came_to(postgres: Postgres) -> None:
    with wire(postgres.url()) as there:
        many = there.dsn.replace("host=127.0.0.1", "host=nowhere.invalid,localhost")
        port = there.dsn.split("port=")[1].split()[0]
        many = many.replace(f"port={port}", f"port={port},{port}")
        with open_session(Database("test", protected=True, dsn=many), purpose="x") as session:
            found = connection.at(session, database="postgres")
        parts = conninfo_to_dict(found.dsn)
        assert (parts["host"], parts["hostaddr"], str(parts["port"])) == ("localhost", "127.0.0.1", port)
        assert (parts["dbname"], found.protected) == ("postgres", True)


def test_a_database_that_is_not_there(postgres: Postgres) -> None:
    assert str(refusal(postgres.url("nope"))) == (
        f"test ({postgres.socket_folder}, database nope) cannot be reached: there is no such database. "
        "Create the database, or correct the environment's address."
    )


def test_a_role_that_is_not_there(postgres: Postgres) -> None:
    assert str(refusal(postgres.url("postgres", login="nobody"))) == (
        f"test ({postgres.socket_folder}, database postgres) cannot be reached: there is no such role. "
        "Create the role, or correct the environment's address."
    )


@pytest.mark.parametrize(
    ("said", "why", "step"),
    [
        (
            "password authentication failed for",
            "the password or the role is not right",
            "Correct the environment's address.",
        ),
        ("no password supplied", "the address holds no password", "Correct the environment's address."),
        (
            "no pg_hba.conf entry",
            "the server does not let this host in",
            "Add a line for it to the server's pg_hba.conf.",
        ),
        ("too many clients already", "all its connections are taken", "Ask again when some are free."),
        ("remaining connection slots", "all its connections are taken", "Ask again when some are free."),
        ("the database system is starting up", "the server is starting up", "Ask again in a moment."),
        ("the database system is shutting down", "the server is shutting down", "Ask again when it is back."),
        ("could not translate host name", "the host's name is not known", "Correct the environment's address."),
        ("failed to resolve host", "the host's name is not known", "Correct the environment's address."),
        ("Name or service not known", "the host's name is not known", "Correct the environment's address."),
        (
            "connection timeout expired",
            "it does not answer",
            "Check that the server runs and that the network lets this host through.",
        ),
        (
            "No such file or directory",
            "nothing listens there",
            "Start the server, or correct the environment's address.",
        ),
        (
            "Network is unreachable",
            "no network leads there",
            "Check the network, or correct the environment's address.",
        ),
        ("No route to host", "no network leads there", "Check the network, or correct the environment's address."),
        ("anything else", "the server refused the connection", "Read the server's own log for the reason."),
    ],
)
def test_what_the_driver_says_is_put_into_our_words(said: str, why: str, step: str) -> None:
    assert connection._reason(f"connection failed: {said}") == (why, step)


def test_a_session_that_may_only_read_is_refused(fresh_database: Callable[[str], str]) -> None:
    dsn = fresh_database("standby") + "&options=-c%20default_transaction_read_only%3Don"
    assert str(refusal(dsn)).endswith(
        "database standby) only accepts reads: it is a standby or set read-only. "
        "Point the environment's address at the primary."
    )


def test_a_server_older_than_13_is_refused() -> None:
    assert str(errors.ServerTooOld("test", connection.server_name(120017))) == (
        "test runs on PostgreSQL 12.17; Twokey needs 13 or newer. Upgrade the server, then ask again."
    )
    assert connection.server_name(90624) == "9.6"


def test_an_old_server_is_noticed(development: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_OLDEST_SERVER", 990000)
    with pytest.raises(errors.ServerTooOld), open_session(development, purpose="x"):
        raise AssertionError


def shown(session: Session, name: str) -> str:
    row = session.conn.execute("SELECT current_setting(%s)", (name,)).fetchone()
    assert row
    return row[0]


def test_a_session_says_who_it_is_and_keeps_its_limits(development: Database) -> None:
    with open_session(development, purpose="twokey apply #7", limits=Limits()) as session:
        session.conn.execute("SET lock_timeout = 0; SET search_path = pg_catalog; CREATE TEMP TABLE t ()")
        connection.reset(session)
        assert shown(session, "application_name") == "twokey apply #7"
        assert shown(session, "lock_timeout") == "2s"
        assert shown(session, "statement_timeout") == "15min"
        assert "public" in shown(session, "search_path")
        assert session.conn.execute("SELECT to_regclass('t')").fetchone() == (None,)


def backends(postgres: Postgres) -> int:
    with psycopg.connect(postgres.url()) as conn:
        row = conn.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'twokey doomed'").fetchone()
        assert row
        return row[0]


def sleeping(postgres: Postgres) -> bool:
    with psycopg.connect(postgres.url()) as conn:
        return conn.execute("SELECT 1 FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)'").fetchone() is not None


def gone(postgres: Postgres) -> bool:
    until = time.monotonic() + 10
    while backends(postgres) and time.monotonic() < until:
        time.sleep(0.02)
    return backends(postgres) == 0


def test_whatever_ends_the_block_ends_the_statement_on_the_server(development: Database, postgres: Postgres) -> None:
    with pytest.raises(SystemExit):
        end_during(development, b"SELECT pg_sleep(60)")
    assert gone(postgres)


def end_during(database: Database, query: bytes) -> None:
    with open_session(database, purpose="twokey doomed") as session:
        session.conn.pgconn.send_query(query)
        raise SystemExit


def test_a_killed_workers_statement_ends_by_itself(development: Database, postgres: Postgres) -> None:
    with open_session(development, purpose="x") as session:
        if not session.watched:
            pytest.skip("PostgreSQL 13 cannot notice; there the statement_timeout ends it")
    program = (
        "import sys; from engine.connection import Database, open_session\n"
        "with open_session(Database('d', False, sys.argv[1]), purpose='twokey doomed') as session:\n"
        "    session.conn.execute('SELECT pg_sleep(60)')"
    )
    with subprocess.Popen([sys.executable, "-c", program, development.dsn], cwd=ROOT) as worker:
        while not sleeping(postgres):
            time.sleep(0.02)
        worker.kill()
    assert gone(postgres)


def test_a_connection_that_dies_is_told_as_lost(development: Database, postgres: Postgres) -> None:
    def kill(pid: int) -> None:
        with psycopg.connect(postgres.url(), autocommit=True) as conn:
            conn.execute("SELECT pg_terminate_backend(%s)", (pid,))

    def sleep() -> None:
        with open_session(development, purpose="x") as session:
            threading.Timer(0.1, kill, [session.conn.info.backend_pid]).start()
            session.conn.execute("SELECT pg_sleep(60)")

    with pytest.raises(errors.ConnectionLost) as caught:
        sleep()
    assert str(caught.value) == (
        "The connection to development was lost. "
        "Its own history knows what committed: look at the status before applying again."
    )


HBA = 'FATAL:  no pg_hba.conf entry for host "127.0.0.1", user "x", database "y", no encryption'
FULL = "FATAL:  sorry, too many clients already"
AT = 'connection to server at "127.0.0.1", port 5432 failed: '


@pytest.mark.parametrize(
    ("said", "shut"),
    [
        (f"connection failed: {AT}{HBA}\n{AT}{HBA}", True),
        (f"connection failed: {AT}{FULL}\n{AT}{HBA}", False),
        (f"connection failed: {AT}{HBA}\n{AT}{FULL}", False),
        ("[Errno -2] Name or service not known", False),
        ("", False),
    ],
)
def test_only_where_every_try_was_refused_for_good_is_a_server_shut(said: str, shut: bool) -> None:
    assert connection._is_shut(said) is shut
