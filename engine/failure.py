"""A server's refusal as a Failure: file, line, SQLSTATE, the masked message, and what a person can do next."""

from collections.abc import Sequence
from datetime import timedelta

from engine import masking, sections
from engine.connection import Session
from engine.contention import PASSING
from engine.plan import Planned
from engine.report import Blocker, Failure
from engine.transaction import Part, Stopped

_CORRECT = ", or correct "


def of(
    session: Session,
    migration: Planned,
    stopped: Stopped,
    *,
    tries: int = 1,
    blockers: Sequence[Blocker] = (),
    server: str | None = None,
) -> Failure:
    """What to say about a migration that was rolled back, the last time after so many tries.

    `server` is what people call the one that refused, where that is not the environment's own.
    """
    environment, sqlstate = session.database.environment, stopped.error.sqlstate or "XX000"
    message = masking.of(stopped.error, text=migration.text)
    server = server or f"the server of {environment}"
    line = None if stopped.place is None else migration.text.count("\n", 0, stopped.place) + 1
    where = f"{migration.id}.sql:{line}" if line else f"{migration.id}.sql"
    way_out = _way_out(session, migration.id, stopped.stays, sqlstate=sqlstate, message=message, server=server)
    return Failure(
        migration=migration.id,
        line=line,
        sqlstate=sqlstate,
        message=message,
        sentence=f"{where} failed on {environment} ({sqlstate}): {message}. {_stays(stopped.stays)}"
        + (f" It was tried {tries} times." if tries > 1 else "")
        + (f" In its way: {', '.join(map(str, blockers))}." if blockers and sqlstate in PASSING else ""),
        next_step=way_out,
        elsewhere=_elsewhere(migration) if _CORRECT in way_out else None,
        stuck=sections.no_way_back(migration.text) is not None,
    )


def _stays(part: Part | None) -> str:
    """What is left of the migration in the database."""
    if part is None:
        return "It was rolled back whole."
    ran = _ran(part)
    indexes = "".join(f" The index {name} is left behind, invalid." for name in part.leftovers)
    return (
        ran + indexes + "".join(f" The constraint {name} is left behind, not validated." for name in part.unvalidated)
    )


def _ran(part: Part) -> str:
    if not part.done:
        none = "Its statement did not run" if part.of == 1 else f"None of its {part.of} statements ran"
        return f"{none}; the next apply begins with it anew."
    if part.done < part.of:
        return f"Of its {part.of} statements {part.done} ran and stay; the next apply goes on at this one."
    whole = "Its statement ran and stays" if part.of == 1 else f"All its {part.of} statements ran and stay"
    return f"{whole}; the next apply only writes its history row."


def _way_out(session: Session, migration: str, part: Part | None, *, sqlstate: str, message: str, server: str) -> str:
    if part and part.done == part.of and part.leftovers:  # dropped, it would be missing, and nothing would build it
        builds = "; ".join(f"REINDEX INDEX CONCURRENTLY {name}" for name in part.leftovers)
        return f"Make valid what is left behind: {builds}; then apply {session.database.environment} again."
    if sqlstate in ("58P01", "0A000") and "extension" in message:
        step = f"Install the extension's files on {server}, then apply {session.database.environment} again."
    else:
        step = _next_step(session, migration, ran=bool(part and part.done), sqlstate=sqlstate)
    return _drop(part) + step


def _drop(part: Part | None) -> str:
    if part is None or not part.leftovers:
        return "Correct the rows that break the constraint. " if part and part.unvalidated else ""
    drops = "; ".join(f"DROP INDEX CONCURRENTLY {name}" for name in part.leftovers)
    return f"Drop what is left behind: {drops}; by hand, since it may still be wanted. "


def _elsewhere(migration: Planned) -> str:
    """What is to be done before a file is corrected that another environment has run."""
    if why := sections.no_way_back(migration.text):
        return (
            f"The file {why}: where another environment has run it, restore there the backup from before it, "
            "then correct it and bring it there anew. A repair would only hide that the two differ."
        )
    return (
        "Where another environment has run the file, roll it back there before you correct it, and bring it there "
        "anew: a repair would only hide that the two differ."
    )


def _next_step(session: Session, migration: str, *, sqlstate: str, ran: bool) -> str:
    environment, limits = session.database.environment, session.limits
    again = f"then apply {environment} again."
    known = {
        "55P03": f"Another session held a lock for longer than {_seconds(limits.lock_timeout)}. "
        f"Wait until it ends, {again}",
        "57014": f"It ran longer than {_seconds(limits.statement_timeout)}, or was cancelled. "
        f"Make it smaller or raise statement_timeout in twokey.toml, {again}",
        "40P01": f"It met another transaction in a deadlock. Wait until that ends, {again}",
        "40001": f"It met another transaction's changes. Wait until that ends, {again}",
        "42501": f"Give {session.conn.info.user} the privilege, {again}",
        "53100": f"Make room on the server's disk, {again}",
    }
    if ran:
        correct = f"Part of {migration}.sql ran, so it must stay as it is: remove the cause in {environment}; {again}"
    else:
        correct = f"Remove the cause in {environment}{_CORRECT}{migration}.sql; {again}"
    return known.get(sqlstate, correct)


def _seconds(span: timedelta) -> str:
    return f"{span.total_seconds():g} s"
