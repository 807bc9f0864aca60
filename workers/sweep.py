"""Nothing is lost with a lost ring: what stands in the ledger unanswered is rung for again, or ended.

Every step reads what is due and acts on it by a move that only one can win, so two sweeps do no harm.
"""

import logging
import signal
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from math import ceil
from types import FrameType

from ledger.book import Book
from ledger.doorbell import Doorbell
from ledger.errors import IllegalMove, LedgerError
from ledger.events import Answered, Expired, ExpiryWarned, RanOut, Unanswered
from ledger.request import Request
from ledger.states import State
from workers.config import SweepSettings

log = logging.getLogger("twokey.sweep")

EVERY = timedelta(seconds=5)
UNCLAIMED = timedelta(seconds=30)
SILENT = timedelta(seconds=60)
#: When people are told that no worker answers; by then it was rung for three times.
UNANSWERED = timedelta(seconds=120)
#: How often it is asked what was done at a terminal. What it is told within is this, a round, and what a look takes.
WATCHED = timedelta(minutes=1)
#: A warning comes when a tenth of the time is left, and at most half an hour before the end.
WARN_SHARE = 10
WARN_WITHIN = timedelta(minutes=30)


def keep_sweeping(settings: SweepSettings) -> None:
    """Sweep every few seconds until SIGTERM or SIGINT, once the ledger is prepared."""
    book = Book(settings.ledger.reveal(), name="twokey sweep")
    doorbell = Doorbell(settings.redis.reveal())
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, _end)  # at any moment: each step is one transaction
    book.wait_until_prepared(log.info)
    log.info("Sweeping every %.0f s.", EVERY.total_seconds())
    while True:
        try:
            sweep(book, doorbell)
        except LedgerError as away:
            log.warning("%s", away)
        time.sleep(EVERY.total_seconds())


def sweep(book: Book, doorbell: Doorbell) -> None:
    """One round: expire, warn, ring again, have runs and environments looked after, say who is silent and which freeze
    is over, seal.

    Raises LedgerError.
    """
    for request_id in book.overdue():
        _expire(book, request_id)
    for request_id in book.expiring(WARN_WITHIN):
        _warn(book, book.request(request_id))
    for request_id in book.unclaimed(UNCLAIMED):
        _ring(book, request_id, by=doorbell.ring)
    for request_id in book.silent(SILENT):
        _ring(book, request_id, by=doorbell.ring_inspect)
    _tell_of_silence(book)
    for request_id in book.run_out():
        book.tell(request_id, RanOut())
    for watch_id, environment in book.unwatched(WATCHED):
        now = book.now()
        if doorbell.ring_watch(watch_id, environment):
            book.watch_rung(watch_id, now)
    book.seal()


def _tell_of_silence(book: Book) -> None:
    for request_id in book.unanswered(UNANSWERED):
        book.tell(request_id, Unanswered(int(UNANSWERED.total_seconds())))
        log.warning("No worker answers for #%d.", request_id)
    for request_id in book.answered():
        book.tell(request_id, Answered())


def _end(_sign: int, _frame: FrameType | None) -> None:
    sys.exit(0)


def _expire(book: Book, request_id: int) -> None:
    try:
        book.move(request_id, State.EXPIRED, why=Expired())
    except IllegalMove:
        return  # somebody was quicker: it is over, or it began in its last moment
    log.info("#%d has expired.", request_id)


def _warn(book: Book, request: Request) -> None:
    left = request.expires_at - book.now()
    if left <= (request.expires_at - request.asked_at) / WARN_SHARE:
        book.tell(request.id, ExpiryWarned(minutes_left=ceil(left / timedelta(minutes=1))))


def _ring(book: Book, request_id: int, *, by: Callable[[int, str], bool]) -> None:
    if by(request_id, book.request(request_id).environment):
        book.rung(request_id)
        log.info("Rang again for #%d.", request_id)
