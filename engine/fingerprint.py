"""What the schema is, from the catalogs, object by object and as one hash. Never from a dump's text, which differs.

Two databases of one server major with the same schema give the same hash: no oid, no physical column number, no
owner or grant (roles differ by environment), no comment and nothing of the engine's own tables goes in.
"""

import hashlib
import json
from collections.abc import Iterable
from typing import NamedTuple

from psycopg import sql

from engine.connection import Session
from engine.history import ALL_TABLES, Home


class Thing(NamedTuple):
    """One object of a schema. `value` is all that the hash knows of it, `words` the same as a person reads it."""

    kind: str
    name: str
    value: str | None
    words: str


Inventory = tuple[Thing, ...]

#: Kind, name, what goes into the hash, and what a person reads; a change of the last changes no hash. Printing a
#: definition is what costs: OFFSET 0 keeps the planner from having it printed twice, for the hash and for the person.
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
  SELECT classid, objid FROM pg_depend WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
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
SELECT 'schema', nspname::text, '', '' FROM spaces
UNION ALL
SELECT 'extension', extname::text, extversion, 'version ' || extversion FROM pg_extension
UNION ALL
SELECT 'relation', called, concat_ws(' ', relkind, relpersistence, relrowsecurity, relforcerowsecurity, reloptions,
    divided, bounds, array_to_string(parents, ','), query),
    concat_ws(', ', CASE relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'v' THEN 'view'
        WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table' ELSE 'type' END,
      CASE WHEN relpersistence = 'u' THEN 'unlogged' END, CASE WHEN relrowsecurity THEN 'with row security' END,
      CASE WHEN relforcerowsecurity THEN 'forced on its owner' END, 'with ' || array_to_string(reloptions, ' '),
      'by ' || divided, bounds, 'of ' || array_to_string(parents, ' '), query)
  FROM (
    SELECT rels.*, CASE WHEN relkind = 'p' THEN pg_get_partkeydef(oid) END AS divided,
      pg_get_expr(relpartbound, oid) AS bounds,
      (SELECT array_agg(inhparent::regclass::text ORDER BY inhseqno) FROM pg_inherits WHERE inhrelid = rels.oid)
        AS parents,
      CASE WHEN relkind IN ('v', 'm') THEN pg_get_viewdef(oid) END AS query
    FROM rels WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'c') OFFSET 0) told
UNION ALL
SELECT 'column', format('%s.%I', called, attname),
    concat_ws(' ', place, type, attnotnull, attidentity, attgenerated, expression, attcollation::regcollation),
    concat_ws(' ', type, CASE WHEN attnotnull THEN 'not null' END,
      CASE attidentity WHEN 'a' THEN 'always identity' WHEN 'd' THEN 'by default identity' END,
      CASE WHEN attgenerated <> '' THEN 'generated as ' ELSE 'default ' END || expression,
      CASE WHEN attgenerated = 'v' THEN 'virtual' END,
      CASE WHEN attcollation NOT IN (0, 'pg_catalog."default"'::regcollation)
        THEN 'collate ' || attcollation::regcollation END)
  FROM (
    SELECT called, attname, row_number() OVER (PARTITION BY attrelid ORDER BY attnum) AS place,
      format_type(atttypid, atttypmod) AS type, attnotnull, attidentity, attgenerated,
      pg_get_expr(adbin, adrelid) AS expression, attcollation
    FROM pg_attribute JOIN rels ON rels.oid = attrelid
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE attnum > 0 AND NOT attisdropped AND relkind IN ('r', 'p', 'v', 'm', 'f', 'c') OFFSET 0) told
UNION ALL
SELECT 'constraint', format('%s.%I', called, conname), concat_ws(' ', convalidated, definition), definition
  FROM (
    SELECT coalesce(rels.called, types.called) AS called, conname, convalidated,
      pg_get_constraintdef(pg_constraint.oid) AS definition
    FROM pg_constraint LEFT JOIN rels ON rels.oid = conrelid LEFT JOIN types ON types.oid = contypid
    WHERE rels.oid IS NOT NULL OR types.oid IS NOT NULL OFFSET 0) told
UNION ALL
SELECT 'index', called, concat_ws(' ', indisvalid, indisclustered, indisreplident, definition),
    concat_ws(', ', definition, CASE WHEN NOT indisvalid THEN 'invalid' END,
      CASE WHEN indisclustered THEN 'clustered by' END, CASE WHEN indisreplident THEN 'replica identity' END)
  FROM (
    SELECT called, indisvalid, indisclustered, indisreplident, pg_get_indexdef(indexrelid) AS definition
    FROM pg_index JOIN rels ON rels.oid = indexrelid OFFSET 0) told
UNION ALL
SELECT 'sequence', called,
    concat_ws(' ', seqtypid::regtype, seqstart, seqincrement, seqmin, seqmax, seqcache, seqcycle),
    format('%s from %s by %s, %s to %s, cache %s%s', seqtypid::regtype, seqstart, seqincrement, seqmin, seqmax,
      seqcache, CASE WHEN seqcycle THEN ', cycle' END)
  FROM pg_sequence JOIN rels ON rels.oid = seqrelid
UNION ALL
SELECT 'trigger', format('%s.%I', called, tgname), concat_ws(' ', tgenabled, pg_get_triggerdef(pg_trigger.oid)),
    concat_ws(', ', pg_get_triggerdef(pg_trigger.oid),
      CASE tgenabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'on replicas' WHEN 'A' THEN 'always' END)
  FROM pg_trigger JOIN rels ON rels.oid = tgrelid WHERE NOT tgisinternal
UNION ALL
SELECT 'rule', format('%s.%I', called, rulename), pg_get_ruledef(pg_rewrite.oid), pg_get_ruledef(pg_rewrite.oid)
  FROM pg_rewrite JOIN rels ON rels.oid = ev_class WHERE rulename <> '_RETURN'
UNION ALL
SELECT 'policy', format('%s.%I', called, polname),
    concat_ws(' ', polcmd, polpermissive, pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)),
    concat_ws(' ', CASE polcmd WHEN 'r' THEN 'for select' WHEN 'a' THEN 'for insert' WHEN 'w' THEN 'for update'
        WHEN 'd' THEN 'for delete' ELSE 'for all' END, CASE WHEN NOT polpermissive THEN 'restrictive' END,
      'using ' || pg_get_expr(polqual, polrelid), 'with check ' || pg_get_expr(polwithcheck, polrelid))
  FROM pg_policy JOIN rels ON rels.oid = polrelid
UNION ALL
SELECT 'function', p.oid::regprocedure::text,
    CASE WHEN prokind = 'a' THEN concat_ws(' ', prorettype::regtype, aggtransfn, aggfinalfn, agginitval)
      ELSE pg_get_functiondef(p.oid) END,
    CASE WHEN prokind = 'a' THEN concat_ws(' ', 'aggregate', prorettype::regtype, aggtransfn, aggfinalfn, agginitval)
      ELSE pg_get_functiondef(p.oid) END
  FROM pg_proc p JOIN spaces s ON s.oid = pronamespace LEFT JOIN pg_aggregate ON aggfnoid = p.oid
  WHERE p.oid NOT IN (SELECT objid FROM brought WHERE classid = 'pg_proc'::regclass)
UNION ALL
SELECT 'enum', called,
    (SELECT json_agg(enumlabel ORDER BY enumsortorder)::text FROM pg_enum WHERE enumtypid = types.oid),
    (SELECT string_agg(enumlabel, ', ' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = types.oid)
  FROM types WHERE typtype = 'e'
UNION ALL
SELECT 'domain', called, concat_ws(' ', format_type(typbasetype, typtypmod), typnotnull, typdefault),
    concat_ws(' ', format_type(typbasetype, typtypmod), CASE WHEN typnotnull THEN 'not null' END,
      'default ' || typdefault)
  FROM types WHERE typtype = 'd'
UNION ALL
SELECT 'range', called, rngsubtype::regtype::text, 'of ' || rngsubtype::regtype
  FROM types JOIN pg_range ON rngtypid = types.oid WHERE typtype = 'r'
"""


def inventory(session: Session, home: Home) -> Inventory:
    """Everything in the schema."""
    ask = sql.SQL(_ASK).format(schema=sql.Literal(home.schema), tables=sql.Literal(list(ALL_TABLES)))
    # With an empty path every name is written out with its schema, whoever looks. Sent as one, it is one transaction.
    asked = session.conn.execute(sql.SQL("SET LOCAL search_path = ''; ") + ask)
    asked.nextset()
    return tuple(Thing(kind, name, value, words or "") for kind, name, value, words in asked.fetchall())


def digest(things: Iterable[Thing]) -> str:
    """SHA-256 in hex over the sorted descriptions of everything in the schema."""
    described = sorted((one.kind, one.name, one.value) for one in things)
    return hashlib.sha256(json.dumps(described, ensure_ascii=False).encode()).hexdigest()


def read(session: Session, home: Home) -> str:
    """The digest of the schema as it is."""
    return digest(inventory(session, home))
