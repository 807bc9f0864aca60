"""One migration in one transaction with its history row."""

import time
from contextlib import suppress
from dataclasses import dataclass

import psycopg
from psycopg import generators
from psycopg.pq import ExecStatus

from engine import history, lock
from engine.connection import Session
from engine.errors import ConnectionLost, EngineError, LockNotHeld
from engine.history import Entry, Home


class Stopped(Exception):
    """The server refused, and everything was rolled back.

    `statement` counts from 0 in the file; None when the refusal came after the file's own text.
    """

    def __init__(self, error: psycopg.Error, statement: int | None) -> None:
        super().__init__(error, statement)
        self.error, self.statement = error, statement


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


def commit(session: Session, home: Home, entry: Entry) -> float:
    """The migration and its history row committed together; gives the seconds its text took.

    Raises Stopped or LostLock after everything was rolled back, LeftTransaction, ConnectionLost.
    """
    ours = _begin(session)
    try:
        started = time.monotonic()
        _send(session, entry.text)
        seconds = time.monotonic() - started
        _finish(session, home, entry, ours=ours, seconds=seconds)
    except (Stopped, LeftTransaction, LostLock):
        with suppress(psycopg.Error):  # a session that broke meanwhile was rolled back by the server
            session.conn.execute("ROLLBACK")
        raise
    return seconds


def _begin(session: Session) -> str:
    """Open the transaction; gives its id."""
    cursor = session.conn.execute("BEGIN; SELECT pg_catalog.pg_current_xact_id()::text")
    cursor.nextset()
    row = cursor.fetchone()
    return str(row[0]) if row else ""


def _send(session: Session, text: str) -> None:
    """The whole text at once, as it is: the simple protocol takes many statements and no parameters."""
    conn = session.conn
    with conn.lock:
        conn.pgconn.send_query(text.encode())
        results = conn.wait(generators.execute(conn.pgconn))
    if conn.broken:
        raise ConnectionLost(session.database.environment)
    # One result per statement, so the count of those before the error says which statement it was.
    if results[-1].status == ExecStatus.FATAL_ERROR:
        raise Stopped(psycopg.errors.error_from_result(results[-1], encoding="utf-8"), len(results) - 1)


def _finish(session: Session, home: Home, entry: Entry, *, ours: str, seconds: float) -> None:
    try:
        if history.record(session, home, entry, seconds=seconds) != ours:
            raise LeftTransaction(session.database.environment, entry.id)
        lock.check(session)
        session.conn.execute("COMMIT")
    except LockNotHeld as cause:
        raise LostLock(session.database.environment, entry.id) from cause
    except psycopg.Error as cause:
        if session.conn.broken:
            raise ConnectionLost(session.database.environment) from cause
        raise Stopped(cause, None) from cause
