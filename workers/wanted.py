"""A plan is worked on for as long as somebody wants it: when its request ends, so does a rehearsal of many minutes."""

import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta

from engine.scratch import BREAKS_OFF
from ledger.book import Book
from ledger.errors import LedgerError
from ledger.states import State

log = logging.getLogger("twokey.run")

#: How often the ledger is asked. What is planned sooner than that asks it nothing.
LOOK_EVERY = timedelta(seconds=2)


class Unwanted(BaseException):
    """The request was ended while its plan was worked on. No Exception: nothing under way may take it for its own."""


@contextmanager
def while_asked(book: Book, request_id: int) -> Iterator[None]:
    """The block is broken off by Unwanted soon after the request is not `asked` any more, whoever ended it.

    It is raised wherever the block stands, as Ctrl-C would be at a terminal: the engine then cancels what runs on a
    server, ends its programs, and leaves neither a scratch database nor half a backup. Signals are heard by the main
    thread alone, in which a worker's runs are; in another the block runs to its end.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    over, armed = threading.Event(), [request_id]

    def break_off(*_: object) -> None:
        if armed:
            raise Unwanted(armed.pop())

    looking = threading.Thread(
        target=_look, args=(book, request_id, over), name=f"who wants #{request_id}", daemon=True
    )
    put_back = ExitStack()  # the last of these first, and each of them whatever comes of another
    put_back.callback(signal.signal, BREAKS_OFF, signal.getsignal(BREAKS_OFF))
    put_back.callback(_joined, looking)
    put_back.callback(over.set)
    put_back.callback(armed.clear)  # a signal that comes from here on breaks off nothing
    try:
        with put_back:
            signal.signal(BREAKS_OFF, break_off)
            looking.start()
            yield
    finally:
        put_back.close()  # what a Ctrl-C between two of them left


def _joined(looking: threading.Thread) -> None:
    if looking.is_alive():
        looking.join()


def _look(book: Book, request_id: int, over: threading.Event) -> None:
    while not over.wait(LOOK_EVERY.total_seconds()):
        try:
            state = book.request(request_id).state
        except LedgerError as away:
            log.warning("#%d: %s", request_id, away)
            continue
        if state is not State.ASKED:
            log.info("#%d is %s, so the work on its plan ends here.", request_id, state)
            return signal.pthread_kill(threading.main_thread().ident or 0, BREAKS_OFF)
    return None
