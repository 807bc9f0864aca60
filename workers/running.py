"""From the claim to the end of one run: what was frozen is carried out, and what happened is told whatever happens."""

import logging
import time
from datetime import timedelta

from engine.connection import Session
from engine.errors import ConnectionLost, EngineError
from engine.refusals import PlanAltered
from engine.transaction import LeftTransaction, LostLock
from ledger.errors import LedgerError
from ledger.events import Event, Interrupted
from ledger.request import Request
from ledger.states import State
from workers import acts, inspector, reporting, tallying
from workers.craft import Ending, Run, StillAtWork
from workers.hands import Hands
from workers.scribe import Scribe

log = logging.getLogger("twokey.run")

#: After a broken run, for how long the environment is asked what is in, before that is left to an inspection.
ASK_FOR = timedelta(minutes=1)
_PAUSE = 1.0


def carry_out(hands: Hands, request: Request, session: Session) -> None:
    """Do what was claimed and tell it. The caller's session holds the lock until all is told. Raises nothing."""
    scribe = Scribe(hands.book, request.id)
    with scribe.writing():
        try:
            frozen = hands.book.frozen_plan(request.id)
            scribe.write(_ending(Run(hands, request, session, frozen, tell=scribe.tell, write=scribe.write)))
        except (EngineError, LedgerError) as unknown:
            log.warning("#%d: %s An inspection will find out what is in.", request.id, unknown)
        except Exception:
            log.exception("#%d: an error that nobody expected; an inspection will find out what is in", request.id)
    tallying.leave(hands, request.id)


def _ending(run: Run) -> Ending:
    """Carry the request out by its own craft; gives the call that ends it. Raises when nobody can say what is in."""
    try:
        _must_be_as_shown(run)
        return acts.CRAFTS[run.request.act].carry_out(run)
    except LedgerError:
        raise
    except Exception as broken:
        return run.ends(*_after(run, broken))


def _must_be_as_shown(run: Run) -> None:
    """What runs is what was shown and agreed to, held against its digest at the last moment. Raises PlanAltered."""
    request, craft = run.request, acts.CRAFTS[run.request.act]
    digest = request.plan.digest if request.plan else ""
    if craft.digest(request, run.frozen) != digest:
        raise PlanAltered(request.environment, digest)


def _after(run: Run, broken: Exception) -> tuple[State, Event]:
    """The end of a run that broke: before anything ran, or in the middle; then its own history says how far it came."""
    request = run.request
    planned = tuple(one.id for one in request.plan.migrations) if request.plan else ()
    if isinstance(broken, EngineError) and not isinstance(broken, ConnectionLost | LeftTransaction | LostLock):
        return State.FAILED, reporting.trouble(request, broken, left=planned)
    log.warning("#%d broke in the middle (%s)", request.id, type(broken).__name__, exc_info=broken)
    run.session.conn.close()  # what it still did ends with it, and so does its lock
    return State.INTERRUPTED, _found_out(run.hands, request, because=_because(request, broken))


def _found_out(hands: Hands, request: Request, *, because: str) -> Interrupted:
    """Ask until the environment answers; raises what the last try raised when it does not for long."""
    until = time.monotonic() + ASK_FOR.total_seconds()
    while True:
        try:
            return inspector.find_out(hands, request, because=because, wait=ASK_FOR)
        except (EngineError, StillAtWork):
            if time.monotonic() > until:
                raise
        time.sleep(_PAUSE)


def _because(request: Request, broken: Exception) -> str:
    match broken:
        case LeftTransaction() | LostLock():
            return str(broken)
        case ConnectionLost():
            return f"The connection to {request.environment} was lost in the middle of the run."
    return f"The run met an error that the worker does not know ({type(broken).__name__}); its log tells more."
