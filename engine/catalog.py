"""The live catalog as the hazard rules read it: two queries per plan, estimates only, and nobody is waited for."""

from contextlib import suppress
from typing import Any

import psycopg
from psycopg import sql

from engine.connection import Session
from engine.hazards.catalog import Catalog, ForeignKey, Index, Key, Read, Relation

# Estimates from pg_class and the statistics, never pg_relation_size(): that opens the table and would wait for whoever
# holds it. The counters themselves, never the views over them, which group the whole catalog anew. A view's readers are
# found through the rule that makes it a view.
_ASK = """
WITH spaces AS (
  SELECT oid, nspname FROM pg_catalog.pg_namespace
  WHERE nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND nspname !~ '^pg_(temp|toast_temp)_'
), rels AS (
  SELECT c.oid, c.relname, c.relkind, c.relpages, c.reltuples, c.reltoastrelid, s.nspname
  FROM pg_catalog.pg_class c JOIN spaces s ON s.oid = c.relnamespace
), indexed AS (
  SELECT x.indrelid, sum(i.relpages) AS pages FROM pg_catalog.pg_index x JOIN rels i ON i.oid = x.indexrelid GROUP BY 1
), attributes AS (
  SELECT a.attrelid, json_object_agg(a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod)) AS columns
  FROM pg_catalog.pg_attribute a JOIN rels c ON c.oid = a.attrelid
  WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') AND a.attnum > 0 AND NOT a.attisdropped GROUP BY 1
)
SELECT 'relation', json_build_array(c.oid::bigint, c.nspname, c.relname, c.relkind,
    pg_catalog.pg_table_is_visible(c.oid),
    CASE WHEN c.relkind IN ('r', 'm', 'p', 'f')
      THEN nullif(greatest(c.reltuples::bigint,
        CASE WHEN c.relkind <> 'f' THEN pg_catalog.pg_stat_get_live_tuples(c.oid) END, -1), -1) END,
    (c.relpages::bigint + coalesce(i.pages, 0) + coalesce(o.relpages, 0)) * current_setting('block_size')::bigint,
    a.columns)
  FROM rels c LEFT JOIN indexed i ON i.indrelid = c.oid LEFT JOIN attributes a ON a.attrelid = c.oid
  LEFT JOIN pg_catalog.pg_class o ON o.oid = c.reltoastrelid AND c.reltoastrelid <> 0
  WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S')
UNION ALL
SELECT 'foreign key', json_build_array(k.conname, k.conrelid::bigint, k.confrelid::bigint,
    (SELECT json_agg(a.attname) FROM pg_catalog.pg_attribute a
      WHERE a.attrelid = k.conrelid AND a.attnum = ANY(k.conkey)),
    (SELECT json_agg(a.attname) FROM pg_catalog.pg_attribute a
      WHERE a.attrelid = k.confrelid AND a.attnum = ANY(k.confkey)))
  FROM pg_catalog.pg_constraint k JOIN rels c ON c.oid = k.conrelid WHERE k.contype = 'f'
UNION ALL
SELECT 'index', json_build_array(i.nspname, i.relname, x.indrelid::bigint, x.indisvalid,
    pg_catalog.pg_table_is_visible(i.oid), i.relpages::bigint * current_setting('block_size')::bigint,
    pg_catalog.pg_stat_get_numscans(i.oid), pg_catalog.pg_stat_get_numscans(i.oid) > 0
      AND coalesce({last_scan} > now() - interval '30 days', true), {last_scan}::date)
  FROM pg_catalog.pg_index x JOIN rels i ON i.oid = x.indexrelid
UNION ALL
SELECT 'inherits', json_build_array(inhparent::bigint, inhrelid::bigint) FROM pg_catalog.pg_inherits
UNION ALL
SELECT 'reads', json_build_array(d.refobjid::bigint, w.ev_class::bigint, json_agg(a.attname))
  FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_rewrite w ON w.oid = d.objid
  JOIN rels c ON c.oid = w.ev_class
  LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid AND d.refobjsubid > 0
  WHERE d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
    AND d.refobjid <> w.ev_class GROUP BY d.refobjid, w.ev_class
UNION ALL
SELECT 'schema', json_build_array(nspname, nspname = current_schema()) FROM spaces
"""

#: Servers know from 16 on when an index was last used.
_LAST_SCAN = "pg_catalog.pg_stat_get_lastscan(i.oid)"
_NOT_KNOWN = "NULL::timestamptz"

_KEYS = """
SELECT a.attrelid::bigint, a.attname::text, pg_catalog.pg_sequence_last_value(s.seqrelid)
FROM pg_catalog.pg_sequence s
JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = s.seqrelid
  AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.deptype IN ('a', 'i')
JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE a.atttypid = 'int4'::regtype AND pg_catalog.has_sequence_privilege(s.seqrelid, 'USAGE, SELECT')
"""


def read(session: Session) -> Catalog:
    """What a migration would meet in the session's database."""
    said: dict[str, list[Any]] = {}
    last_scan = sql.SQL(_LAST_SCAN if session.server >= 160000 else _NOT_KNOWN)
    for kind, parts in session.conn.execute(sql.SQL(_ASK).format(last_scan=last_scan)):
        said.setdefault(kind, []).append(parts)
    relations = [_relation(*parts) for parts in said.get("relation", ())]
    return Catalog(
        relations={one.oid: one for one in relations},
        names={
            **{(one.schema, one.name): one for one in relations},
            **{("", one.name): one for one in relations if one.visible},
        },
        foreign_keys=tuple(
            ForeignKey(name, child, parent, tuple(columns), tuple(theirs))
            for name, child, parent, columns, theirs in said.get("foreign key", ())
        ),
        indexes=tuple(Index(*parts) for parts in said.get("index", ())),
        keys=_keys(session),
        inherits=tuple((upper, lower) for upper, lower in said.get("inherits", ())),
        reads=tuple(Read(read_, reader, tuple(columns)) for read_, reader, columns in sorted(said.get("reads", ()))),
        schemas=frozenset(name for name, _ in said.get("schema", ())),
        current_schema=next((name for name, current in said.get("schema", ()) if current), None),
    )


def _relation(*parts: Any) -> Relation:
    *most, columns = parts
    return Relation(*most, columns=columns or {})


def _keys(session: Session) -> tuple[Key, ...]:
    """Reading a sequence locks it for a moment; where somebody else holds one we would rather not know than wait."""
    with suppress(psycopg.errors.LockNotAvailable), session.conn.transaction():
        session.conn.execute("SET LOCAL lock_timeout = '200ms'")
        found = session.conn.execute(_KEYS).fetchall()
        return tuple(Key(table, column, last) for table, column, last in found if last is not None)
    return ()
