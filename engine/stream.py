"""Statements sent without waiting, and their answers in order, as they come: libpq's pipeline mode."""

from collections.abc import Sequence
from select import select

import psycopg
from psycopg.pq import ConnStatus, ExecStatus
from psycopg.pq.abc import PGresult

from engine.connection import Session
from engine.contention import Lookout


class Stream:
    """A session in pipeline mode until `end`. Statements speak the extended protocol: one at a time, each to itself."""

    def __init__(self, session: Session, lookout: Lookout) -> None:
        self._lookout = lookout
        self._pgconn = session.conn.pgconn
        self._pgconn.enter_pipeline_mode()

    def send(self, statement: bytes) -> None:
        """Send one statement, or as much of it as the wire takes now."""
        self._pgconn.send_query_params(statement, None)

    def prepare(self, name: bytes, statement: bytes) -> None:
        """Have the server parse a statement once, for `call` to run it often; it is answered as any other is."""
        self._pgconn.send_prepare(name, statement)

    def call(self, name: bytes, parameters: Sequence[str | None] = ()) -> None:
        """Send for one that was prepared."""
        self._pgconn.send_query_prepared(name, [one.encode() if one is not None else None for one in parameters])

    def flush(self) -> None:
        """Have the server answer what was sent so far as soon as it is done, and not at the end."""
        self._pgconn.send_flush_request()
        self._pgconn.flush()

    def answer(self) -> PGresult:
        """The answer to the next statement; waits for it."""
        answer = None
        while answer is None:  # a None stands between two answers
            answer = self._next()
        return answer

    def end(self) -> None:
        """Everything sent is answered, unread answers are passed over, and the session is as it was before."""
        self._pgconn.pipeline_sync()
        while not ((answer := self._next()) and answer.status == ExecStatus.PIPELINE_SYNC):
            pass
        self._pgconn.exit_pipeline_mode()

    def _next(self) -> PGresult | None:
        while self._pgconn.is_busy():
            self._wait()
        answer = self._pgconn.get_result()
        if self._pgconn.status == ConnStatus.BAD:
            raise psycopg.OperationalError("the connection was lost")
        return answer

    def _wait(self) -> None:
        socket = self._pgconn.socket
        unsent = self._pgconn.flush()
        readable, writable, _ = select([socket], [socket] if unsent else [], [], self._lookout.patience)
        if readable:
            self._pgconn.consume_input()
        elif not writable:
            self._lookout.look()
