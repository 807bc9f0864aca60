"""What nobody waits for any more is broken off, and nothing of it is left on any server or disk."""

import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from itertools import count
from pathlib import Path
from types import FrameType
from typing import Any

import psycopg
import pytest

from engine import lock
from engine.scratch import BREAKS_OFF
from ledger.book import Book
from ledger.events import Cancelled, Event, Expired, Rehearsing, Waiting
from ledger.states import State
from tests.support.ledger import ADA
from tests.support.waiting import wait_for
from tests.workers.row import Row
from tests.workers.test_rehearsing import certified, left
from workers import wanted

#: On a copy, loading the row of users takes a minute.
SLOW = """
CREATE FUNCTION slow(bigint) RETURNS bigint IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN
  IF current_database() LIKE '%scratch%' THEN PERFORM pg_sleep(60); END IF; RETURN $1; END $$;
CREATE INDEX slowly ON users (slow(id));
"""


@pytest.mark.parametrize(
    ("until", "to", "why"),
    [
        ("Backing up", State.CANCELLED, Cancelled(ADA.id, ADA.name)),
        ("Restoring ", State.EXPIRED, Expired()),
        ("Running ", State.CANCELLED, Cancelled(ADA.id, ADA.name)),
    ],
)
def test_what_nobody_waits_for_any_more_ends_within_seconds_and_leaves_nothing(
    rehearsed: Row, monkeypatch: pytest.MonkeyPatch, until: str, to: State, why: Event
) -> None:
    monkeypatch.setattr(wanted, "LOOK_EVERY", timedelta(seconds=0.1))
    rehearsed.config.write_text(rehearsed.config.read_text().replace('lock_timeout = "1s"', 'lock_timeout = "60s"'))
    certified(rehearsed, "SELECT pg_sleep(60) WHERE current_database() LIKE '%scratch%';\n")
    if until == "Restoring ":
        rehearsed.sql("production", SLOW)
    request = rehearsed.ask("production")

    def end() -> None:
        if until == "Backing up":  # pg_dump, and who counts the rows, wait for a table
            wait_for(lambda: any(isinstance(one, Waiting) for one in rehearsed.told(request)))
            server.execute("LOCK users")
            server.execute("SELECT pg_advisory_unlock_all()")
        wait_for(lambda: said_last(rehearsed, request).startswith(until))
        time.sleep(0.3)  # its program, or its statement, runs
        rehearsed.ledger.move(request, to, why=why)

    with closing(psycopg.connect(rehearsed.dsn["production"])) as server:
        if until == "Backing up":
            server.execute("SELECT pg_advisory_lock(%s, %s)", (lock.CLASS, lock.OBJECT))
        ending = threading.Thread(target=end)
        ending.start()
        began = time.monotonic()
        assert rehearsed.ring(request).state is to
        assert time.monotonic() - began < 15
        ending.join()
        assert [one for one in programs() if one in {"pg_dump", "psql", "pg_restore"}] == []
    wait_for(lambda: not others(rehearsed))
    assert left(rehearsed) == []
    assert rehearsed.last(request) == why
    assert list((rehearsed.migrations / "schema-backups").glob(".*")) == []
    monkeypatch.undo()
    assert not signal.getsignal(signal.SIGUSR1)


@pytest.mark.parametrize("nth", range(1, 5))
def test_whenever_it_is_broken_off_handler_and_thread_are_put_back(ledger: Book, nth: int) -> None:
    """By Ctrl-C at a terminal, before the nth line of ours from the handler on."""
    lines, heard = count(1), signal.getsignal(BREAKS_OFF)

    def watch(frame: FrameType, event: str, _: object) -> Callable[..., Any] | None:
        if frame.f_code.co_filename != wanted.__file__:
            return None
        if event == "line" and signal.getsignal(BREAKS_OFF) != heard and next(lines) == nth:
            raise KeyboardInterrupt
        return watch

    tracing = sys.gettrace()
    sys.settrace(watch)
    try:
        with pytest.raises(KeyboardInterrupt), wanted.while_asked(ledger, 1):
            pass
    finally:
        sys.settrace(tracing)
    assert signal.getsignal(BREAKS_OFF) == heard
    wait_for(lambda: not any(one.name.startswith("who wants") for one in threading.enumerate()))


def said_last(row: Row, request: int) -> str:
    return next((one.what for one in reversed(row.told(request)) if isinstance(one, Rehearsing)), "")


def programs() -> list[str]:
    """What this process has started and what still is there of it, by name."""
    children = Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text().split()
    return [Path(f"/proc/{child}/comm").read_text().strip() for child in children]


def others(row: Row) -> list[tuple]:
    """Whoever is on production, or on a copy of it, for Twokey; or holds production's lock."""
    return row.sql(
        "production",
        "SELECT application_name FROM pg_stat_activity"
        " WHERE application_name ~ '(twokey|pg_dump|psql|pg_restore).*(rehearsal|plan|backup|lookout)'"
        " UNION ALL SELECT 'lock' FROM pg_locks WHERE locktype = 'advisory'",
    )
