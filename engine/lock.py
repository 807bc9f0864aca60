"""One run at a time per database: a session advisory lock, so a dead worker lets go by dying."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg

from engine.connection import Session
from engine.errors import EnvironmentBusy, LockNotHeld
from engine.report import Step, Waiting

#: pg_advisory_lock(classid, objid): "2key" in ASCII, and the one lock we have. Advisory locks are per database.
CLASS, OBJECT = 0x326B6579, 1

_POLL = timedelta(milliseconds=200)

_HOLDERS = """
SELECT l.pid, a.application_name, a.backend_start AT TIME ZONE 'UTC', l.pid = pg_backend_pid()
FROM pg_locks l JOIN pg_database d ON d.oid = l.database LEFT JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.classid = %s AND l.objid = %s AND l.objsubid = 2 AND l.granted
  AND d.datname = current_database()
"""


#: Fails, by a division by zero, in a session that does not hold the lock. No operator is looked up by the search_path,
#: which a migration may have set.
GUARD = (
    b"SELECT 1 OPERATOR(pg_catalog./) pg_catalog.count(*) FROM pg_catalog.pg_locks"
    b" WHERE pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid() AND granted"
    b" AND locktype OPERATOR(pg_catalog.=) 'advisory' AND classid OPERATOR(pg_catalog.=) %d"
    b" AND objid OPERATOR(pg_catalog.=) %d AND objsubid OPERATOR(pg_catalog.=) 2" % (CLASS, OBJECT)
)


@contextmanager
def only_one(
    session: Session, *, wait: timedelta = timedelta(0), tell: Callable[[Step], None] = lambda _: None
) -> Iterator[None]:
    """Hold the environment's lock for the length of the block, on the session that will run the DDL.

    Polls outside any transaction, because a session that blocks in pg_advisory_lock keeps a snapshot that
    CREATE INDEX CONCURRENTLY waits for: a deadlock. Whoever waits is told who holds it (`Waiting`), anew when that
    changes. Raises EnvironmentBusy after `wait`; LockNotHeld when a pooler gave the lock to another backend.
    """
    _take(session, wait, tell)
    try:
        check(session)
        yield
    except BaseException:  # whatever it is, it is not to be hidden by a lock that is gone as well
        _let_go(session)
        raise
    if not _let_go(session):
        raise LockNotHeld(session.database.environment)


def check(session: Session) -> None:
    """This session's backend holds the lock. Raises LockNotHeld."""
    asked(session)()


def asked(session: Session) -> Callable[[], None]:
    """What `check` asks, sent; the answer is judged, as `check` judges it, when it is called for."""
    answer = session.conn.execute(_HOLDERS, (CLASS, OBJECT))

    def judged() -> None:
        row = answer.fetchone()
        if not (row and row[3]):
            raise LockNotHeld(session.database.environment)

    return judged


def _take(session: Session, wait: timedelta, tell: Callable[[Step], None]) -> None:
    until = time.monotonic() + wait.total_seconds()
    told = ""
    while not _try(session):
        holder = _holder(session)
        if holder != told:
            tell(Waiting(holder))
            told = holder
        if time.monotonic() >= until:
            raise EnvironmentBusy(session.database.environment, holder, wait.total_seconds())
        time.sleep(min(_POLL.total_seconds(), max(0.0, until - time.monotonic())))


def _try(session: Session) -> bool:
    row = session.conn.execute("SELECT pg_try_advisory_lock(%s, %s)", (CLASS, OBJECT)).fetchone()
    return bool(row and row[0])


def _holder(session: Session) -> str:
    row = session.conn.execute(_HOLDERS, (CLASS, OBJECT)).fetchone()
    if row is None:
        return "a run that just ended"
    pid, name, since, _ = row
    return f"{name or 'a session'} (pid {pid}" + (f", since {since:%H:%M:%S} UTC)" if since else ")")


def _let_go(session: Session) -> bool:
    """Whether the lock was ours until now. A session that died or broke has let go already."""
    conn = session.conn
    if conn.closed or conn.pgconn.transaction_status != psycopg.pq.TransactionStatus.IDLE:
        return True
    row = conn.execute("SELECT pg_advisory_unlock(%s, %s)", (CLASS, OBJECT)).fetchone()
    return bool(row and row[0])
