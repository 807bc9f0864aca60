"""A copy of an environment, from the very backup that protects it, on the scratch server until a block ends."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace

import psycopg
from psycopg import sql

from engine import connection, contents, dump, history, identity, load, manifest, scratch, twin
from engine.connection import Connection, Database, Limits, Session, open_session
from engine.history import Home
from engine.load import Sample
from engine.manifest import Manifest
from engine.plan import Plan
from engine.rehearsal import lookout, named, room
from engine.rehearsal.errors import NotRehearsed
from engine.rehearsal.receipt import Extent
from engine.restore import Comparing, Loading, Source
from engine.scratch import Server
from engine.twin import Letters

#: As much of an environment's name as a scratch database's has room for.
_NAME = 13

_ROLES = """
SELECT pg_get_userbyid(refobjid)::text, bool_or(deptype = 'o') FROM pg_catalog.pg_shdepend
WHERE refclassid = 'pg_catalog.pg_authid'::regclass AND deptype IN ('o', 'a', 'r')
  AND dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
GROUP BY 1
UNION
SELECT pg_get_userbyid(10)::text, true FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n
  ON n.oid = c.relnamespace WHERE c.relowner = 10 AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
ORDER BY 1
"""

_REFERRING = """
SELECT DISTINCT pg_catalog.format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE k.contype = 'f'
"""

#: Rows of each table in a copy that is the schema and a sample.
SAMPLE = 1000


#: Rows by table where loading counted them.
Counted = Mapping[str, int] | None


@dataclass(frozen=True, slots=True)
class Likeness:
    """What a dump does not bring along and a copy needs: encoding and locale, and roles, as (name, owns something).

    `referring` are the tables with a foreign key, as SQL names them: of their rows no sample is taken.
    """

    letters: Letters
    roles: tuple[tuple[str, bool], ...]
    referring: frozenset[str]


@dataclass(frozen=True, slots=True)
class Bench:
    """Where to rehearse, what the copy must be like, and how much of the environment goes into it.

    "schema" is for what is too large: the schema, and a sample of the rows of tables that refer to no other.
    """

    server: Server
    alike: Likeness
    extent: Extent = "whole"


@dataclass(frozen=True, slots=True)
class Copy:
    """The copy as it was restored. `watcher` looks at it from beside; `rows` are those of each table."""

    session: Session
    watcher: Connection
    home: Home
    backup: Manifest
    rows: Mapping[str, int]
    bytes: int
    seconds: float


def likeness(session: Session) -> Likeness:
    """What a copy of the session's database must be like. Reads the catalogs alone."""
    referring = frozenset(name for (name,) in session.conn.execute(_REFERRING))
    return Likeness(twin.letters(session), tuple(session.conn.execute(_ROLES)), referring)


@contextmanager
def copy(
    plan: Plan, source: Source, bench: Bench, *, limits: Limits, tell: Callable[[Loading | Comparing], None]
) -> Iterator[Copy]:
    """A database that holds what the backup says, and nobody else's; gone with the block.

    Raises NotRehearsed, BackupDoubtful, ScratchRefused and its like, NoPgDump and its like.
    """
    began, believed = time.monotonic(), _believed(plan, source)
    with (
        scratch.database(bench.server, f"rehearsal_{_slug(plan.environment)}", letters=bench.alike.letters) as made,
        _opened(plan, made, limits) as session,
        closing(connection.beside(session)) as watcher,
    ):
        _fits(session, plan, bench)
        tell(Loading(session.conn.info.dbname, believed.bytes))
        loaded = _load(session, plan, source, believed, bench)
        tell(Comparing(len(believed.contents.rows)))
        home, rows = _compare(session, plan, believed, loaded, bench.extent)
        _cut_off(session, plan)
        watcher.execute("SET statement_timeout = 0; SET row_security = off")
        _known_to_the_planner(watcher, home, plan)
        size = watcher.execute("SELECT pg_catalog.pg_database_size(current_database())").fetchone()
        assert size is not None
        yield Copy(session, watcher, home, believed, rows, size[0], time.monotonic() - began)


@contextmanager
def _opened(plan: Plan, made: Database, limits: Limits) -> Iterator[Session]:
    """A session on the copy, which has to answer to the environment's name."""
    place = Database(plan.environment, plan.protected, made.dsn)
    with open_session(place, purpose=f"twokey rehearsal of {plan.environment}", limits=limits) as session:
        if session.server >= 140000:  # it is idle while the copy is loaded
            session.conn.execute("SET idle_session_timeout = 0")
        yield session


def _slug(environment: str) -> str:
    return re.sub(r"[^a-z0-9]", "_", environment.lower())[:_NAME]


def _believed(plan: Plan, source: Source) -> Manifest:
    """The manifest of an unchanged backup of what the plan was drawn on."""
    found = manifest.verify(source.backup)
    if found.environment != plan.environment:
        why = f"{source.backup.name} is a backup of {found.environment}"
        raise NotRehearsed(plan.environment, why, "Take one of its own.")
    if found.contents.head != plan.head:
        why = f"the backup's history ends at {found.contents.head} and the plan's at {plan.head}"
        raise NotRehearsed(plan.environment, why, "Ask again.")
    if found.contents.fingerprint != plan.fingerprint:
        raise NotRehearsed(plan.environment, "its schema changed between plan and backup", "Ask again.")
    return found


def _fits(session: Session, plan: Plan, bench: Bench) -> None:
    """The server is one on which this plan and this copy can be tried. Raises NotRehearsed."""
    _same_major(session, plan)
    _of_its_own(session, plan)
    _knows_roles(session, plan, bench.alike)
    if bench.extent == "whole":
        room.check(session, plan, room=bench.server.room)


def _same_major(session: Session, plan: Plan) -> None:
    major = plan.server.split(".")[0]
    if str(session.server // 10000) != major:
        why = f"its server is PostgreSQL {plan.server} and the scratch server {connection.server_name(session.server)}"
        raise NotRehearsed(plan.environment, why, f"Name a scratch server of PostgreSQL {major}.")


def _of_its_own(session: Session, plan: Plan) -> None:
    """What is not the database's alone is only touched on another server than the environment's."""
    reaches = named.shared(plan.migrations)
    row = session.conn.execute("SELECT system_identifier::text FROM pg_catalog.pg_control_system()").fetchone()
    if reaches and (row is None or plan.system_identifier in (None, row[0])):
        why = f"{reaches} reaches beyond its database, and the scratch server is not known to be another than its own"
        raise NotRehearsed(plan.environment, why, "Rehearse on a server of its own, or do this by hand.")


def _knows_roles(session: Session, plan: Plan, alike: Likeness) -> None:
    """Every role that the backup names is there, and the copy's objects may be given to it."""
    found = dict(session.conn.execute("SELECT rolname::text, pg_has_role(oid, 'MEMBER') FROM pg_catalog.pg_roles"))
    missing = [name for name, _ in alike.roles if name not in found]
    if missing:
        step = " ".join(f'CREATE ROLE "{name}";' for name in missing)
        why = f"the scratch server does not have the roles that its backup names: {', '.join(missing)}"
        raise NotRehearsed(plan.environment, why, f"On that server: {step}")
    login = session.conn.info.user
    if strange := [name for name, owns in alike.roles if owns and not found[name]]:
        why = f"{login} may not give objects to the roles that own them: {', '.join(strange)}"
        step = " ".join(f'GRANT "{name}" TO "{login}";' for name in strange)
        raise NotRehearsed(plan.environment, why, f"On the scratch server: {step}")


def _load(session: Session, plan: Plan, source: Source, believed: Manifest, bench: Bench) -> Counted:
    if not believed.contents.public:
        session.conn.execute("DROP SCHEMA public")
    env = {**dump.surroundings(session.conn, purpose=f"twokey rehearsal of {plan.environment}")}
    loaded = load.load(
        source.backup,
        believed,
        tools=source.tools,
        server=session.server,
        parallel=source.parallel,
        env=env,
        sample=Sample(SAMPLE, bench.alike.referring) if bench.extent == "schema" else None,
    )
    if loaded.why:
        step = "Load it by hand into an empty database on the scratch server to see why."
        raise NotRehearsed(plan.environment, f"{source.backup.name} does not restore: {loaded.why}", step)
    return loaded.rows


def _compare(
    session: Session, plan: Plan, believed: Manifest, loaded: Counted, extent: Extent
) -> tuple[Home, Mapping[str, int]]:
    """The copy holds what the manifest says, of a sample all but the rows; gives every table's rows."""
    home = history.prepare(session)
    found = contents.read(session, home, rows=loaded)
    wanted = believed.contents if extent == "whole" else replace(believed.contents, rows=found.rows)
    if shown := contents.unlike(wanted, found):
        why = f"what was restored is not what was backed up: {shown}"
        raise NotRehearsed(plan.environment, why, "Take another backup.")
    identity.meet(session, home)
    return home, found.rows


def _known_to_the_planner(watcher: Connection, home: Home, plan: Plan) -> None:
    """The tables that the plan names have statistics, as in the environment; all of them would take its time."""
    found, names = lookout.tables(watcher, home), named.of(plan.migrations)
    ours = [one for one in found.values() if lookout.is_named(names, one, found)]
    if ours:
        every = sql.SQL(", ").join(sql.Identifier(one.schema, one.name) for one in ours)
        watcher.execute(sql.SQL("ANALYZE {}").format(every))


def _cut_off(session: Session, plan: Plan) -> None:
    """The copy has no way to other servers: what would write through a foreign table there fails here."""
    mappings = session.conn.execute(
        "SELECT srvname::text, usename::text, umuser = 0 FROM pg_catalog.pg_user_mappings"
    ).fetchall()
    try:
        for server, login, everybody in mappings:
            who = sql.SQL("PUBLIC") if everybody else sql.Identifier(login)
            dropping = sql.SQL("DROP USER MAPPING FOR {} SERVER {}").format(who, sql.Identifier(server))
            session.conn.execute(dropping)
    except psycopg.Error as cause:
        if session.conn.broken:
            raise
        why = f"its copy could reach another server, and that could not be cut off ({cause.sqlstate})"
        step = "Give the scratch server's login the right to drop user mappings there."
        raise NotRehearsed(plan.environment, why, step) from None
