"""A plan runs on a restored copy of the very backup that protects it, before anyone is asked to approve it.

One restore proves three things: that the backup restores, that the plan works on what the environment holds, and how
long it takes and what it locks. The environment itself is read by pg_dump alone.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from engine import apart, connection, contents, drift, fingerprint, lock, snapshot
from engine.connection import Limits
from engine.drift import Difference
from engine.errors import ConnectionLost, ServerRefused, Unreachable
from engine.fingerprint import Inventory
from engine.plan import Plan
from engine.rehearsal import effects, lookout, measured, restored, tallied, undo
from engine.rehearsal.effects import Effects, Unreadable
from engine.rehearsal.errors import EffectsDiffer, NotRehearsed, RehearsalFailed
from engine.rehearsal.measured import Course
from engine.rehearsal.receipt import Extent, File, Proof, Receipt
from engine.rehearsal.restored import Bench, Copy, Likeness, likeness
from engine.rehearsal.undo import Mark
from engine.report import MigrationDone, MigrationStarted
from engine.restore import Comparing, Loading, Source
from engine.roundtrip import Trip
from engine.snapshot import Snapshot
from engine.transaction import LeftTransaction, LostLock

__all__ = [
    "Bench",
    "EffectsDiffer",
    "Likeness",
    "NotRehearsed",
    "RehearsalFailed",
    "Rehearsed",
    "Undoing",
    "agree",
    "likeness",
    "rehearse",
]


@dataclass(frozen=True, slots=True)
class Undoing:
    """The plan has run on the copy, and its way back is tried there."""


Progress = Loading | Comparing | MigrationStarted | MigrationDone | Undoing
Tell = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What a rehearsal saw, and the schema that it left, with which the environment's is compared after the run."""

    receipt: Receipt
    schema: Snapshot


def rehearse(
    plan: Plan,
    source: Source,
    bench: Bench,
    *,
    limits: Limits,
    now: datetime,
    tell: Tell = lambda _: None,
) -> Rehearsed:
    """The plan's exact texts ran on a copy restored from the source, a backup of what it is drawn on; the copy is gone.

    Raises RehearsalFailed, EffectsDiffer, NotRehearsed, BackupDoubtful, ScratchRefused and its like, NoPgDump and its
    like.
    """
    declared = _declared(plan)
    with (
        _trouble_is_the_copys(plan),
        restored.copy(plan, source, bench, limits=limits, tell=tell) as copy,
        lock.only_one(copy.session),
    ):
        course, before = measured.course(copy, plan), _unsound(copy)
        files, marks = _files(course, tell)
        after = _after(copy, before)
        _must_match(plan, declared, [*(one.things for one in marks), after.schema.things], files)
        tell(Undoing())
        trips = undo.read(course, marks, files, after.schema.things)
        receipt = _receipt(course, bench.extent, _proof(source, copy), files, after, *trips, now=now)
    return Rehearsed(receipt, after.schema)


def agree(rehearsed: Snapshot, live: Snapshot) -> tuple[Difference, ...]:
    """What of the live schema is otherwise than in rehearsal (there); nothing where they are the same."""
    return drift.compare(live.things, rehearsed.things)


@contextmanager
def _trouble_is_the_copys(plan: Plan) -> Iterator[None]:
    """The copy answers to the environment's name, so what befalls it is said anew: the environment was not touched."""
    try:
        yield
    except ConnectionLost:
        raise NotRehearsed(plan.environment, "the connection to the copy was lost", "Ask again.") from None
    except Unreachable as away:
        if away.environment != plan.environment:
            raise
        raise NotRehearsed(plan.environment, f"the copy cannot be reached: {away.why}", away.next_step) from None
    except ServerRefused as no:
        why = f"the scratch server refused ({no.sqlstate}): {no.message}"
        raise NotRehearsed(plan.environment, why, "Remove the cause there, then ask again.") from None
    except (LeftTransaction, LostLock) as left:
        why = f"{left.migration}.sql left its transaction, or let go of the lock that keeps other runs out, on the copy"
        raise NotRehearsed(plan.environment, why, "Take that out of the file.") from None


@dataclass(frozen=True, slots=True)
class _After:
    """The copy when the plan has run: its schema, every table's rows, and what is newly not sound."""

    schema: Snapshot
    rows: Mapping[str, int]
    invalid: tuple[str, ...]
    unvalidated: tuple[str, ...]


def _after(copy: Copy, before: Sequence[tuple[str, ...]]) -> _After:
    new = [tuple(one for one in now if one not in then) for now, then in zip(_unsound(copy), before, strict=True)]
    rows = contents.read(copy.session, copy.home).rows
    return _After(snapshot.look(copy.session, copy.home), rows, *new)


def _unsound(copy: Copy) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return apart.invalid(copy.session), apart.unvalidated(copy.session)


def _files(course: Course, tell: Tell) -> tuple[tuple[File, ...], list[Mark]]:
    """Every file ran, and what the copy was before each."""
    files, marks = list[File](), list[Mark]()
    for place in range(len(course.plan.migrations)):
        marks.append(undo.mark(course, place))
        files.append(measured.run(course, place, tell=tell))
    return tuple(files), marks


def _declared(plan: Plan) -> Mapping[str, Effects]:
    """What the files declare, by id. Raises EffectsDiffer where a line cannot be read."""
    found = dict[str, Effects]()
    for one in plan.migrations:
        try:
            said = effects.declared(one.text)
        except Unreadable as unread:
            why = f"{unread.part} is none; write alters, creates or drops and names, or rows, a name and a number"
            raise EffectsDiffer(plan.environment, one.id, unread.line, why) from unread
        if said:
            found[one.id] = said
    return found


def _must_match(
    plan: Plan, declared: Mapping[str, Effects], things: Sequence[Inventory], files: Sequence[File]
) -> None:
    for place, one in enumerate(files):
        if said := declared.get(one.id):
            differences = drift.compare(things[place + 1], things[place])
            if wrong := "; ".join(effects.against(said, differences, one.changes)):
                raise EffectsDiffer(plan.environment, one.id, said.line, wrong)


def _proof(source: Source, copy: Copy) -> Proof:
    backup = copy.backup
    return Proof(source.backup.name, backup.sha256, backup.at, backup.lsn, lookout.rounded(copy.seconds))


def _receipt(
    course: Course,
    extent: Extent,
    proof: Proof,
    files: tuple[File, ...],
    after: _After,
    trips: tuple[Trip, ...],
    undo_seconds: float,
    *,
    now: datetime,
) -> Receipt:
    plan, copy = course.plan, course.copy
    return Receipt(
        environment=plan.environment,
        plan=plan.digest,
        extent=extent,
        at=now.astimezone(UTC).isoformat(),
        server=connection.server_name(copy.session.server),
        proof=proof,
        bytes=copy.bytes,
        head=plan.head,
        before=plan.fingerprint,
        after=fingerprint.digest(after.schema.things),
        seconds=lookout.rounded(sum(one.seconds for one in files)),
        files=files,
        rows=tallied.rows(course, after.rows),
        unnamed=tallied.unnamed(course, files, after.rows),
        invalid=after.invalid,
        unvalidated=after.unvalidated,
        trips=trips,
        undo_seconds=undo_seconds,
    )
