"""A backup is a file that was read back, or nothing at all."""

import hashlib
import os
import signal
import stat
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from engine import backup, dump, fingerprint, history, tools
from engine.backup import BackupFailed, Into
from engine.connection import Database, Limits, Session, open_session, server_name
from engine.errors import EngineError
from tests.support.engine import TOOLS, bring, real_files
from tests.support.proxy import wire

NOW = datetime(2025, 8, 18, 18, 0, 0, tzinfo=timezone(timedelta(hours=2)))


def imposter(folder: Path, script: str) -> Into:
    """A pg_dump of ours that does as told."""
    (folder / "bin").mkdir()
    program = folder / "bin" / "pg_dump"
    program.write_text(f'#!/bin/sh\n[ "$1" = --version ] && echo "pg_dump (PostgreSQL) 18.4" && exit\n{script}\n')
    program.chmod(0o700)
    return Into(folder / "out", tools.find(str(folder / "bin"), ""))


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        (
            "echo half; exit 3",
            "pg_dump ended with code 3. Nothing was applied. Run pg_dump by hand to see why, then ask again.",
        ),
        (
            "kill -9 $$",
            "pg_dump was ended by signal 9. Nothing was applied. Run pg_dump by hand to see why, then ask again.",
        ),
        (
            "echo half",
            "the file does not end as a complete dump does. Nothing was applied. Check the disk, then ask again.",
        ),
        (
            "echo '-- PostgreSQL database dump complete'; echo 'row secret' >&2",
            "pg_dump ended with code 0. Nothing was applied. Run pg_dump by hand to see why, then ask again.",
        ),
        (
            "echo 'pg_dump: error: query failed: ERROR:  permission denied for table secret' >&2; exit 1",
            "its role may not read everything. Nothing was applied. Grant it pg_read_all_data, or make it the owner.",
        ),
        (
            "echo 'query would be affected by row-level security policy' >&2; exit 1",
            (
                "row-level security hides rows from its role. Nothing was applied. "
                "Grant the role BYPASSRLS, or make it the owner."
            ),
        ),
        (
            "echo 'could not write: No space left on device' >&2; exit 1",
            "the disk is full. Nothing was applied. Make room, then ask again.",
        ),
        (
            "echo 'aborting because of server version mismatch' >&2; exit 1",
            "pg_dump is older than the server. Nothing was applied. Set PG_BIN to the folder of a newer one.",
        ),
        (
            "echo 'connection to server failed' >&2; exit 1",
            "pg_dump could not connect. Nothing was applied. Check that the server is up, then ask again.",
        ),
    ],
)
def test_a_dump_that_is_not_whole_leaves_nothing(session: Session, tmp_path: Path, script: str, sentence: str) -> None:
    into = imposter(tmp_path, script)
    with pytest.raises(BackupFailed) as caught:
        backup.take(session, into=into, now=NOW)
    assert str(caught.value) == f"The backup of development failed: {sentence}"
    assert list(into.folder.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_named(session: Session, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BackupFailed) as caught:
        backup.take(session, into=Into(tmp_path / "file", TOOLS), now=NOW)
    assert str(caught.value) == (
        f"The backup of development failed: {tmp_path}/file cannot be written (File exists). "
        "Nothing was applied. Check the folder's permissions and its disk, then ask again."
    )


def test_a_table_that_stays_locked_stops_the_dump(development: Database, tmp_path: Path) -> None:
    short = Limits(lock_timeout=timedelta(milliseconds=50))
    with open_session(development, purpose="x", limits=short) as session, psycopg.connect(development.dsn) as other:
        session.conn.execute("CREATE TABLE t ()")
        other.execute("LOCK TABLE t")
        with pytest.raises(BackupFailed) as caught:
            backup.take(session, into=Into(tmp_path, TOOLS), now=NOW)
    assert str(caught.value) == (
        "The backup of development failed: a table stayed locked by another session. Nothing was applied. "
        "Wait until that ends, then ask again."
    )
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def interruptible() -> Iterator[None]:
    """SIGINT means what it usually does, also where whoever started the tests lets it be ignored, as `nohup` does."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_whoever_is_stopped_in_the_middle_stops_the_dump(session: Session, tmp_path: Path) -> None:
    into = imposter(tmp_path, f"echo $$ > {tmp_path}/pid; echo half; exec sleep 60")

    def interrupt() -> None:
        while not (tmp_path / "pid").exists():
            time.sleep(0.01)
        time.sleep(0.1)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        backup.take(session, into=into, now=NOW)
    assert list(into.folder.iterdir()) == []
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_the_password_travels_in_surroundings_made_from_nothing(session: Session, tmp_path: Path) -> None:
    into = imposter(tmp_path, f'echo "$@" > {tmp_path}/said; env > {tmp_path}/env; exit 1')
    dsn = f"{session.database.dsn}&password=hunter2&application_name=other"
    with (
        open_session(Database("development", protected=False, dsn=dsn), purpose="x") as known,
        pytest.raises(BackupFailed),
    ):
        backup.take(known, into=into, now=NOW)
    assert "hunter2" not in (tmp_path / "said").read_text()
    env = dict(line.split("=", 1) for line in (tmp_path / "env").read_text().splitlines())
    assert (env["PGPASSWORD"], env["PGDATABASE"], env["PGAPPNAME"]) == ("hunter2", "engine_room", "twokey backup")
    assert not {"HOME", "USER", "VIRTUAL_ENV"} & set(env)


def test_of_a_name_with_several_addresses_the_sessions_own_is_dumped(development: Database, tmp_path: Path) -> None:
    with wire(development.dsn) as proxy:
        named = Database("development", protected=False, dsn=make_conninfo(proxy.dsn, host="localhost"))
        with open_session(named, purpose="twokey test") as session:
            surroundings = dump.surroundings(session.conn)
            assert (surroundings["PGHOST"], surroundings["PGHOSTADDR"]) == ("localhost", "127.0.0.1")
            assert backup.take(session, into=Into(tmp_path, TOOLS), now=NOW).bytes
    with pytest.raises(EngineError) as refused:
        dump.surroundings(SimpleNamespace(pgconn=SimpleNamespace(info=()), info=_Nowhere()))  # pyright: ignore[reportArgumentType]
    assert str(refused.value) == (
        "Which of db.example's addresses this session came to cannot be told, so pg_dump could come to another server. "
        "Nothing was run. Give the address of one server."
    )


@dataclass
class _Nowhere:
    """What libpq says of a connection whose address it does not tell."""

    host: str = "db.example"
    hostaddr: str = ""
    port: int = 5432
    dbname: str = "shop"
    password: str = ""


def test_a_receipt_tells_of_the_file(session: Session, tmp_path: Path) -> None:
    receipt = backup.take(session, into=Into(tmp_path / "deep" / "er", TOOLS), now=NOW)
    path = Path(receipt.path)
    assert path == tmp_path / "deep" / "er" / "development-backup-2025-08-18T16-00-00.sql"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert receipt.bytes == path.stat().st_size > 0
    assert receipt.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (receipt.server_version, receipt.tool_version.split(".")[0]) == (
        server_name(session.server),
        str(TOOLS.pg_dump(session.server).major),
    )


def test_a_name_that_is_taken_is_not_written_over(session: Session, tmp_path: Path) -> None:
    names = [Path(backup.take(session, into=Into(tmp_path, TOOLS), now=NOW).path).name for _ in range(3)]
    stem = "development-backup-2025-08-18T16-00-00"
    assert names == [f"{stem}.sql", f"{stem}-2.sql", f"{stem}-3.sql"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*names, *(f"{name}.json" for name in names)])


def test_what_a_killed_run_left_unfinished_is_gone_with_the_next_backup(session: Session, tmp_path: Path) -> None:
    stem = "development-backup-2025-08-17T16-00-00"
    left = tmp_path / f".{stem}.0123abcd.part"
    kept = [tmp_path / f".{name}" for name in (f"other-{stem}.0123abcd.part", f"{stem}.notes.part", f"{stem}.sql")]
    for path in (left, *kept):
        path.touch()
    receipt = backup.take(session, into=Into(tmp_path, TOOLS), now=NOW)
    assert sorted(tmp_path.iterdir()) == sorted([*kept, Path(receipt.path), Path(f"{receipt.path}.json")])


def content(session: Session) -> tuple[str, Sequence[object]]:
    tables = ("users", "user_audit", "schema_migrations", "twokey_migrations", "twokey_environment")
    rows = [session.conn.execute(f"TABLE {table}").fetchall() for table in tables]
    return fingerprint.read(session, history.prepare(session)), rows


def test_a_backup_restores_into_an_empty_database_and_equals_the_source(
    session: Session, tmp_path: Path, fresh_database: Callable[[str], str]
) -> None:
    bring(session, real_files())
    session.conn.execute("INSERT INTO users (email) VALUES ('ä''@x'), (E'a\\nb'); DELETE FROM users WHERE id = 1")
    receipt = backup.take(session, into=Into(tmp_path, TOOLS), now=datetime.now(UTC))
    empty = fresh_database("from_a_backup")
    psql = TOOLS.pg_dump(session.server).path.with_name("psql")
    done = subprocess.run([psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", empty, "-f", receipt.path], check=False)
    assert done.returncode == 0
    with open_session(Database("development", protected=False, dsn=empty), purpose="x") as restored:
        assert content(restored) == content(session)
