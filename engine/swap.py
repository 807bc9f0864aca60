"""Exchange two databases' names in one transaction, while nobody can get into the one that everybody uses."""

import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from engine.connection import Session
from engine.errors import EngineError

_PAUSE = 0.01


@dataclass(eq=False)
class StillInUse(EngineError):
    """Sessions that the role may not end, or that do not end, are in a database. `who` is a phrase for each."""

    environment: str
    database: str
    who: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{self.environment} was not touched: {', '.join(self.who) or 'somebody'} is still in {self.database}. "
            "End that session, or grant our role pg_signal_backend, then ask again."
        )


def swap(maintenance: Session, ender: Session, session: Session, *, new: str, kept: str) -> None:
    """The session's database is called `kept` and `new` has its name, at one moment or not at all.

    The rename itself keeps newcomers out: it holds the database's lock, which each of them needs, while it waits a few
    seconds for those inside to go. `ender` ends them meanwhile, and `session`, which holds the environment's lock, is
    the last to go. Raises StillInUse.
    """
    database, own = session.conn.info.dbname, session.conn.info.backend_pid
    try:
        with ThreadPoolExecutor(1) as aside, maintenance.conn.transaction():
            renamed = aside.submit(_rename, maintenance, database, kept)
            _end_all(ender, session, renamed, barred_by=maintenance.conn.info.backend_pid, own=own)
            renamed.result()
            _rename(maintenance, new, database)
    except psycopg.errors.ObjectInUse as cause:
        raise StillInUse(session.database.environment, database, _who(ender, database)) from cause


def _rename(maintenance: Session, old: str, new: str) -> None:
    maintenance.conn.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(old), sql.Identifier(new)))


def _end_all(ender: Session, session: Session, renamed: Future[None], *, barred_by: int, own: int) -> None:
    database = session.conn.info.dbname
    while not renamed.done():
        if not session.conn.closed and _is_barred(ender, database, by=barred_by):
            others = _ended(ender, database, but=own)
            if not others:
                session.conn.close()
        time.sleep(_PAUSE)


def _is_barred(ender: Session, database: str, *, by: int) -> bool:
    """Whether the session `by` has the lock that every newcomer to the database needs."""
    row = ender.conn.execute(
        "SELECT FROM pg_locks WHERE pid = %s AND locktype = 'object' AND classid = 'pg_database'::regclass"
        " AND objid = (SELECT oid FROM pg_database WHERE datname = %s) AND mode = 'AccessExclusiveLock' AND granted",
        (by, database),
    ).fetchone()
    return row is not None


def _ended(ender: Session, database: str, *, but: int) -> Sequence[int]:
    """Who is in the database at this moment; each was told to end."""
    inside = ender.conn.execute(
        "SELECT pid FROM pg_stat_activity WHERE datname = %s AND pid <> %s AND backend_type <> 'autovacuum worker'",
        (database, but),
    ).fetchall()
    for (pid,) in inside:
        with suppress(psycopg.errors.InsufficientPrivilege):
            ender.conn.execute("SELECT pg_terminate_backend(%s)", (pid,))
    return [pid for (pid,) in inside]


def _who(ender: Session, database: str) -> tuple[str, ...]:
    rows: list[tuple[Any, ...]] = ender.conn.execute(
        "SELECT coalesce(nullif(application_name, ''), 'a session'), usename::text, pid FROM pg_stat_activity"
        " WHERE datname = %s ORDER BY pid",
        (database,),
    ).fetchall()
    return tuple(f"{name} of {role} (pid {pid})" for name, role, pid in rows)
