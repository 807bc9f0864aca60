"""The environment's own schema_migrations table, and the sibling tables for what its columns have no room for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg import RawCursor, sql

from engine.connection import Session
from engine.errors import ForeignHistory, HistoryElsewhere, MissingPrivilege, NoSchema
from engine.files import Migration, stamp_of

ENGINE_TABLES = (
    "schema_migrations",
    "twokey_migrations",
    "twokey_environment",
    "twokey_progress",
    "twokey_reverted",
    "twokey_deeds",
)
#: Ours too, made when first needed: when a person sets a history right, before the first run, when a worker's first run
#: ends. Part of nobody's schema.
ALL_TABLES = (*ENGINE_TABLES, "twokey_amendments", "twokey_schemas", "twokey_tallies")
CHECKSUM_ALGORITHM = "sha256-lf"

_COLUMNS = ("id", "migration_id", "name", "applied_at", "checksum", "environment")

_CREATE = """
CREATE TABLE IF NOT EXISTS {history} (
  id SERIAL PRIMARY KEY,
  migration_id VARCHAR(255) UNIQUE NOT NULL,
  name VARCHAR(255) NOT NULL,
  applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  checksum VARCHAR(64) NOT NULL,
  environment VARCHAR(50) NOT NULL
);
CREATE TABLE IF NOT EXISTS {facts} (
  migration_id VARCHAR(255) PRIMARY KEY,
  position INTEGER NOT NULL,
  checksum_algorithm TEXT NOT NULL,
  applied_text TEXT NOT NULL,
  applied_by TEXT NOT NULL,
  request TEXT,
  seconds DOUBLE PRECISION NOT NULL
);
CREATE TABLE IF NOT EXISTS {identity} (
  only_row BOOLEAN PRIMARY KEY DEFAULT true CHECK (only_row),
  name TEXT NOT NULL,
  protected BOOLEAN NOT NULL,
  first_contact TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE IF NOT EXISTS {progress} (
  migration_id VARCHAR(255) PRIMARY KEY,
  checksum VARCHAR(64) NOT NULL,
  done INTEGER NOT NULL,
  invalid_before TEXT[] NOT NULL,
  begun_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE IF NOT EXISTS {reverted} (
  migration_id VARCHAR(255) NOT NULL,
  position INTEGER NOT NULL,
  checksum VARCHAR(64) NOT NULL,
  applied_text TEXT NOT NULL,
  applied_at TIMESTAMP,
  applied_by TEXT NOT NULL,
  reverted_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
  reverted_by TEXT NOT NULL,
  request TEXT,
  seconds DOUBLE PRECISION NOT NULL
);
CREATE TABLE IF NOT EXISTS {deeds} (
  id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
  at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
  act TEXT NOT NULL,
  what TEXT[] NOT NULL,
  by TEXT NOT NULL,
  request TEXT,
  backend INTEGER NOT NULL DEFAULT pg_backend_pid()
)
"""


@dataclass(frozen=True, slots=True)
class Home:
    """The schema of the engine's tables. Always written out, since a file may move the search_path."""

    schema: str

    def table(self, name: str) -> sql.Identifier:
        """The table, schema-qualified, for composing."""
        return sql.Identifier(self.schema, name)

    def name(self, name: str) -> str:
        """The table, schema-qualified, for reading."""
        return f"{self.schema}.{name}"


@dataclass(frozen=True, slots=True)
class Row:
    """One applied migration as its row says. `applied_at` is UTC; `by` is from the sibling table, if there."""

    id: str
    checksum: str
    applied_at: datetime | None
    by: str | None

    @property
    def stamp(self) -> str | None:
        """The 14 digits the id begins with, if it does."""
        return stamp_of(self.id)

    def matches(self, migration: Migration) -> bool:
        """Whether the row's checksum is that of the file: normalised as ours, or over the raw bytes as others do."""
        return self.checksum.strip().lower() in (migration.checksum, migration.raw_checksum)


def prepare(session: Session) -> Home:
    """The engine's tables exist; nothing that was in them has changed.

    Raises NoSchema, MissingPrivilege, ForeignHistory, HistoryElsewhere.
    """
    return sought(session)()


def sought(session: Session) -> Callable[[], Home]:
    """What `prepare` asks, sent; what it finds is judged, and what lacks is made, when it is called for."""
    answer = session.conn.execute(_FIND, (list(ENGINE_TABLES),))
    return lambda: _prepared(session, answer.fetchone())


def _prepared(session: Session, row: tuple[Any, ...] | None) -> Home:
    found = _found(session, row)
    if "schema_migrations" in found.tables:
        _check_shape(session, found)
    if found.tables != set(ENGINE_TABLES):
        if found.elsewhere:  # one database is one environment: what another search_path hides is found, not begun anew
            raise HistoryElsewhere(session.database.environment, found.elsewhere)
        _create(session, found.home)
    return found.home


def read(session: Session, home: Home) -> tuple[Row, ...]:
    """Every applied migration in the order it was applied."""
    return asked(session, home)()


def asked(session: Session, home: Home) -> Callable[[], tuple[Row, ...]]:
    """What `read` asks, sent; the rows are there when it is called for."""
    answer = session.conn.execute(
        sql.SQL(
            "SELECT h.migration_id, h.checksum, h.applied_at, f.applied_by FROM {} h"
            " LEFT JOIN {} f ON f.migration_id = h.migration_id"
            " ORDER BY h.id"
        ).format(home.table("schema_migrations"), home.table("twokey_migrations"))
    )
    return lambda: tuple(Row(id_, checksum, at and at.replace(tzinfo=UTC), by) for id_, checksum, at, by in answer)


def matching(files: Sequence[Migration], rows: Sequence[Row]) -> Mapping[str, Migration]:
    """Row id → the file it stands for: the one with its stem, else the one with its timestamp."""
    by_id = {f.id: f for f in files}
    by_stamp = {f.stamp: f for f in files}
    found = ((row.id, by_id.get(row.id.removesuffix(".sql")) or by_stamp.get(row.stamp or "")) for row in rows)
    return {id_: file for id_, file in found if file}


@dataclass(frozen=True, slots=True)
class Entry:
    """One migration and what is written down with it. `position` is its place in the history, from 1.

    `act` is how it came there: `apply`, or `baseline` where nothing ran.
    """

    id: str
    name: str
    checksum: str
    text: str
    position: int
    by: str
    request: str | None
    act: str = "apply"


#: Remembers, until its end, which transaction a migration was begun in. Run first of all in it.
MARK = "SELECT pg_catalog.set_config('twokey.transaction', pg_catalog.pg_current_xact_id()::text, true)"

_RECORD = """
WITH history AS (
  INSERT INTO {history} (migration_id, name, applied_at, checksum, environment)
  VALUES ($1, $2, pg_catalog.clock_timestamp() AT TIME ZONE 'UTC', $3, $4)),
deed AS (INSERT INTO {deeds} (act, what, by, request) VALUES ($10, ARRAY[$1::text], $8, $9))
INSERT INTO {facts} VALUES (
  $1,
  CASE pg_catalog.current_setting('twokey.transaction', true)
    WHEN pg_catalog.pg_current_xact_id()::text THEN $5::integer END,
  $6, $7, $8, $9,
  EXTRACT(EPOCH FROM pg_catalog.clock_timestamp() - pg_catalog.transaction_timestamp()))
ON CONFLICT (migration_id) DO UPDATE SET position = EXCLUDED.position,
  checksum_algorithm = EXCLUDED.checksum_algorithm, applied_text = EXCLUDED.applied_text,
  applied_by = EXCLUDED.applied_by, request = EXCLUDED.request, seconds = EXCLUDED.seconds
RETURNING seconds
"""


def recording(home: Home) -> sql.Composed:
    """The statement that writes a migration's row, its facts and the deed in the transaction that is open.

    It gives the seconds.
    Its parameters are `told` of an entry. It fails by its position (`left`) in any transaction but the marked one. A
    row taken out of schema_migrations by hand leaves its facts behind; the new run's are then the true ones.
    """
    names = {"history": "schema_migrations", "facts": "twokey_migrations", "deeds": "twokey_deeds"}
    return sql.SQL(_RECORD).format(**{part: home.table(name) for part, name in names.items()})


def told(session: Session, entry: Entry) -> tuple[str | None, ...]:
    """What is written down of an entry, in the order in which `recording` takes it."""
    environment = session.database.environment
    place = str(entry.position)
    described = (entry.id, entry.name, entry.checksum, environment, place)
    return (*described, CHECKSUM_ALGORITHM, entry.text, entry.by, entry.request, entry.act)


def record(session: Session, home: Home, entry: Entry) -> float:
    """The migration's row and its facts are written in the marked transaction that is open; gives its seconds."""
    row = RawCursor(session.conn).execute(recording(home), told(session, entry)).fetchone()
    return float(row[0]) if row else 0.0


def left(error: psycopg.Error) -> bool:
    """Whether a record was refused because the migration was no longer in the transaction it was begun in."""
    tables = ("twokey_migrations", "twokey_reverted")
    return error.sqlstate == "23502" and error.diag.table_name in tables and error.diag.column_name == "position"


@dataclass(frozen=True, slots=True)
class _Found:
    """Which of our tables are there, what schema_migrations is like, and another schema that holds an environment."""

    home: Home
    tables: set[str]
    columns: set[str]
    allowed: bool
    elsewhere: str | None


#: The schema where schema_migrations is seen, else the current one, and all that is to be known of it, in one question.
_FIND = """
SELECT s.nspname::text,
  ARRAY(SELECT c.relname::text FROM pg_catalog.pg_class c WHERE c.relnamespace = s.oid AND c.relname = ANY(%s)),
  ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a
    WHERE a.attrelid = h.oid AND a.attnum > 0 AND NOT a.attisdropped),
  coalesce(pg_catalog.has_table_privilege(h.oid, 'SELECT') AND pg_catalog.has_table_privilege(h.oid, 'INSERT'), false),
  (SELECT n.nspname::text FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relname = 'twokey_environment' AND c.relkind = 'r' AND n.oid <> s.oid AND n.nspname !~ '^pg_temp' LIMIT 1)
FROM (SELECT pg_catalog.to_regclass('schema_migrations')::oid AS oid) seen
JOIN pg_catalog.pg_namespace s ON s.oid = coalesce(
  (SELECT c.relnamespace FROM pg_catalog.pg_class c WHERE c.oid = seen.oid),
  (SELECT n.oid FROM pg_catalog.pg_namespace n WHERE n.nspname = current_schema()))
LEFT JOIN pg_catalog.pg_class h ON h.relname = 'schema_migrations' AND h.relnamespace = s.oid
"""


def _found(session: Session, row: tuple[Any, ...] | None) -> _Found:
    """Raises NoSchema."""
    if row is None:
        raise NoSchema(session.database.environment)
    schema, tables, columns, allowed, elsewhere = row
    return _Found(Home(schema), set(tables), set(columns), allowed, elsewhere)


def _create(session: Session, home: Home) -> None:
    parts = ("history", "facts", "identity", "progress", "reverted", "deeds")
    names = dict(zip(parts, map(home.table, ENGINE_TABLES), strict=True))
    # IF NOT EXISTS alone still collides when two first contacts meet; one of them waits here. Sent as one text, it is
    # one transaction and one round trip.
    waits = sql.SQL("SELECT pg_catalog.pg_advisory_xact_lock({}, {})").format(*_FIRST_CONTACT)
    try:
        session.conn.execute(sql.SQL("; ").join((waits, sql.SQL(_CREATE).format(**names))))
    except psycopg.errors.InsufficientPrivilege as cause:
        raise _missing(session, home) from cause


_FIRST_CONTACT = (0x326B6579, 2)


def _check_shape(session: Session, found: _Found) -> None:
    lacking = tuple(c for c in _COLUMNS if c not in found.columns)
    if lacking:
        raise ForeignHistory(session.database.environment, found.home.name("schema_migrations"), lacking)
    if not found.allowed:
        raise _missing(session, found.home)


def _missing(session: Session, home: Home) -> MissingPrivilege:
    row = session.conn.execute("SELECT current_user::text").fetchone()
    return MissingPrivilege(session.database.environment, row[0] if row else session.conn.info.user, home.schema)
