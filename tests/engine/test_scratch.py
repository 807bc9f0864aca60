"""Scratch databases: made where nothing is protected, like the environment, and gone however the block ends."""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path
from types import FrameType
from typing import Any

import psycopg
import pytest

from engine import fingerprint, history, reach, scratch, twin
from engine.connection import Database, Session, open_session
from engine.reach import Neighbour
from engine.scratch import NoScratch, NotReplayed, ScratchRefused, Server
from playground.embedded import Postgres
from tests.support.engine import bring, migration, real_files


@pytest.fixture
def server(postgres: Postgres) -> Server:
    return Server(postgres.url(), on_protected_server=True)


@pytest.fixture
def login(postmaster: psycopg.Connection) -> Iterator[str]:
    postmaster.execute("CREATE ROLE nobody_much LOGIN")
    yield "nobody_much"
    postmaster.execute("DROP ROLE nobody_much")


def there(conn: psycopg.Connection) -> list[str]:
    return [n for (n,) in conn.execute("SELECT datname FROM pg_database WHERE datname LIKE 'twokey_scratch%'")]


def refused(server: Server) -> str:
    with pytest.raises(ScratchRefused) as caught, scratch.database(server, "test"):
        pass
    return str(caught.value)


def test_the_sentence_without_a_setting() -> None:
    assert str(NoScratch()) == (
        "This needs a scratch database, and twokey.toml names no server for one. "
        'Write there: [scratch] database_url = { env = "SCRATCH_DATABASE_URL" }, '
        "and set that variable to the address of a server with nothing to lose."
    )


def test_a_role_that_may_not_create_databases_is_named(postgres: Postgres, login: str) -> None:
    assert refused(Server(postgres.url(login=login), on_protected_server=True)) == (
        "No scratch database was made: the role nobody_much may not create databases. "
        "On its server: ALTER ROLE nobody_much CREATEDB."
    )


def test_a_protected_environments_server_is_refused(postgres: Postgres, engine_database: str) -> None:
    production = Database("production", protected=True, dsn=engine_database)
    assert refused(Server(postgres.url(), (production,))) == (
        "No scratch database was made: its server is also that of production, which is protected. "
        "Name another server in [scratch] database_url, or, if that is meant, on_protected_server = true there."
    )
    with scratch.database(Server(postgres.url(), (production,), on_protected_server=True), "test") as made:
        assert made.environment == "scratch"


def test_a_protected_environments_server_is_refused_though_nobody_says_it_is_one(
    session: Session, postgres: Postgres, login: str
) -> None:
    history.prepare(session)
    session.conn.execute("INSERT INTO twokey_environment (name, protected) VALUES ('production', true)")
    for dsn in (session.database.dsn, postgres.url()):
        assert refused(Server(dsn)).startswith("No scratch database was made: its server is also that of ")
    session.conn.execute("REVOKE ALL ON twokey_environment FROM PUBLIC")
    alone = Server(postgres.url("engine_room", login=login))
    assert refused(alone) == (
        "No scratch database was made: its server has an environment's database, engine_room, and whether that one is "
        "protected may not be read. Name another server in [scratch] database_url, or, if that is meant, "
        "on_protected_server = true there."
    )


def test_a_database_that_could_not_be_looked_at_is_not_passed_over(
    session: Session, postgres: Postgres, login: str
) -> None:
    ours, full = Database("scratch", protected=False, dsn=postgres.url(login=login)), session.conn.info.dbname
    session.conn.execute(f"ALTER DATABASE {full} CONNECTION LIMIT 0")  # pyright: ignore[reportArgumentType, reportCallIssue]
    with open_session(ours, purpose="twokey test") as maintenance, pytest.raises(ScratchRefused) as caught:
        scratch._marked(maintenance, next(one for one in reach.neighbours(maintenance) if one.name == full))
    assert str(caught.value) == (
        f"No scratch database was made: whether its database {full} is a protected environment's could not be "
        "looked at: all its connections are taken. Ask again when some are free. Name another server in [scratch] "
        "database_url, or, if that is meant, on_protected_server = true there."
    )
    session.conn.execute(f"ALTER DATABASE {full} CONNECTION LIMIT -1")  # pyright: ignore[reportArgumentType, reportCallIssue]
    with open_session(ours, purpose="twokey test") as maintenance:
        assert scratch._marked(maintenance, Neighbour("nowhere", owned=True, open=True)) == ()


def test_a_database_that_is_not_understood_is_not_passed_over(session: Session, postgres: Postgres) -> None:
    session.conn.execute("CREATE TABLE twokey_environment (name text)")
    ours, odd = Database("scratch", protected=False, dsn=postgres.url()), session.conn.info.dbname
    with open_session(ours, purpose="twokey test") as maintenance, pytest.raises(ScratchRefused) as caught:
        scratch._marked(maintenance, Neighbour(odd, owned=True, open=True))
    assert str(caught.value) == (
        f"No scratch database was made: whether its database {odd} is a protected environment's could not be looked "
        'at. The server of scratch refused (42703): column "protected" does not exist. Remove the cause, or wait until '
        "it passes, then ask again. Name another server in [scratch] database_url, or, if that is meant, "
        "on_protected_server = true there."
    )


def test_what_cannot_be_compared_is_refused(server: Server) -> None:
    production = Database("production", protected=True, dsn="postgresql://x@127.0.0.1:1/shop")
    assert refused(Server(server.dsn, (production,))) == (
        "No scratch database was made: whether it would be on the server of production, which is protected, could not "
        "be found out. production (127.0.0.1, database shop) cannot be reached: nothing listens there. "
        "Start the server, or correct the environment's address. Or leave that address out of sight here."
    )


def test_a_locale_that_its_server_lacks_is_named(
    server: Server, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scratch.twin, "letters", lambda _: {"ENCODING": "UTF8", "LC_COLLATE": "xx_YY"})
    with pytest.raises(ScratchRefused) as caught, scratch.database(server, "test", letters=twin.letters(session)):
        pass
    assert str(caught.value) == (
        "No scratch database was made: its server does not have the environment's ENCODING UTF8, LC_COLLATE xx_YY. "
        "Name a server in [scratch] database_url that has them: the environment's own version and system."
    )


def test_it_is_like_the_environments_and_named_by_purpose_and_time(
    server: Server, postmaster: psycopg.Connection
) -> None:
    postmaster.execute("CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'")
    try:
        latin = Database("development", protected=False, dsn=server.dsn.replace("/postgres?", "/latin?"))
        with (
            open_session(latin, purpose="test") as like,
            scratch.database(server, "test", letters=twin.letters(like)) as made,
            psycopg.connect(made.dsn) as conn,
        ):
            row = conn.execute(
                "SELECT datname, pg_encoding_to_char(encoding), datcollate, datctype, to_char(now() AT TIME ZONE"
                " 'UTC', 'YYYYMMDD_HH24') FROM pg_database WHERE datname = current_database()"
            ).fetchone()
        assert row
        assert row[1:4] == ("LATIN1", "C", "C")
        assert row[0].startswith(f"twokey_scratch_test_{row[4]}")
    finally:
        postmaster.execute("DROP DATABASE latin")
    assert there(postmaster) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, ValueError])
def test_it_is_dropped_whatever_ends_the_block(
    server: Server, postmaster: psycopg.Connection, error: type[BaseException]
) -> None:
    with pytest.raises(error):
        broken_off(server, postmaster, error)
    assert there(postmaster) == []


def broken_off(server: Server, postmaster: psycopg.Connection, error: type[BaseException]) -> None:
    with scratch.database(server, "test") as made, open_session(made, purpose="test"):
        assert len(there(postmaster)) == 1
        raise error


def test_what_a_killed_run_left_is_cleared_by_the_next_once_it_is_old(
    server: Server, postmaster: psycopg.Connection
) -> None:
    program = (
        "import os, signal, sys; from engine import scratch\n"
        "server = scratch.Server(sys.argv[1], on_protected_server=True)\n"
        "with scratch.database(server, 'killed'): os.kill(os.getpid(), signal.SIGKILL)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, server.dsn], cwd=Path(__file__).parents[2], check=False, capture_output=True
    )
    assert ended.returncode == -signal.SIGKILL
    (left,) = there(postmaster)
    with scratch.database(server, "test"):
        assert left in there(postmaster)  # it may be somebody's who is still at work
    with open_session(Database("scratch", protected=False, dsn=server.dsn), purpose="test") as maintenance:
        assert scratch.clear(maintenance) == ()
        with psycopg.connect(server.dsn.replace("/postgres?", f"/{left}?")):
            assert scratch.clear(maintenance, older_than=timedelta(0)) == ()
        assert scratch.clear(maintenance, older_than=timedelta(0)) == (left,)
    old = "twokey_scratch_test_20200101_000000_00000000"
    postmaster.execute(f"CREATE DATABASE {old}")
    postmaster.execute("CREATE DATABASE twokey_scratch_of_mine")
    with scratch.database(server, "test"):
        assert old not in there(postmaster)
    assert there(postmaster) == ["twokey_scratch_of_mine"]
    postmaster.execute("DROP DATABASE twokey_scratch_of_mine")


def test_a_replay_gives_the_fingerprint_that_the_environment_has(server: Server, session: Session) -> None:
    bring(session, real_files())
    with (
        scratch.database(server, "test", letters=twin.letters(session)) as made,
        open_session(made, purpose="test") as empty,
    ):
        assert scratch.replay(empty, real_files()) == fingerprint.read(session, history.prepare(session))


def test_an_empty_folder_is_an_empty_database(server: Server) -> None:
    with scratch.database(server, "test") as made, open_session(made, purpose="test") as empty:
        assert len(scratch.replay(empty, ())) == 64


def test_a_file_that_does_not_run_on_an_empty_database_is_named(server: Server) -> None:
    broken = migration("20250819090000_add_city_index", "CREATE TABLE cities (id int);\nCREATE INDEX ON cities (nmae);")
    with (
        scratch.database(server, "test") as made,
        open_session(made, purpose="test") as empty,
        pytest.raises(NotReplayed) as caught,
    ):
        scratch.replay(empty, (*real_files(), broken))
    assert str(caught.value) == (
        "The migrations do not run on an empty database: "
        '20250819090000_add_city_index.sql:2 failed on scratch (42703): column "nmae" does not exist. '
        "It was rolled back whole."
    )


@pytest.mark.parametrize("nth", range(1, 11))
def test_whenever_it_is_broken_off_nothing_is_left(server: Server, postmaster: psycopg.Connection, nth: int) -> None:
    """By a real signal, before the nth line of ours that runs once the block has ended."""
    lines = count(1)

    def broken_off(*_: object) -> None:
        raise KeyboardInterrupt

    def watch(frame: FrameType, event: str, _: object) -> Callable[..., Any] | None:
        if frame.f_code.co_filename != scratch.__file__:
            return None
        if event == "line" and next(lines) == nth:
            signal.pthread_kill(threading.get_ident(), scratch.BREAKS_OFF)
        return watch

    tracing, before = sys.gettrace(), signal.signal(scratch.BREAKS_OFF, broken_off)
    try:
        with pytest.raises(KeyboardInterrupt), scratch.database(server, "test"):
            sys.settrace(watch)
    finally:
        sys.settrace(tracing)
        signal.signal(scratch.BREAKS_OFF, before)
    assert there(postmaster) == []


def test_what_breaks_off_comes_too_late_for_the_drop(
    server: Server, postmaster: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken_off(*_: object) -> None:
        raise KeyboardInterrupt

    def drop(maintenance: Session, name: str) -> None:
        signal.pthread_kill(threading.get_ident(), scratch.BREAKS_OFF)
        dropping(maintenance, name)

    dropping, before = twin.drop, signal.signal(scratch.BREAKS_OFF, broken_off)
    monkeypatch.setattr(twin, "drop", drop)
    try:
        with pytest.raises(KeyboardInterrupt), scratch.database(server, "test"):
            pass
    finally:
        signal.signal(scratch.BREAKS_OFF, before)
    assert there(postmaster) == []
