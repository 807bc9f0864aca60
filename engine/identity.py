"""The database knows which environment it is, so a swapped address is noticed before anything runs."""

from collections.abc import Callable
from typing import Any

from psycopg import sql

from engine.connection import Session, place
from engine.errors import WouldUnprotect, WrongEnvironment
from engine.history import Home


def meet(session: Session, home: Home) -> bool:
    """The database's stored name and protection agree with the configuration; gives whether this wrote either of them.

    On first contact both are stored; a database that was unprotected and is now configured as protected
    becomes protected. Raises WrongEnvironment, WouldUnprotect.
    """
    return asked(session, home)()


def asked(session: Session, home: Home) -> Callable[[], bool]:
    """What `meet` asks, sent; the answer is judged, as `meet` judges it, when it is called for."""
    stored = sql.SQL("SELECT name, protected FROM {}").format(home.table("twokey_environment"))
    answer = session.conn.execute(stored)
    return lambda: _agreed(session, home, answer.fetchone(), stored)


def _agreed(session: Session, home: Home, found: tuple[Any, ...] | None, stored: sql.Composed) -> bool:
    wanted, table = session.database, home.table("twokey_environment")
    first = None if found else session.conn.execute(_first_contact(session, table)).fetchone()
    row = found or first
    # Two first contacts may meet: the one that came second stored nothing and reads what the other wrote.
    name, protected = row or session.conn.execute(stored).fetchone() or (None, False)
    if name != wanted.environment:
        raise WrongEnvironment(wanted.environment, str(name), place(wanted.dsn), home.name("twokey_environment"))
    if protected and not wanted.protected:
        raise WouldUnprotect(wanted.environment, home.name("twokey_environment"))
    if wanted.protected and not protected:
        session.conn.execute(sql.SQL("UPDATE {} SET protected = true").format(table))
        return True
    return first is not None


def _first_contact(session: Session, table: sql.Identifier) -> sql.Composed:
    return sql.SQL(
        "INSERT INTO {} (name, protected) VALUES ({}, {}) ON CONFLICT DO NOTHING RETURNING name, protected"
    ).format(table, sql.Literal(session.database.environment), sql.Literal(session.database.protected))
