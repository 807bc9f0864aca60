"""The tests' own sessions, kept: a new one costs the server ten milliseconds, and a run opened thousands of them."""

import psycopg
from psycopg.errors import AdminShutdown

_open: dict[str, psycopg.Connection] = {}


def session(dsn: str) -> psycopg.Connection:
    """This process's one session with that connection string, in autocommit; begun where there is none."""
    there = _open.get(dsn)
    if there is None or there.closed:
        there = _open[dsn] = psycopg.connect(dsn, autocommit=True)
    return there


def run(dsn: str, statements: str) -> list[tuple]:
    """Run statements as one message; gives the rows of the first."""
    try:
        cursor = session(dsn).execute(statements.encode())
    except AdminShutdown:  # sent away while nothing ran in it, so nothing of this one was run
        session(dsn).close()
        cursor = session(dsn).execute(statements.encode())
    return cursor.fetchall() if cursor.description else []


def end() -> None:
    """None of them is left."""
    for one in _open.values():
        one.close()
    _open.clear()
