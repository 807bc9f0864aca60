"""Others in the way: what passes is tried again, bounded and with jitter; who kept us waiting is seen from beside."""

import random
from collections.abc import Callable
from contextlib import suppress

import psycopg

from engine import connection
from engine.connection import Connection, Session
from engine.errors import EngineError
from engine.report import Blocked, Blocker, Step

#: A lock not granted in time, a deadlock, a serialization failure.
PASSING = ("55P03", "40P01", "40001")
TRIES = 5

_LONGEST_PAUSE = 15.0
_SHORTEST_LOOK = 0.02

#: Never the query's text: it may hold values. Of other roles' sessions the server may not tell when they began.
_BLOCKERS = """
SELECT a.pid, coalesce(a.usename::text, a.backend_type), extract(epoch FROM clock_timestamp() - a.xact_start)::float8,
  to_char(a.query_start AT TIME ZONE 'UTC', 'HH24:MI:SS')
FROM unnest(pg_catalog.pg_blocking_pids(%s)) AS b(pid) JOIN pg_catalog.pg_stat_activity a USING (pid)
GROUP BY 1, 2, 3, 4 ORDER BY 3 DESC NULLS LAST
"""


def pause(session: Session, tries: int) -> float:
    """Seconds to let others through before the next try: about as long as they queued behind us, then twice that …"""
    queued = max(session.limits.lock_timeout.total_seconds(), _SHORTEST_LOOK)
    return min(queued * random.uniform(0.5, 1.5) * 2 ** (tries - 1), _LONGEST_PAUSE)  # noqa: S311 - only spread apart


class Lookout:
    """Looks who keeps a session waiting, from a connection of its own, opened when there is something to see."""

    def __init__(self, session: Session, tell: Callable[[Step], None]) -> None:
        self._session, self._tell = session, tell
        self._beside: Connection | None = None
        self.patience = max(session.limits.lock_timeout.total_seconds() / 2, _SHORTEST_LOOK)
        self.migration = ""
        self.seen: tuple[Blocker, ...] = ()

    def watch(self, migration: str) -> None:
        """From now on it is this migration that may be kept waiting."""
        self.migration, self.seen = migration, ()

    def look(self) -> None:
        """Name who is in the way now, if anybody is, and anew when that changes. Not seeing anything is no harm."""
        found = self._found()
        if found and [one.pid for one in found] != [one.pid for one in self.seen]:
            self._tell(Blocked(self.migration, found))
        self.seen = found or self.seen

    def _found(self) -> tuple[Blocker, ...]:
        with suppress(psycopg.Error, EngineError):
            self._beside = self._beside or connection.beside(self._session)
            rows = self._beside.execute(_BLOCKERS, (self._session.conn.info.backend_pid,)).fetchall()
            return tuple(Blocker(*row) for row in rows)
        return ()

    def close(self) -> None:
        """The connection beside is gone."""
        if self._beside:
            self._beside.close()
