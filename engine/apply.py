"""Run a plan: history unchanged? → backup → each migration in a transaction with its history row. Returns a Report."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from psycopg import sql

from engine import apart, dumps, forward, history, identity, lock, refusals, sections, snapshot
from engine import backup as backups
from engine.backup import Into, NothingToLose, Receipt
from engine.connection import Session
from engine.errors import EngineError
from engine.forward import Way
from engine.history import ALL_TABLES, Home, Row
from engine.plan import Plan
from engine.report import BackupStarted, BackupTaken, Report, Step

Tell = Callable[[Step], None]


@dataclass(eq=False)
class SomethingToLose(EngineError):
    """A run without a backup was asked for, but the database is not empty."""

    environment: str

    def __str__(self) -> str:
        return f"{self.environment} is not empty, so nothing is applied without a backup. Name a folder for backups."


def run(
    session: Session,
    plan: Plan,
    *,
    backup: Into | NothingToLose,
    actor: str,
    request: str | None,
    tell: Tell = lambda _: None,
) -> Report:
    """The plan's texts ran in order, each in its own transaction with its history row, until the first failure.

    A failing migration is in the Report. Raised before anything ran: LockNotHeld (take `lock.only_one` on this
    session), BeingDumped, HistoryMoved, PlanForAnother, ChangedPartWay, SomethingToLose, BackupFailed, NoPgDump,
    PgDumpTooOld, WrongEnvironment.
    Raised in the middle: ConnectionLost (ask a new session `what_is_in`), LeftTransaction and LostLock.
    """
    started = time.monotonic()
    home, rows = _ready(session, plan)
    receipt = _back_up(session, backup, tell) if isinstance(backup, Into) else _nothing_to_lose(session, home)
    if receipt:  # a dump takes its time, and another tool knows nothing of our lock
        _unchanged(session, plan, history.read(session, home))
        dumps.none(session)
    basis = snapshot.begin(session, home, rows, found=plan.fingerprint)
    way = Way(session, home, plan, len(rows), actor, request, tell)
    done, failed = forward.run(way)
    whole = failed is None or sections.cut(plan.migrations[len(done)].text).up.together
    return Report(
        done=done,
        receipt=receipt,
        failure=failed,
        left=tuple(one.id for one in plan.migrations[len(done) + (failed is not None) :]),
        seconds=time.monotonic() - started,
        settled=snapshot.settle(session, home, basis) if done and whole else None,
    )


def what_is_in(session: Session, plan: Plan) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The plan's migration ids that the history has with the plan's text, and those it has not."""
    rows = {row.id: row.checksum for row in history.read(session, history.prepare(session))}
    done = {one.id for one in plan.migrations if rows.get(one.id) == one.checksum}
    ids = tuple(one.id for one in plan.migrations)
    return tuple(id_ for id_ in ids if id_ in done), tuple(id_ for id_ in ids if id_ not in done)


def _ready(session: Session, plan: Plan) -> tuple[Home, tuple[Row, ...]]:
    if plan.environment != session.database.environment:
        raise refusals.PlanForAnother(session.database.environment, plan.environment)
    with session.conn.pipeline():  # what is asked together is one way there and back, and judged in its order
        held, alone, found = lock.asked(session), dumps.asked(session), history.sought(session)
    held()
    alone()
    home = found()
    with session.conn.pipeline():
        met, read = identity.asked(session, home), history.asked(session, home)
        same, kept = apart.asked(session, home, plan.migrations), snapshot.sought(session, home)
    met()
    rows = read()
    _unchanged(session, plan, rows)
    same()
    kept()
    return home, rows


def _unchanged(session: Session, plan: Plan, rows: tuple[Row, ...]) -> None:
    head = rows[-1].id if rows else None
    if head != plan.head:
        raise refusals.HistoryMoved(session.database.environment, plan.head, head)


def _back_up(session: Session, into: Into, tell: Tell) -> Receipt:
    tell(BackupStarted())
    receipt = backups.take(session, into=into, now=datetime.now(UTC))
    tell(BackupTaken(receipt))
    return receipt


def _nothing_to_lose(session: Session, home: Home) -> None:
    row = session.conn.execute(
        sql.SQL(
            "SELECT EXISTS (SELECT FROM {}) OR EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n"
            " ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'm', 'f', 'v') AND n.nspname !~ '^pg_'"
            " AND n.nspname <> 'information_schema' AND NOT (n.nspname = %s AND c.relname = ANY(%s)))"
        ).format(home.table("schema_migrations")),
        (home.schema, list(ALL_TABLES)),
    ).fetchone()
    if row is None or row[0]:
        raise SomethingToLose(session.database.environment)
