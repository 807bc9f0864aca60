"""The migrations of a plan, one after another, each with its history row, until all are in or one is refused."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import chain, takewhile

from engine import connection, failure, pipeline, statements, transaction
from engine.connection import Session
from engine.history import Entry, Home
from engine.pipeline import Piece
from engine.plan import Plan
from engine.report import Done, Failure, MigrationDone, MigrationStarted, Step
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
    refused = None
    _started(way, 0)
    try:
        while len(done) < len(way.plan.migrations):
            _stretch(way, done)
    except Stopped as stopped:
        refused = failure.of(way.session, way.plan.migrations[len(done)], stopped)
    connection.reset(way.session)
    return tuple(done), refused


def _stretch(way: Way, done: list[Done]) -> None:
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
        pipeline.commit(way.session, way.home, chain((first,), following), committed=committed)
    else:
        connection.reset(way.session)
        committed(transaction.commit(way.session, way.home, first.entry, first.entry.text))


def _started(way: Way, place: int) -> None:
    if place < len(way.plan.migrations):
        way.tell(MigrationStarted(way.plan.migrations[place].id, place + 1, len(way.plan.migrations)))


def _piece(way: Way, place: int) -> Piece:
    """The migration taken apart. Without statements where our parser cannot: then the server is the judge of it."""
    entry, found = way.entry(place), ()
    with suppress(SyntaxFault):
        found = statements.split(f"{entry.id}.sql", entry.text)
    return Piece(entry, found)
