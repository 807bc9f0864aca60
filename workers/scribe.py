"""Writes a run's story beside the run. The ledger may be slow or gone; the run never waits for it.

Told inside the run's own thread, a ledger that hangs would hold a migration's locks open. Here each event is put on
a queue; one thread writes them in order, tries again while the ledger is away, and beats every few seconds.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from ledger.book import Book
from ledger.errors import LedgerError, LedgerUnreachable
from ledger.events import Event

log = logging.getLogger("twokey.run")

BEAT_EVERY = timedelta(seconds=5)
#: After the run's end, for how long an absent ledger is tried again. Then an inspection finds out what is in.
PERSIST_FOR = timedelta(minutes=30)
_PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0)


def beating(book: Book, request_id: int) -> Callable[[], None]:
    """A call to make often in the middle of long work: at most every few seconds the ledger hears that it goes on."""
    last = float("-inf")

    def beat() -> None:
        nonlocal last
        if time.monotonic() - last >= BEAT_EVERY.total_seconds():
            last = time.monotonic()
            _beat(book, request_id)

    return beat


class Scribe:
    """One run's story, written by a thread of its own for the length of `writing`."""

    def __init__(self, book: Book, request_id: int) -> None:
        self._book, self._request_id = book, request_id
        self._acts: queue.SimpleQueue[Callable[[], Any] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write_all, name=f"story of #{request_id}", daemon=True)
        self._until = float("inf")

    def tell(self, event: Event) -> None:
        """Have an event written after those before it; returns at once."""
        self.write(lambda: self._book.tell(self._request_id, event))

    def write(self, act: Callable[[], Any]) -> None:
        """Have one call on the book made after those before it; returns at once."""
        self._acts.put(act)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Write for the length of the block, and then until all is written or `PERSIST_FOR` has passed."""
        self._thread.start()
        try:
            yield
        finally:
            self._until = time.monotonic() + PERSIST_FOR.total_seconds()
            self._acts.put(None)
            self._thread.join()

    def _write_all(self) -> None:
        while True:
            due = time.monotonic() + BEAT_EVERY.total_seconds()
            while (left := due - time.monotonic()) > 0:
                try:
                    act = self._acts.get(timeout=left)
                except queue.Empty:
                    break
                if act is None:
                    return
                self._persist(act)
            _beat(self._book, self._request_id)  # whoever has much to say is alive too

    def _persist(self, act: Callable[[], Any]) -> None:
        """Make one call, again and again while the ledger is away. What the ledger refuses is logged and left."""
        tries = 0
        while True:
            try:
                return act()
            except LedgerUnreachable as away:
                if tries == 0:
                    log.warning("#%d: %s The run goes on and is told later.", self._request_id, away)
            except LedgerError as refused:
                return log.warning("#%d: %s", self._request_id, refused)
            except Exception:  # what one act met must not keep the others from being written
                return log.exception("#%d: an error that nobody expected", self._request_id)
            if time.monotonic() > self._until:
                return log.error("#%d: its end could not be written. An inspection will find it.", self._request_id)
            time.sleep(_PAUSES[min(tries, len(_PAUSES) - 1)])
            tries += 1


def _beat(book: Book, request_id: int) -> None:
    try:
        book.beat(request_id)
    except LedgerError as away:
        log.warning("#%d: %s", request_id, away)
