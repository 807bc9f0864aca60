"""What was done to an environment and by whom, in its own record: rows that come, and never change or go.

The history says what is in; a migration taken back leaves it. The deed stays.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import takewhile
from typing import Any

from psycopg import sql

from engine.connection import Session
from engine.history import Home

#: How many deeds of one run are named together. Only the newest run is asked for.
MOST = 100


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing done. `act` is the command's word, `what` the migrations, or the backup and the database it is about.

    `request` is None where it was done at a terminal. Deeds of one run have the same `backend`, the session's pid.
    """

    id: str
    at: datetime
    act: str
    what: tuple[str, ...]
    by: str
    request: str | None
    backend: int


def write(session: Session, home: Home, act: str, *, what: Sequence[str], by: str, request: str | None) -> None:
    """The deed stands there as soon as the transaction that is open, if one is, has committed."""
    session.conn.execute(
        sql.SQL("INSERT INTO {} (act, what, by, request) VALUES (%s, %s, %s, %s)").format(_table(home)),
        (act, list(what), by, request),
    )


def at_terminal(session: Session, home: Home, *, since: datetime | None = None) -> tuple[Deed, ...]:
    """What was done for no request after that moment, oldest first; not by a session that may still do more."""
    return _read(
        session,
        sql.SQL(
            "SELECT id::text, at, act, what, by, request, backend FROM {} WHERE request IS NULL"
            " AND at > coalesce(%(since)s, '-infinity'::timestamptz) AND NOT EXISTS (SELECT FROM"
            " pg_catalog.pg_stat_activity a WHERE a.pid = backend AND a.backend_start <= at) ORDER BY at, id"
        ).format(_table(home)),
        {"since": since},
    )


def every(session: Session, home: Home) -> tuple[Deed, ...]:
    """All of them, oldest first."""
    query = "SELECT id::text, at, act, what, by, request, backend FROM {} ORDER BY at, id"
    return _read(session, sql.SQL(query).format(_table(home)), {})


def newest(session: Session, home: Home) -> Callable[[], Deed | None]:
    """What one session did last in a row, put together: why the history is as it is. A discard says nothing of that.

    It is asked; the deed is there when it is called for.
    """
    query = (
        "SELECT id::text, at, act, what, by, request, backend FROM {} WHERE act <> 'discard'"
        " ORDER BY at DESC, id DESC LIMIT %(most)s"
    )
    answer = session.conn.execute(sql.SQL(query).format(_table(home)), {"most": MOST})
    return lambda: _together(_deeds(answer))


def _together(found: Sequence[Deed]) -> Deed | None:
    if not found:
        return None
    run = takewhile(lambda one: _run(one) == _run(found[0]), found)
    return replace(found[0], what=tuple(part for one in reversed(list(run)) for part in one.what))


def carry(session: Session, home: Home, deeds: Iterable[Deed]) -> None:
    """What was done to the database before this one is known here too."""
    insert = sql.SQL("INSERT INTO {} VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING").format(_table(home))
    with session.conn.cursor() as cursor:
        cursor.executemany(
            insert, [(one.id, one.at, one.act, list(one.what), one.by, one.request, one.backend) for one in deeds]
        )


def _read(session: Session, query: sql.Composed, parts: dict[str, object]) -> tuple[Deed, ...]:
    return _deeds(session.conn.execute(query, parts))


def _deeds(rows: Iterable[tuple[Any, ...]]) -> tuple[Deed, ...]:
    return tuple(Deed(id_, at, act, tuple(what), *rest) for id_, at, act, what, *rest in rows)


def _run(one: Deed) -> tuple[int, str, str, str | None]:
    return one.backend, one.act, one.by, one.request


def _table(home: Home) -> sql.Identifier:
    return home.table("twokey_deeds")
