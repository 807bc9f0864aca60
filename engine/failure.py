"""A server's refusal as a Failure: file, line, SQLSTATE, the masked message, and what a person can do next."""

from datetime import timedelta

from engine import masking
from engine.connection import Session
from engine.plan import Planned
from engine.report import Failure
from engine.transaction import Stopped


def of(session: Session, migration: Planned, stopped: Stopped) -> Failure:
    """What to say about a migration that was rolled back."""
    diagnosis, environment = stopped.error.diag, session.database.environment
    sqlstate = stopped.error.sqlstate or "XX000"
    raised = diagnosis.source_function == "exec_stmt_raise"
    message = masking.mask(diagnosis.message_primary or "", sqlstate=sqlstate, raised=raised)
    line = None if stopped.place is None else migration.text.count("\n", 0, stopped.place) + 1
    where = f"{migration.id}.sql:{line}" if line else f"{migration.id}.sql"
    return Failure(
        migration=migration.id,
        line=line,
        sqlstate=sqlstate,
        message=message,
        sentence=f"{where} failed on {environment} ({sqlstate}): {message}. It was rolled back whole.",
        next_step=_next_step(session, migration.id, sqlstate=sqlstate, message=message),
    )


def _next_step(session: Session, migration: str, *, sqlstate: str, message: str) -> str:
    environment, limits = session.database.environment, session.limits
    again = f"then apply {environment} again."
    if sqlstate in ("58P01", "0A000") and "extension" in message:
        return f"Install the extension's files on the server of {environment}, {again}"
    known = {
        "55P03": f"Another session held a lock for longer than {_seconds(limits.lock_timeout)}. "
        f"Wait until it ends, {again}",
        "57014": f"It ran longer than {_seconds(limits.statement_timeout)}, or was cancelled. "
        f"Make it smaller or raise statement_timeout in twokey.toml, {again}",
        "40P01": f"It met another transaction in a deadlock. Wait until that ends, {again}",
        "42501": f"Give {session.conn.info.user} the privilege, {again}",
        "53100": f"Make room on the server's disk, {again}",
    }
    correct = f"Correct {migration}.sql if no other environment has run it, or remove the cause in {environment};"
    return known.get(sqlstate, f"{correct} {again}")


def _seconds(span: timedelta) -> str:
    return f"{span.total_seconds():g} s"
