"""A migration that cannot be one transaction: statement by statement, going on where an earlier attempt stopped.

A statement that may stands in one transaction with the note that it ran, so what ran is always known. One that may not,
such as CREATE INDEX CONCURRENTLY, is noted right after it.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import psycopg
from psycopg import sql

from engine import forbidden, history, statements
from engine.connection import Session
from engine.errors import ConnectionLost, EngineError
from engine.history import Entry, Home
from engine.plan import Planned
from engine.report import StatementRan, Step
from engine.sections import Section
from engine.statements import Statement
from engine.transaction import Part, Stopped

_INVALID = """
SELECT pg_catalog.format('%I.%I', n.nspname, c.relname), c.relname::text FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE NOT i.indisvalid AND c.relkind = 'i' ORDER BY 1
"""

#: Of tables alone: a domain's constraint has no rows of its own that could break it.
_UNVALIDATED = """
SELECT pg_catalog.format('%I on %I.%I', k.conname, n.nspname, c.relname) FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE NOT k.convalidated ORDER BY 1
"""


@dataclass(eq=False)
class ChangedPartWay(EngineError):
    """A file of which some statements ran is no longer the file they ran from."""

    environment: str
    migration: str
    done: int

    def __str__(self) -> str:
        ran = "its first statement" if self.done == 1 else f"its first {self.done} statements"
        return (
            f"{self.migration}.sql was changed after {ran} ran on {self.environment}. Nothing was run. "
            "Restore the file as it was, and put what must change in a new migration."
        )


def check(session: Session, home: Home, migrations: Iterable[Planned]) -> None:
    """What ran of these in part, ran from the same texts. Raises ChangedPartWay."""
    asked(session, home, migrations)()


def asked(session: Session, home: Home, migrations: Iterable[Planned]) -> Callable[[], None]:
    """What `check` asks, sent; the answer is judged, as `check` judges it, when it is called for."""
    query = sql.SQL("SELECT migration_id, checksum, done FROM {}").format(home.table("twokey_progress"))
    answer = session.conn.execute(query)

    def judged() -> None:
        part_way = {id_: (checksum, done) for id_, checksum, done in answer}
        for one in migrations:
            checksum, done = part_way.get(one.id, ("", 0))
            if done and checksum != one.checksum:
                raise ChangedPartWay(session.database.environment, one.id, done)

    return judged


def commit(session: Session, home: Home, entry: Entry, section: Section, *, tell: Callable[[Step], None]) -> float:
    """All that is left of the migration ran, then its history row was written; gives the seconds.

    No lock_timeout, which would leave invalid indexes behind; the statement_timeout holds. Raises
    Stopped, ConnectionLost.
    """
    started = time.monotonic()
    found = statements.split(f"{entry.id}.sql", section.text)
    session.conn.execute("SET lock_timeout = 0")
    try:
        done, known = _begun(session, home, entry)
        for place in range(done, len(found)):
            _run(session, home, entry, found, place=place, known=known)
            tell(StatementRan(entry.id, place + 1, len(found)))
        sound(session, len(found), known)
        _recorded(session, home, entry)
    except psycopg.Error as error:
        if session.conn.broken:
            raise ConnectionLost(session.database.environment) from error
        raise Stopped(error, None, Part(len(found), len(found), ())) from error
    return time.monotonic() - started


def sound(session: Session, count: int, known: Sequence[str]) -> None:
    """No index that is not valid came with the file, whatever its statements said. Raises Stopped.

    A constraint that the file adds as NOT VALID and leaves so is what it asks for.
    """
    if left := tuple(full for full in invalid(session) if full not in known):
        error = psycopg.errors.ObjectNotInPrerequisiteState("an index that it left is not valid")
        raise Stopped(error, None, Part(count, count, left))


def invalid(session: Session) -> tuple[str, ...]:
    """Indexes that are not valid."""
    return tuple(full for full, _ in session.conn.execute(_INVALID))


def unvalidated(session: Session) -> tuple[str, ...]:
    """Constraints of tables that nothing has validated, as `name on table`."""
    return tuple(name for (name,) in session.conn.execute(_UNVALIDATED))


def _recorded(session: Session, home: Home, entry: Entry) -> None:
    gone = sql.SQL("DELETE FROM {} WHERE migration_id = %s").format(home.table("twokey_progress"))
    with session.conn.transaction():
        session.conn.execute(history.MARK)
        history.record(session, home, entry)
        session.conn.execute(gone, (entry.id,))


def _begun(session: Session, home: Home, entry: Entry) -> tuple[int, Sequence[str]]:
    """How many statements ran before, and which indexes were invalid before the first of them."""
    row = session.conn.execute(
        sql.SQL(
            "INSERT INTO {} (migration_id, checksum, done, invalid_before) VALUES (%s, %s, 0, %s)"
            " ON CONFLICT (migration_id) DO UPDATE SET checksum = EXCLUDED.checksum RETURNING done, invalid_before"
        ).format(home.table("twokey_progress")),
        (entry.id, entry.checksum, [*invalid(session), *unvalidated(session)]),
    ).fetchone()
    return row or (0, ())


def _run(
    session: Session, home: Home, entry: Entry, found: Sequence[Statement], *, place: int, known: Sequence[str]
) -> None:
    one = found[place]
    alone = forbidden.is_apart(one.kind, one.node)
    try:
        with nullcontext() if alone else session.conn.transaction():
            session.conn.execute(one.text.encode())
            if not (alone and _leftovers(session, one, known)):
                _ran(session, home, entry, place + 1)
                return
    except psycopg.Error as error:
        if session.conn.broken:
            raise
        within = int(error.diag.statement_position or 1) - 1
        if place == 0 and not alone:  # so nothing of the file stays
            raise Stopped(error, one.start + within) from error
        stays = Part(place, len(found), _leftovers(session, one, known), _unvalidated(session, known))
        raise Stopped(error, one.start + within, stays) from error
    skipped = psycopg.errors.DuplicateTable("the index exists already and is invalid, so it was skipped")
    raise Stopped(skipped, one.start, Part(place, len(found), _leftovers(session, one, known)))


def _leftovers(session: Session, one: Statement, known: Sequence[str]) -> tuple[str, ...]:
    """Invalid indexes that were not there before the file, or bear the name of the one that this statement builds."""
    built = one.node.idxname if one.kind == "index_stmt" else None
    return tuple(full for full, name in session.conn.execute(_INVALID) if full not in known or name == built)


def _unvalidated(session: Session, known: Sequence[str]) -> tuple[str, ...]:
    """Constraints that the file added and that nothing has validated."""
    return tuple(name for name in unvalidated(session) if name not in known)


def _ran(session: Session, home: Home, entry: Entry, done: int) -> None:
    note = sql.SQL("UPDATE {} SET done = %s WHERE migration_id = %s").format(home.table("twokey_progress"))
    session.conn.execute(note, (done, entry.id))
