"""What of a schema models can declare, read from the catalogs as SQL that the server itself has written.

Names and definitions leave out the schema of what is found first, so the same text fits every environment. What models
cannot know is not in a shape: views, functions, triggers, policies, partitions, what an extension brought, our tables.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from psycopg import sql

from engine.connection import Session
from engine.history import ALL_TABLES, Home


class Column(NamedTuple):
    """A column; every text is SQL. `sequence` is the one it owns as a serial column does."""

    type: str
    collation: str | None
    not_null: bool
    default: str | None
    generated: str
    identity: str
    options: str
    sequence: str | None


class Constraint(NamedTuple):
    """A table's constraint; `kind` as in pg_constraint, `refers` to another table."""

    kind: str
    definition: str
    refers: str | None


class Table(NamedTuple):
    """A table. `storage` is what stands behind its columns, `indexes` only those of no constraint."""

    storage: str
    columns: Mapping[str, Column]
    constraints: Mapping[str, Constraint]
    indexes: Mapping[str, str]


class Sequence(NamedTuple):
    """A sequence, and the table and column it belongs to. `plain`: as a serial column makes it."""

    type: str
    options: str
    owner: tuple[str, str] | None
    plain: bool


@dataclass(frozen=True, slots=True)
class Shape:
    """A schema as far as models can declare one. Keys are names, ready for SQL; so are enum labels and comments."""

    schemas: tuple[str, ...]
    enums: Mapping[str, tuple[str, ...]]
    domains: Mapping[str, str]
    sequences: Mapping[str, Sequence]
    tables: Mapping[str, Table]
    comments: Mapping[str, str]


_ASK = """
WITH spaces AS (
  SELECT oid, nspname FROM pg_namespace WHERE nspname = ANY({schemas})
), ours AS (
  SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = {home} AND c.relname = ANY({tables})
), brought AS (
  SELECT classid, objid FROM pg_depend WHERE deptype = 'e'
), rels AS (
  SELECT c.oid, c.relkind, c.relname, c.relpersistence, c.reloptions, c.oid::regclass::text AS called
  FROM pg_class c JOIN spaces s ON s.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.oid NOT IN (SELECT oid FROM ours)
    AND NOT EXISTS (SELECT FROM brought WHERE classid = 'pg_class'::regclass AND objid = c.oid)
), sequences AS (
  SELECT c.oid, c.relname, c.oid::regclass::text AS called, q.*, d.refobjid, d.refobjsubid, d.deptype
  FROM pg_sequence q JOIN pg_class c ON c.oid = q.seqrelid JOIN spaces s ON s.oid = c.relnamespace
  LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i')
    AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0
  WHERE (d.refobjid IS NULL OR d.refobjid NOT IN (SELECT oid FROM ours))
    AND NOT EXISTS (SELECT FROM brought WHERE classid = 'pg_class'::regclass AND objid = c.oid)
), columns AS (
  SELECT r.oid, a.attnum, r.called, format('%I', a.attname) AS name, format_type(a.atttypid, a.atttypmod) AS type,
    CASE WHEN a.attcollation <> t.typcollation THEN a.attcollation::regcollation::text END AS collated,
    a.attnotnull AS not_null,
    CASE WHEN a.attgenerated = '' THEN pg_get_expr(e.adbin, e.adrelid, true) END AS "default",
    CASE a.attgenerated WHEN '' THEN '' ELSE format('GENERATED ALWAYS AS (%s) %s',
      pg_get_expr(e.adbin, e.adrelid, true), CASE a.attgenerated WHEN 's' THEN 'STORED' ELSE 'VIRTUAL' END)
    END AS generated,
    CASE a.attidentity WHEN 'a' THEN 'ALWAYS' WHEN 'd' THEN 'BY DEFAULT' ELSE '' END AS identity,
    coalesce((SELECT {options} FROM sequences q WHERE q.deptype = 'i' AND q.refobjid = r.oid
      AND q.refobjsubid = a.attnum), '') AS options,
    (SELECT q.called FROM sequences q WHERE q.deptype = 'a' AND q.refobjid = r.oid AND q.refobjsubid = a.attnum
      AND a.attnotnull AND q.called = split_part(pg_get_expr(e.adbin, e.adrelid, true), '''', 2)
      AND q.relname = r.relname || '_' || a.attname || '_seq' LIMIT 1) AS sequence
  FROM pg_attribute a JOIN rels r ON r.oid = a.attrelid JOIN pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_attrdef e ON e.adrelid = a.attrelid AND e.adnum = a.attnum
  WHERE a.attnum > 0 AND NOT a.attisdropped
), constraints AS (
  SELECT c.oid, r.called, format('%I', c.conname) AS name, c.contype AS kind,
    pg_get_constraintdef(c.oid, true) AS definition,
    CASE WHEN c.confrelid <> c.conrelid AND c.confrelid <> 0 THEN c.confrelid::regclass::text END AS refers
  FROM pg_constraint c JOIN rels r ON r.oid = c.conrelid
  WHERE c.contype IN ('p', 'u', 'c', 'f', 'x') AND c.conparentid = 0
), indexes AS (
  SELECT c.oid, r.called, c.oid::regclass::text AS name,
    replace(pg_get_indexdef(c.oid, 0, true), ' ON ONLY ', ' ON ') AS definition
  FROM pg_index i JOIN rels r ON r.oid = i.indrelid JOIN pg_class c ON c.oid = i.indexrelid
  WHERE NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = c.oid AND k.contype IN ('p', 'u', 'x'))
), types AS (
  SELECT t.*, t.oid::regtype::text AS called FROM pg_type t JOIN spaces s ON s.oid = t.typnamespace
  WHERE t.typtype IN ('e', 'd')
    AND NOT EXISTS (SELECT FROM brought WHERE classid = 'pg_type'::regclass AND objid = t.oid)
), comments AS (
  SELECT 'TABLE ' || called AS what, obj_description(oid, 'pg_class') AS said FROM rels
  UNION ALL SELECT format('COLUMN %s.%s', called, name), col_description(oid, attnum) FROM columns
  UNION ALL SELECT format('CONSTRAINT %s ON %s', name, called), obj_description(oid, 'pg_constraint') FROM constraints
  UNION ALL SELECT 'INDEX ' || name, obj_description(oid, 'pg_class') FROM indexes
  UNION ALL SELECT 'SEQUENCE ' || called, obj_description(oid, 'pg_class') FROM sequences
  UNION ALL SELECT CASE typtype WHEN 'e' THEN 'TYPE ' ELSE 'DOMAIN ' END || called, obj_description(oid, 'pg_type')
    FROM types
)
SELECT json_build_object(
  'schemas', (SELECT coalesce(json_agg(format('%I', nspname) ORDER BY nspname), '[]') FROM spaces),
  'enums', (SELECT coalesce(json_object_agg(called, (SELECT json_agg(quote_literal(enumlabel) ORDER BY enumsortorder)
    FROM pg_enum WHERE enumtypid = types.oid)), '{{}}') FROM types WHERE typtype = 'e'),
  'domains', (SELECT coalesce(json_object_agg(called, concat_ws(' ', format_type(typbasetype, typtypmod),
      CASE WHEN typcollation <> (SELECT typcollation FROM pg_type b WHERE b.oid = types.typbasetype)
        THEN 'COLLATE ' || typcollation::regcollation END,
      'DEFAULT ' || typdefault, CASE WHEN typnotnull THEN 'NOT NULL' END,
      (SELECT string_agg(format('CONSTRAINT %I %s', conname, pg_get_constraintdef(c.oid, true)), ' ' ORDER BY conname)
        FROM pg_constraint c WHERE contypid = types.oid AND contype = 'c'))
    ORDER BY oid), '{{}}') FROM types WHERE typtype = 'd'),
  'sequences', (SELECT coalesce(json_object_agg(called, json_build_array(format_type(seqtypid, NULL), {options},
      (SELECT json_build_array(o.called, o.name) FROM columns o WHERE o.oid = q.refobjid AND o.attnum = q.refobjsubid),
      {options} = '')), '{{}}') FROM sequences q WHERE q.deptype IS DISTINCT FROM 'i'),
  'tables', (SELECT coalesce(json_object_agg(called, json_build_array(concat_ws(' ',
      CASE relpersistence WHEN 'u' THEN 'UNLOGGED' END,
      (SELECT 'INHERITS (' || string_agg(inhparent::regclass::text, ', ' ORDER BY inhseqno) || ')'
        FROM pg_inherits WHERE inhrelid = rels.oid),
      CASE WHEN relkind = 'p' THEN 'PARTITION BY ' || pg_get_partkeydef(oid) END,
      'WITH (' || array_to_string(reloptions, ', ') || ')')) ORDER BY oid), '{{}}') FROM rels),
  'columns', (SELECT coalesce(json_agg(json_build_array(called, name, type, collated, not_null, "default", generated,
    identity, options, sequence) ORDER BY oid, attnum), '[]') FROM columns),
  'constraints', (SELECT coalesce(json_agg(json_build_array(called, name, kind, definition, refers)
    ORDER BY array_position(ARRAY['p', 'u', 'c', 'x', 'f'], kind::text), name), '[]') FROM constraints),
  'indexes', (SELECT coalesce(json_agg(json_build_array(called, name, definition) ORDER BY name), '[]') FROM indexes),
  'comments', (SELECT coalesce(json_object_agg(what, quote_literal(said)), '{{}}') FROM comments WHERE said IS NOT NULL)
)::text
"""

#: What of a sequence is otherwise than its type makes it, as CREATE SEQUENCE says it.
_OPTIONS = """concat_ws(' ',
  CASE WHEN q.seqincrement <> 1 THEN 'INCREMENT BY ' || q.seqincrement END,
  CASE WHEN q.seqmin <> 1 THEN 'MINVALUE ' || q.seqmin END,
  CASE WHEN q.seqmax <> CASE q.seqtypid WHEN 21 THEN 32767 WHEN 23 THEN 2147483647 ELSE 9223372036854775807 END
    THEN 'MAXVALUE ' || q.seqmax END,
  CASE WHEN q.seqstart <> 1 THEN 'START WITH ' || q.seqstart END,
  CASE WHEN q.seqcache <> 1 THEN 'CACHE ' || q.seqcache END,
  CASE WHEN q.seqcycle THEN 'CYCLE' END)"""


def read(session: Session, home: Home, schemas: Collection[str]) -> Shape:
    """The shape of these schemas, as the session's open transaction sees it when there is one."""
    values = {"schemas": sorted({home.schema, *schemas}), "home": home.schema, "tables": list(ALL_TABLES)}
    with session.conn.transaction():
        session.conn.execute("SELECT pg_catalog.set_config('search_path', quote_ident(%s), true)", (home.schema,))
        query = sql.SQL(_ASK).format(
            options=sql.SQL(_OPTIONS), **{key: sql.Literal(value) for key, value in values.items()}
        )
        row = session.conn.execute(query).fetchone()
    assert row is not None
    return _built(json.loads(row[0]))


def empty(session: Session, home: Home, shape: Shape) -> None:
    """None of what the shape tells of is there any more, in the transaction that is open."""
    session.conn.execute("SELECT pg_catalog.set_config('search_path', quote_ident(%s), true)", (home.schema,))
    kinds = (("TABLE", shape.tables), ("SEQUENCE", shape.sequences), ("DOMAIN", shape.domains), ("TYPE", shape.enums))
    for kind, names in kinds:
        if names:
            dropping = f"DROP {kind} IF EXISTS {', '.join(names)} CASCADE"  # names are quoted by the server
            session.conn.execute(dropping.encode())


def _built(said: Mapping[str, Any]) -> Shape:
    tables = {name: Table(storage, {}, {}, {}) for name, (storage,) in said["tables"].items()}
    columns: dict[str, dict[str, Column]] = {name: {} for name in tables}
    constraints: dict[str, dict[str, Constraint]] = {name: {} for name in tables}
    indexes: dict[str, dict[str, str]] = {name: {} for name in tables}
    for table, name, *facts in said["columns"]:
        columns[table][name] = Column(*facts)
    for table, name, *facts in said["constraints"]:
        constraints[table][name] = Constraint(*facts)
    for table, name, definition in said["indexes"]:
        indexes[table][name] = definition
    return Shape(
        schemas=tuple(said["schemas"]),
        enums={name: tuple(labels or ()) for name, labels in said["enums"].items()},
        domains=said["domains"],
        sequences={name: _sequence(*facts) for name, facts in said["sequences"].items()},
        tables={name: Table(tables[name].storage, columns[name], constraints[name], indexes[name]) for name in tables},
        comments=said["comments"],
    )


def _sequence(type_: str, options: str, owner: list[str] | None, plain: bool) -> Sequence:  # noqa: FBT001
    return Sequence(type_, options, (owner[0], owner[1]) if owner else None, plain)
