"""The way back: down sections in reverse, each in one transaction that takes its history row out. Returns a Report."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from psycopg import RawCursor, sql

from engine import backup as backups
from engine import (
    bounds,
    connection,
    dumps,
    failure,
    history,
    identity,
    lock,
    refusals,
    sections,
    shelf,
    snapshot,
    statements,
    transaction,
)
from engine.backup import Into
from engine.connection import Session
from engine.errors import EngineError, Hint, near
from engine.history import Home
from engine.plan import Planned
from engine.report import BackupStarted, BackupTaken, Done, Failure, MigrationStarted, Report, Reverted, Step
from engine.reversal import Reversal
from engine.standing import Standing
from engine.statements import Forbidden
from engine.transaction import Stopped

Tell = Callable[[Step], None]


class CannotRevert(EngineError):
    """There is no way back of that kind. Nothing was changed."""


@dataclass(eq=False)
class NotThere(CannotRevert):
    """What was named is not in the history."""

    environment: str
    migration: str
    near: str | None = None

    def __str__(self) -> str:
        meant = f" Did you mean {self.near}?" if self.near else ""
        return f"{self.environment} has not applied {self.migration}.{meant}"

    @property
    def hint(self) -> Hint:
        """What it has applied."""
        return Hint("See what it has", f"status {self.environment}")


@dataclass(eq=False)
class NotSoMany(CannotRevert):
    """More was asked for than there is."""

    environment: str
    wanted: int
    there: int

    def __str__(self) -> str:
        return f"{self.wanted} cannot be taken back on {self.environment}: its history has {self.there}."


@dataclass(eq=False)
class NothingAfter(CannotRevert):
    """What was named is the newest."""

    environment: str
    migration: str

    def __str__(self) -> str:
        return f"{self.migration} is the newest on {self.environment}. There is nothing to take back."


@dataclass(eq=False)
class NoWayBack(CannotRevert):
    """A migration has no down section that could run."""

    environment: str
    migration: str
    why: str
    backup: str | None = None

    def __str__(self) -> str:
        return (
            f"{self.migration}.sql {self.why}, so {self.environment} cannot be rolled back past it. "
            "The way back is to restore the backup that was taken before it."
        )

    @property
    def hint(self) -> Hint:
        """Which one that is, or where to look for it."""
        if self.backup:
            return Hint("That is", f"restore {self.environment} {self.backup}")
        return Hint("See which there are", f"backups {self.environment}")


@dataclass(eq=False)
class StillAfter(CannotRevert):
    """An environment further on has what would be taken back."""

    environment: str
    after: str
    migration: str

    def __str__(self) -> str:
        return (
            f"{self.after} still has {self.migration}.sql, so it cannot be taken back on {self.environment}. "
            f"Roll back {self.after} first."
        )


@dataclass(frozen=True, slots=True)
class Last:
    """So many of the newest."""

    count: int


@dataclass(frozen=True, slots=True)
class To:
    """All that came after this migration, which stays."""

    migration: str


def choose(
    session: Session, how: Last | To, *, after: Sequence[Standing], folder: Path | None = None
) -> tuple[Planned, ...]:
    """What would be taken back, newest first. `after` are the environments further on. Raises a CannotRevert.

    `folder` is that of the backups: the one that is the way back where there is no other is named.
    """
    here, home = session.database.environment, history.prepare(session)
    applied = tuple(reversed(_applied(session, home)))
    chosen = applied[: _count(here, how, [one.id for one in applied])]
    for one in chosen:
        for standing in after:
            if standing.has(one.id):
                raise StillAfter(here, standing.environment, one.id)
        if why := _unfit(session, home, one):
            raise NoWayBack(here, one.id, why, _backup(folder, here, applied[applied.index(one) + 1 :]))
    return chosen


def run(session: Session, reversal: Reversal, *, into: Into, actor: str, request: str | None, tell: Tell) -> Report:
    """The reversal's texts ran in order after a backup, until the first failure, which is rolled back.

    Raised before anything ran: LockNotHeld, BeingDumped, PlanForAnother, HistoryMoved, BackupFailed and its like,
    WrongEnvironment.
    In the middle: ConnectionLost (ask a new session `what_is_back`), LeftTransaction and LostLock.
    """
    started = time.monotonic()
    home = _ready(session, reversal)
    snapshot.prepare(session, home)
    tell(BackupStarted())
    receipt = backups.take(session, into=into, now=datetime.now(UTC))
    tell(BackupTaken(receipt))
    _unchanged(session, home, reversal)  # a dump takes its time, and another tool knows nothing of our lock
    dumps.none(session)
    basis = snapshot.begin(session, home, history.read(session, home))
    chosen = reversal.migrations
    done, failed = _back(session, home, chosen, by=(actor, request), tell=tell)
    left = tuple(one.id for one in chosen[len(done) + (failed is not None) :])
    settled = snapshot.settle(session, home, basis) if done else None
    seconds = time.monotonic() - started
    return Report(done=done, receipt=receipt, failure=failed, left=left, seconds=seconds, settled=settled)


def what_is_back(session: Session, reversal: Reversal, *, request: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The reversal's migration ids that a run for `request` took back, and those that it did not."""
    rows = session.conn.execute(
        sql.SQL("SELECT migration_id FROM {} WHERE request = %s").format(
            history.prepare(session).table("twokey_reverted")
        ),
        (request,),
    )
    gone, ids = {id_ for (id_,) in rows}, tuple(one.id for one in reversal.migrations)
    return tuple(id_ for id_ in ids if id_ in gone), tuple(id_ for id_ in ids if id_ not in gone)


def _ready(session: Session, reversal: Reversal) -> Home:
    if reversal.environment != session.database.environment:
        raise refusals.PlanForAnother(session.database.environment, reversal.environment)
    lock.check(session)
    dumps.none(session)
    home = history.prepare(session)
    identity.meet(session, home)
    _unchanged(session, home, reversal)
    return home


def _unchanged(session: Session, home: Home, reversal: Reversal) -> None:
    ids = [row.id for row in reversed(history.read(session, home))]
    if ids[: len(reversal.migrations)] != [one.id for one in reversal.migrations]:
        raise refusals.HistoryMoved(session.database.environment, reversal.head, ids[0] if ids else None)


def _back(
    session: Session, home: Home, chosen: Sequence[Planned], *, by: tuple[str, str | None], tell: Tell
) -> tuple[tuple[Done, ...], Failure | None]:
    done: list[Done] = []
    for place, one in enumerate(chosen, start=1):
        tell(MigrationStarted(one.id, place, len(chosen)))
        connection.reset(session)
        try:
            seconds = transaction.commit(
                session, one.id, one.text, record=lambda one=one: _record(session, home, one.id, by)
            )
        except Stopped as stopped:
            connection.reset(session)
            again = f"Put right what the message says, then roll {session.database.environment} back again."
            return tuple(done), replace(failure.of(session, one, stopped), next_step=again, elsewhere=None)
        done.append(Done(one.id, seconds))
        tell(Reverted(one.id, place, len(chosen), seconds))
    connection.reset(session)
    return tuple(done), None


def _applied(session: Session, home: Home) -> tuple[Planned, ...]:
    """The history with its texts as they ran, oldest first; without a text where another tool ran it."""
    rows = session.conn.execute(
        sql.SQL(
            "SELECT h.migration_id, h.name, h.checksum, coalesce(f.applied_text, '') FROM {} h"
            " LEFT JOIN {} f USING (migration_id) ORDER BY h.id"
        ).format(home.table("schema_migrations"), home.table("twokey_migrations"))
    )
    return tuple(
        Planned(id_, name, text, checksum, lines=len(text.splitlines()), hazards=())
        for id_, name, checksum, text in rows
    )


def _count(environment: str, how: Last | To, ids: Sequence[str]) -> int:
    if isinstance(how, Last):
        if how.count > len(ids):
            raise NotSoMany(environment, how.count, len(ids))
        return how.count
    wanted = how.migration.removesuffix(".sql")
    if wanted not in ids:
        raise NotThere(environment, wanted, near(wanted, ids))
    if wanted == ids[0]:
        raise NothingAfter(environment, wanted)
    return ids.index(wanted)


def _unfit(session: Session, home: Home, one: Planned) -> str | None:
    """Why a migration has no way down that can run in a transaction and keeps within bounds, as a phrase."""
    if why := sections.no_way_back(one.text):
        return why
    down, name = sections.cut(one.text).down, f"{one.id}.sql"
    try:
        bounds.within(name, statements.fit(name, down) if down else (), schema=home.schema, limits=session.limits)
    except Forbidden as refused:
        return f"has a way down that is not run, since on line {refused.line} {refused.statement} {refused.because}"
    return None


def _backup(folder: Path | None, environment: str, older: Sequence[Planned]) -> str | None:
    return shelf.before(folder, environment, [one.id for one in older]) if folder else None


#: The row goes and its facts go; both are kept in the sibling, and the deed beside them. `position` refuses any
#: transaction but the marked one.
_RECORD = """
WITH gone AS (DELETE FROM {history} WHERE migration_id = $1 RETURNING migration_id, checksum, applied_at),
facts AS (DELETE FROM {facts} WHERE migration_id = $1 RETURNING migration_id, position, applied_text, applied_by),
deed AS (INSERT INTO {deeds} (act, what, by, request) SELECT 'rollback', ARRAY[migration_id], $2, $3 FROM gone)
INSERT INTO {reverted} (migration_id, position, checksum, applied_text, applied_at, applied_by, reverted_by, request,
  seconds)
SELECT migration_id, CASE pg_catalog.current_setting('twokey.transaction', true)
    WHEN pg_catalog.pg_current_xact_id()::text THEN position END,
  checksum, applied_text, applied_at, applied_by, $2, $3,
  EXTRACT(EPOCH FROM pg_catalog.clock_timestamp() - pg_catalog.transaction_timestamp())
FROM gone JOIN facts USING (migration_id) RETURNING seconds
"""


def _record(session: Session, home: Home, migration: str, by: tuple[str, str | None]) -> float:
    names = {"history": "schema_migrations", "facts": "twokey_migrations", "reverted": "twokey_reverted"}
    names["deeds"] = "twokey_deeds"
    query = sql.SQL(_RECORD).format(**{part: home.table(name) for part, name in names.items()})
    row = RawCursor(session.conn).execute(query, (migration, *by)).fetchone()
    return float(row[0]) if row else 0.0
