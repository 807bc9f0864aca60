"""The schema that a history implies, written down after each run in the sibling table `twokey_schemas`.

So an environment can be held against itself as its last run left it, and against another at the same history.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from psycopg import sql

from engine import drift, fingerprint, history
from engine.connection import Session, server_name
from engine.drift import Drift
from engine.errors import MissingPrivilege
from engine.fingerprint import Inventory, Thing
from engine.history import Home, Row

_TABLE = "twokey_schemas"
#: Of so many histories the schema is kept.
_KEPT = 30

_CREATE = """
CREATE TABLE {} (
  history VARCHAR(64) PRIMARY KEY,
  head VARCHAR(255),
  taken_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
  server INTEGER NOT NULL,
  fingerprint VARCHAR(64) NOT NULL,
  inventory JSON NOT NULL
)
"""

_KEEP = """
WITH older AS (
  DELETE FROM {table} WHERE history IN (
    SELECT history FROM {table} WHERE history <> %s ORDER BY taken_at DESC, history OFFSET %s)
)
INSERT INTO {table} (history, head, server, fingerprint, inventory) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (history) DO UPDATE SET head = EXCLUDED.head, taken_at = EXCLUDED.taken_at, server = EXCLUDED.server,
  fingerprint = EXCLUDED.fingerprint, inventory = EXCLUDED.inventory
"""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a schema is after one history. `history` is `named` of its rows, `server` a version such as 180004."""

    history: str
    head: str | None
    server: int
    things: Inventory

    def as_json(self) -> dict[str, Any]:
        """The same in JSON's own kinds of value."""
        return {
            "history": self.history,
            "head": self.head,
            "server": self.server,
            "things": list(map(list, self.things)),
        }

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> "Snapshot":
        """The Snapshot that `as_json` described."""
        return cls(said["history"], said["head"], said["server"], tuple(Thing(*one) for one in said["things"]))


@dataclass(frozen=True, slots=True)
class Basis:
    """A schema before a run that was not what its history implied, and what that was."""

    live: Inventory
    implied: Inventory


@dataclass(frozen=True, slots=True)
class Settled:
    """A schema after a run. `earlier` is what the same history implied here before, where a run left it so."""

    live: Snapshot
    earlier: Snapshot | None


def named(rows: Sequence[Row]) -> str:
    """SHA-256 in hex over which migrations were applied in which order, whatever tool wrote them down."""
    return hashlib.sha256(json.dumps([row.stamp or row.id for row in rows]).encode()).hexdigest()


def prepare(session: Session, home: Home) -> None:
    """The table is there. Raises MissingPrivilege, so before anything of a run."""
    sought(session, home)()


def sought(session: Session, home: Home) -> Callable[[], None]:
    """What `prepare` asks, sent; the table is made, where it lacks, when it is called for."""
    there = exists(session, home)
    return lambda: None if there() else _create(session, home)


def _create(session: Session, home: Home) -> None:
    try:
        session.conn.execute(sql.SQL(_CREATE).format(home.table(_TABLE)))
    except psycopg.errors.InsufficientPrivilege as cause:
        raise MissingPrivilege(session.database.environment, session.conn.info.user, home.schema) from cause


def at(session: Session, home: Home, name: str) -> Snapshot | None:
    """What the history of this name implies here, if a run ended with it."""
    return _at(session, home, name)() if exists(session, home)() else None


def look(session: Session, home: Home) -> Snapshot:
    """The schema as it is now."""
    rows = history.read(session, home)
    live = fingerprint.inventory(session, home)
    return Snapshot(named(rows), rows[-1].id if rows else None, session.server, live)


def begin(session: Session, home: Home, rows: Sequence[Row], *, found: str | None = None) -> Basis | None:
    """What had drifted before a run; None where nothing had, or nobody knows. `found` is the fingerprint, if known."""
    known = _kept(session, home, named(rows))
    if known is None or not comparable(known[0], session.server) or found == known[1]:
        return None
    live = fingerprint.inventory(session, home)
    return None if fingerprint.digest(live) == known[1] else Basis(live, _things(session, home, named(rows)))


def settle(session: Session, home: Home, basis: Basis | None) -> Settled | None:
    """What the schema is after a run is written down, but for what had drifted before it.

    None where that fails: what committed did so whether or not we can look at it afterwards.
    """
    with suppress(psycopg.Error):
        after = look(session, home)
        implied = drift.carried(after.things, before=basis.live, implied=basis.implied) if basis else after.things
        with session.conn.pipeline():
            earlier = _at(session, home, after.history)  # before it is written anew
            _keep(session, home, replace(after, things=implied))
        return Settled(after, earlier())
    return None


def drifted(
    session: Session, home: Home, rows: Sequence[Row], live: Inventory, *, found: str, kept: bool
) -> Drift | None:
    """The live schema beside what the last run left; None where nothing was ever applied.

    `found` is the fingerprint of the live one; `kept`: see `exists`.
    """
    if not rows:
        return None
    known = _kept(session, home, named(rows)) if kept else None
    if known is None:
        why = f"no run of Twokey ended on {session.database.environment} with this history"
        return drift.unknown(f"{why}. The next one writes its schema down.")
    if not comparable(known[0], session.server):
        why = f"the last run was on PostgreSQL {server_name(known[0])}, which tells a schema in other words"
        return drift.unknown(f"{why}. The next one writes it down anew.")
    if found == known[1]:
        return Drift("none", "snapshot")
    implied = _things(session, home, named(rows))
    return drift.between(live, implied, by="snapshot", declared=session.database.differs)


def comparable(one: int, other: int) -> bool:
    """Whether two servers tell the same schema in the same words: both of one major version."""
    return one // 10000 == other // 10000


def exists(session: Session, home: Home) -> Callable[[], bool]:
    """Whether the table is there is asked; the answer, when it is called for."""
    answer = session.conn.execute(
        "SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = %s AND c.relname = %s AND c.relkind = 'r'",
        (home.schema, _TABLE),
    )
    return lambda: answer.fetchone() is not None


def _at(session: Session, home: Home, name: str) -> Callable[[], Snapshot | None]:
    query = sql.SQL("SELECT head, server, inventory FROM {} WHERE history = %s").format(home.table(_TABLE))
    answer = session.conn.execute(query, (name,))

    def said() -> Snapshot | None:
        row = answer.fetchone()
        return Snapshot(name, row[0], row[1], tuple(Thing(*one) for one in row[2])) if row else None

    return said


def _kept(session: Session, home: Home, name: str) -> tuple[int, str, str | None] | None:
    """Server, fingerprint and head of what is kept of a history. The table is there."""
    query = sql.SQL("SELECT server, fingerprint, head FROM {} WHERE history = %s")
    return session.conn.execute(query.format(home.table(_TABLE)), (name,)).fetchone()


def _things(session: Session, home: Home, name: str) -> Inventory:
    query = sql.SQL("SELECT inventory FROM {} WHERE history = %s").format(home.table(_TABLE))
    row = session.conn.execute(query, (name,)).fetchone()
    return tuple(Thing(*one) for one in row[0]) if row else ()


def _keep(session: Session, home: Home, one: Snapshot) -> None:
    parts = (one.history, _KEPT - 1, one.history, one.head, one.server, fingerprint.digest(one.things))
    things = json.dumps(one.things, ensure_ascii=False)
    session.conn.execute(sql.SQL(_KEEP).format(table=home.table(_TABLE)), (*parts, things))
