"""What a session on a copy holds and has changed, looked at from a connection beside it."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from engine.connection import Connection, Session
from engine.history import ALL_TABLES, Home
from engine.rehearsal.named import Names
from engine.rehearsal.receipt import Lock

#: Of relations that others could want: those that were there before the transaction. Indexes where nobody may plan.
_LOCKS = """
SELECT c.oid::bigint, n.nspname || '.' || c.relname, l.mode, c.relkind IN ('r', 'm'), c.relfilenode::bigint
FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_class c ON c.oid = l.relation
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE l.pid = %s AND l.granted AND l.locktype = 'relation'
  AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
  AND (c.relkind IN ('r', 'p', 'f', 'v', 'm') OR c.relkind IN ('i', 'I') AND l.mode = 'AccessExclusiveLock')
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT (n.nspname = %s AND c.relname = ANY(%s))
ORDER BY 2, 3
"""

_TABLES = """
SELECT c.oid::bigint, n.nspname::text, c.relname::text, c.relfilenode::bigint, pg_catalog.pg_table_is_visible(c.oid),
  c.relkind = 'r', ARRAY(WITH RECURSIVE above (oid) AS (
    SELECT inhparent FROM pg_catalog.pg_inherits WHERE inhrelid = c.oid
    UNION SELECT i.inhparent FROM pg_catalog.pg_inherits i JOIN above ON above.oid = i.inhrelid)
    SELECT oid::bigint FROM above)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm') AND c.relpersistence <> 't' AND n.nspname !~ '^pg_'
  AND n.nspname <> 'information_schema' AND NOT (n.nspname = %s AND c.relname = ANY(%s))
ORDER BY 2, 3
"""

#: PostgreSQL's modes as it calls them in pg_locks, from the weakest.
_STRENGTH = tuple(
    f"{mode}Lock"
    for mode in (
        "AccessShare", "RowShare", "RowExclusive", "ShareUpdateExclusive", "Share", "ShareRowExclusive", "Exclusive",
        "AccessExclusive",
    )
)  # fmt: skip

#: How often somebody is looked at who lets go by himself.
_NAP = 0.02


@dataclass(frozen=True, slots=True)
class Table:
    """A table, partitioned table or materialized view; `node` changes when its file is written anew."""

    schema: str
    name: str
    node: int
    visible: bool
    plain: bool
    above: tuple[int, ...]

    @property
    def called(self) -> str:
        """Its name as a person reads it."""
        return f"{self.schema}.{self.name}"


Tables = Mapping[int, Table]


def is_named(names: Names, table: Table, among: Tables) -> bool:
    """Whether the table, or one that it is a part of, is named."""
    above = (among[oid] for oid in table.above if oid in among)
    return any(names.has(one.schema, one.name, visible=one.visible) for one in (table, *above))


@dataclass(frozen=True, slots=True)
class Seen:
    """One lock that is held. `node` is the table's file as it was committed, None where it has none of its own."""

    oid: int
    relation: str
    mode: str
    node: int | None


def tables(watcher: Connection, home: Home) -> Tables:
    """Every table by its oid, as committed."""
    rows = watcher.execute(_TABLES, (home.schema, list(ALL_TABLES)))
    return {row[0]: Table(*row[1:6], above=tuple(row[6])) for row in rows}


def wal(watcher: Connection) -> int:
    """How many bytes of WAL the server has ever written."""
    row = watcher.execute("SELECT (pg_catalog.pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint").fetchone()
    assert row is not None
    return row[0]


class Ledger:
    """The locks that one session holds, when each was first and, where it lets go by itself, last seen.

    Of a relation those that were stronger than all before.
    """

    def __init__(self, session: Session, watcher: Connection, home: Home) -> None:
        self._watcher = watcher
        self._asked = (session.conn.info.backend_pid, home.schema, list(ALL_TABLES))
        self._first: dict[tuple[str, str], tuple[int, float]] = {}
        self._strongest: dict[str, int] = {}
        self._last: dict[tuple[str, str], float] = {}

    def look(self, number: int, began: float) -> tuple[Seen, ...]:
        """All that is held now. What was not before was taken by this statement, which began then."""
        rows = self._watcher.execute(_LOCKS, self._asked).fetchall()
        for _, relation, mode, *_ in sorted(rows, key=lambda row: -_STRENGTH.index(row[2])):
            # A weaker one beside a stronger keeps nobody waiting who does not wait anyway.
            if _STRENGTH.index(mode) > self._strongest.get(relation, -1):
                self._strongest[relation] = _STRENGTH.index(mode)
                self._first[relation, mode] = number, began
        return tuple(Seen(oid, relation, mode, node if plain else None) for oid, relation, mode, plain, node in rows)

    def close(self, until: float) -> tuple[Lock, ...]:
        """What was held, until that moment at most."""
        return tuple(
            Lock(relation, _words(mode), number, rounded(at), rounded(self._last.get((relation, mode), until) - at))
            for (relation, mode), (number, at) in self._first.items()
        )

    @contextmanager
    def following(self, number: int, clock: Callable[[], float]) -> Iterator[None]:
        """Look again and again: a statement that cannot be in a transaction lets go before it answers."""
        done = threading.Event()

        def follow() -> None:
            while not done.wait(_NAP):
                now = clock()
                for one in self.look(number, now):
                    self._last[one.relation, one.mode] = clock()

        thread = threading.Thread(target=follow, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()


def rounded(seconds: float) -> float:
    """To the microsecond, which survives JSON."""
    return round(seconds, 6)


def _words(mode: str) -> str:
    """AccessExclusiveLock → ACCESS EXCLUSIVE."""
    said = "".join(f" {letter}" if letter.isupper() else letter for letter in mode.removesuffix("Lock"))
    return said.strip().upper()
