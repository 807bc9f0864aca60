"""How a database fares at one moment: what its server has counted, and who waits for a lock."""

from dataclasses import dataclass
from datetime import datetime

from engine.connection import Session

# Of other roles' sessions the server may not tell what they wait for, but pg_locks shows every role who waits.
# https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-DATABASE-VIEW
_FELT = """
SELECT d.stats_reset, d.deadlocks, d.xact_rollback, d.xact_commit,
  (SELECT count(DISTINCT l.pid) FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a USING (pid)
    WHERE NOT l.granted AND a.datid = d.datid AND a.application_name NOT LIKE 'twokey %')
FROM pg_catalog.pg_stat_database d WHERE d.datname = pg_catalog.current_database()
"""


@dataclass(frozen=True, slots=True)
class Pulse:
    """What the server has counted of this database since `since` (None: since it exists), and who waits now.

    `deadlocks`, `rollbacks` and `commits` only grow until they begin anew; `waiting` are sessions, ours left out.
    """

    since: datetime | None
    deadlocks: int
    rollbacks: int
    commits: int
    waiting: int


def take(session: Session) -> Pulse:
    """The pulse of the session's database."""
    row = session.conn.execute(_FELT).fetchone()
    assert row
    return Pulse(*row)
