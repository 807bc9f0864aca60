"""What became of a run that ended without a word: the environment itself is asked, and nothing is guessed."""

import logging
from datetime import timedelta

from engine import lock
from engine.connection import Session, open_session
from engine.errors import EngineError, EnvironmentBusy
from ledger.errors import IllegalMove, LedgerError
from ledger.events import Interrupted, Waiting
from ledger.request import Request
from ledger.states import State
from workers import acts, gate, tallying
from workers.craft import StillAtWork, purpose
from workers.hands import Hands

log = logging.getLogger("twokey.inspect")

NO_WAIT = timedelta(0)


def inspect(hands: Hands, request_id: int) -> None:
    """A request that is `applying` though nobody works on it becomes `interrupted`: what is in, and what is left."""
    try:
        request = hands.book.request(request_id)
        if request.environment == hands.environment.name and request.state is State.APPLYING:
            _settle(hands, request)
    except IllegalMove as moved:
        log.info("#%d: somebody was quicker (%s).", request_id, moved)
    except (EngineError, LedgerError) as away:
        log.warning("#%d: %s", request_id, away)  # the sweep rings again


def find_out(hands: Hands, request: Request, *, because: str, wait: timedelta) -> Interrupted:
    """What is in and what is left of a run that is over; raises StillAtWork, or what opening a session raises.

    Holding the lock proves that the run's session ended. So does another run that holds it.
    """
    with open_session(hands.database, purpose=f"twokey inspect #{request.id}", limits=hands.limits) as session:
        try:
            with lock.only_one(session, wait=wait):
                return _ask(hands, request, session, because)
        except EnvironmentBusy as busy:
            if busy.holder.startswith(f"{purpose(request)} "):
                raise StillAtWork(busy.holder) from busy
            return _ask(hands, request, session, because)


def _settle(hands: Hands, request: Request) -> None:
    try:
        because = f"The worker of {request.environment} fell silent in the middle of the run."
        why = find_out(hands, request, because=because, wait=NO_WAIT)
    except StillAtWork as working:
        gate.say_once(hands, request.id, Waiting(working.holder))
    else:
        hands.book.move(request.id, State.INTERRUPTED, why=why)
        log.info("#%d was interrupted: %d in, %d left.", request.id, len(why.done), len(why.left))
        tallying.leave(hands, request.id)


def _ask(hands: Hands, request: Request, session: Session, because: str) -> Interrupted:
    found = acts.CRAFTS[request.act].find_out(hands, request, session)
    return Interrupted(why=f"{because} {found.now}", done=found.done, left=found.left)
