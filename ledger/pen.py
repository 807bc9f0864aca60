"""How this room writes: one engine per process, one transaction per method, every event numbered without a gap."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, func, insert, make_url, select, update
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from ledger import plain
from ledger.errors import LedgerBusy, LedgerUnreachable, MalformedUrl, NoSuchRequest
from ledger.events import Event
from ledger.tables import events, requests

#: What passes by itself, or when somebody makes room: read-only, transactions that met each other (40), resources
#: (53), locks (55P03), timeouts and shutdowns (57).
_PASSES = ("25006", "40", "53", "55P03", "57")

#: The server's clock at the moment of the statement: the only clock that decides what is early or late.
NOW = func.clock_timestamp()

# Slack waits three seconds for an ack, so nothing here may hang for longer; a URL may still say otherwise.
_CONNECT = {
    "connect_timeout": "3",
    "client_encoding": "utf8",
    "options": "-c statement_timeout=5s -c lock_timeout=2s -c idle_in_transaction_session_timeout=10s -c timezone=UTC",
}


class Pen:
    """The connection to the ledger's database that the parts of the book share."""

    def __init__(self, url: str, *, name: str = "twokey") -> None:
        """Connects lazily. `name` is what the server shows as application_name. Raises MalformedUrl."""
        self._engine = _engine(_psycopg(url), name=name)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def now(self) -> datetime:
        """The ledger's clock, in UTC."""
        with self._transaction() as tx:
            return tx.execute(select(NOW)).scalar_one()

    def after_fork(self) -> None:
        """Forget the parent's connections without closing them: they are still the parent's."""
        self._engine.dispose(close=False)

    def close(self) -> None:
        """Give back every connection."""
        self._engine.dispose()

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """One transaction; what the block raises undoes it. Raises LedgerUnreachable when the server is not there, and
        its child LedgerBusy when it cannot now.
        """
        with self._reached(), self._engine.begin() as tx:
            yield tx

    @contextmanager
    def _reached(self) -> Iterator[None]:
        """What the driver raises in the block is raised as the ledger's own errors."""
        try:
            yield
        except PoolExhausted as error:
            raise LedgerUnreachable from error
        except DBAPIError as error:
            if error.connection_invalidated or _never_connected(error):
                raise LedgerUnreachable from error
            if (sqlstate(error) or "").startswith(_PASSES):
                raise LedgerBusy from error
            raise

    def _tell(self, tx: Connection, request_id: int, event: Event) -> int:
        """Write an event as the request's next one and return its number. Raises NoSuchRequest.

        The update holds the request's row until the commit, so two tellers cannot take the same number.
        """
        counted = update(requests).where(requests.c.id == request_id).values(version=requests.c.version + 1)
        seq = tx.execute(counted.returning(requests.c.version)).scalar()
        if seq is None:
            raise NoSuchRequest(request_id)
        self._write(tx, request_id, seq=seq, event=event)
        return seq

    def _write(self, tx: Connection, request_id: int, *, seq: int, event: Event) -> None:
        row = {"request_id": request_id, "seq": seq, "kind": type(event).__name__, "body": plain.dump(event)}
        tx.execute(insert(events).values(row))


def broken_rule(error: DBAPIError) -> str | None:
    """The name of the constraint or index that refused a row."""
    return getattr(getattr(error.orig, "diag", None), "constraint_name", None)


def sqlstate(error: DBAPIError) -> str | None:
    """PostgreSQL's five characters for what went wrong, None when no server answered."""
    return getattr(error.orig, "sqlstate", None)


def _never_connected(error: DBAPIError) -> bool:
    return isinstance(error, OperationalError) and sqlstate(error) is None


def _psycopg(url: str) -> URL:
    """The URL for SQLAlchemy's psycopg 3 dialect. Its own complaint would quote the URL, so it is not chained."""
    malformed = MalformedUrl("LEDGER_DATABASE_URL", "postgresql://login:password@host:5432/ledger")
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise malformed from None
    if parsed.drivername not in {"postgresql", "postgres"} or not parsed.database:
        raise malformed
    return parsed.set(drivername="postgresql+psycopg")


def _engine(url: URL, *, name: str) -> Engine:
    """Enough connections for some twenty listener threads, each checked before use, none waited for longer than 2 s."""
    settings: dict[str, Any] = {"application_name": name, **_CONNECT}
    return create_engine(
        url,
        pool_size=10,
        max_overflow=10,
        pool_timeout=2,
        pool_pre_ping=True,
        connect_args={key: value for key, value in settings.items() if key not in url.query},
        hide_parameters=True,
    )
