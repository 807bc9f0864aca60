"""A run's end is left in the environment too, so that a ledger from which ends were cut off no longer matches.

There the pulse is felt at once: the first look after a run may come a minute later, and what breaks breaks early.
"""

import logging

from engine import history, identity, pulse, tallies
from engine.connection import open_session
from engine.errors import EngineError
from ledger.errors import LedgerError
from ledger.states import FINAL
from workers import settling
from workers.hands import Hands

log = logging.getLogger("twokey.run")


def leave(hands: Hands, request_id: int) -> None:
    """Where the request's story ended in the ledger is kept in the environment too, if it has ended. Raises nothing.

    By a session of its own, since the run's may have ended or been left changed by a migration.
    """
    try:
        if hands.book.request(request_id).state not in FINAL:
            return
        tally = str(hands.book.tally(request_id))
        with open_session(hands.database, purpose=f"twokey tally #{request_id}", limits=hands.limits) as session:
            identity.meet(session, history.prepare(session))
            tallies.keep(session, tally)
            felt = pulse.take(session) if hands.environment.protected else None
    except (EngineError, LedgerError) as lacking:
        log.warning("#%d: its end could not be left in %s: %s", request_id, hands.environment.name, lacking)
        return
    if felt:
        _feel(hands, felt)


def _feel(hands: Hands, felt: pulse.Pulse) -> None:
    try:
        settling.feel(hands, felt)
    except LedgerError as away:
        log.warning("%s", away)  # the next look is the first, then
