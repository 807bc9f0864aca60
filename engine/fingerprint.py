"""What the schema is, from the catalogs, as one hash. Never from a dump's text, which differs from run to run.

Two databases of one server major with the same schema give the same hash: no oid, no physical column number, no
owner or grant (roles differ by environment), no comment and nothing of the engine's own tables goes in.
"""

import hashlib
import json

from psycopg import sql

from engine.connection import Session
from engine.history import ALL_TABLES, Home

_ASK = """
WITH spaces AS (
  SELECT oid, nspname FROM pg_namespace
  WHERE nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND nspname !~ '^pg_(temp|toast_temp)_'
), engine_tables AS (
  SELECT c.oid FROM pg_class c JOIN spaces s ON s.oid = c.relnamespace
  WHERE s.nspname = {schema} AND c.relname = ANY({tables})
), engine_rels AS (
  SELECT oid FROM engine_tables
  UNION ALL SELECT indexrelid FROM pg_index WHERE indrelid IN (SELECT oid FROM engine_tables)
  UNION ALL SELECT objid FROM pg_depend WHERE classid = 'pg_class'::regclass AND refclassid = 'pg_class'::regclass
    AND deptype IN ('a', 'i') AND refobjid IN (SELECT oid FROM engine_tables)
), brought AS (
  -- What an extension brought is told by the extension's own name and version.
  SELECT classid, objid FROM pg_depend WHERE deptype = 'e'
), rels AS (
  SELECT c.oid, c.relkind, c.relpersistence, c.relrowsecurity, c.relforcerowsecurity, c.reloptions, c.relpartbound,
    format('%I.%I', s.nspname, c.relname) AS called
  FROM pg_class c JOIN spaces s ON s.oid = c.relnamespace
  WHERE c.oid NOT IN (SELECT oid FROM engine_rels)
    AND c.oid NOT IN (SELECT objid FROM brought WHERE classid = 'pg_class'::regclass)
), types AS (
  SELECT t.oid, t.typtype, t.typbasetype, t.typtypmod, t.typnotnull, t.typdefault,
    format('%I.%I', s.nspname, t.typname) AS called
  FROM pg_type t JOIN spaces s ON s.oid = t.typnamespace
  WHERE t.oid NOT IN (SELECT objid FROM brought WHERE classid = 'pg_type'::regclass)
)
SELECT 'schema', nspname::text, '' FROM spaces
UNION ALL
SELECT 'extension', extname::text, extversion FROM pg_extension
UNION ALL
SELECT 'relation', called, concat_ws(' ', relkind, relpersistence, relrowsecurity, relforcerowsecurity, reloptions,
    CASE WHEN relkind = 'p' THEN pg_get_partkeydef(oid) END, pg_get_expr(relpartbound, oid),
    (SELECT string_agg(inhparent::regclass::text, ',' ORDER BY inhseqno) FROM pg_inherits WHERE inhrelid = rels.oid),
    CASE WHEN relkind IN ('v', 'm') THEN pg_get_viewdef(oid) END)
  FROM rels WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
UNION ALL
SELECT 'column', format('%s.%I', called, attname), concat_ws(' ',
    row_number() OVER (PARTITION BY attrelid ORDER BY attnum), format_type(atttypid, atttypmod), attnotnull,
    attidentity, attgenerated, pg_get_expr(adbin, adrelid), attcollation::regcollation)
  FROM pg_attribute JOIN rels ON rels.oid = attrelid
  LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
  WHERE attnum > 0 AND NOT attisdropped AND relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
UNION ALL
SELECT 'constraint', format('%s.%I', coalesce(rels.called, types.called), conname),
    concat_ws(' ', convalidated, pg_get_constraintdef(pg_constraint.oid))
  FROM pg_constraint LEFT JOIN rels ON rels.oid = conrelid LEFT JOIN types ON types.oid = contypid
  WHERE rels.oid IS NOT NULL OR types.oid IS NOT NULL
UNION ALL
SELECT 'index', called, concat_ws(' ', indisvalid, indisclustered, indisreplident, pg_get_indexdef(indexrelid))
  FROM pg_index JOIN rels ON rels.oid = indexrelid
UNION ALL
SELECT 'sequence', called,
    concat_ws(' ', seqtypid::regtype, seqstart, seqincrement, seqmin, seqmax, seqcache, seqcycle)
  FROM pg_sequence JOIN rels ON rels.oid = seqrelid
UNION ALL
SELECT 'trigger', format('%s.%I', called, tgname), concat_ws(' ', tgenabled, pg_get_triggerdef(pg_trigger.oid))
  FROM pg_trigger JOIN rels ON rels.oid = tgrelid WHERE NOT tgisinternal
UNION ALL
SELECT 'rule', format('%s.%I', called, rulename), pg_get_ruledef(pg_rewrite.oid)
  FROM pg_rewrite JOIN rels ON rels.oid = ev_class WHERE rulename <> '_RETURN'
UNION ALL
SELECT 'policy', format('%s.%I', called, polname),
    concat_ws(' ', polcmd, polpermissive, pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))
  FROM pg_policy JOIN rels ON rels.oid = polrelid
UNION ALL
SELECT 'function', p.oid::regprocedure::text,
    CASE WHEN prokind = 'a' THEN concat_ws(' ', prorettype::regtype, aggtransfn, aggfinalfn, agginitval)
      ELSE pg_get_functiondef(p.oid) END
  FROM pg_proc p JOIN spaces s ON s.oid = pronamespace LEFT JOIN pg_aggregate ON aggfnoid = p.oid
  WHERE p.oid NOT IN (SELECT objid FROM brought WHERE classid = 'pg_proc'::regclass)
UNION ALL
SELECT 'enum', called,
    (SELECT json_agg(enumlabel ORDER BY enumsortorder)::text FROM pg_enum WHERE enumtypid = types.oid)
  FROM types WHERE typtype = 'e'
UNION ALL
SELECT 'domain', called, concat_ws(' ', format_type(typbasetype, typtypmod), typnotnull, typdefault)
  FROM types WHERE typtype = 'd'
UNION ALL
SELECT 'range', called, rngsubtype::regtype::text FROM types JOIN pg_range ON rngtypid = types.oid WHERE typtype = 'r'
"""


def read(session: Session, home: Home) -> str:
    """SHA-256 in hex over the sorted descriptions of everything in the schema."""
    with session.conn.transaction():
        # With an empty path every name is written out with its schema, whoever looks.
        session.conn.execute("SET LOCAL search_path = ''")
        rows = session.conn.execute(
            sql.SQL(_ASK).format(schema=sql.Literal(home.schema), tables=sql.Literal(list(ALL_TABLES)))
        ).fetchall()
    return hashlib.sha256(json.dumps(sorted(rows), ensure_ascii=False).encode()).hexdigest()
