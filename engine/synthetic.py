"""Rows for every table by the types of its columns, and what became of them. The same each time, and nobody's."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import psycopg
from psycopg import sql

from engine.connection import Session
from engine.history import ALL_TABLES, Home

#: So many rows come to each table at each filling.
ROWS = 2

_COLUMNS = """
SELECT n.nspname::text, c.relname::text, a.attname::text, t.typname::text, t.typtype::text, a.attnotnull,
  CASE WHEN t.typname IN ('varchar', 'bpchar') THEN coalesce(nullif(a.atttypmod, -1), nullif(y.typtypmod, -1)) END,
  (SELECT enumlabel::text FROM pg_catalog.pg_enum WHERE enumtypid = t.oid ORDER BY enumsortorder LIMIT 1),
  a.attgenerated = '' AND a.attidentity <> 'a'
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_catalog.pg_type y ON y.oid = a.atttypid
LEFT JOIN pg_catalog.pg_type t ON t.oid = CASE WHEN y.typtype = 'd' THEN y.typbasetype ELSE y.oid END
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't' AND n.nspname !~ '^pg_'
  AND n.nspname <> 'information_schema' AND NOT (n.nspname = %s AND c.relname = ANY(%s))
ORDER BY 1, 2, a.attnum
"""

_PARENTS = """
SELECT n.nspname::text, c.relname::text, pn.nspname::text, p.relname::text,
  ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY u(number, place)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number ORDER BY u.place),
  ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY u(number, place)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.number ORDER BY u.place)
FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN pg_catalog.pg_class p ON p.oid = k.confrelid
JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace
WHERE k.contype = 'f' AND k.conparentid = 0 ORDER BY k.conname
"""

_DAY = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Column:
    """A column that can be written. `limit` is a length in characters, `label` the first of an enum's."""

    name: str
    type: str
    kind: str
    required: bool
    limit: int | None
    label: str | None


@dataclass(frozen=True, slots=True)
class Table:
    """A table with the columns that can be written, and which of them point at which columns of another."""

    schema: str
    name: str
    every: tuple[str, ...]
    columns: tuple[Column, ...]
    parents: tuple[tuple[sql.Identifier, tuple[str, ...], tuple[str, ...]], ...]

    @property
    def called(self) -> str:
        """Its name as a person reads it."""
        return f"{self.schema}.{self.name}"

    @property
    def identifier(self) -> sql.Identifier:
        """Its name for composing."""
        return sql.Identifier(self.schema, self.name)


@dataclass(frozen=True, slots=True)
class Held:
    """What a table holds: how many rows, and of each column each value with how often it is there."""

    rows: int
    columns: Mapping[str, Counter[str]]


@dataclass(slots=True)
class Filler:
    """Fills tables; `unfilled` says of each that could not be why not, by SQLSTATE."""

    session: Session
    home: Home
    unfilled: dict[str, str] = field(default_factory=dict)
    number: int = 0

    def fill(self) -> None:
        """More rows are in every table that takes some."""
        waiting = tables(self.session, self.home)
        for table in waiting:
            self.unfilled.pop(table.called, None)
        while waiting:
            left = [table for table in waiting if not self._fill(table)]
            if len(left) == len(waiting):
                return
            waiting = left

    def _fill(self, table: Table) -> bool:
        """Whether at least one row came; others may collide with what is unique."""
        came = [self._row(table) for _ in range(ROWS)]
        return any(came)

    def _row(self, table: Table) -> bool:
        self.number += 1
        given: dict[str, object] = {one.name: value(one, self.number) for one in table.columns}
        for parent, ours, theirs in table.parents:
            given |= dict(zip(ours, self._of_parent(parent, theirs), strict=True))
        needed = {one.name for one in table.columns if one.required}
        return self._insert(table, given) or self._insert(table, {k: v for k, v in given.items() if k in needed})

    def _insert(self, table: Table, given: Mapping[str, object]) -> bool:
        names = sql.SQL(", ").join(map(sql.Identifier, given))
        places = sql.SQL(", ").join(sql.Placeholder() for _ in given)
        query = sql.SQL("INSERT INTO {} ({}) VALUES ({})") if given else sql.SQL("INSERT INTO {} DEFAULT VALUES")
        try:
            with self.session.conn.transaction():
                self.session.conn.execute(query.format(table.identifier, names, places), list(given.values()))
        except psycopg.Error as refused:
            self.unfilled.setdefault(table.called, refused.sqlstate or "XX000")
            return False
        self.unfilled.pop(table.called, None)
        return True

    def _of_parent(self, parent: sql.Identifier, columns: Sequence[str]) -> Sequence[object]:
        """The columns of one of its rows, the same one for the same number; nothing where it has none."""
        texts = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(name)) for name in columns)
        query = sql.SQL("SELECT {} FROM {} ORDER BY 1 OFFSET (%s %% greatest((SELECT count(*) FROM {}), 1)) LIMIT 1")
        row = self.session.conn.execute(query.format(texts, parent, parent), (self.number,)).fetchone()
        return row or (None,) * len(columns)


def tables(session: Session, home: Home) -> list[Table]:
    """Every table that is nobody's part and not ours."""
    found: dict[tuple[str, str], list[tuple[Column, bool]]] = {}
    for schema, name, *column, writable in session.conn.execute(_COLUMNS, (home.schema, list(ALL_TABLES))):
        held = found.setdefault((schema, name), [])
        if column[0] is not None:
            kind, required, limit, label = column[2], column[3], column[4], column[5]
            held.append((Column(column[0], column[1], kind, required, limit and limit - 4, label), writable))
    parents = session.conn.execute(_PARENTS).fetchall()
    return [
        Table(
            schema,
            name,
            tuple(one.name for one, _ in columns),
            tuple(one for one, writable in columns if writable),
            tuple(
                (sql.Identifier(p[2], p[3]), tuple(p[4]), tuple(p[5]))
                for p in parents
                if (p[0], p[1]) == (schema, name)
            ),
        )
        for (schema, name), columns in found.items()
    ]


def empty(session: Session, home: Home) -> None:
    """No table has a row."""
    names = [table.identifier for table in tables(session, home)]
    if names:
        session.conn.execute(sql.SQL("TRUNCATE {} CASCADE").format(sql.SQL(", ").join(names)))


def held(session: Session, home: Home) -> dict[str, Held]:
    """What every table holds, by name."""
    return {table.called: _held(session, table) for table in tables(session, home)}


def _held(session: Session, table: Table) -> Held:
    texts = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(name)) for name in table.every)
    rows = session.conn.execute(sql.SQL("SELECT {} FROM {}").format(texts, table.identifier)).fetchall()
    values = {
        name: Counter(row[place] for row in rows if row[place] is not None) for place, name in enumerate(table.every)
    }
    return Held(len(rows), values)


def lost(before: Mapping[str, Held], after: Mapping[str, Held]) -> Iterator[str]:
    """What was there and is not any more: tables with rows, rows, columns with values, values."""
    for name, then in before.items():
        now = after.get(name)
        if now is None or now.rows < then.rows:
            if then.rows:
                yield f"the rows of {name}"
            continue
        for column, values in then.columns.items():
            if values - now.columns.get(column, Counter()):
                yield f"the values of {name}.{column}"


def value(column: Column, number: int) -> str | None:
    """A text that the column's type takes, another for each number; None where we know of none."""
    if column.kind == "e":
        return column.label
    if column.type.startswith("_"):
        return "{}"
    if column.type in ("text", "varchar", "bpchar", "name", "citext"):
        said = f"twokey {number}"
        return said if column.limit is None or len(said) <= column.limit else str(number)[-column.limit :]
    if column.type in ("int2", "int4", "int8", "numeric", "float4", "float8", "money", "oid"):
        return str(number)
    moment = _DAY + timedelta(days=number)
    return {
        "bool": "t" if number % 2 else "f",
        "date": moment.date().isoformat(),
        "timestamp": moment.replace(tzinfo=None).isoformat(),
        "timestamptz": moment.isoformat(),
        "time": f"00:{number // 60 % 60:02}:{number % 60:02}",
        "interval": f"{number} seconds",
        "uuid": f"00000000-0000-4000-8000-{number:012}",
        "json": f'{{"twokey": {number}}}',
        "jsonb": f'{{"twokey": {number}}}',
        "bytea": f"\\x{number:08x}",
        "inet": f"10.0.{number // 256 % 256}.{number % 256}",
        "tsvector": f"twokey{number}",
        "xml": f"<twokey>{number}</twokey>",
    }.get(column.type)
