"""Before anyone is asked, the plan runs on a copy restored from a backup taken now; its digest stands for that, too."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from engine import backup, history, identity, lock, plan, rehearsal
from engine.connection import open_session
from engine.plan import Plan
from engine.refusals import PlanAltered, PlanRefused
from engine.rehearsal import (
    Bench,
    Likeness,
    Progress,
    RehearsalFailed,
    Rehearsed,
    Undoing,
    forecast,
    receipt,
    traffic,
)
from engine.rehearsal.forecast import Forecast
from engine.rehearsal.receipt import Receipt
from engine.rehearsal.traffic import Hindrance, Traffic
from engine.report import MigrationStarted, Step
from engine.restore import Comparing, Loading, Source
from engine.scratch import NoScratch
from engine.shelf import Keep
from engine.standing import Standing
from ledger.events import Rehearsing
from ledger.rehearsed import Barred, Changed, Kept, Outlook, Ran, Rehearsal
from ledger.request import Request
from ledger.workflow import Extent
from workers import elsewhere, reporting
from workers.craft import NoScratchHere
from workers.hands import Hands
from workers.scribe import Scribe

#: For how long whoever holds the environment is waited for before the rehearsal's backup.
PATIENCE = timedelta(minutes=5)

#: How many statements, and how many locks, a person is shown; the receipt has all of them.
SHOWN = 200

#: Locks that keep somebody's reads or writes waiting.
_BARS = {"SHARE", "SHARE ROW EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE"}


@dataclass(eq=False)
class RehearsalOver(PlanRefused):
    """What was rehearsed is not what would run now. `why` says so, and what it needs."""

    why: str

    def __str__(self) -> str:
        return self.why


@dataclass(frozen=True, slots=True)
class Seen:
    """A plan with the hash of its receipt, and what people are shown of its rehearsal; or why there was none."""

    plan: Plan
    shown: Rehearsal | None = None
    why_not: str | None = None
    kept: Kept | None = None


def bind(hands: Hands, request: Request, here: Standing, drawn: Plan) -> Seen:
    """The plan is rehearsed; drawn again, it is bound to the rehearsal that was shown.

    Raises RehearsalOver, PlanAltered, and what a backup, a restore and a rehearsal raise.
    """
    if request.plan is not None:
        return _again(hands, request, here, drawn)
    extent, why_not = _extent(hands)
    if extent is Extent.OFF:
        return Seen(drawn, why_not=why_not)
    done, outlook = _rehearsed(hands, request, drawn, extent)
    bound = plan.rehearsed(drawn, done.receipt.hash)
    return Seen(bound, shown(done.receipt, outlook), kept=Kept(done.receipt.as_json(), done.schema.as_json()))


def of(hands: Hands, request_id: int, *, bound: str) -> tuple[Receipt, Kept]:
    """The receipt to which a plan is bound, by its hash. Raises PlanAltered when the ledger has another."""
    kept = hands.book.rehearsed(request_id)
    try:
        found = Receipt.from_json(kept.receipt) if kept else None
    except (KeyError, TypeError, ValueError):
        found = None
    if kept is None or found is None or found.hash != bound:
        raise PlanAltered(hands.environment.name, bound)
    return found, kept


def _extent(hands: Hands) -> tuple[Extent, str | None]:
    """How much is restored; or, where it could be and is not, why. Raises NoScratch, NoScratchHere where it must be."""
    ours, wanted = hands.environment, hands.environment.rehearsals.extent
    if wanted is None and not ours.protected:
        return Extent.OFF, None
    if wanted is Extent.OFF:
        return Extent.OFF, f"`rehearse = false` is what twokey.toml says for {ours.name}"
    if hands.rehearsal is None:
        if wanted is not None:
            raise _no_server(hands)
        return Extent.OFF, _unknown_server(hands)
    return wanted or Extent.WHOLE, None


def _unknown_server(hands: Hands) -> str:
    """Why a plan that may be rehearsed is not, as a phrase with the way out."""
    named = hands.environment.rehearsals.server or hands.workflow.scratch
    do = f"set {named.dsn_variable} for it, and start it anew" if named else "name one under `[scratch]` in twokey.toml"
    return f"the worker of {hands.environment.name} knows no scratch server. Whoever runs Twokey: {do}"


def _no_server(hands: Hands) -> NoScratch | NoScratchHere:
    """Why a plan that must be rehearsed cannot be: nobody named a server, or this worker has no address of it."""
    named = hands.environment.rehearsals.server or hands.workflow.scratch
    return NoScratchHere(hands.environment.name, named.dsn_variable) if named else NoScratch()


def _again(hands: Hands, request: Request, here: Standing, drawn: Plan) -> Seen:
    bound = hands.book.frozen_plan(request.id).get("receipt")
    if bound is None:
        if _extent(hands)[0] is not Extent.OFF:
            asks = f"{request.environment} asks for that now"
            raise RehearsalOver(f"The plan was not rehearsed, and {asks}. It needs a plan that is.")
        return Seen(drawn)
    good_for = hands.environment.rehearsals.good_for or request.expires_at - request.asked_at
    found, _ = of(hands, request.id, bound=bound)
    if why := receipt.stale(found, here, now=datetime.now(UTC), good_for=good_for):
        raise RehearsalOver(why)
    return Seen(plan.rehearsed(drawn, bound))


def _rehearsed(hands: Hands, request: Request, drawn: Plan, extent: Extent) -> tuple[Rehearsed, Forecast]:
    """It runs on the copy, and the ledger hears how far it is and that somebody is at work on it."""
    assert hands.rehearsal is not None
    scribe = Scribe(hands.book, request.id)
    purpose = f"twokey rehearsal #{request.id}"
    with scribe.writing():
        source, alike, first = _prepared(hands, scribe, purpose)
        bench = Bench(hands.rehearsal, alike, extent="schema" if extent is Extent.SCHEMA else "whole")
        try:
            done = rehearsal.rehearse(
                drawn, source, bench, limits=hands.limits, now=datetime.now(UTC), tell=_teller(scribe)
            )
        except RehearsalFailed as failed:
            raise replace(failed, failure=elsewhere.told(hands, failed.failure)) from None
        with open_session(hands.database, purpose=purpose, limits=hands.limits) as session:
            said = forecast.of(done.receipt, first, traffic.read(session))
            in_the_way = traffic.hindrances(session, forecast.relations(done.receipt))
            return done, forecast.beside(said, in_the_way, traffic.replicas(session))


def _prepared(hands: Hands, scribe: Scribe, purpose: str) -> tuple[Source, Likeness, Traffic]:
    """A backup taken now, which takes no other away, what a copy must be like, and a first look at the traffic."""

    def tell(step: Step) -> None:
        if event := reporting.step(step):
            scribe.tell(event)

    with (
        open_session(hands.database, purpose=purpose, limits=hands.limits) as session,
        lock.only_one(session, wait=PATIENCE, tell=tell),
    ):
        identity.meet(session, history.prepare(session))
        scribe.tell(Rehearsing("Backing up"))
        taken = backup.take(session, into=replace(hands.into, keep=Keep()), now=datetime.now(UTC))
        source = Source(Path(taken.path), hands.tools, hands.environment.backup.parallel)
        return source, rehearsal.likeness(session), traffic.read(session)


def _teller(scribe: Scribe) -> Callable[[Progress], None]:
    def tell(said: Progress) -> None:
        if phrase := _phrase(said):
            scribe.tell(Rehearsing(phrase))

    return tell


def _phrase(said: Progress) -> str | None:
    match said:
        case Loading(bytes=size):
            return f"Restoring {size:,} bytes into a copy"
        case Comparing(tables):
            return f"Comparing schema, history, and the rows of {tables} tables with the backup's manifest"
        case MigrationStarted(id, position, of):
            return f"Running {id}.sql on the copy, {position} of {of}"
        case Undoing():
            return "Trying the way back on the copy"
        case _:
            return None


def shown(seen: Receipt, said: Forecast) -> Rehearsal:
    """What people are shown of it."""
    return Rehearsal(
        receipt=seen.hash,
        extent=seen.extent,
        at=seen.at,
        backup=seen.proof.backup,
        restored=seen.proof.seconds,
        bytes=seen.bytes,
        seconds=seen.seconds,
        wal=sum(one.wal for file in seen.files for one in file.statements),
        statements=tuple(islice(_statements(seen), SHOWN)),
        locks=tuple(islice(_locks(seen), SHOWN)),
        changes=_changes(seen),
        unnamed=seen.unnamed,
        invalid=seen.invalid,
        unvalidated=seen.unvalidated,
        undo=seen.undo,
        loses=seen.loses,
        undone=seen.undo_seconds,
        no_way_back=_no_way_back(seen),
        outlook=Outlook(said.queries, said.longest, said.sampled, tuple(map(_hindrance, said.hindrances))),
        more=max(sum(len(file.statements) for file in seen.files) - SHOWN, 0),
    )


def _statements(seen: Receipt) -> Iterator[Ran]:
    for file in seen.files:
        for one in file.statements:
            yield Ran(file.id, one.line, one.tag, one.at, one.seconds, one.rows, one.rewrites, one.wal)


def _locks(seen: Receipt) -> Iterator[Barred]:
    for file in seen.files:
        for one in file.locks:
            if one.mode in _BARS:
                yield Barred(one.relation, one.mode, one.at, one.seconds)


def _changes(seen: Receipt) -> tuple[Changed, ...]:
    touched = dict[str, int]()
    for one in (one for file in seen.files for one in file.changes):
        touched[one.relation] = touched.get(one.relation, 0) + one.touched
    return tuple(Changed(name, rows) for name, rows in touched.items() if rows)


def _no_way_back(seen: Receipt) -> str | None:
    if seen.undo not in {"irreversible", "broken"}:
        return None
    worst = next(one for one in seen.trips if one.verdict == seen.undo)
    return worst.why or f"{worst.id}.sql has no way down"


def _hindrance(one: Hindrance) -> str:
    age = f" for {one.seconds:.0f} s" if one.seconds is not None else ""
    holds = f", holds {', '.join(one.holds)}" if one.holds else ""
    return f"{one.kind} (pid {one.pid}, role {one.role}{age}{holds})"
