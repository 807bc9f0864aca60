"""What was done at a terminal is found in the environment's own record and written down in the ledger, to be told."""

import logging
from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import groupby

from rq.timeouts import JobTimeoutException

from engine import deeds, history, identity, pulse, scratch
from engine.connection import open_session
from engine.errors import EngineError
from ledger.errors import LedgerError
from ledger.records import Deed
from workers import settling
from workers.hands import Hands

log = logging.getLogger("twokey.watch")

#: A deed is dated before it commits, so some that are older than the newest known may be new.
OVERLAP = timedelta(hours=1)


def watch(hands: Hands, watch_id: int) -> None:
    """The ring is heard, and the ledger knows what was done at a terminal until now. Raises nothing."""
    try:
        environment = hands.book.watch_heard(watch_id)
        if environment == hands.environment.name:
            look(hands)
            settling.settle(hands)
            _clear(hands)
        else:
            log.warning("Watch %d is for %s, not for us.", watch_id, environment)
    except LedgerError as away:
        log.warning("%s", away)


def look(hands: Hands) -> None:
    """The ledger knows what was done at a terminal until now, if the environment answers. Raises LedgerError."""
    name = hands.environment.name
    since = hands.book.noticed_until(name)
    try:
        with open_session(hands.database, purpose="twokey watch", limits=hands.looking) as session:
            home = history.prepare(session)
            identity.meet(session, home)
            # A deed that is dated ahead, by a clock that jumped, may not hide those that follow it.
            found = deeds.at_terminal(session, home, since=since and min(since, hands.book.now()) - OVERLAP)
            felt = pulse.take(session) if hands.environment.protected else None
    except EngineError as wrong:
        log.info("%s", wrong)
        return
    except JobTimeoutException:
        log.info("%s let us in and then did not answer in time.", name)
        return
    hands.book.notice(name, _runs(found))
    if felt:
        settling.feel(hands, felt)


def _clear(hands: Hands) -> None:
    """Copies that killed rehearsals left are dropped, an hour after; the next rehearsal would do the same."""
    if hands.rehearsal is None or not hands.environment.protected:
        return
    try:
        for name in scratch.sweep(hands.rehearsal):
            log.info("Dropped %s, which a killed rehearsal had left.", name)
    except EngineError as wrong:
        log.info("%s", wrong)
    except JobTimeoutException:
        log.info("The scratch server did not answer in time.")


def _runs(found: Iterable[deeds.Deed]) -> Sequence[Sequence[Deed]]:
    """Put together what one session did in a row."""
    runs = groupby(found, key=lambda one: (one.backend, one.act, one.by))
    return [[Deed(one.id, one.at, one.act, one.what, one.by) for one in run] for _, run in runs]
