"""pg_dump of one environment into a file that was read back: the Receipt, without which nothing is applied."""

import hashlib
import os
import re
import secrets
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import BinaryIO

from engine.connection import Connection, Session, milliseconds, server_name
from engine.errors import EngineError
from engine.tools import Tool, Tools

_COMPLETE = b"-- PostgreSQL database dump complete"
#: Newer dumps end with a line after the one that says they are complete.
_TAIL = 4096
_HARMLESS = re.compile(r"pg_dump: (warning|detail|hint):")
_CHECK_FOLDER = "Check the folder's permissions and its disk, then ask again."


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
    """Back up into this folder with the pg_dump that suits."""

    folder: Path
    tools: Tools


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
    """A complete dump of the session's database stands in the folder, mode 0600, on disk and read back.

    Named `<environment>-backup-2025-08-18T16-00-00.sql` after `now` in UTC, with -2, -3 … when that is taken. No
    file is left behind when it raises: BackupFailed, PgDumpTooOld, NoPgDump. Whoever calls holds the environment's
    lock: an unfinished file that is found there has nobody who would finish it.
    """
    started, environment = time.monotonic(), session.database.environment
    tool = into.tools.pg_dump(session.server)
    stem = f"{environment}-backup-{now.astimezone(UTC):%Y-%m-%dT%H-%M-%S}"
    unfinished = into.folder / f".{stem}.{secrets.token_hex(4)}.part"
    try:
        into.folder.mkdir(parents=True, exist_ok=True)
        _clear(into.folder, environment)
        _dump(session, tool, unfinished)
        size, sha256 = _read_back(environment, unfinished)
        path = _keep(unfinished, stem)
    except OSError as cause:
        raise BackupFailed(environment, f"{into.folder} cannot be written ({cause.strerror})", _CHECK_FOLDER) from cause
    finally:
        with suppress(OSError):  # gone already when all went well
            unfinished.unlink()
    seconds = time.monotonic() - started
    return Receipt(str(path), size, sha256, seconds, server_name(session.server), tool.version)


def _clear(folder: Path, environment: str) -> None:
    """What a killed run left unfinished is gone. It holds rows, and nobody will ever read it."""
    unfinished = re.compile(rf"\.{re.escape(environment)}-backup-[0-9-]{{10}}T[0-9-]{{8}}\.[0-9a-f]{{8}}\.part")
    for path in folder.iterdir():
        if unfinished.fullmatch(path.name):
            with suppress(OSError):
                path.unlink()


def _dump(session: Session, tool: Tool, path: Path) -> None:
    wait = milliseconds(session.limits.lock_timeout)
    command = [tool.path, "--format=plain", "--no-password", f"--lock-wait-timeout={wait}"]
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        code, said = _run(command, surroundings(session.conn), file)
        os.fsync(file.fileno())
    complaints = [line for line in said.splitlines() if line and not _HARMLESS.match(line)]
    if code != 0 or complaints:
        raise BackupFailed(session.database.environment, *_reason(said, code))


def _run(command: Sequence[str | Path], env: Mapping[str, str], into: BinaryIO) -> tuple[int, str]:
    """The program's exit code and what it said. Whatever stops us stops it too."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=into, stderr=subprocess.PIPE, env=env) as program:
        try:
            _, said = program.communicate()
        except BaseException:
            program.kill()
            raise
    return program.returncode, said.decode(errors="replace")


def surroundings(conn: Connection) -> dict[str, str]:
    """What leads libpq's programs to where `conn` is, as environment variables made from nothing else.

    The password travels only here: a command line can be read by every account of the machine.
    """
    env = {o.envvar.decode(): o.val.decode() for o in conn.pgconn.info if o.envvar and o.val}
    # Of several hosts and of a password file, what this very session came to use.
    env |= {"PGHOST": conn.info.host, "PGPORT": str(conn.info.port), "PGDATABASE": conn.info.dbname}
    env |= {"PGPASSWORD": conn.info.password} if conn.info.password else {}
    return env | {"PGAPPNAME": "twokey backup", "LC_ALL": "C"}


def _read_back(environment: str, path: Path) -> tuple[int, str]:
    """The file's size and hash, read from the file; raises BackupFailed when the dump does not say it is complete."""
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        size = file.tell()
        file.seek(max(size - _TAIL, 0))
        tail = file.read()
    if _COMPLETE not in tail.splitlines():
        raise BackupFailed(
            environment, "the file does not end as a complete dump does", "Check the disk, then ask again."
        )
    return size, sha256


def _keep(unfinished: Path, stem: str) -> Path:
    """The file under its final name, never over another; the folder itself is on disk."""
    names = (f"{stem}-{number}.sql" if number > 1 else f"{stem}.sql" for number in count(1))
    path = next(path for name in names if _linked(path := unfinished.with_name(name), unfinished))
    unfinished.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return path


def _linked(path: Path, unfinished: Path) -> bool:
    """Whether the file got this name; False when another has it."""
    try:
        path.hardlink_to(unfinished)
    except FileExistsError:
        return False
    return True


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
