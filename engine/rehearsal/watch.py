"""What a run really did to others: who waited for it, and what the server counted before, during and after."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import Any

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

_PULSE = """
SELECT extract(epoch FROM clock_timestamp())::float8, deadlocks, xact_rollback, xact_commit,
  (SELECT count(DISTINCT pid) FROM pg_catalog.pg_locks l WHERE NOT granted AND l.database = d.datid)
FROM pg_catalog.pg_stat_database d WHERE datname = current_database()
"""


@dataclass(frozen=True, slots=True)
class Actual:
    """Who waited for a run: how many statements, and how long the longest, in seconds. `looks` is how often we looked.

    None of it is known where `looks` is 0.
    """

    queries: int
    longest: float
    looks: int

    def as_json(self) -> dict[str, Any]:
        """The same in JSON's own kinds of value."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Pulse:
    """What the server has counted of one database until now, and how many of its sessions wait for a lock."""

    at: float
    deadlocks: int
    rollbacks: int
    commits: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """What happened between the first and the last of some pulses; `waiting` is the most that waited at one of them."""

    seconds: float
    deadlocks: int
    rollbacks: int
    commits: int
    waiting: int

    def as_json(self) -> dict[str, Any]:
        """The same in JSON's own kinds of value."""
        return asdict(self)


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


def pulse(session: Session) -> Pulse:
    """The counters as they are."""
    row = session.conn.execute(_PULSE).fetchone()
    assert row is not None
    return Pulse(*row)


def stretch(pulses: Sequence[Pulse]) -> Stretch:
    """What happened from the first to the last of at least one pulse."""
    first, last = pulses[0], pulses[-1]
    return Stretch(
        seconds=round(last.at - first.at, 3),
        deadlocks=last.deadlocks - first.deadlocks,
        rollbacks=last.rollbacks - first.rollbacks,
        commits=last.commits - first.commits,
        waiting=max(one.waiting for one in pulses),
    )
