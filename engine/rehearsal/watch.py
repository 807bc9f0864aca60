"""What a run really did to others: who waited for it, and for how long."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass

import psycopg

from engine import connection
from engine.connection import Connection, Session
from engine.errors import EngineError

#: Who waits for less than this may not be seen.
NAP = 0.05

_WAITING = """
SELECT DISTINCT pid, virtualtransaction FROM pg_catalog.pg_locks
WHERE NOT granted AND pid <> %(pid)s AND %(pid)s = ANY(pg_catalog.pg_blocking_pids(pid))
"""


@dataclass(frozen=True, slots=True)
class Actual:
    """Who waited for a run: how many statements, and how long the longest, in seconds. `looks` is how often we looked.

    None of it is known where `looks` is 0.
    """

    queries: int
    longest: float
    looks: int


class Watch:
    """Who was seen waiting for one session so far."""

    def __init__(self) -> None:
        self._seen: dict[tuple[int, str], tuple[float, float]] = {}
        self._looks = 0

    def look(self, beside: Connection, pid: int) -> None:
        """Note who waits now."""
        now = time.monotonic()
        for who in beside.execute(_WAITING, {"pid": pid}).fetchall():
            first, _ = self._seen.get(who, (now, now))
            self._seen[who] = first, now
        self._looks += 1

    @property
    def actual(self) -> Actual:
        """What was seen so far."""
        spans = [last - first + NAP for first, last in self._seen.values()]
        return Actual(len(spans), round(max(spans, default=0.0), 3), self._looks)


@contextmanager
def during(session: Session) -> Iterator[Watch]:
    """Who waits for this session is watched, from a connection beside it, until the block ends.

    Not seeing anything is no harm to the run: where no second connection can be had, `looks` is 0.
    """
    watch, done, pid = Watch(), threading.Event(), session.conn.info.backend_pid

    def follow() -> None:
        with suppress(psycopg.Error, EngineError), closing(connection.beside(session)) as beside:
            while not done.is_set():
                watch.look(beside, pid)
                done.wait(NAP)

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        done.set()
        thread.join()
