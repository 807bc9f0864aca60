"""What an environment's database was before a restore: kept under a dated name until somebody says to drop it."""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg
from psycopg import sql

from engine import deeds, history
from engine.connection import Session
from engine.errors import EngineError

_LONGEST_NAME = 63  # bytes, in PostgreSQL as everybody builds it
_BEFORE, _MOMENT = "_before_", "%Y%m%d_%H%M%S"


@dataclass(frozen=True, slots=True)
class Former:
    """One that was kept."""

    name: str
    bytes: int


@dataclass(eq=False)
class NoSuchFormer(EngineError):
    """The name is not that of a database which a restore of this environment kept."""

    environment: str
    name: str
    known: tuple[str, ...]

    def __str__(self) -> str:
        kept = f"It kept {', '.join(self.known)}." if self.known else "It kept none."
        return f"{self.name} is not a database that a restore of {self.environment} kept. {kept}"


@dataclass(eq=False)
class FormerInUse(EngineError):
    """Somebody is in it."""

    environment: str
    name: str

    def __str__(self) -> str:
        return f"Somebody is in {self.name}, so it was not dropped. End those sessions, then ask again."


@dataclass(eq=False)
class NotTheOwner(EngineError):
    """Another role owns it."""

    environment: str
    name: str

    def __str__(self) -> str:
        return (
            f"The role of {self.environment}'s address does not own {self.name}, so it was not dropped. "
            "Its owner can drop it, or make that role its owner; then ask again."
        )


def name(database: str, now: datetime) -> str:
    """What the database is called once a restore at `now` has replaced it."""
    return named(database, f"{_BEFORE}{now.astimezone(UTC).strftime(_MOMENT)}")


def named(database: str, ending: str) -> str:
    """The database's name with an ending, cut where it would be too long, but never to the name of another."""
    said, room = database.encode(), _LONGEST_NAME - len(ending)
    if len(said) <= room:
        return database + ending
    return f"{said[: room - 9].decode(errors='ignore')}_{hashlib.sha256(said).hexdigest()[:8]}{ending}"


def kept(session: Session) -> tuple[Former, ...]:
    """What restores of the session's database kept, newest first: by their deeds, since a name proves nothing."""
    stem = name(session.conn.info.dbname, datetime.fromtimestamp(0, UTC))[:-15]
    ours = {one.what[-1] for one in deeds.every(session, history.prepare(session)) if one.act == "restore"}
    rows = session.conn.execute(
        "SELECT datname::text, pg_database_size(oid) FROM pg_database WHERE datname = ANY(%s) ORDER BY 1 DESC",
        ([one for one in ours if re.fullmatch(rf"{re.escape(stem)}\d{{8}}_\d{{6}}", one)],),
    ).fetchall()
    return tuple(Former(*row) for row in rows)


def drop(session: Session, database: str, *, actor: str, request: str | None) -> Former:
    """It is gone for good, and that is written down: right after, since no transaction can drop a database.

    Raises NoSuchFormer, FormerInUse, NotTheOwner.
    """
    environment, known = session.database.environment, kept(session)
    found = next((one for one in known if one.name == database), None)
    if found is None:
        raise NoSuchFormer(environment, database, tuple(one.name for one in known))
    try:
        session.conn.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(database)))
    except psycopg.errors.ObjectInUse as cause:
        raise FormerInUse(environment, database) from cause
    except psycopg.errors.InsufficientPrivilege as cause:
        raise NotTheOwner(environment, database) from cause
    deeds.write(session, history.prepare(session), "discard", what=(database,), by=actor, request=request)
    return found
