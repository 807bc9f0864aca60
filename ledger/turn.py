"""Of several bots one acts at a time: whoever holds a lock in the ledger's database. It ends with its session.

On the same session it hears that something was written: https://www.postgresql.org/docs/current/sql-notify.html
"""

import logging
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from ledger.pen import Pen

#: "twokey turn" as a number, for pg_advisory_lock; whoever else uses the ledger's database picks another.
_KEY = 0x74776F6B65790001

_TAKE = text("SELECT pg_try_advisory_lock(:key)")
_LISTEN = text("LISTEN twokey_news")
# A host that vanishes without a word is missed after half a minute, and not after the two hours that are usual.
_NOTICE = text(
    "SELECT set_config('tcp_keepalives_idle', '10', false), set_config('tcp_keepalives_interval', '5', false),"
    " set_config('tcp_keepalives_count', '4', false)"
)

log = logging.getLogger("twokey.turn")


class Turn(Pen):
    """One per bot, on a connection of its own. A pooler in transaction mode between would break it."""

    def __init__(self, url: str) -> None:
        """Connects lazily. Raises MalformedUrl."""
        super().__init__(url, name="twokey bot, whose turn it is")
        self._held: Connection | None = None
        self._waits = False

    def is_mine(self) -> bool:
        """Whether this bot holds the turn now; takes it when nobody does. Raises LedgerUnreachable."""
        if self._held is not None and not self._still_there(self._held):
            self._held = None
        if self._held is None:
            self._held = self._taken()
        if self._waits != (self._held is None):
            self._waits = self._held is None
            log.info(_SAID[self._waits])
        return self._held is not None

    def only(self, deed: Callable[[], None]) -> Callable[[], None]:
        """The same deed, left to whoever holds the turn."""

        @wraps(deed)
        def in_turn() -> None:
            if self.is_mine():
                deed()

        return in_turn

    def wait_for_news(self, at_most: float) -> None:
        """Return when somebody has written to the ledger, or after so many seconds; without the turn, then alone."""
        if self._held is None:
            time.sleep(at_most)
            return
        session: Any = self._held.connection.driver_connection
        try:
            for _ in session.notifies(timeout=at_most, stop_after=1):
                pass
        except self._engine.dialect.loaded_dbapi.Error:
            time.sleep(at_most)  # the session has ended, which the next look at whose turn it is will find

    def close(self) -> None:
        """Let go, and give back the connection."""
        if self._held is not None:
            self._held.invalidate()  # the lock ends with the session, which a pool would keep
            self._held.close()
            self._held = None
        super().close()

    def _taken(self) -> Connection | None:
        with self._reached():
            conn = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            try:
                conn.execute(_NOTICE)
                if conn.execute(_TAKE, {"key": _KEY}).scalar():
                    conn.execute(_LISTEN)
                    return conn
            except BaseException:
                conn.close()
                raise
            conn.close()
            return None

    def _still_there(self, conn: Connection) -> bool:
        try:
            conn.execute(text("SELECT 1"))
        except SQLAlchemyError:
            conn.invalidate()
            conn.close()
            return False
        return True


_SAID = {
    True: "Another bot is at work. This one hears Slack too, and takes over the rest when that one ends.",
    False: "The other bot has ended; this one goes on.",
}
