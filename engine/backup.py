"""pg_dump of one environment, read back, a manifest beside it: the Receipt, without which nothing is applied."""

import os
import re
import shutil
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import psycopg

from engine import contents, dump, history, shelf
from engine.connection import Session, server_name
from engine.contents import Contents
from engine.dump import Ended, Order
from engine.errors import EngineError
from engine.form import Form
from engine.history import Home
from engine.manifest import Manifest
from engine.shelf import Keep
from engine.tools import Tool, Tools

_HARMLESS = re.compile(r"pg_dump: (warning|detail|hint):")
_CHECK_FOLDER = "Check the folder's permissions and its disk, then ask again."
#: A dump is this much larger than the one before it, at most, or there is little room for it.
_GROWTH = 1.1


@dataclass(frozen=True, slots=True)
class Receipt:
    """A dump that is whole. `path` is where it stands, `sha256` is of the file's bytes (64 hex digits)."""

    path: str
    bytes: int
    sha256: str
    seconds: float
    server_version: str
    tool_version: str


@dataclass(frozen=True, slots=True)
class Into:
    """Back up into this folder with the pg_dump that suits, in this form; then keep what is to be kept.

    `parallel` is how many connections write a directory at the same time.
    """

    folder: Path
    tools: Tools
    form: Form = Form.PLAIN
    parallel: int = 1
    keep: Keep = field(default_factory=Keep)


@dataclass(frozen=True, slots=True)
class NothingToLose:
    """No backup, because the database is empty; `apply.run` checks that it is."""


@dataclass(eq=False)
class BackupFailed(EngineError):
    """No verified backup was made, and no file was left behind."""

    environment: str
    why: str
    next_step: str

    def __str__(self) -> str:
        return f"The backup of {self.environment} failed: {self.why}. Nothing was applied. {self.next_step}"


def take(session: Session, *, into: Into, now: datetime) -> Receipt:
    """A complete dump of the session's database stands in the folder, mode 0600, on disk, read back, with its manifest.

    Named `<environment>-backup-2025-08-18T16-00-00.sql` after `now` in UTC, with -2, -3 … when that is taken. What
    killed dumps left is cleared before, and what need not be kept is removed after. No file is left behind when it
    raises: BackupFailed, PgDumpTooOld, NoPgDump.
    """
    started, environment = time.monotonic(), session.database.environment
    tool = into.tools.pg_dump(session.server)
    home = history.prepare(session)
    try:
        into.folder.mkdir(parents=True, exist_ok=True)
        shelf.clear(into.folder, environment)
        _enough_room(session, into)
        with shelf.unfinished(into.folder, environment, into.form) as (path, descriptor):
            manifest = _dump(session, home, into=into, tool=tool, part=(path, descriptor))
            kept = _name(path, into=into, manifest=manifest, now=now)
        shelf.retire(into.folder, environment, keep=into.keep, now=now)
    except OSError as cause:
        raise BackupFailed(environment, f"{into.folder} cannot be written ({cause.strerror})", _CHECK_FOLDER) from cause
    seconds = time.monotonic() - started
    return Receipt(str(kept), manifest.bytes, manifest.sha256, seconds, manifest.server_version, tool.version)


def _enough_room(session: Session, into: Into) -> None:
    """The disk has room for a dump a little larger than the last of its form, or as large as the database is."""
    environment = session.database.environment
    known = [one.manifest for one in shelf.listed(into.folder, environment) if one.manifest]
    last = next((one.bytes for one in known if one.form is into.form), None)
    needed = int(last * _GROWTH) if last else _size(session)
    free = shutil.disk_usage(into.folder).free
    if free < needed:
        why = f"it needs about {needed / 1e6:,.1f} MB in {into.folder}, where {free / 1e6:,.1f} MB are free"
        raise BackupFailed(environment, why, "Make room, then ask again.")


def _size(session: Session) -> int:
    row = session.conn.execute("SELECT pg_database_size(current_database())").fetchone()
    return row[0] if row else 0


def _dump(session: Session, home: Home, *, into: Into, tool: Tool, part: tuple[Path, int]) -> Manifest:
    """The dump is whole and on disk; what its manifest says was read in the very snapshot that it was made from."""
    path, descriptor = part
    with session.conn.transaction():
        snapshot, at, lsn = _snapshot(session)
        order = Order(tool, into.form, into.parallel, snapshot, path, descriptor)
        ended, found = dump.run(session, order, lambda: _contents(session, home))
    _must_be_whole(session, order, ended)
    if isinstance(found, psycopg.Error):
        why = f"its rows could not be counted ({found.sqlstate})"
        raise BackupFailed(session.database.environment, why, "Give its role the right to read them all.") from found
    _on_disk(order)
    return Manifest(
        environment=session.database.environment,
        database=session.conn.info.dbname,
        form=into.form,
        bytes=ended.bytes,
        sha256=ended.sha256,
        server_version=server_name(session.server),
        tool_version=tool.version,
        at=at.astimezone(UTC).isoformat(),
        lsn=lsn,
        contents=found,
    )


def _snapshot(session: Session) -> tuple[str, datetime, str]:
    """The transaction's snapshot, by the name under which pg_dump can use it too; the time and the place in the WAL."""
    session.conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    row = session.conn.execute("SELECT pg_export_snapshot(), clock_timestamp(), pg_current_wal_lsn()::text").fetchone()
    assert row is not None
    return row[0], row[1], row[2]


def _contents(session: Session, home: Home) -> Contents | psycopg.Error:
    """What the snapshot holds, or why that cannot be read; pg_dump, which needs the same rights, may say it better."""
    try:
        return contents.read(session, home)
    except psycopg.Error as error:
        if session.conn.broken:
            raise
        return error


def _must_be_whole(session: Session, order: Order, ended: Ended) -> None:
    environment = session.database.environment
    complaints = [line for line in ended.said.splitlines() if line and not _HARMLESS.match(line)]
    if ended.code != 0 or complaints:
        raise BackupFailed(environment, *_reason(ended.said, ended.code))
    if not dump.is_complete(order):
        raise BackupFailed(
            environment, "the file does not end as a complete dump does", "Check the disk, then ask again."
        )


def _on_disk(order: Order) -> None:
    """Every byte is on disk, and only the owner may read it."""
    os.fsync(order.descriptor)
    if order.form is Form.DIRECTORY:
        for path in order.path.iterdir():
            path.chmod(0o600)
            with path.open("rb") as file:
                os.fsync(file.fileno())


def _name(path: Path, *, into: Into, manifest: Manifest, now: datetime) -> Path:
    """The backup under its final name, never over another."""
    stem = f"{manifest.environment}-backup-{now.astimezone(UTC):%Y-%m-%dT%H-%M-%S}"
    stems = (f"{stem}-{number}" if number > 1 else stem for number in count(1))
    names = (into.folder / f"{one}{into.form.suffix}" for one in stems)
    return next(one for one in names if shelf.name(path, into=one, manifest=manifest))


#: Words of pg_dump → what we say, and what a person can do. Its own text may hold values, so it is never repeated.
_REASONS = (
    ("permission denied", "its role may not read everything", "Grant it pg_read_all_data, or make it the owner."),
    (
        "row-level security",
        "row-level security hides rows from its role",
        "Grant the role BYPASSRLS, or make it the owner.",
    ),
    # Its --lock-wait-timeout is a statement_timeout while it takes its locks.
    ("timeout", "a table stayed locked by another session", "Wait until that ends, then ask again."),
    ("No space left", "the disk is full", "Make room, then ask again."),
    ("server version mismatch", "pg_dump is older than the server", "Set PG_BIN to the folder of a newer one."),
    ("connection to server", "pg_dump could not connect", "Check that the server is up, then ask again."),
)


def _reason(said: str, code: int) -> tuple[str, str]:
    found = next(((why, step) for words, why, step in _REASONS if words in said), None)
    if found:
        return found
    ended = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
    return f"pg_dump {ended}", "Run pg_dump by hand to see why, then ask again."
