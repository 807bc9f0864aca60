"""The bot's one clock: everything that is not an answer to somebody's word happens here, in turn, again and again."""

import logging
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from threading import Event

from bot.patience import Patience
from ledger.book import Book
from ledger.doorbell import Doorbell
from ledger.errors import LedgerError

#: Seconds between two rounds when nothing is written meanwhile: what is due by the clock comes that much later.
PAUSE = 0.5

#: Seconds between two rounds at least, so that a run's many events are told together.
BREATH = 0.05

#: Seconds to the next try after something went wrong.
REST = 1.0

#: The ring that follows an asking is not written down, so that the ack need not wait for that. A request that a
#: worker has not taken up after this time is rung once more; Redis may have been down.
UNHEARD = timedelta(seconds=2)

#: Seconds between two tries to reach a Redis that is down.
LONGEST_SILENCE = 2.0

Step = Callable[[], None]

log = logging.getLogger("twokey.loop")


class Clock:
    """Rings for what is due."""

    def __init__(self, book: Book, *, bell: Doorbell) -> None:
        self._book, self._bell = book, bell
        self._patience = Patience(longest=LONGEST_SILENCE)

    def ring(self) -> None:
        """Ring every request whose time to start has come, and every one that no worker may have heard of."""
        if not self._patience.may("redis"):
            return
        for request_id in self._book.due(unheard=UNHEARD):
            if not self._bell.ring(request_id, self._book.request(request_id).environment):
                self._patience.failed("redis")
                return
            self._book.rung(request_id)
        self._patience.worked("redis")


def run(steps: Sequence[Step], *, until: Event, wait_for_news: Callable[[float], None] = time.sleep) -> None:
    """Take every step in turn until told to end. What goes wrong in one is logged once, and the others go on.

    `wait_for_news` returns after so many seconds, or earlier when there is something to do.
    """
    complaints: dict[Step, str] = {}
    while not until.is_set():
        for step in steps:
            complaint = _complaint(step)
            if complaint and complaint != complaints.get(step):
                log.error("%s: %s", getattr(step, "__qualname__", step), complaint)
            complaints[step] = complaint
        until.wait(REST if any(complaints.values()) else BREATH)
        if not until.is_set():
            wait_for_news(PAUSE)


def _complaint(step: Step) -> str:
    try:
        step()
    except LedgerError as error:
        return str(error)
    except Exception as error:  # a fault of one request must not silence the bot for all others
        log.debug("in full", exc_info=True)
        return f"{type(error).__name__}: {error}"
    return ""
