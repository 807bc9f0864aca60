"""One migration in one transaction with its history row, its text sent whole: for what the parser cannot take apart."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import psycopg
from psycopg import generators
from psycopg.pq import ExecStatus

from engine import history, lock, statements
from engine.connection import Session
from engine.errors import ConnectionLost, EngineError, LockNotHeld
from engine.statements import BadStatement


@dataclass(frozen=True, slots=True)
class Part:
    """What stays of a migration that is no transaction: `done` of its statements, and what is invalid, by name.

    `leftovers` are indexes, `unvalidated` constraints as `name on table`.
    """

    done: int
    of: int
    leftovers: tuple[str, ...]
    unvalidated: tuple[str, ...] = ()


class Stopped(Exception):
    """The server refused, and everything was rolled back, or `stays` says what was not.

    `place` counts characters from 0 in the file's text; None when nothing of the text is to blame.
    """

    def __init__(self, error: psycopg.Error, place: int | None, stays: Part | None = None) -> None:
        super().__init__(error, place, stays)
        self.error, self.place, self.stays = error, place, stays


@dataclass(eq=False)
class LeftTransaction(EngineError):
    """A migration ended the transaction it was run in, so what it did before may have committed without its row."""

    environment: str
    migration: str

    def __str__(self) -> str:
        return (
            f"{self.migration}.sql left its transaction on {self.environment}, so part of it may have committed "
            f"without a history row. Look at {self.environment} by hand before applying again."
        )


@dataclass(eq=False)
class LostLock(EngineError):
    """A migration let go of the environment's lock; it was rolled back, and another run may have begun."""

    environment: str
    migration: str

    def __str__(self) -> str:
        return (
            f"{self.migration}.sql let go of the lock that keeps other runs out of {self.environment}, so it was "
            "rolled back and nothing after it was tried. Take advisory locks in it with pg_advisory_xact_lock() alone."
        )


def commit(session: Session, migration: str, text: str, *, record: Callable[[], float]) -> float:
    """The text ran and what it did was recorded, committed together; gives what `record` gives, the seconds it took.

    Raises Stopped or LostLock after everything was rolled back, LeftTransaction, ConnectionLost.
    """
    try:
        lock.check(session)
        session.conn.execute(f"BEGIN; {history.MARK}")
        _send(session, text)
        seconds = record()
        lock.check(session)
        session.conn.execute("COMMIT")
    except (Stopped, LockNotHeld, psycopg.Error) as cause:
        raise refused(session, migration, cause) from cause
    return seconds


def refused(session: Session, migration: str, cause: Stopped | LockNotHeld | psycopg.Error) -> Exception:
    """What the refusal means for this migration. Unless the server is gone, everything is rolled back."""
    environment = session.database.environment
    if session.conn.broken:
        return ConnectionLost(environment)
    with suppress(psycopg.Error):  # a session that broke meanwhile was rolled back by the server
        session.conn.execute("ROLLBACK")
    if isinstance(cause, LockNotHeld):
        return LostLock(environment, migration)
    stopped = cause if isinstance(cause, Stopped) else Stopped(cause, None)
    return LeftTransaction(environment, migration) if history.left(stopped.error) else stopped


def _send(session: Session, text: str) -> None:
    """The whole text at once, as it is: the simple protocol takes many statements and no parameters."""
    conn = session.conn
    with conn.lock:
        conn.pgconn.send_query(text.encode())
        results = conn.wait(generators.execute(conn.pgconn))
    if results[-1].status == ExecStatus.FATAL_ERROR:
        error = psycopg.errors.error_from_result(results[-1], encoding="utf-8")
        raise Stopped(error, _place(text, error.diag.statement_position, statement=len(results) - 1))


def _place(text: str, position: str | None, *, statement: int) -> int | None:
    """Where the server's error points; else where the statement begins. One answer came for each before it."""
    if position:
        return int(position) - 1
    with suppress(BadStatement):
        return statements.split("", text)[statement].start
    return None
