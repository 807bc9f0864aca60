"""Everything the engine needs of one environment, looked at before it is needed; what is wrong, the way out."""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from engine import reach, standing
from engine.connection import Database, Limits, Session, open_session, place, server_name
from engine.errors import ConnectionLost, EngineError, Unreachable
from engine.files import Migration
from engine.lock import CLASS
from engine.reach import ReachesProtected
from engine.tools import ToolMissing, Tools

#: More than this between two clocks makes times in the history and in backups' names mislead.
SKEW = timedelta(seconds=5)

#: "skipped" was not possible, and nothing a run needs.
State = Literal["ok", "wrong", "unreachable", "skipped"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `sentence` says what is there, or what is wrong and how to mend it."""

    subject: str
    state: State
    sentence: str


def look(
    database: Database, files: Sequence[Migration], *, tools: Tools, limits: Limits, on_protected_server: bool = False
) -> Iterator[Finding]:
    """What this environment's address, server, role and clock are like. Raises nothing of the engine's.

    `on_protected_server`: that its login may reach a protected environment's database is meant.
    """
    try:
        with open_session(database, purpose="twokey check", limits=limits) as session:
            where = f"{place(database.dsn)}, PostgreSQL {server_name(session.server)}, as {session.conn.info.user}"
            yield Finding("server", "ok", f"{where}.")
            yield from (_pooler(session), _home(session, files), _pg_dump(session, tools))
            yield from (_readable(session), _clock(session), *_reach(session, meant=on_protected_server))
    except (Unreachable, ConnectionLost) as away:
        yield Finding("server", "unreachable", str(away))
    except EngineError as wrong:
        yield Finding("server", "wrong", str(wrong))


def _pooler(session: Session) -> Finding:
    """A lock must stay with its session. A pooler in transaction mode would give the next statement another backend.

    While nobody else is about, it would give the same one again; so a second session takes that away in between.
    """
    key = secrets.randbelow(2**30) + 16  # none that a run takes: behind a pooler it may stay with a backend for long
    session.conn.execute("SELECT pg_try_advisory_lock(%s, %s)", (CLASS, key))
    with (
        open_session(session.database, purpose="twokey check", limits=session.limits) as other,
        other.conn.transaction(),
    ):
        other.conn.execute("SELECT 1")
        kept = session.conn.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = %s AND objid = %s"
            " AND pid = pg_backend_pid())",
            (CLASS, key),
        ).fetchone()
    if not (kept and kept[0]):
        sentence = (
            "A pooler in transaction mode stands between (PgBouncer, or one like it): a lock does not stay with its "
            "session, so nothing will run. Point the address at the server itself, or at a pool in session mode."
        )
        return Finding("pooler", "wrong", sentence)
    session.conn.execute("SELECT pg_advisory_unlock(%s, %s)", (CLASS, key))
    return Finding("pooler", "ok", "A lock stays with its session.")


def _home(session: Session, files: Sequence[Migration]) -> Finding:
    """Identity, and the privileges that bookkeeping needs."""
    try:
        here = standing.look(session, files)
    except (Unreachable, ConnectionLost):
        raise
    except EngineError as wrong:
        return Finding("history", "wrong", str(wrong))
    says = "From now on it says" if here.marked else "It says"
    kept = f"{says} it is {here.environment}{', protected' if here.protected else ''}; its history is in {here.schema}."
    return Finding("history", "ok", kept)


def _pg_dump(session: Session, tools: Tools) -> Finding:
    try:
        tool = tools.pg_dump(session.server)
    except ToolMissing as missing:
        return Finding("pg_dump", "wrong", str(missing))
    return Finding("pg_dump", "ok", f"{tool.path} is {tool.version}.")


def _readable(session: Session) -> Finding:
    """A dump reads every table and sequence; one that the role may not read fails it."""
    row = session.conn.execute(
        "SELECT count(*), min(c.oid::regclass::text), current_user::text FROM pg_catalog.pg_class c"
        " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'm', 'S')"
        " AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
        " AND NOT (CASE c.relkind WHEN 'S' THEN pg_catalog.has_sequence_privilege(c.oid, 'SELECT')"
        " ELSE pg_catalog.has_table_privilege(c.oid, 'SELECT') END"
        " AND pg_catalog.has_schema_privilege(n.oid, 'USAGE'))"
    ).fetchone()
    count, first, role = row or (0, "", "")
    if count:
        more = f" and {count - 1} more" if count > 1 else ""
        sentence = (
            f"{role} may not read {first}{more}, so no backup can be taken. Allow it: GRANT pg_read_all_data TO {role}"
        )
        return Finding("backup", "wrong", f"{sentence} (PostgreSQL 14 on; before, GRANT SELECT).")
    return Finding("backup", "ok", f"{role} may read every table and sequence.")


def _reach(session: Session, *, meant: bool) -> Iterator[Finding]:
    """An environment that is not protected may be no way into one that is."""
    if session.database.protected:
        return
    found = reach.protected(session)
    if found is None:
        yield Finding("reach", "ok", "Its login can change no protected environment on its server.")
    elif meant:
        yield Finding("reach", "ok", found.meant)
    else:
        yield Finding("reach", "wrong", str(ReachesProtected(found)))


def _clock(session: Session) -> Finding:
    before = datetime.now(UTC)
    row = session.conn.execute("SELECT clock_timestamp()").fetchone()
    ours = before + (datetime.now(UTC) - before) / 2
    return clocks(ours, row[0] if row else ours)


def clocks(ours: datetime, theirs: datetime) -> Finding:
    """Whether two clocks agree."""
    apart = theirs - ours
    if abs(apart) > SKEW:
        direction = "ahead of" if apart > timedelta(0) else "behind"
        sentence = (
            f"The server's clock is {abs(apart).total_seconds():,.0f} s {direction} this one's, "
            "so times in the history and in backups' names mislead. Let both follow NTP."
        )
        return Finding("clock", "wrong", sentence)
    return Finding("clock", "ok", "Its clock and this one's agree.")
