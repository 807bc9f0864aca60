"""pg_dump of one environment into a file that was read back: the Receipt, without which nothing is applied."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from engine.connection import Session
from engine.errors import EngineError
from engine.tools import Tools


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
    file is left behind when it raises: BackupFailed, PgDumpTooOld, NoPgDump.
    """
    raise NotImplementedError(session, into, now)
