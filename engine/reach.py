"""How far an environment's login reaches on its server: which protected environments' databases it could change."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from engine.connection import Database, Session, at, open_session
from engine.errors import EngineError, ReadOnly, Unreachable
from engine.history import Home
from engine.refusals import PlanRefused

#: Who may run programs or write files on the server may do everything there.
_AS_GOOD_AS_SUPERUSER = ("pg_execute_server_program", "pg_write_server_files")

#: Asked of every role that the login is, or may make itself: who is a member without inheriting may set the role, who
#: may grant a role may grant it to themselves, and before 16 whoever may create roles may grant any but a superuser's.
#: https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-ACCESS (MEMBER)
#: Whatever the roles own is in pg_shdepend, be it a relation, a function, a type or a large object.
_RIGHTS = """
WITH mine AS (
  SELECT oid, rolname, rolsuper OR rolcreaterole AND current_setting('server_version_num')::int < 160000 AS rules
  FROM pg_catalog.pg_roles WHERE pg_catalog.pg_has_role(session_user, oid, 'MEMBER')
), spaces AS (
  SELECT oid FROM pg_catalog.pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
)
SELECT
  EXISTS (SELECT FROM mine WHERE rules OR rolname = ANY (%(as_good)s)),
  EXISTS (SELECT FROM pg_catalog.pg_database JOIN mine ON mine.oid = datdba WHERE datname = current_database()),
  EXISTS (SELECT FROM mine WHERE pg_catalog.has_database_privilege(mine.oid, current_database(), 'CREATE'))
  OR EXISTS (SELECT FROM pg_catalog.pg_shdepend d JOIN mine ON mine.oid = d.refobjid
    WHERE d.deptype = 'o' AND d.refclassid = 'pg_catalog.pg_authid'::regclass
      AND d.dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()))
  OR EXISTS (SELECT FROM spaces, mine WHERE pg_catalog.has_schema_privilege(mine.oid, spaces.oid, 'CREATE'))
  OR EXISTS (SELECT FROM pg_catalog.pg_class c JOIN spaces ON spaces.oid = c.relnamespace, mine
    WHERE CASE WHEN c.relkind = 'S' THEN pg_catalog.has_sequence_privilege(mine.oid, c.oid, 'USAGE, UPDATE')
      WHEN c.relkind IN ('r', 'p', 'v', 'm', 'f') THEN
        pg_catalog.has_table_privilege(mine.oid, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER')
        OR pg_catalog.has_any_column_privilege(mine.oid, c.oid, 'INSERT, UPDATE')
      ELSE false END)
  OR EXISTS (SELECT FROM pg_catalog.pg_largeobject_metadata l, pg_catalog.aclexplode(l.lomacl) a, mine
    WHERE a.grantee IN (0, mine.oid) AND a.privilege_type = 'UPDATE')
"""


#: A database that CREATE or DROP left half way has the limit -2, and nobody enters it.
#: https://www.postgresql.org/docs/current/catalog-pg-database.html
_NEIGHBOURS = """
SELECT datname::text, bool_or(r.oid = datdba), bool_or(r.rolname = session_user) OR datname = current_database()
FROM pg_catalog.pg_database d JOIN pg_catalog.pg_roles r
  ON r.oid = datdba OR pg_catalog.has_database_privilege(r.oid, d.oid, 'CONNECT')
WHERE pg_catalog.pg_has_role(session_user, r.oid, 'MEMBER')
  AND datallowconn AND datconnlimit <> -2 AND datname NOT IN ('template0', 'template1')
  AND NOT pg_catalog.starts_with(datname, 'twokey_scratch_')
GROUP BY datname ORDER BY datname <> current_database(), datname
"""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A database of the server. `owned`: by a role that the login is or may make itself; `open`: it may connect."""

    name: str
    owned: bool
    open: bool


@dataclass(frozen=True, slots=True)
class Reached:
    """A protected environment's database, and by what right the login can change it, as a part of a sentence.

    `protected` is None where whose database it is may not be read, `right` where nobody could look: `why`, then.
    """

    environment: str
    login: str
    database: str
    protected: str | None
    right: str | None
    why: str = ""

    @property
    def sentence(self) -> str:
        """What one person alone could do."""
        whose = f"{self.protected}'s database" if self.protected else "a database of an environment it may not read"
        login, there = f"{self.environment}'s login {self.login}", f"on the same server ({self.database})"
        if self.right is None:
            return f"Whether {login} may change {whose} {there} could not be looked at: {self.why}"
        alone = f"by a migration of {self.environment} one person alone could."
        return f"{login} may change {whose} {there}, {self.right}: {alone}"

    @property
    def meant(self) -> str:
        """The same where the workflow file lets it."""
        return f"{self.sentence} on_protected_server in twokey.toml lets it."


@dataclass(eq=False)
class ReachesProtected(PlanRefused):
    """What would run could change a protected environment, past its second key, or nobody knows that it could not."""

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
    """The first that the session's login reaches besides its own database, or that could not be looked at."""
    others = (one for one in neighbours(session) if one.name != session.conn.info.dbname)
    return next((found for one in others for found in _reached(session, one)), None)


def neighbours(session: Session) -> tuple[Neighbour, ...]:
    """The databases of the session's server that its login may enter or own, by whatever role; its own first.

    Left out are those that let nobody in, and our own that come and go.
    """
    rows = session.conn.execute(_NEIGHBOURS).fetchall()
    return tuple(Neighbour(name, owned, may_connect) for name, owned, may_connect in rows)


def marks(session: Session) -> tuple[str, ...]:
    """The protected environments that the session's database says it is. Raises psycopg's InsufficientPrivilege."""
    tables = session.conn.execute(
        "SELECT n.nspname::text FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relname = 'twokey_environment' AND c.relkind = 'r'"
    ).fetchall()
    query = sql.SQL("SELECT name FROM {} WHERE protected")
    asked = (session.conn.execute(query.format(Home(space).table("twokey_environment"))) for (space,) in tables)
    return tuple(name for one in asked for (name,) in one)


def _reached(session: Session, one: Neighbour) -> Iterator[Reached]:
    ours, login = session.database.environment, session.conn.info.user
    try:
        with opened(at(session, database=one.name), purpose="twokey reach") as there:
            whose = _marks_or_none(there)
            right = _right(there) if whose else None
    except Unreachable as away:
        if one not in neighbours(session):  # it was dropped meanwhile
            return
        if one.owned and away.shut:
            yield Reached(ours, login, one.name, None, "as its owner")
        elif not (one.open and away.shut):
            yield Reached(ours, login, one.name, None, None, f"{away.why}. {away.next_step}")
        return
    except EngineError as failed:
        yield Reached(ours, login, one.name, None, None, str(failed))
        return
    if right:
        yield from (Reached(ours, login, one.name, marked, right) for marked in whose)


@contextmanager
def opened(there: Database, *, purpose: str) -> Iterator[Session]:
    """A session on a neighbour, past a setting that makes the login read there alone: a migration could undo it.

    No standby is met: the session that asks is on the same server, and writes.
    """
    try:
        with open_session(there, purpose=purpose) as one:
            yield one
    except ReadOnly:
        options = f"{conninfo_to_dict(there.dsn).get('options') or ''} -c default_transaction_read_only=off"
        writing = replace(there, dsn=make_conninfo(there.dsn, options=options.strip()))
        with open_session(writing, purpose=purpose) as one:
            yield one


def _marks_or_none(session: Session) -> tuple[str | None, ...]:
    try:
        return marks(session)
    except psycopg.errors.InsufficientPrivilege:
        return (None,)


def _right(session: Session) -> str | None:
    row = session.conn.execute(_RIGHTS, {"as_good": list(_AS_GOOD_AS_SUPERUSER)}).fetchone()
    rules, owns, writes = row or (True, True, True)
    if rules:
        return "as a superuser or as good as one"
    return "as its owner" if owns else "as one who may write there" if writes else None
