"""A plan's files on a copy, statement by statement, as an apply runs them, and what each of them did."""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql

from engine import apart, connection, contention, failure, forbidden, history, lock, sections, statements, transaction
from engine.errors import LockNotHeld
from engine.history import Entry
from engine.plan import Plan, Planned
from engine.rehearsal import lookout
from engine.rehearsal.errors import RehearsalFailed
from engine.rehearsal.lookout import Ledger, Seen, Tables, rounded
from engine.rehearsal.receipt import Change, File, Lock, Ran
from engine.rehearsal.restored import Copy
from engine.report import MigrationDone, MigrationStarted
from engine.statements import Statement
from engine.transaction import Stopped

Tell = Callable[[MigrationStarted | MigrationDone], None]

#: These write a table anew and keep its rows; whatever else gives it another file may have emptied it.
_KEEPS_ROWS = {"alter_table_stmt", "cluster_stmt", "vacuum_stmt", "refresh_mat_view_stmt", "alter_table_move_all_stmt"}
_ACTOR = "rehearsal"

_WRITTEN = """
SELECT relid::bigint, n_tup_ins, n_tup_upd, n_tup_del FROM pg_catalog.pg_stat_xact_user_tables
WHERE n_tup_ins + n_tup_upd + n_tup_del > 0
"""
_NODES = "SELECT oid::bigint, relfilenode::bigint FROM pg_catalog.pg_class WHERE oid = ANY(%s)"

Cursor = psycopg.Cursor[tuple[Any, ...]]
Written = Mapping[int, tuple[int, int, int]]


@dataclass(slots=True)
class Course:
    """A run on a copy. `first` are its tables before, `tables` those now; `counts` their rows now, both by oid."""

    copy: Copy
    plan: Plan
    first: Tables
    tables: Tables
    counts: dict[int, int]
    ended: float = 0.0
    began: float = field(default_factory=time.monotonic)

    def clock(self) -> float:
        """Seconds since the run began, of those that are a file's."""
        return time.monotonic() - self.began

    def go_on(self) -> None:
        """What passed since the last file's end is none of the run's time: we looked at the copy, or gave way."""
        self.began = time.monotonic() - self.ended


@dataclass(slots=True)
class Leg:
    """One file while it runs. `written` by oid; `emptied` are the oids of tables that may have lost their rows."""

    course: Course
    file: Planned
    of: int
    at: float
    held: Ledger
    locks: list[Lock] = field(default_factory=list)
    ran: list[Ran] = field(default_factory=list)
    nodes: dict[int, int] = field(default_factory=dict)
    written: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    emptied: set[int] = field(default_factory=set)


def course(copy: Copy, plan: Plan) -> Course:
    """A run that is about to begin."""
    found = lookout.tables(copy.watcher, copy.home)
    return Course(copy, plan, found, found, {oid: copy.rows[one.called] for oid, one in found.items() if one.plain})


def run(course: Course, place: int, *, tell: Tell) -> File:
    """The plan's file at this place ran and is in the history; raises RehearsalFailed, LeftTransaction, LostLock."""
    one, of = course.plan.migrations[place], len(course.plan.migrations)
    tell(MigrationStarted(one.id, place + 1, of))
    for tries in range(1, contention.TRIES + 1):
        found = statements.split(f"{one.id}.sql", sections.cut(one.text).up.text)
        ledger = _ledger(course)
        course.go_on()
        leg = Leg(course, one, len(found), course.ended, ledger)
        try:
            file = _ran(leg, found, _entry(course, place))
        except Stopped as stopped:
            # Only the server's own upkeep can be in the way here.
            if tries == contention.TRIES or stopped.error.sqlstate not in contention.PASSING or stopped.stays:
                raise _failed(leg, stopped) from None  # the driver's text holds DETAIL, which holds rows' values
            time.sleep(contention.pause(course.copy.session, tries))
        else:
            tell(MigrationDone(one.id, place + 1, of, file.seconds))
            return file
    raise AssertionError  # the last try returns or raises


def _ledger(course: Course) -> Ledger:
    return Ledger(course.copy.session, course.copy.watcher, course.copy.home)


def _entry(course: Course, place: int) -> Entry:
    one = course.plan.migrations[place]
    row = course.copy.session.conn.execute(
        sql.SQL("SELECT count(*) FROM {}").format(course.copy.home.table("schema_migrations"))
    ).fetchone()
    position = (row[0] if row else 0) + 1
    return Entry(one.id, one.name, one.checksum, one.text, position=position, by=_ACTOR, request=None)


def _failed(leg: Leg, stopped: Stopped) -> RehearsalFailed:
    course = leg.course
    gone = Stopped(stopped.error, stopped.place)  # what stays of it goes with the copy
    told = failure.of(course.copy.session, leg.file, gone, server="the scratch server")
    number = len(leg.ran) + 1 if stopped.place is not None else 0
    return RehearsalFailed(course.plan.environment, number, leg.of, told)


def _ran(leg: Leg, found: tuple[Statement, ...], entry: Entry) -> File:
    together = sections.cut(leg.file.text).up.together
    session = leg.course.copy.session
    try:
        _together(leg, found, entry) if together else _apart(leg, found, entry)
    except (Stopped, LockNotHeld, psycopg.Error) as cause:
        raise transaction.refused(session, leg.file.id, cause) from cause
    leg.course.ended = until = leg.course.clock()
    leg.locks += leg.held.close(until)
    connection.reset(session)
    return File(
        id=leg.file.id,
        together=together,
        at=rounded(leg.at),
        seconds=rounded(until - leg.at),
        statements=tuple(leg.ran),
        locks=tuple(leg.locks),
        changes=_changes(leg),
    )


def _together(leg: Leg, found: tuple[Statement, ...], entry: Entry) -> None:
    session = leg.course.copy.session
    session.conn.execute("BEGIN")
    for each in connection.resetting(session):
        session.conn.execute(each)
    session.conn.execute(history.MARK)
    before = _written(leg)
    for one in found:
        _statement(leg, one)
    _add_written(leg, before)
    history.record(session, leg.course.copy.home, entry)
    lock.check(session)
    session.conn.execute("COMMIT")


def _apart(leg: Leg, found: tuple[Statement, ...], entry: Entry) -> None:
    """Each statement in a transaction of its own, or in none where it cannot be in one; no lock_timeout."""
    session = leg.course.copy.session
    session.conn.execute("SET lock_timeout = 0")
    known = apart.invalid(session)
    for one in found:
        if forbidden.is_apart(one.kind, one.node):
            _alone(leg, one)
        else:
            with session.conn.transaction():
                before = _written(leg)
                _statement(leg, one)
                _add_written(leg, before)
        leg.locks += leg.held.close(leg.course.clock())
        leg.held = _ledger(leg.course)
    apart.sound(session, len(found), known)
    with session.conn.transaction():
        session.conn.execute(history.MARK)
        history.record(session, leg.course.copy.home, entry)


def _statement(leg: Leg, one: Statement) -> None:
    began, number = leg.course.clock(), len(leg.ran) + 1
    wal = lookout.wal(leg.course.copy.watcher)
    cursor = _execute(leg, one)
    seconds = leg.course.clock() - began
    held = leg.held.look(number, began)
    wal = lookout.wal(leg.course.copy.watcher) - wal
    _note(leg, one, cursor, took=(began, seconds, wal), rewrites=_rewritten(leg, one, held))


def _alone(leg: Leg, one: Statement) -> None:
    course, began = leg.course, leg.course.clock()
    wal, before = lookout.wal(course.copy.watcher), lookout.tables(course.copy.watcher, course.copy.home)
    with leg.held.following(len(leg.ran) + 1, course.clock):
        cursor = _execute(leg, one)
    seconds, wal = course.clock() - began, lookout.wal(course.copy.watcher) - wal
    after = lookout.tables(course.copy.watcher, course.copy.home)
    rewrites = [now.called for oid, now in after.items() if oid in before and before[oid].node != now.node]
    _note(leg, one, cursor, took=(began, seconds, wal), rewrites=rewrites)


def _execute(leg: Leg, one: Statement) -> Cursor:
    try:
        return leg.course.copy.session.conn.execute(one.text.encode())
    except psycopg.Error as error:
        if leg.course.copy.session.conn.broken:
            raise
        within = int(error.diag.statement_position or 1) - 1
        raise Stopped(error, one.start + within) from error


def _note(leg: Leg, one: Statement, cursor: Cursor, *, took: tuple[float, float, int], rewrites: list[str]) -> None:
    at, seconds, wal = took
    made = one.kind == "create_table_as_stmt"  # the server says SELECT
    tag = "CREATE TABLE AS" if made else re.sub(r"[\s\d]+$", "", cursor.statusmessage or "")
    rows = cursor.rowcount if cursor.rowcount >= 0 and one.kind != "select_stmt" else None
    ran = Ran(len(leg.ran) + 1, one.line, tag, rounded(at), rounded(seconds), rows, wal, tuple(rewrites))
    leg.ran.append(ran)


def _rewritten(leg: Leg, one: Statement, held: tuple[Seen, ...]) -> list[str]:
    """Tables that the statement gave another file, and that keep their rows; the others are remembered."""
    barred = {seen.oid: seen for seen in held if seen.mode == "AccessExclusiveLock" and seen.node}
    if not barred:
        return []
    anew = list[str]()
    for oid, node in leg.course.copy.session.conn.execute(_NODES, (list(barred),)).fetchall():
        if node != leg.nodes.get(oid, barred[oid].node):
            leg.nodes[oid] = node
            if one.kind in _KEEPS_ROWS:
                anew.append(barred[oid].relation)
            else:
                leg.emptied.add(oid)
    return anew


def _written(leg: Leg) -> Written:
    """Rows written by table, of this transaction and of earlier ones that the server has not counted up yet."""
    return {oid: (i, u, d) for oid, i, u, d in leg.course.copy.session.conn.execute(_WRITTEN)}


def _add_written(leg: Leg, before: Written) -> None:
    for oid, now in _written(leg).items():
        known, then = leg.written.get(oid, (0, 0, 0)), before.get(oid, (0, 0, 0))
        inserted, updated, deleted = (k + n - t for k, n, t in zip(known, now, then, strict=True))
        leg.written[oid] = (inserted, updated, deleted)


def _changes(leg: Leg) -> tuple[Change, ...]:
    """What became of each table's rows; the course knows the tables and their rows as they are after it."""
    course = leg.course
    before, course.tables = course.tables, lookout.tables(course.copy.watcher, course.copy.home)
    found = list[Change]()
    for oid in sorted(before.keys() | course.tables.keys()):
        table = course.tables.get(oid) or before[oid]
        inserted, updated, deleted = leg.written.get(oid, (0, 0, 0))
        emptied = _emptied(leg, oid, inserted - deleted) if table.plain else 0
        if inserted or updated or deleted or emptied:
            found.append(Change(table.called, inserted, updated, deleted, emptied))
    return tuple(sorted(found, key=lambda one: one.relation))


def _emptied(leg: Leg, oid: int, more: int) -> int:
    """How many rows went without being deleted one by one."""
    course = leg.course
    if oid not in course.tables:
        return course.counts.pop(oid, 0)
    now = course.counts.get(oid, 0) + more
    course.counts[oid] = _count(course, oid) if oid in leg.emptied else now
    return max(now - course.counts[oid], 0)


def _count(course: Course, oid: int) -> int:
    table = sql.Identifier(course.tables[oid].schema, course.tables[oid].name)
    row = course.copy.watcher.execute(sql.SQL("SELECT count(*) FROM ONLY {}").format(table)).fetchone()
    assert row is not None
    return row[0]
