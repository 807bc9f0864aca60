"""The folder of backups: what each is, what may go, and what a killed dump left."""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections import namedtuple
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from engine import backup, contents, history, manifest, shelf, tools
from engine.backup import BackupFailed, Into
from engine.connection import Database, Session, server_name
from engine.form import Form
from engine.manifest import BackupDoubtful
from engine.shelf import Keep
from tests.support.engine import TOOLS, bring, real_files

NOW = datetime(2025, 8, 18, 16, 0, tzinfo=UTC)
STEM = "development-backup-2025-08-18T16-00-00"


def take(session: Session, folder: Path, form: Form = Form.PLAIN, **more: object) -> Path:
    return Path(backup.take(session, into=Into(folder, TOOLS, form, **more), now=NOW).path)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("form", list(Form))
def test_the_manifest_says_what_the_backup_is(session: Session, tmp_path: Path, form: Form) -> None:
    bring(session, real_files())
    session.conn.execute("INSERT INTO users (email) VALUES ('a@x')")
    path = take(session, tmp_path, form)
    found = manifest.verify(path)
    assert path.name == f"{STEM}{form.suffix}"
    assert (found.environment, found.database, found.form) == ("development", "engine_room", form)
    assert (found.server_version, found.tool_version.split(".")[0]) == (
        server_name(session.server),
        str(TOOLS.pg_dump(session.server).major),
    )
    assert found.contents == contents.read(session, history.prepare(session))
    assert found.contents.rows["public.users"] == 1
    assert found.contents.head == real_files()[-1].id
    assert abs(datetime.now(UTC) - datetime.fromisoformat(found.at)) < timedelta(minutes=1)
    assert session.conn.execute("SELECT %s::pg_lsn <= pg_current_wal_lsn()", (found.lsn,)).fetchone() == (True,)
    everything = [path, *(path.iterdir() if path.is_dir() else ())]
    assert {stat.S_IMODE(one.stat().st_mode) for one in everything} <= {0o600, 0o700}
    assert stat.S_IMODE(manifest.beside(path).stat().st_mode) == 0o600
    assert sorted(one.name for one in tmp_path.iterdir()) == [path.name, f"{path.name}.json"]


def test_a_folders_sum_can_be_had_by_hand(session: Session, tmp_path: Path) -> None:
    path = take(session, tmp_path, Form.DIRECTORY, parallel=2)
    by_hand = subprocess.run(
        "sha256sum * | sha256sum", shell=True, cwd=path, capture_output=True, text=True, check=True
    )
    assert manifest.read(path).sha256 == by_hand.stdout.split()[0]


def test_the_manifest_is_of_the_snapshot_and_not_of_a_moment_later(session: Session, tmp_path: Path) -> None:
    """Rows that commit while pg_dump runs are neither in the file nor in the count."""
    session.conn.execute("CREATE TABLE t (id int)")
    real = TOOLS.pg_dump(session.server).path
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "pg_dump"
    insert = f'{real.with_name("psql")} -X -q -c "INSERT INTO t VALUES (1)"'
    program.write_text(f'#!/bin/sh\n[ "$1" != --version ] && {insert}\nexec {real} "$@"\n')
    program.chmod(0o700)
    receipt = backup.take(session, into=Into(tmp_path / "out", tools.find(str(tmp_path / "bin"), "")), now=NOW)
    assert session.conn.execute("SELECT count(*) FROM t").fetchone() == (1,)
    assert manifest.read(Path(receipt.path)).contents.rows["public.t"] == 0
    assert "COPY public.t (id) FROM stdin;\n\\.\n" in Path(receipt.path).read_text()


DOUBTS: list[tuple[Callable[[Path], object], str]] = [
    (lambda p: manifest.beside(p).unlink(), f"there is no {STEM}.sql.json beside it"),
    (lambda p: manifest.beside(p).write_text("{"), f"{STEM}.sql.json is not a manifest"),
    (lambda p: manifest.beside(p).write_text("[]"), f"{STEM}.sql.json is not a manifest"),
    (lambda p: manifest.beside(p).write_text('{"manifest": 2}'), f"{STEM}.sql.json is not a manifest"),
    (lambda p: p.write_bytes(p.read_bytes() + b"x"), "bytes and its manifest says"),
    (lambda p: p.write_bytes(p.read_bytes().replace(b"P", b"Q", 1)), "and its manifest says"),
    (lambda p: p.unlink(), "there is only its manifest"),
]


@pytest.mark.parametrize(("spoil", "why"), DOUBTS)
def test_a_backup_that_is_not_as_its_manifest_says_is_named(
    session: Session, tmp_path: Path, spoil: Callable[[Path], object], why: str
) -> None:
    spoil(take(session, tmp_path))
    (one,) = shelf.verified(tmp_path, "development")
    assert one.manifest is None
    assert one.problem
    assert one.problem.startswith(f"{STEM}.sql cannot be trusted: ")
    assert why in one.problem
    assert one.problem.endswith("Take another backup, or name another one.")


def test_a_manifest_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / f"{STEM}.sql").touch()
    (tmp_path / f"{STEM}.sql.json").mkdir()
    with pytest.raises(BackupDoubtful, match="json cannot be read \\(Is a directory\\)"):
        manifest.verify(tmp_path / f"{STEM}.sql")


def test_the_newest_backup_from_before_a_migration_is_found(session: Session, tmp_path: Path) -> None:
    first, second, third = real_files()

    def kept(minute: int) -> str:
        now = NOW + timedelta(minutes=minute)
        return Path(backup.take(session, into=Into(tmp_path, TOOLS), now=now).path).name

    history.prepare(session)
    empty = kept(0)
    bring(session, [first])
    kept(1)
    newer = kept(2)
    session.conn.execute(
        "INSERT INTO schema_migrations (migration_id, name, checksum, environment) VALUES (%s, '', '0', '')",
        (second.id,),
    )
    kept(3)
    found = [shelf.before(tmp_path, "development", older) for older in ([], [first.id], [third.id])]
    assert found == [empty, newer, empty]
    assert shelf.before(tmp_path, "test", [first.id]) is None
    (tmp_path / f"{newer}.json").unlink()
    assert shelf.before(tmp_path, "development", [first.id]) != newer  # nobody knows what is in it


def test_another_environments_backups_are_not_ours(session: Session, tmp_path: Path) -> None:
    take(session, tmp_path)
    (tmp_path / f"development-backup-{STEM}.sql").touch()
    (tmp_path / "development-backup-of-monday.sql").touch()
    assert [one.path.name for one in shelf.listed(tmp_path, "development")] == [f"{STEM}.sql"]
    assert shelf.listed(tmp_path / "nowhere", "development") == ()


def aged(session: Session, folder: Path, *days: int) -> None:
    for age in days:
        backup.take(session, into=Into(folder, TOOLS), now=NOW - timedelta(days=age))
    for one in shelf.listed(folder, "development"):
        said = json.loads(manifest.beside(one.path).read_text())
        said["at"] = datetime.strptime(one.path.name[19:38], "%Y-%m-%dT%H-%M-%S").replace(tzinfo=UTC).isoformat()
        manifest.beside(one.path).write_text(json.dumps(said))


@pytest.mark.parametrize(
    ("keep", "stay"),
    [
        (Keep(), [0, 1, 2, 10]),
        (Keep(count=2), [0, 1]),
        (Keep(span=timedelta(days=2, hours=1)), [0, 1, 2]),
        (Keep(count=1, span=timedelta(days=1, hours=1)), [0, 1]),
        (Keep(count=3, span=timedelta(hours=1)), [0, 1, 2]),
        (Keep(span=timedelta(seconds=1)), [0]),
    ],
)
def test_what_neither_count_nor_age_keeps_goes_and_the_newest_stays(
    session: Session, tmp_path: Path, keep: Keep, stay: list[int]
) -> None:
    aged(session, tmp_path, 10, 2, 1, 0)
    shelf.retire(tmp_path, "development", keep=keep, now=NOW + timedelta(minutes=1))
    left = [f"development-backup-{NOW - timedelta(days=age):%Y-%m-%dT%H-%M-%S}.sql" for age in stay]
    assert sorted(one.name for one in tmp_path.iterdir()) == sorted([*left, *(f"{one}.json" for one in left)])


def test_a_backup_removes_what_need_not_be_kept_of_any_form_but_nothing_without_a_manifest(
    session: Session, tmp_path: Path
) -> None:
    aged(session, tmp_path, 3)
    backup.take(session, into=Into(tmp_path, TOOLS, Form.DIRECTORY), now=NOW - timedelta(days=2))
    stranger = tmp_path / "development-backup-2020-01-01T00-00-00.sql"
    stranger.touch()
    path = take(session, tmp_path, keep=Keep(count=1))
    assert {one.name for one in tmp_path.iterdir()} == {path.name, f"{path.name}.json", stranger.name}


def test_too_little_room_is_said_before_anything_is_written(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = namedtuple("Free", "free")  # noqa: PYI024
    monkeypatch.setattr(shutil, "disk_usage", lambda _: free(1_000_000))
    with pytest.raises(BackupFailed) as caught:
        take(session, tmp_path)
    assert "it needs about " in str(caught.value)
    assert str(caught.value).endswith(
        f" MB in {tmp_path}, where 1.0 MB are free. Nothing was applied. Make room, then ask again."
    )
    assert list(tmp_path.iterdir()) == []


def test_the_last_backup_says_how_much_room_the_next_needs(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(session, tmp_path)
    free = namedtuple("Free", "free")  # noqa: PYI024
    monkeypatch.setattr(shutil, "disk_usage", lambda _: free(1_000_000))
    assert take(session, tmp_path).name == f"{STEM}-2.sql"


@pytest.mark.parametrize("form", list(Form))
def test_a_full_disk_leaves_nothing(session: Session, tmp_path: Path, form: Form) -> None:
    """On a disk of 256 KiB of its own, where that can be had."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "none", disk], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("only root may mount a small disk")
    try:
        session.conn.execute("CREATE TABLE big AS SELECT sha512(i::text::bytea) FROM generate_series(1, 20000) i")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(backup, "_enough_room", lambda *_: None)
            with pytest.raises(BackupFailed) as caught:
                take(session, disk, form)
        assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", disk], check=True)
    assert str(caught.value) == (
        "The backup of development failed: the disk is full. Nothing was applied. Make room, then ask again."
    )


KILLED = """
import sys
from pathlib import Path
from datetime import datetime, UTC
from engine import backup, tools
from engine.backup import Into
from engine.connection import Database, open_session
with open_session(Database("development", False, sys.argv[1]), purpose="killed") as session:
    backup.take(session, into=Into(Path(sys.argv[2]), tools.find(sys.argv[3], "")), now=datetime.now(UTC))
"""


def test_what_a_killed_dump_left_is_cleared_by_the_next_when_nobody_writes_it(
    session: Session, development: Database, tmp_path: Path
) -> None:
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "pg_dump"
    program.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo "pg_dump (PostgreSQL) 18.4" && exit\n'
        f"echo half; echo $$ > {tmp_path}/pid; exec sleep 60\n"
    )
    program.chmod(0o700)
    folder = tmp_path / "out"
    dying = subprocess.Popen([sys.executable, "-c", KILLED, development.dsn, folder, tmp_path / "bin"])
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        time.sleep(0.02)
    dying.kill()
    dying.wait()
    (left,) = folder.iterdir()
    assert (left.name.startswith(".development-"), left.suffix) == (True, ".part")
    take(session, folder)
    assert left.exists()  # the orphan still writes
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
    until = time.monotonic() + 5
    while left.exists() and time.monotonic() < until:
        take(session, folder)
    assert not left.exists()


def test_a_manifest_whose_backup_never_came_is_cleared_by_the_next(session: Session, tmp_path: Path) -> None:
    take(session, tmp_path).unlink()
    path = take(session, tmp_path)
    assert sorted(one.name for one in tmp_path.iterdir()) == [path.name, f"{path.name}.json"]


def test_a_name_that_only_a_file_or_only_a_manifest_has_is_not_taken(session: Session, tmp_path: Path) -> None:
    (tmp_path / f"{STEM}.dir").mkdir()
    assert take(session, tmp_path, Form.DIRECTORY).name == f"{STEM}-2.dir"


def test_rows_that_cannot_be_counted_fail_the_backup(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        with session.conn.transaction():
            session.conn.execute("SELECT 1/0")

    monkeypatch.setattr(contents, "read", refused)
    with pytest.raises(BackupFailed) as caught:
        take(session, tmp_path)
    assert isinstance(caught.value.__cause__, psycopg.Error)
    assert str(caught.value) == (
        "The backup of development failed: its rows could not be counted (22012). Nothing was applied. "
        "Give its role the right to read them all."
    )
    assert list(tmp_path.iterdir()) == []
