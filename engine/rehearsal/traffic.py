"""What goes on in an environment now: reads and writes of each table, who stands in the way, how far replicas lag."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from engine.connection import Session

_COUNTED = """
SELECT s.schemaname || '.' || s.relname, s.seq_scan + coalesce(s.idx_scan, 0), s.n_tup_ins + s.n_tup_upd + s.n_tup_del,
  ARRAY(SELECT n.nspname || '.' || c.relname FROM pg_catalog.pg_index i
    JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE i.indrelid = s.relid),
  extract(epoch FROM clock_timestamp())::float8
FROM pg_catalog.pg_stat_user_tables s
"""

#: Of other roles' sessions the server may not tell what they are. Before 14 it does not count who ever connected.
_CONNECTED = """
SELECT (SELECT count(*) FROM pg_catalog.pg_stat_activity a WHERE a.datid = d.datid
    AND a.pid <> pg_catalog.pg_backend_pid() AND coalesce(a.backend_type, 'client backend') = 'client backend'),
  (to_jsonb(d) ->> 'sessions')::bigint
FROM pg_catalog.pg_stat_database d WHERE d.datname = current_database()
"""

#: Never the query's text: it may hold values. Of other roles' sessions the server may not tell what they do.
_HINDRANCES = """
WITH locked AS (
  SELECT l.pid, array_agg(DISTINCT n.nspname || '.' || c.relname) AS relations
  FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_class c ON c.oid = l.relation
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE l.granted AND l.locktype = 'relation' AND n.nspname || '.' || c.relname = ANY(%s)
    AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
  GROUP BY 1
), sessions AS (
  SELECT a.pid, coalesce(a.usename::text, a.backend_type) AS role, locked.relations,
    extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS age,
    CASE WHEN a.application_name IN ('pg_dump', 'pg_dumpall', 'twokey backup') THEN 'dump'
      WHEN a.backend_type = 'autovacuum worker' AND a.query LIKE '%%to prevent wraparound%%' THEN 'wraparound vacuum'
      WHEN a.state LIKE 'idle in transaction%%' THEN 'idle in transaction'
      ELSE 'transaction' END AS kind
  FROM pg_catalog.pg_stat_activity a LEFT JOIN locked USING (pid)
  WHERE a.pid <> pg_catalog.pg_backend_pid() AND a.datname = current_database()
    AND (a.xact_start IS NOT NULL OR locked.relations IS NOT NULL)
)
SELECT kind, pid, role, age, coalesce(relations, '{}') FROM sessions
WHERE kind <> 'transaction' OR age >= %s OR relations IS NOT NULL ORDER BY age DESC NULLS LAST, pid
"""

_REPLICAS = """
SELECT application_name, pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), replay_lsn)::bigint,
  extract(epoch FROM replay_lag)::float8
FROM pg_catalog.pg_stat_replication ORDER BY 1
"""

#: A transaction that is older than this keeps others waiting for longer than a lock_timeout.
LONG = 5.0


@dataclass(frozen=True, slots=True)
class Traffic:
    """How often each table was read and written since the server began to count, `at` that many seconds.

    `tables` are those of the indexes, by name. `sessions` others have now; `connected` is how many there ever were,
    None where the server does not count them.
    """

    at: float
    reads: Mapping[str, int]
    writes: Mapping[str, int]
    tables: Mapping[str, str]
    sessions: int
    connected: int | None


@dataclass(frozen=True, slots=True)
class Hindrance:
    """A session that a run would wait for, or that is about to be one.

    `kind` is "dump", "wraparound vacuum", "idle in transaction" or "transaction"; `seconds` the age of its transaction,
    None where we may not know; `holds` those of the plan's relations that it has locked.
    """

    kind: str
    pid: int
    role: str
    seconds: float | None
    holds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Replica:
    """How far a replica is behind, in bytes of WAL and in seconds; None where it does not say."""

    name: str
    bytes: int | None
    seconds: float | None


def read(session: Session) -> Traffic:
    """The counters as they are. Two of these, some seconds apart, make rates."""
    rows = session.conn.execute(_COUNTED).fetchall()
    connected = session.conn.execute(_CONNECTED).fetchone()
    assert connected is not None
    return Traffic(
        at=rows[0][4] if rows else 0.0,
        reads={name: reads for name, reads, *_ in rows},
        writes={name: writes for name, _, writes, *_ in rows},
        tables={index: name for name, _, _, indexes, _ in rows for index in indexes},
        sessions=connected[0],
        connected=connected[1],
    )


def hindrances(session: Session, relations: Collection[str]) -> tuple[Hindrance, ...]:
    """Who stands in the way of a run that locks these relations, the oldest first."""
    rows = session.conn.execute(_HINDRANCES, (list(relations), LONG))
    return tuple(Hindrance(kind, pid, role, age, tuple(sorted(holds))) for kind, pid, role, age, holds in rows)


def replicas(session: Session) -> tuple[Replica, ...]:
    """Every replica that hangs on the session's server."""
    return tuple(Replica(*row) for row in session.conn.execute(_REPLICAS))
