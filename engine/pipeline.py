"""Migrations sent ahead of their answers: one way there and back for all, and the server stops at the first failure.

In the pipeline the server passes over everything after a failure up to the Sync, and there is one Sync, at the end. So
nothing runs after a failure, whatever failed, without a word from here. What stands around every migration is prepared
once: to parse and plan the record alone takes the server longer than a small migration.
"""

import secrets
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql
from psycopg.pq import ExecStatus

from engine import connection, history, lock, transaction
from engine.connection import Session
from engine.contention import Lookout
from engine.errors import ConnectionLost, LockNotHeld
from engine.history import Entry, Home
from engine.statements import Statement
from engine.stream import Stream
from engine.transaction import Stopped

#: How many characters of SQL may be on their way. Enough to fill a long wire, little enough to keep in memory.
_AHEAD = 1_000_000


@dataclass(frozen=True, slots=True)
class Piece:
    """One migration, taken apart: what is written down of it, and what is run."""

    entry: Entry
    statements: Sequence[Statement]


def commit(
    session: Session, home: Home, pieces: Iterable[Piece], *, committed: Callable[[float], None], lookout: Lookout
) -> None:
    """Each migration commits alone with its history row, in order; `committed` hears its seconds as soon as it has.

    Raises Stopped at the first that the server refused, after it was rolled back, and then none after it ran;
    LeftTransaction; ConnectionLost. `lost` says of a Stopped that the migration has to be sent by itself.
    """
    frame = _Frame.around(session, home)
    sent, ahead, unsent = deque[Piece](), 0, iter(pieces)
    with _stream(session, lookout) as stream:
        frame.prepare(stream)
        while True:
            while ahead < _AHEAD and (piece := next(unsent, None)):
                _send(stream, piece, frame, history.told(session, piece.entry))
                sent.append(piece)
                ahead += len(piece.entry.text)
            if not sent:
                return
            piece = sent.popleft()
            lookout.watch(piece.entry.id)
            try:
                seconds = _answers(stream, piece, frame)
            except (Stopped, LockNotHeld) as refusal:
                stream.end()
                raise transaction.refused(session, piece.entry.id, refusal) from refusal
            ahead -= len(piece.entry.text)
            committed(seconds)


#: What is prepared is gone, takes other parameters, or is not ours.
_TOUCHED = frozenset({"26000", "08P01", "22012"})


def lost(stopped: Stopped) -> bool:
    """Whether a migration was refused because it had touched what is prepared around it, as DEALLOCATE ALL does."""
    return stopped.place is None and stopped.error.sqlstate in _TOUCHED


class _Frame:
    """What is run before and after the statements of every migration; what the server would plan long is prepared.

    A migration can find the names, let go of them, and prepare others under them, so `ours` asks, in words of its own,
    whether they are still what was prepared here: SQL makes none that are not `from_sql`.
    https://www.postgresql.org/docs/current/view-pg-prepared-statements.html
    """

    def __init__(self, opening: Sequence[bytes], recording: bytes) -> None:
        run = f"twokey_{secrets.token_hex(4)}_".encode()
        *self.resets, limits, mark = opening
        prepared = (limits, mark, recording, lock.GUARD)
        self._unheard, self._prepared = len(prepared), [(run + b"%d" % n, one) for n, one in enumerate(prepared)]
        self.limits, self.mark, self.recording, self.guard = (name for name, _ in self._prepared)
        self.ours = (
            b"SELECT 1 OPERATOR(pg_catalog./) (pg_catalog.count(*) OPERATOR(pg_catalog.=) %d)::pg_catalog.int4"
            b" FROM pg_catalog.pg_prepared_statement() WHERE pg_catalog.starts_with(name, '%s') AND NOT from_sql"
            % (len(prepared), run)
        )

    @classmethod
    def around(cls, session: Session, home: Home) -> "_Frame":
        opening = (*connection.resetting(session), sql.SQL(history.MARK))
        words = (one.as_bytes(session.conn) for one in opening)
        return cls(tuple(words), history.recording(home).as_bytes(session.conn))

    def prepare(self, stream: Stream) -> None:
        """Sent once, before all; `heard` is the answer."""
        for name, statement in self._prepared:
            stream.prepare(name, statement)

    def heard(self, stream: Stream) -> None:
        """Everything is prepared, and that was answered. Raises Stopped."""
        while self._unheard:
            _accept(stream, None)
            self._unheard -= 1


@contextmanager
def _stream(session: Session, lookout: Lookout) -> Iterator[Stream]:
    """A stream that has ended with the block. Whatever else breaks the block, nothing of what was sent runs on."""
    try:
        stream = Stream(session, lookout)
        yield stream
        stream.end()
    except BaseException as cause:
        connection.stop(session.conn)
        if isinstance(cause, psycopg.Error) and session.conn.broken:
            raise ConnectionLost(session.database.environment) from cause
        raise


def _send(stream: Stream, piece: Piece, frame: _Frame, told: Sequence[str | None]) -> None:
    for statement in (b"BEGIN", *frame.resets):
        stream.send(statement)
    stream.call(frame.limits)
    stream.call(frame.mark)
    for statement in piece.statements:
        stream.send(statement.text.encode())
    stream.call(frame.recording, told)
    stream.send(frame.ours)
    stream.call(frame.guard)
    stream.send(b"COMMIT")
    stream.flush()


def _answers(stream: Stream, piece: Piece, frame: _Frame) -> float:
    """The seconds of the migration that stands next in the stream. Raises Stopped."""
    frame.heard(stream)
    for _ in (b"BEGIN", *frame.resets, frame.limits, frame.mark):
        _accept(stream, None)
    for statement in piece.statements:
        _accept(stream, statement)
    seconds = _accept(stream, None)
    _accept(stream, None)  # ours
    if stream.answer().status == ExecStatus.FATAL_ERROR:
        raise LockNotHeld(piece.entry.id)
    _accept(stream, None)
    return float(seconds or 0)


def _accept(stream: Stream, statement: Statement | None) -> bytes | None:
    """The first value of the next answer. Raises Stopped, placed in the file, when it is a refusal."""
    answer = stream.answer()
    if answer.status == ExecStatus.FATAL_ERROR:
        error = psycopg.errors.error_from_result(answer, encoding="utf-8")
        within = int(error.diag.statement_position or 1) - 1
        raise Stopped(error, statement.start + within if statement else None)
    return answer.get_value(0, 0) if answer.ntuples and answer.nfields else None
