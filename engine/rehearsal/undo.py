"""The plan's way back on the copy: down, newest first, held against what was there before each file, then up again."""

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from psycopg import sql

from engine import drift, fingerprint, roundtrip, sections
from engine.fingerprint import Inventory
from engine.plan import Planned
from engine.rehearsal import lookout, named
from engine.rehearsal.lookout import Table
from engine.rehearsal.measured import Course
from engine.rehearsal.receipt import Change, File
from engine.rehearsal.restored import Copy
from engine.roundtrip import Refused, Trip

_COLUMNS = """
SELECT attname::text FROM pg_catalog.pg_attribute WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped ORDER BY 1
"""


#: From here there is no going further back.
_STUCK = ("irreversible", "broken")


@dataclass(frozen=True, slots=True)
class Held:
    """Of a table: how many rows, one sum over them as wholes, and one over each column's values; in any order."""

    rows: int
    whole: str
    columns: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Mark:
    """What the copy was before one file: its schema, the tables that the file names, how many rows the others had."""

    things: Inventory
    held: Mapping[str, Held]
    counts: Mapping[str, int]


def mark(course: Course, place: int) -> Mark:
    """What the copy is before the plan's file at this place, as far as its way back may have to bring it back."""
    names = named.of((course.plan.migrations[place],)) if _has_way_back(course, place) else named.NONE
    ours = {
        oid: table
        for oid, table in course.tables.items()
        if table.plain and lookout.is_named(names, table, course.tables)
    }
    held = {table.called: _held(course.copy, oid, table) for oid, table in ours.items()}
    counts = {course.tables[oid].called: count for oid, count in course.counts.items()}
    return Mark(fingerprint.inventory(course.copy.session, course.copy.home), held, counts)


def _has_way_back(course: Course, place: int) -> bool:
    """Whether the file and all after it can be taken back as they say; else no way leads back past it."""
    return not any(sections.no_way_back(one.text) for one in course.plan.migrations[place:])


def read(
    course: Course, marks: list[Mark], files: tuple[File, ...], after: Inventory
) -> tuple[tuple[Trip, ...], float]:
    """What the way back of each file is worth, in the plan's order, and the seconds that it took down from `after`.

    The copy is of no use afterwards.
    """
    planned, trips, took = course.plan.migrations, list[Trip](), 0.0
    things = (*(one.things for one in marks[1:]), after)
    for place in reversed(range(len(planned))):
        if trips and trips[-1].verdict in _STUCK:
            why = f"{trips[-1].id}.sql comes after it and has no way back that works."
            trips += [Trip(one.id, "irreversible", why=why) for one in reversed(planned[: place + 1])]
            break
        began = time.monotonic()
        trips.append(_down(course, planned[place], marks[place], things[place], files[place].changes))
        took += time.monotonic() - began
    if trips and trips[-1].verdict not in _STUCK:
        trips = _again(course, trips, after)
    return tuple(reversed(trips)), lookout.rounded(took)


def _down(course: Course, one: Planned, then: Mark, after: Inventory, changes: tuple[Change, ...]) -> Trip:
    down = sections.cut(one.text).down
    if down is None:
        return Trip(one.id, "irreversible")
    if not down.together:
        return Trip(
            one.id, "irreversible", why=f"{one.id}.sql {sections.no_way_back(one.text)}, which no rollback runs"
        )
    session = course.copy.session
    try:
        roundtrip.go(session, f"{one.id}.sql", down, way="down")
    except Refused as refused:
        return Trip(one.id, "broken", why=str(refused))
    back = drift.compare(fingerprint.inventory(session, course.copy.home), then.things)
    lost = tuple(dict.fromkeys((*_new(then.things, after), *_gone(course, then, changes))))
    if back:
        return Trip(one.id, "broken", lost, back, "After up and down the schema is not what it was (there).")
    return Trip(one.id, "loses" if lost else "lossless", lost)


def _again(course: Course, trips: list[Trip], after: Inventory) -> list[Trip]:
    """The same trips when all went up a second time and made the same schema; else the one to blame is broken."""
    for place, one in enumerate(course.plan.migrations):
        try:
            roundtrip.go(course.copy.session, f"{one.id}.sql", sections.cut(one.text).up, way="up")
        except Refused as refused:
            broken = len(trips) - 1 - place
            return [Trip(t.id, "broken", t.loses, why=str(refused)) if n == broken else t for n, t in enumerate(trips)]
    if again := drift.compare(fingerprint.inventory(course.copy.session, course.copy.home), after):
        why = "The second way up made another schema (there)."
        return [Trip(trips[0].id, "broken", trips[0].loses, again, why), *trips[1:]]
    return trips


def _new(before: Inventory, after: Inventory) -> Iterator[str]:
    """What is written where the file made room for it goes with the way back, whatever stands there now."""
    known = {(one.kind, one.name) for one in before}
    fresh = [one for one in after if (one.kind, one.name) not in known]
    made = {one.name for one in fresh if one.kind == "relation" and _keeps_rows(one.words)}
    yield from (f"the rows of {name}" for name in sorted(made))
    everywhere = {one.name for one in after if one.kind == "relation" and _keeps_rows(one.words)} - made
    for one in fresh:
        if one.kind == "column" and "generated as" not in one.words and one.name.rpartition(".")[0] in everywhere:
            yield f"the values of {one.name}"


def _keeps_rows(words: str) -> bool:
    kind, _, more = words.partition(",")
    return kind in ("table", "partitioned table") and "FOR VALUES" not in more


def _gone(course: Course, then: Mark, changes: Iterable[Change]) -> Iterator[str]:
    """What was there before the file and is not after its way back."""
    now = {table.called: (oid, table) for oid, table in lookout.tables(course.copy.watcher, course.copy.home).items()}
    for name, before in then.held.items():
        after = _held(course.copy, *now[name]) if name in now else Held(0, "", {})
        if after.rows < before.rows:
            yield f"the rows of {name}"
        elif after.rows > before.rows:
            yield f"which rows {name} had"
        elif after.whole != before.whole:
            columns = [one for one, value in before.columns.items() if after.columns.get(one) != value]
            yield from (f"the values of {name}.{one}" for one in columns)
            yield from () if columns else (f"which rows {name} had",)
    for one in changes:  # of what it does not name nothing was kept to compare with
        if one.updated + one.deleted + one.emptied and one.relation in then.counts and one.relation not in then.held:
            yield f"the rows of {one.relation}"


def _held(copy: Copy, oid: int, table: Table) -> Held:
    columns = [name for (name,) in copy.watcher.execute(_COLUMNS, (oid,))]
    one = sql.SQL("coalesce(sum(pg_catalog.hashtextextended({}::text, 0)::numeric), 0)::text")
    whole = sql.SQL("ROW({})").format(sql.SQL(", ").join(map(sql.Identifier, columns)))
    sums = sql.SQL(", ").join(one.format(each) for each in (whole, *map(sql.Identifier, columns)))
    query = sql.SQL("SELECT count(*), {} FROM ONLY {}").format(sums, sql.Identifier(table.schema, table.name))
    row = copy.watcher.execute(query).fetchone()
    assert row is not None
    return Held(row[0], row[1], dict(zip(columns, row[2:], strict=True)))
