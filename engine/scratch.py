"""A database for the length of a block: made under a dated name on the server that twokey.toml names, then dropped."""

import re
import secrets
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from engine import (
    connection,
    failure,
    fingerprint,
    forward,
    history,
    lock,
    plan,
    reach,
    sections,
    standing,
    transaction,
    twin,
)
from engine.connection import Database, Session, at, open_session
from engine.errors import ConnectionLost, EngineError, ReadOnly, ServerRefused, Unreachable
from engine.files import Migration
from engine.forward import Way
from engine.history import Home
from engine.plan import Planned
from engine.report import Step
from engine.transaction import Stopped
from engine.twin import Letters

#: What a scratch database and its server are called in sentences, and in the scratch database's own history.
NAME = "scratch"
#: Long after any proof has ended; and a database with somebody in it is never cleared.
OLD = timedelta(hours=1)

#: The signal by which whoever runs the engine breaks it off from another thread, beside Ctrl-C's.
BREAKS_OFF = signal.SIGUSR1

_ELSEWHERE = "Name another server in [scratch] database_url, or, if that is meant, on_protected_server = true there."
_MOMENT = "%Y%m%d_%H%M%S"
_LEFT = re.compile(r"twokey_scratch_[a-z0-9_]{1,24}_(\d{8}_\d{6})_[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class Server:
    """Where scratch databases live. `dsn` leads to any database there, from where they are made and dropped.

    No protected environment may live on the same server, unless the workflow file says so (`on_protected_server`):
    neither one of `guarded`, whose addresses are known here, nor one whose database there bears the mark.
    `room` is how many bytes a copy may take there, if known.
    """

    dsn: str = field(repr=False)
    guarded: tuple[Database, ...] = ()
    on_protected_server: bool = False
    room: int | None = None


@dataclass(eq=False)
class NoScratch(EngineError):
    """Nobody has said where scratch databases may live."""

    def __str__(self) -> str:
        return (
            "This needs a scratch database, and twokey.toml names no server for one. "
            'Write there: [scratch] database_url = { env = "SCRATCH_DATABASE_URL" }, '
            "and set that variable to the address of a server with nothing to lose."
        )


@dataclass(eq=False)
class ScratchRefused(EngineError):
    """No scratch database was made. `why` is a sentence's half."""

    why: str
    next_step: str

    def __str__(self) -> str:
        return f"No scratch database was made: {self.why}. {self.next_step}"


@dataclass(eq=False)
class NotReplayed(EngineError):
    """A file does not run on a scratch database, up or down."""

    sentence: str

    def __str__(self) -> str:
        return f"The migrations do not run on an empty database: {self.sentence}"


@contextmanager
def database(server: Server, purpose: str, *, letters: Letters | None = None) -> Iterator[Database]:
    """A new, empty database until the block ends, however it ends; with this encoding and locale (`twin.letters`).

    What killed runs have left is cleared first. Raises ScratchRefused, BadAddress, Unreachable and its like.
    """
    with _maintenance(server) as maintenance:
        _guard(server, maintenance)
        clear(maintenance)
        name = _name(maintenance, purpose)
    with _signals(signal.SIG_BLOCK, {signal.SIGINT, BREAKS_OFF}) as before:
        try:
            with _signals(signal.SIG_SETMASK, before):
                with _maintenance(server) as maintenance:
                    _create(maintenance, name, letters or {})
                yield Database(NAME, protected=False, dsn=make_conninfo(server.dsn, dbname=name))
        finally:
            # One that cannot be dropped now is cleared by the next run; what ends the block is not to be hidden by it.
            with suppress(EngineError), _maintenance(server) as maintenance:
                twin.drop(maintenance, name)


@contextmanager
def _signals(how: int, which: Iterable[int]) -> Iterator[Iterable[int]]:
    """Which signals this thread hears until the block ends; gives those it did not hear. What waits comes then."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())  # blocks none: it only reads
    try:
        signal.pthread_sigmask(how, which)
        yield before
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def sweep(server: Server) -> tuple[str, ...]:
    """What killed runs left on that server is dropped, as `clear` does it. Raises Unreachable and its like."""
    with _maintenance(server) as maintenance:
        return clear(maintenance)


def clear(maintenance: Session, *, older_than: timedelta = OLD) -> tuple[str, ...]:
    """Scratch databases that killed runs left are dropped, unless somebody is in them; gives their names."""
    rows = maintenance.conn.execute(
        "SELECT datname::text, clock_timestamp() FROM pg_database"
        " WHERE starts_with(datname, 'twokey_scratch_') AND pg_has_role(datdba, 'USAGE') ORDER BY 1"
    ).fetchall()
    return tuple(name for name, now in rows if _is_left(name, now - older_than) and _drop(maintenance, name))


def replay(session: Session, files: Sequence[Migration], *, tell: Callable[[Step], None] = lambda _: None) -> str:
    """Those of the files that the session's scratch database lacks ran in order; gives its fingerprint.

    Raises NotReplayed, and what a plan is refused for: SyntaxFault, Forbidden.
    """
    _is_ours(session)
    with lock.only_one(session):
        here = standing.look(session, files)
        home = history.prepare(session)
        if here.pending:
            drawn = plan.draw(here, files, before=None, limits=session.limits)
            way = Way(session, home, drawn, len(here.applied), actor="twokey", request=None, tell=tell)
            _, failed = forward.run(way)
            if failed:
                raise NotReplayed(failed.sentence)
    return fingerprint.read(session, home)


def take_back(session: Session, migration: Migration) -> str:
    """The scratch database's newest migration was taken back by its way down; gives the fingerprint.

    Raises NotReplayed.
    """
    _is_ours(session)
    home, down = history.prepare(session), sections.cut(migration.text).down
    planned = Planned(migration.id, migration.name, migration.text, migration.checksum, migration.lines, ())
    with lock.only_one(session):
        connection.reset(session)
        try:
            transaction.commit(
                session, migration.id, down.text if down else "", record=lambda: _forget(session, home, migration.id)
            )
        except Stopped as stopped:
            raise NotReplayed(failure.of(session, planned, stopped).sentence) from stopped
        connection.reset(session)
    return fingerprint.read(session, home)


def _forget(session: Session, home: Home, migration: str) -> float:
    gone = sql.SQL("DELETE FROM {} WHERE migration_id = {}")
    for table in ("schema_migrations", "twokey_migrations"):
        session.conn.execute(gone.format(home.table(table), sql.Literal(migration)))
    return 0.0


def _is_ours(session: Session) -> None:
    """Nothing runs without a backup but on a database that a block here has made. Raises ScratchRefused."""
    if not _LEFT.fullmatch(session.conn.info.dbname):
        raise ScratchRefused(f"{session.conn.info.dbname} is none", "Nothing was changed there.")


@contextmanager
def _maintenance(server: Server) -> Iterator[Session]:
    with open_session(Database(NAME, protected=False, dsn=server.dsn), purpose="twokey scratch") as session:
        yield session


def _guard(server: Server, maintenance: Session) -> None:
    """None of what is protected lives where scratch databases come and go. Raises ScratchRefused."""
    if server.on_protected_server:
        return
    for one in server.guarded:
        if _identifier_of(one) == _identifier(maintenance):
            raise _forbidden(one.environment)
    for one in reach.neighbours(maintenance):
        for marked in _marked(maintenance, one):
            raise _forbidden(marked)


def _forbidden(environment: str) -> ScratchRefused:
    return ScratchRefused(f"its server is also that of {environment}, which is protected", _ELSEWHERE)


def _identifier_of(guarded: Database) -> str:
    try:
        with open_session(guarded, purpose="twokey scratch") as session:
            return _identifier(session)
    except EngineError as cause:
        why = f"whether it would be on the server of {guarded.environment}, which is protected, could not be found out"
        step = f"{cause} Or leave that address out of sight here."
        raise ScratchRefused(why, step) from cause


def _identifier(session: Session) -> str:
    """The cluster's identifier, which is the same in all its databases and never that of another cluster."""
    row = session.conn.execute("SELECT system_identifier::text FROM pg_catalog.pg_control_system()").fetchone()
    assert row is not None
    return row[0]


def _marked(maintenance: Session, there: reach.Neighbour) -> tuple[str, ...]:
    """The protected environments that a database says it is. One that never lets us in is passed over."""
    try:
        with reach.opened(at(maintenance, database=there.name), purpose="twokey scratch") as one:
            return _marks(one, there.name)
    except Unreachable as away:
        for_good = there.open and away.shut and not there.owned
        if not for_good and there in reach.neighbours(maintenance):  # and was not dropped meanwhile
            why = f"whether its database {there.name} is a protected environment's could not be looked at: {away.why}"
            raise ScratchRefused(why, f"{away.next_step} {_ELSEWHERE}") from away
    except (ServerRefused, ConnectionLost, ReadOnly) as failed:
        why = f"whether its database {there.name} is a protected environment's could not be looked at"
        raise ScratchRefused(why, f"{failed} {_ELSEWHERE}") from failed
    return ()


def _marks(session: Session, name: str) -> tuple[str, ...]:
    try:
        return reach.marks(session)
    except psycopg.errors.InsufficientPrivilege as cause:
        why = f"its server has an environment's database, {name}, and whether that one is protected may not be read"
        raise ScratchRefused(why, _ELSEWHERE) from cause


def _name(maintenance: Session, purpose: str) -> str:
    """Dated by the server's clock, which is the one that its age is told by."""
    row = maintenance.conn.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    return f"twokey_scratch_{purpose}_{row[0].astimezone(UTC).strftime(_MOMENT)}_{secrets.token_hex(4)}"


def _is_left(name: str, before: datetime) -> bool:
    found = _LEFT.fullmatch(name)
    return bool(found and datetime.strptime(found[1], _MOMENT).replace(tzinfo=UTC) <= before)


def _drop(maintenance: Session, name: str) -> bool:
    try:
        maintenance.conn.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
    except psycopg.errors.ObjectInUse:
        return False
    return True


def _create(maintenance: Session, name: str, letters: Letters) -> None:
    try:
        maintenance.conn.execute(twin.creating(name, letters, server=maintenance.server))
    except psycopg.errors.InsufficientPrivilege as cause:
        role = maintenance.conn.info.user
        step = f"On its server: ALTER ROLE {role} CREATEDB."
        raise ScratchRefused(f"the role {role} may not create databases", step) from cause
    except (psycopg.errors.SyntaxError, psycopg.errors.DataError, psycopg.errors.WrongObjectType) as cause:
        named = ", ".join(f"{key} {value}" for key, value in letters.items())
        step = "Name a server in [scratch] database_url that has them: the environment's own version and system."
        raise ScratchRefused(f"its server does not have the environment's {named}", step) from cause
