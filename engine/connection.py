"""Open one session on one environment's database, and leave nothing behind when it ends."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from select import select
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import PipelineStatus, TransactionStatus
from psycopg.pq.abc import PGconn

from engine import masking
from engine.errors import BadAddress, ConnectionLost, ReadOnly, ServerRefused, ServerTooOld, Unreachable

#: What the engine speaks through. Rows are tuples.
Connection = psycopg.Connection[tuple[Any, ...]]

_OLDEST_SERVER, _WATCHES = 130000, 140000
#: A person waits five seconds for a status; a server that is down may cost three of them.
_CONNECT_SECONDS = 3
_CANCEL_SECONDS = 5.0
_CANCEL_AGAIN_SECONDS = 0.2
_WATCH, _WATCH_MILLISECONDS = "client_connection_check_interval", 2000


@dataclass(frozen=True, slots=True)
class Database:
    """One environment's database. The address may hold a password, so it never shows in a repr.

    `differs` are objects that its schema is known to have otherwise than others, as `Difference.label` calls them;
    `uncompared` are those of all environments together.
    """

    environment: str
    protected: bool
    dsn: str = field(repr=False)
    differs: tuple[str, ...] = ()
    uncompared: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a statement may wait for a lock, and how long it may run."""

    # A queued ACCESS EXCLUSIVE makes every later reader queue behind it, so we would
    # rather give up after two seconds and try again than stop the shop.
    lock_timeout: timedelta = timedelta(seconds=2)
    statement_timeout: timedelta = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Session:
    """An open session in autocommit. `server` is PostgreSQL's version number, such as 180004.

    `watched`: the server notices by itself when we are gone.
    """

    conn: Connection
    database: Database
    limits: Limits
    server: int
    watched: bool = False


@contextmanager
def open_session(database: Database, *, purpose: str, limits: Limits | None = None) -> Iterator[Session]:
    """A session for the length of the block; `purpose` is the application_name others see ("twokey apply #7").

    When the block ends by any exception, a running statement is cancelled on the server before the
    connection closes, so no backend stays behind. Raises BadAddress, Unreachable, ServerTooOld, ReadOnly; and in
    place of the driver's error ConnectionLost when the connection died under the block, else ServerRefused.
    """
    conn = _connect(database, purpose)
    try:
        yield _ready(conn, database, limits or Limits())
    except BaseException as cause:
        stop(conn)
        if not isinstance(cause, psycopg.Error):
            raise
        if conn.broken:
            raise ConnectionLost(database.environment) from cause
        # Not chained: the driver's text holds DETAIL, and DETAIL holds rows' values.
        raise _refused(database, cause) from None
    finally:
        conn.close()


def at(session: Session, *, database: str | None = None) -> Database:
    """Where the session is, or another database there: by the server's own address, so never on another of its name."""
    info = session.conn.info
    there = {"host": info.host, "port": info.port, "dbname": database or info.dbname}
    if not info.host.startswith(("/", "@")):
        there["hostaddr"] = info.hostaddr
    return replace(session.database, dsn=make_conninfo(session.database.dsn, **there))


def beside(session: Session) -> Connection:
    """A second connection to the same database, to look at the session from outside. The caller closes it."""
    return _connect(at(session), "twokey lookout")


def reset(session: Session) -> None:
    """The session's settings, role and temporary tables are as `open_session` made them. The lock stays held."""
    session.conn.execute(sql.SQL("; ").join(resetting(session)))


def resetting(session: Session) -> tuple[sql.SQL | sql.Composed, ...]:
    """The statements that `reset` runs. They may run in a transaction too."""
    # Never DISCARD ALL: it would also let go of the advisory lock that keeps other runs out.
    words = ("RESET SESSION AUTHORIZATION", "RESET ROLE", "RESET ALL", "DISCARD TEMP")
    return (*map(sql.SQL, words), _limiting(session.limits, watched=session.watched))


def place(dsn: str) -> str:
    """Where an address leads, in words for people: host and database, never the password."""
    parts = conninfo_to_dict(dsn)
    host = parts.get("host") or parts.get("hostaddr") or "the local socket"
    return f"{host}, database {parts.get('dbname') or parts.get('user') or 'by default'}"


def milliseconds(span: timedelta) -> int:
    """A span as PostgreSQL's settings count it."""
    return int(span / timedelta(milliseconds=1))


def _connect(database: Database, purpose: str) -> Connection:
    try:
        where = place(database.dsn)
    except psycopg.Error:
        # Not chained: the driver repeats pieces of the address, and a traceback is read by many.
        raise BadAddress(database.environment) from None
    if _is_torn(database.dsn):
        raise BadAddress(database.environment)
    try:
        return psycopg.connect(
            database.dsn,
            autocommit=True,
            application_name=purpose,
            connect_timeout=_CONNECT_SECONDS,
            client_encoding="utf8",
            prepare_threshold=None,  # what a migration deallocates would be missed by the ones after it
        )
    except psycopg.Error as cause:
        why, next_step = _reason(str(cause))
        raise Unreachable(database.environment, where, why, next_step, shut=_is_shut(str(cause))) from None


def _is_torn(dsn: str) -> bool:
    """Whether a password with a bare @, / or : was torn, so that a piece of it stands where host or database does."""
    if dsn.startswith(("postgresql://", "postgres://")) and dsn.partition("?")[0].count("@") > 1:
        return True
    parts = conninfo_to_dict(dsn)
    host, name = str(parts.get("host") or ""), str(parts.get("dbname") or "")
    return "@" in host[1:] or ("@" in name and "user" not in parts)  # a host may begin with @: an abstract socket


def _refused(database: Database, error: psycopg.Error) -> ServerRefused:
    return ServerRefused(database.environment, error.sqlstate or "XX000", masking.of(error))


def _ready(conn: Connection, database: Database, limits: Limits) -> Session:
    server = conn.info.server_version
    if server < _OLDEST_SERVER:
        raise ServerTooOld(database.environment, server_name(server))
    only_reads, watched = _set_out(conn, limits, server)
    if only_reads:
        raise ReadOnly(database.environment, place(database.dsn))
    return Session(conn, database, limits, server, watched)


def server_name(number: int) -> str:
    """180004 → "18.4"; 90624 → "9.6"."""
    if number >= 100000:
        return f"{number // 10000}.{number % 10000}"
    return f"{number // 10000}.{number // 100 % 100}"


def _set_out(conn: Connection, limits: Limits, server: int) -> tuple[bool, bool]:
    """The session's limits are set; gives whether it only reads, and whether its server notices when we are gone.

    All in one round trip; in two where a system cannot watch, as PostgreSQL 13 cannot.
    """
    ask = sql.SQL("{}, pg_is_in_recovery() OR current_setting('transaction_read_only')::bool")
    if server >= _WATCHES:
        with suppress(psycopg.DatabaseError):
            row = conn.execute(ask.format(_limiting(limits, watched=True))).fetchone()
            return bool(row and row[-1]), True
    row = conn.execute(ask.format(_limiting(limits, watched=False))).fetchone()
    return bool(row and row[-1]), False


def _limiting(limits: Limits, *, watched: bool) -> sql.Composed:
    settings = {
        "lock_timeout": milliseconds(limits.lock_timeout),
        "statement_timeout": milliseconds(limits.statement_timeout),
        "idle_in_transaction_session_timeout": 0,
        # Our parser reads quotes by the standard. A server that reads them otherwise could see a COMMIT in one.
        "standard_conforming_strings": "on",
        # A worker that was killed cannot cancel; the server then notices by itself.
        **({_WATCH: _WATCH_MILLISECONDS} if watched else {}),
    }
    calls = (
        sql.SQL("pg_catalog.set_config({}, {}, false)").format(name, str(value)) for name, value in settings.items()
    )
    return sql.SQL("SELECT ") + sql.SQL(", ").join(calls)


def stop(conn: Connection) -> None:
    """No statement of ours runs on, none that was sent ahead begins, or the server is gone and its backend too."""
    until = time.monotonic() + _CANCEL_SECONDS
    try:
        if conn.pgconn.pipeline_status != PipelineStatus.OFF:
            conn.pgconn.pipeline_sync()  # the server passes over the rest, up to here, and answers
        while conn.pgconn.transaction_status == TransactionStatus.ACTIVE and time.monotonic() < until:
            conn.cancel_safe(timeout=_CANCEL_SECONDS)
            conn.pgconn.flush()
            # A cancel that overtakes its statement is forgotten, so we wait for the answer and else ask again.
            if select([conn.pgconn.socket], [], [], _CANCEL_AGAIN_SECONDS)[0]:
                conn.pgconn.consume_input()
            _swallow(conn.pgconn)
    except psycopg.Error:
        return


def _swallow(pgconn: PGconn) -> None:
    """Read what has come. In a pipeline a None stands between two answers, and two of them where nothing is left."""
    nones = 0
    while nones < 2 and not pgconn.is_busy():
        answer = pgconn.get_result()
        nones = 0 if answer else nones + 1
    if pgconn.pipeline_status != PipelineStatus.OFF and not pgconn.is_busy():
        with suppress(psycopg.OperationalError):  # more is on its way
            pgconn.exit_pipeline_mode()


#: Words of libpq → what we say, and what a person can do.
_REASONS = (
    ("password authentication failed", "the password or the role is not right", "Correct the environment's address."),
    ("no password supplied", "the address holds no password", "Correct the environment's address."),
    ("permission denied for database", "the role may not enter it", "Grant it CONNECT, or correct the address."),
    ("no pg_hba.conf entry", "the server does not let this host in", "Add a line for it to the server's pg_hba.conf."),
    ("too many connections for", "all its connections are taken", "Ask again when some are free."),
    ("too many clients", "all its connections are taken", "Ask again when some are free."),
    ("remaining connection slots", "all its connections are taken", "Ask again when some are free."),
    ("starting up", "the server is starting up", "Ask again in a moment."),
    ("shutting down", "the server is shutting down", "Ask again when it is back."),
    ('database "', "there is no such database", "Create the database, or correct the environment's address."),
    ('role "', "there is no such role", "Create the role, or correct the environment's address."),
    ("translate host name", "the host's name is not known", "Correct the environment's address."),
    ("resolve host", "the host's name is not known", "Correct the environment's address."),
    ("Name or service not known", "the host's name is not known", "Correct the environment's address."),
    ("timeout", "it does not answer", "Check that the server runs and that the network lets this host through."),
    ("Network is unreachable", "no network leads there", "Check the network, or correct the environment's address."),
    ("No route to host", "no network leads there", "Check the network, or correct the environment's address."),
    ("refused", "nothing listens there", "Start the server, or correct the environment's address."),
    ("No such file or directory", "nothing listens there", "Start the server, or correct the environment's address."),
)


#: What a server says that lets a login not in, whenever it asks; the SQLSTATE of a refused connection is not to be had.
_SHUT = (
    "password authentication failed",
    "no password supplied",
    "permission denied for database",
    "no pg_hba.conf entry",
    "pg_hba.conf rejects connection",
    '" does not exist',
)


def _is_shut(text: str) -> bool:
    """Whether every try was refused for good: an address is tried with TLS and without, and may lead to many."""
    tries = [line for line in text.splitlines() if "failed: " in line]
    return bool(tries) and all(any(words in line for words in _SHUT) for line in tries)


def _reason(text: str) -> tuple[str, str]:
    found = next(((why, step) for words, why, step in _REASONS if words in text), None)
    return found or ("the server refused the connection", "Read the server's own log for the reason.")
