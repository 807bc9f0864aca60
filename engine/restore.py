"""A backup into a new database beside the old one, compared with its manifest, and only then swapped in."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
from psycopg import sql

from engine import contents, deeds, dump, dumps, former, history, identity, load, lock, manifest, swap, tallies, twin
from engine.connection import Limits, Session, at, open_session, server_name
from engine.contents import Contents
from engine.errors import EngineError, EnvironmentBusy, Hint
from engine.manifest import Manifest
from engine.tools import Tools

_RESTORING = "_twokey_restoring"
_NO_LIMIT = timedelta(0)


@dataclass(frozen=True, slots=True)
class LeftoverCleared:
    """What an interrupted restore had left was dropped."""

    database: str


@dataclass(frozen=True, slots=True)
class Loading:
    """The backup's bytes are unchanged, and it is read into a new database."""

    database: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Comparing:
    """The new database is compared with the manifest: every table's rows are counted."""

    tables: int


@dataclass(frozen=True, slots=True)
class Swapping:
    """Whoever is in the old database is sent away, and the two exchange their names."""

    kept: str


Progress = LeftoverCleared | Loading | Comparing | Swapping
Rows = Mapping[str, int] | None
Tell = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Restored:
    """`database` holds what the backup held. `kept` is what the old one is called now; None without a swap."""

    environment: str
    database: str
    kept: str | None
    manifest: Manifest
    seconds: float


@dataclass(frozen=True, slots=True)
class Source:
    """Which backup, which programs, and how many connections load a folder at the same time."""

    backup: Path
    tools: Tools
    parallel: int = 1


@dataclass(eq=False)
class RestoreFailed(EngineError):
    """Nothing was swapped, and the new database is gone again."""

    environment: str
    why: str
    next_step: str

    def __str__(self) -> str:
        return f"{self.environment} was not restored: {self.why}. Its database is as it was. {self.next_step}"


@dataclass(eq=False)
class OfAnother(RestoreFailed):
    """The backup is another environment's."""

    @property
    def hint(self) -> Hint:
        """Which are its own."""
        return Hint("See which there are", f"backups {self.environment}")


def run(
    session: Session,
    source: Source,
    *,
    now: datetime,
    actor: str,
    request: str | None,
    tell: Tell = lambda _: None,
) -> Restored:
    """The environment's database is what the backup was; the old one is kept beside it under a dated name.

    What was done to the old one is known in the new one, and this too; so are the tallies that it kept.

    The session holds the environment's lock and ends with the swap. Raised with everything as it was: BackupDoubtful,
    RestoreFailed, StillInUse, BeingDumped, WrongEnvironment, WouldUnprotect, EnvironmentBusy, NoPgDump and its like.
    """
    lock.check(session)
    dumps.none(session)
    identity.meet(session, history.prepare(session))
    _must_be_free(session)
    kept = former.name(session.conn.info.dbname, now)

    def place(maintenance: Session, new: str) -> None:
        tell(Swapping(kept))
        lock.check(session)
        dumps.none(session)  # the swap would end it
        done, told = deeds.every(session, history.prepare(session)), tallies.kept(session)
        with _inside(session, new) as opened, opened.conn.transaction():
            home = history.prepare(opened)
            deeds.carry(opened, home, done)
            tallies.keep(opened, *told)
            deeds.write(opened, home, "restore", what=(source.backup.name, kept), by=actor, request=request)
        with _maintenance(session) as ender:
            swap.swap(maintenance, ender, session, new=new, kept=kept)

    return replace(_restore(session, source, place=place, tell=tell), kept=kept)


def beside(session: Session, source: Source, *, name: str, tell: Tell = lambda _: None) -> Restored:
    """A new database of this name is what the backup was; the environment's own stays. Raises as `run` does."""
    if session.conn.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
        raise RestoreFailed(session.database.environment, f"there is a database {name} already", "Say another name.")

    def place(maintenance: Session, new: str) -> None:
        maintenance.conn.execute(
            sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(new), sql.Identifier(name))
        )

    return replace(_restore(session, source, place=place, tell=tell), database=name)


def _restore(session: Session, source: Source, *, place: Callable[[Session, str], None], tell: Tell) -> Restored:
    started, database = time.monotonic(), session.conn.info.dbname
    believed = _believed(session, source)
    env = {**dump.surroundings(session.conn, purpose="twokey restore")}
    with _maintenance(session) as maintenance, _alone(maintenance, database):
        new = former.named(database, _RESTORING)
        if twin.drop(maintenance, new):
            tell(LeftoverCleared(new))
        try:
            _create(maintenance, new, like=database)
            tell(Loading(new, believed.bytes))
            rows = _fill(session, source, believed, env=env | {"PGDATABASE": new})
            twin.dress(maintenance, new, like=database)
            tell(Comparing(len(believed.contents.rows)))
            _compare(session, new, believed.contents, rows=rows)
            place(maintenance, new)
        except BaseException:
            with suppress(psycopg.Error):  # the next restore clears it
                twin.drop(maintenance, new)
            raise
    return Restored(session.database.environment, database, None, believed, time.monotonic() - started)


def _believed(session: Session, source: Source) -> Manifest:
    """The manifest of a backup that is unchanged, of this environment, and not of a newer server."""
    found, environment = manifest.verify(source.backup), session.database.environment
    if found.environment != environment:
        why = f"{source.backup.name} is a backup of {found.environment}"
        raise OfAnother(environment, why, "Name one of its own.")
    if int(found.server_version.split(".")[0]) > session.server // 10000:
        why = (
            f"{source.backup.name} is from PostgreSQL {found.server_version} and this is {server_name(session.server)}"
        )
        raise RestoreFailed(environment, why, "Restore it on a server that is at least as new.")
    return found


def _must_be_free(session: Session) -> None:
    """Nothing hangs on the old database that would be left behind with it."""
    rows = session.conn.execute(
        "SELECT 'replication slot ' || slot_name FROM pg_replication_slots WHERE database = current_database()"
        " UNION ALL SELECT 'subscription ' || subname FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid"
        " WHERE d.datname = current_database()"
        " UNION ALL SELECT 'prepared transaction ' || gid FROM pg_prepared_xacts WHERE database = current_database()"
        " ORDER BY 1"
    ).fetchall()
    if rows:
        why = f"its database has the {', the '.join(name for (name,) in rows)}, which would stay with the old one"
        raise RestoreFailed(session.database.environment, why, "Drop or finish what is named, then ask again.")


@contextmanager
def _maintenance(session: Session) -> Iterator[Session]:
    """A session of the same login on the server's maintenance database, from where databases are made and renamed."""
    purpose = session.conn.info.parameter_status("application_name") or "twokey"
    with open_session(at(session, database="postgres"), purpose=purpose) as opened:
        _patient(opened)
        _patient(session)
        yield opened


def _patient(session: Session) -> None:
    """The session may be idle for as long as a database takes to load."""
    if session.server >= 140000:
        session.conn.execute("SET idle_session_timeout = 0")


@contextmanager
def _alone(maintenance: Session, database: str) -> Iterator[None]:
    """The environment's lock where it outlives the swap. Raises EnvironmentBusy."""
    row = maintenance.conn.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", (lock.CLASS, database)).fetchone()
    if not (row and row[0]):
        raise EnvironmentBusy(maintenance.database.environment, "another restore", 0)
    yield  # and it ends with the session


def _create(maintenance: Session, new: str, *, like: str) -> None:
    try:
        twin.create(maintenance, new, like=like)
    except psycopg.errors.InsufficientPrivilege as cause:
        role = maintenance.conn.info.user
        why = f"{role} may not create a database like {like}"
        step = f"Make it that database's owner, and: ALTER ROLE {role} CREATEDB."
        raise RestoreFailed(maintenance.database.environment, why, step) from cause


def _fill(session: Session, source: Source, believed: Manifest, *, env: dict[str, str]) -> Rows:
    """The new database is loaded; gives the rows of each table where loading counted them."""
    if not believed.contents.public:
        with _inside(session, env["PGDATABASE"]) as new:
            new.conn.execute("DROP SCHEMA public")
    loaded = load.load(
        source.backup, believed, tools=source.tools, server=session.server, parallel=source.parallel, env=env
    )
    if loaded.why:
        step = f"Load {source.backup.name} by hand into an empty database to see why."
        raise RestoreFailed(session.database.environment, loaded.why, step)
    return loaded.rows


def _compare(session: Session, new: str, wanted: Contents, *, rows: Rows) -> None:
    """The new database holds what the manifest says, is the environment it should be, and its planner knows it."""
    with _inside(session, new) as opened:
        home = history.prepare(opened)
        if shown := contents.unlike(wanted, contents.read(opened, home, rows=rows)):
            step = "Take another backup, or name another one."
            raise RestoreFailed(
                session.database.environment, f"what was loaded is not what was backed up: {shown}", step
            )
        identity.meet(opened, home)
        opened.conn.execute("ANALYZE")


@contextmanager
def _inside(session: Session, database: str) -> Iterator[Session]:
    """A session on the new database, where nobody waits for us."""
    limits = Limits(session.limits.lock_timeout, _NO_LIMIT)
    with open_session(at(session, database=database), purpose="twokey restore", limits=limits) as opened:
        yield opened
