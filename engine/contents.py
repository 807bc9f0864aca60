"""What a database holds, as a value: rows per table, its history, its schema. Two that hold the same compare equal."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from psycopg import sql

from engine import fingerprint, history
from engine.connection import Session
from engine.history import Home

#: A table of so many bytes is counted while somebody waits.
_SMALL = 16 << 20

#: What pg_dump writes rows of: neither temporary tables nor those that an extension brings along with their rows.
TABLES = """
SELECT n.nspname::text, c.relname::text FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY 1, 2
"""

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Contents:
    """`rows` is by schema-qualified table, `history` a SHA-256 over the rows of schema_migrations in their order.

    `public` is whether there is a schema of that name: a dump never says that it was dropped.
    """

    rows: Mapping[str, int]
    head: str | None
    history: str
    fingerprint: str
    public: bool

    @property
    def in_short(self) -> str:
        """The same as a phrase."""
        return phrase(rows=sum(self.rows.values()), tables=len(self.rows), head=self.head)


def phrase(*, rows: int, tables: int, head: str | None) -> str:
    """How much a database holds, and how far its history goes."""
    counted = f"{rows:,} {'row' if rows == 1 else 'rows'} in {tables:,} {'table' if tables == 1 else 'tables'}"
    return f"{counted}, {f'history up to {head}' if head else 'no migration yet'}"


def read(session: Session, home: Home, *, rows: Mapping[str, int] | None = None) -> Contents:
    """What the session's database holds, as its transaction sees it when one is open. Rows not given are counted."""
    with session.conn.transaction():
        # With row security on, a count could be of a part; nobody waits for us, so a count may take its time.
        session.conn.execute("SET LOCAL row_security = off; SET LOCAL statement_timeout = 0")
        applied = history.read(session, home)
        return Contents(
            rows=_counted(session) if rows is None else rows,
            head=applied[-1].id if applied else None,
            history=_sha256([[row.id, row.checksum, str(row.applied_at), row.by] for row in applied]),
            fingerprint=fingerprint.read(session, home),
            public=_has_public(session),
        )


def at_a_glance(session: Session) -> dict[str, tuple[int, bool]]:
    """The rows of each table now, and whether they were counted; of a big one the server's estimate is taken."""
    sized = sql.SQL(
        "SELECT each_table.*, pg_catalog.pg_relation_size(c.oid), greatest(c.reltuples, 0)::bigint"
        " FROM ({}) each_table(n, t) JOIN pg_catalog.pg_class c ON c.relname = t"
        " JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace AND s.nspname = n"
    ).format(sql.SQL(TABLES))
    return {
        f"{schema}.{table}": (_count(session, sql.Identifier(schema, table)), True)
        if size <= _SMALL
        else (estimate, False)
        for schema, table, size, estimate in session.conn.execute(sized).fetchall()
    }


def differences(wanted: Contents, found: Contents) -> Iterator[str]:
    """What of `wanted` is otherwise in `found`, a phrase each."""
    for table in sorted(wanted.rows.keys() | found.rows.keys()):
        before, after = wanted.rows.get(table), found.rows.get(table)
        made_since = before is None and after == 0 and table.rpartition(".")[2] in history.ALL_TABLES
        if before != after and not made_since:  # an empty table of ours that came with a newer Twokey
            yield f"{table} has {_rows(after)} instead of {_rows(before)}"
    if wanted.history != found.history:
        yield f"its history ends at {found.head} and is not the one that was backed up, which ends at {wanted.head}"
    if wanted.fingerprint != found.fingerprint:
        yield f"its schema is {found.fingerprint[:12]} instead of {wanted.fingerprint[:12]}"


def unlike(wanted: Contents, found: Contents) -> str:
    """What of `wanted` is otherwise in `found`, as a person is told it; nothing where all is the same."""
    wrong = tuple(differences(wanted, found))
    return "; ".join(wrong[:_SHOWN]) + (f"; and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else "")


def _rows(count: int | None) -> str:
    if count is None:
        return "no table"
    return "1 row" if count == 1 else f"{count:,} rows"


def _counted(session: Session) -> dict[str, int]:
    tables = session.conn.execute(TABLES).fetchall()
    return {f"{schema}.{table}": _count(session, sql.Identifier(schema, table)) for schema, table in tables}


def _count(session: Session, table: sql.Identifier) -> int:
    row = session.conn.execute(sql.SQL("SELECT pg_catalog.count(*) FROM ONLY {}").format(table)).fetchone()
    return row[0] if row else 0


def _has_public(session: Session) -> bool:
    return session.conn.execute("SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'public'").fetchone() is not None


def _sha256(parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()
