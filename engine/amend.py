"""A history set right by a person and not by a run: taken over as it stands (baseline), or an edited file accepted.

Each act is recorded in the sibling table `twokey_amendments`, with who did it and what stood there before.
"""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import postgast
from psycopg import sql

from engine import deeds, dumps, gate, history, identity, lock, snapshot, standing
from engine.connection import Session
from engine.errors import Hint, near
from engine.files import Migration
from engine.history import CHECKSUM_ALGORITHM, Entry, Home, Row
from engine.refusals import PlanRefused
from engine.standing import Standing

_CREATE = """
CREATE TABLE IF NOT EXISTS {} (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
  act TEXT NOT NULL CHECK (act IN ('baseline', 'repair')),
  migration_id VARCHAR(255) NOT NULL,
  by TEXT NOT NULL,
  checksum VARCHAR(64) NOT NULL,
  checksum_before VARCHAR(64),
  text_before TEXT
)
"""

_PLACE = re.compile(r"^\s*(location|(rexpr_)?list_(start|end)|stmt_location|stmt_len): \d+\n", re.MULTILINE)


@dataclass(eq=False)
class NotPending(PlanRefused):
    """What a baseline names is no file that waits for this environment."""

    environment: str
    migration: str
    applied: bool
    near: str | None = None

    def __str__(self) -> str:
        if self.applied:
            return f"{self.environment} already has {self.migration}. There is nothing to take over."
        meant = f"Did you mean {self.near}?" if self.near else "Name one that is pending."
        return f"The folder has no {self.migration}.sql. {meant}"

    @property
    def hint(self) -> Hint | None:
        """Which are pending."""
        return None if self.applied else Hint("See which are", f"status {self.environment}")


@dataclass(eq=False)
class NotEdited(PlanRefused):
    """What a repair names did not change after it was applied."""

    environment: str
    migration: str
    near: str | None = None

    def __str__(self) -> str:
        meant = f" Did you mean {self.near}?" if self.near else ""
        return f"{self.migration} is not an edited file of {self.environment}, so there is nothing to accept.{meant}"

    @property
    def hint(self) -> Hint:
        """Which are edited."""
        return Hint("See which are", f"repair {self.environment}")


@dataclass(frozen=True, slots=True)
class Edited:
    """A file that changed after it was applied. `diff` is unified, from what ran to what is there; None without a text.

    `looks_only`: the parser finds the same statements, so only blanks and comments differ.
    """

    id: str
    ran: str
    now: str
    diff: tuple[str, ...] | None
    looks_only: bool


def baseline(
    session: Session, files: Sequence[Migration], *, through: str, actor: str, request: str | None
) -> tuple[str, ...]:
    """Every pending file up to and with `through` stands in the history as applied, though none ran; gives their ids.

    For a database that has the schema already. The session holds the lock. Raises what the two below raise.
    """
    lock.check(session)
    pending = waiting(standing.look(session, files), files, through=through)
    return take_over(session, pending, actor=actor, request=request)


def waiting(here: Standing, files: Sequence[Migration], *, through: str) -> tuple[Migration, ...]:
    """The files that a baseline would write down. Raises NotPending, HistoryDisagrees."""
    if here.problems:
        raise gate.disagreement(here)
    if through not in here.pending:
        applied = through in dict(here.covers)
        raise NotPending(here.environment, through, applied, None if applied else near(through, here.pending))
    return tuple(file for file in files if file.id in here.pending and file.id <= through)


def take_over(session: Session, files: Sequence[Migration], *, actor: str, request: str | None) -> tuple[str, ...]:
    """These files, which are pending, stand in the history as applied, though none ran; gives their ids.

    The session holds the lock. Raises BeingDumped.
    """
    lock.check(session)
    dumps.none(session)
    home = history.prepare(session)
    identity.meet(session, home)
    snapshot.prepare(session, home)
    with session.conn.transaction():
        _table(session, home)
        session.conn.execute(history.MARK)
        for position, file in enumerate(files, start=len(history.read(session, home)) + 1):
            history.record(session, home, _entry(file, position, by=actor, request=request))
            _note(session, home, act="baseline", by=actor, migration=file.id, checksum=file.checksum)
    # What stands there is what its history implies from now on. Outside: a failure in there may not undo the rest.
    snapshot.settle(session, home, None)
    return tuple(file.id for file in files)


def edited(session: Session, files: Sequence[Migration]) -> tuple[Edited, ...]:
    """The files that changed after this environment applied them, in the order of application."""
    home = history.prepare(session)
    identity.meet(session, home)
    return tuple(_compare(row, file, _text(session, home, row)) for row, file in _changed(session, home, files))


def repair(
    session: Session, files: Sequence[Migration], *, accept: Sequence[str], actor: str, request: str | None
) -> tuple[str, ...]:
    """The history says that these edited files ran as they are now; gives their ids. Nothing runs.

    The session holds the lock. Raises BeingDumped, NotEdited.
    """
    lock.check(session)
    dumps.none(session)
    home = history.prepare(session)
    identity.meet(session, home)
    changed = {file.id: (row, file) for row, file in _changed(session, home, files)}
    for id_ in accept:
        if id_ not in changed:
            named = id_ in {file.id for file in files}  # then it is meant, and is not edited
            raise NotEdited(session.database.environment, id_, None if named else near(id_, changed))
    with session.conn.transaction():
        _table(session, home)
        for id_ in accept:
            _accept(session, home, *changed[id_], actor=actor)
        deeds.write(session, home, "repair", what=accept, by=actor, request=request)
    return tuple(accept)


def same_statements(one: str, other: str) -> bool:
    """Whether the parser reads the same statements out of both, so that they differ in blanks and comments only."""
    try:
        first, second = (_PLACE.sub("", str(postgast.parse(text))) for text in (one, other))
    except postgast.PgQueryError:
        return False
    return first == second


def _entry(file: Migration, position: int, *, by: str, request: str | None) -> Entry:
    written = (file.id, file.name, file.checksum, file.text)
    return Entry(*written, position=position, by=by, request=request, act="baseline")


def _changed(session: Session, home: Home, files: Sequence[Migration]) -> list[tuple[Row, Migration]]:
    rows = history.read(session, home)
    stands_for = history.matching(files, rows)
    pairs = ((row, stands_for.get(row.id)) for row in rows)
    return [(row, file) for row, file in pairs if file and not row.matches(file)]


def _compare(row: Row, file: Migration, ran: str | None) -> Edited:
    if ran is None:
        return Edited(file.id, row.checksum, file.checksum, None, looks_only=False)
    lines = difflib.unified_diff(
        ran.splitlines(), file.text.splitlines(), f"{file.file} as it ran", f"{file.file} as it is", lineterm=""
    )
    return Edited(file.id, row.checksum, file.checksum, tuple(lines), looks_only=same_statements(ran, file.text))


def _text(session: Session, home: Home, row: Row) -> str | None:
    """What ran, if this row was written by us."""
    found = session.conn.execute(
        sql.SQL("SELECT applied_text FROM {} WHERE migration_id = %s").format(home.table("twokey_migrations")),
        (row.id,),
    ).fetchone()
    return found[0] if found else None


def _accept(session: Session, home: Home, row: Row, file: Migration, *, actor: str) -> None:
    _note(
        session,
        home,
        act="repair",
        by=actor,
        migration=row.id,
        checksum=file.checksum,
        checksum_before=row.checksum,
        text_before=_text(session, home, row),
    )
    names = {"history": home.table("schema_migrations"), "facts": home.table("twokey_migrations")}
    session.conn.execute(
        sql.SQL("UPDATE {history} SET checksum = %s WHERE migration_id = %s").format(**names), (file.checksum, row.id)
    )
    session.conn.execute(
        sql.SQL("UPDATE {facts} SET applied_text = %s, checksum_algorithm = %s WHERE migration_id = %s").format(
            **names
        ),
        (file.text, CHECKSUM_ALGORITHM, row.id),
    )


def _table(session: Session, home: Home) -> None:
    session.conn.execute("SET LOCAL client_min_messages = warning")
    session.conn.execute(sql.SQL(_CREATE).format(home.table("twokey_amendments")))


def _note(session: Session, home: Home, *, act: str, by: str, migration: str, checksum: str, **before: Any) -> None:
    session.conn.execute(
        sql.SQL(
            "INSERT INTO {} (act, by, migration_id, checksum, checksum_before, text_before)"
            " VALUES (%s, %s, %s, %s, %s, %s)"
        ).format(home.table("twokey_amendments")),
        (act, by, migration, checksum, before.get("checksum_before"), before.get("text_before")),
    )
