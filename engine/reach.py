"""How far an environment's login reaches on its server: which protected environments' databases it could change."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import psycopg
from psycopg import sql

from engine.connection import Session, at, open_session
from engine.errors import ReadOnly, Unreachable
from engine.history import Home
from engine.refusals import PlanRefused

#: Who may run programs or write files on the server may do everything there.
_AS_GOOD_AS_SUPERUSER = ("pg_execute_server_program", "pg_write_server_files")


@dataclass(frozen=True, slots=True)
class Reached:
    """A protected environment's database, and by what right the login can change it, as a part of a sentence.

    `protected` is None where the login may not read whose database it is.
    """

    environment: str
    login: str
    database: str
    protected: str | None
    right: str

    @property
    def sentence(self) -> str:
        """What one person alone could do."""
        whose = f"{self.protected}'s database" if self.protected else "a database of an environment it may not read"
        return (
            f"{self.environment}'s login {self.login} may change {whose} on the same server ({self.database}), "
            f"{self.right}: by a migration of {self.environment} one person alone could."
        )

    @property
    def meant(self) -> str:
        """The same where the workflow file lets it."""
        return f"{self.sentence} on_protected_server in twokey.toml lets it."


@dataclass(eq=False)
class ReachesProtected(PlanRefused):
    """What would run could change a protected environment, past its second key."""

    reached: Reached

    def __str__(self) -> str:
        name = self.reached.environment
        return (
            f"{self.reached.sentence} Give {name} a login without that right, or better a server of its own; "
            f"or, if that is meant, write on_protected_server = true for {name} in twokey.toml."
        )


def guard(session: Session, *, meant: bool) -> None:
    """What is unprotected goes no further where it could change what is protected, unless that is meant.

    Raises ReachesProtected.
    """
    if session.database.protected or meant:
        return
    if found := protected(session):
        raise ReachesProtected(found)


def protected(session: Session) -> Reached | None:
    """The first that the session's login reaches besides its own database. One that lets nobody in is passed over."""
    others = (name for name in neighbours(session) if name != session.conn.info.dbname)
    return next((found for name in others for found in _reached(session, name)), None)


def neighbours(session: Session) -> tuple[str, ...]:
    """The databases of the session's server that its role may enter, its own first; none that comes and goes."""
    rows = session.conn.execute(
        "SELECT datname::text FROM pg_database WHERE datallowconn AND NOT datistemplate"
        " AND has_database_privilege(oid, 'CONNECT') AND NOT starts_with(datname, 'twokey_scratch_')"
        " ORDER BY datname <> current_database(), datname"
    ).fetchall()
    return tuple(name for (name,) in rows)


def marks(session: Session) -> tuple[str, ...]:
    """The protected environments that the session's database says it is. Raises psycopg's InsufficientPrivilege."""
    tables = session.conn.execute(
        "SELECT n.nspname::text FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relname = 'twokey_environment' AND c.relkind = 'r'"
    ).fetchall()
    query = sql.SQL("SELECT name FROM {} WHERE protected")
    asked = (session.conn.execute(query.format(Home(space).table("twokey_environment"))) for (space,) in tables)
    return tuple(name for one in asked for (name,) in one)


def _reached(session: Session, name: str) -> Iterator[Reached]:
    ours, login = session.database.environment, session.conn.info.user
    with suppress(Unreachable, ReadOnly), open_session(at(session, database=name), purpose="twokey reach") as there:
        whose = _marks_or_none(there)
        if whose and (right := _right(there)):
            yield from (Reached(ours, login, name, one, right) for one in whose)


def _marks_or_none(session: Session) -> tuple[str | None, ...]:
    try:
        return marks(session)
    except psycopg.errors.InsufficientPrivilege:
        return (None,)


def _right(session: Session) -> str | None:
    row = session.conn.execute(
        "SELECT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) OR EXISTS (SELECT FROM pg_roles"
        " WHERE rolname = ANY (%s) AND pg_has_role(oid, 'MEMBER')),"
        " (SELECT pg_has_role(datdba, 'MEMBER') FROM pg_database WHERE datname = current_database()),"
        " has_database_privilege(current_database(), 'CREATE') OR EXISTS (SELECT FROM pg_namespace n"
        " WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND has_schema_privilege(n.oid, 'CREATE'))"
        " OR EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p')"
        " AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
        " AND has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE'))",
        (list(_AS_GOOD_AS_SUPERUSER),),
    ).fetchone()
    rules, owns, writes = row or (True, True, True)
    if rules:
        return "as a superuser or as good as one"
    return "as its owner" if owns else "as one who may write there" if writes else None
