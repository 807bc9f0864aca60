"""The migrations of a plan, one after another, each with its history row, until all are in or one is refused."""

import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from itertools import chain, takewhile

from engine import apart, connection, contention, failure, history, pipeline, sections, statements, transaction
from engine.connection import Session
from engine.contention import Lookout
from engine.history import Entry, Home
from engine.pipeline import Piece
from engine.plan import Plan
from engine.report import Done, Failure, MigrationDone, MigrationStarted, Step, TriedAgain
from engine.statements import SyntaxFault
from engine.transaction import Stopped


@dataclass(frozen=True, slots=True)
class Way:
    """A plan, where it runs, for whom, and who is told. `position` is the length of the history before it."""

    session: Session
    home: Home
    plan: Plan
    position: int
    actor: str
    request: str | None
    tell: Callable[[Step], None]

    def entry(self, place: int) -> Entry:
        """What is written down of the plan's migration at this place, from 0."""
        one, position = self.plan.migrations[place], self.position + place + 1
        return Entry(one.id, one.name, one.checksum, one.text, position=position, by=self.actor, request=self.request)


def run(way: Way) -> tuple[tuple[Done, ...], Failure | None]:
    """What committed, in order, and why the next one did not. Raises LeftTransaction, ConnectionLost."""
    done: list[Done] = []
    _started(way, 0)
    with closing(Lookout(way.session, way.tell)) as lookout:
        refused = _all(way, done, lookout)
    connection.reset(way.session)
    return tuple(done), refused


def _all(way: Way, done: list[Done], lookout: Lookout) -> Failure | None:
    tries, stuck = 0, -1
    while len(done) < len(way.plan.migrations):
        try:
            _stretch(way, done, lookout)
        except Stopped as stopped:
            tries, stuck = tries + 1 if stuck == len(done) else 1, len(done)
            one = way.plan.migrations[stuck]
            passing = stopped.error.sqlstate in contention.PASSING and not stopped.stays
            if tries == contention.TRIES or not passing:
                return failure.of(way.session, one, stopped, tries=tries, blockers=lookout.seen)
            seconds = contention.pause(way.session, tries)
            way.tell(TriedAgain(one.id, tries + 1, contention.TRIES, seconds))
            time.sleep(seconds)
    return None


def _stretch(way: Way, done: list[Done], lookout: Lookout) -> None:
    """Commit as many of what is left as can be sent in one go, or the one that must be sent by itself."""
    pieces = map(partial(_piece, way), range(len(done), len(way.plan.migrations)))
    first = next(pieces)

    def committed(seconds: float) -> None:
        one, of = way.plan.migrations[len(done)], len(way.plan.migrations)
        done.append(Done(one.id, seconds))
        way.tell(MigrationDone(one.id, len(done), of, seconds))
        _started(way, len(done))

    if first.statements:
        following = takewhile(lambda piece: piece.statements, pieces)
        try:
            pipeline.commit(way.session, way.home, chain((first,), following), committed=committed, lookout=lookout)
        except Stopped as stopped:
            if not pipeline.lost(stopped):
                raise
            committed(_by_itself(way, way.entry(len(done))))
    else:
        committed(_by_itself(way, first.entry))


def _by_itself(way: Way, entry: Entry) -> float:
    connection.reset(way.session)
    section = sections.cut(entry.text).up
    if section.together:
        record = partial(history.record, way.session, way.home, entry)
        return transaction.commit(way.session, entry.id, section.text, record=record)
    return apart.commit(way.session, way.home, entry, section, tell=way.tell)


def _started(way: Way, place: int) -> None:
    if place < len(way.plan.migrations):
        way.tell(MigrationStarted(way.plan.migrations[place].id, place + 1, len(way.plan.migrations)))


def _piece(way: Way, place: int) -> Piece:
    """The migration taken apart. Without statements when it must be sent by itself.

    That is one that is no transaction, and one that our parser cannot take apart: then the server is the judge of it.
    """
    entry, found = way.entry(place), ()
    section = sections.cut(entry.text).up
    with suppress(SyntaxFault):
        found = statements.split(f"{entry.id}.sql", section.text) if section.together else ()
    return Piece(entry, found)
