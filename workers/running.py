"""From the claim to the end of one run: the frozen plan is applied, and what happened is told whatever happens."""

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from engine import apply
from engine.connection import Session
from engine.errors import ConnectionLost, EngineError
from engine.plan import Plan
from engine.report import Step
from engine.transaction import LeftTransaction, LostLock
from ledger.errors import LedgerError
from ledger.events import Certified, Event, Interrupted
from ledger.request import Act, Certification, CertifiedBy, Request
from ledger.states import State
from workers import certificate, inspector, reporting, tallying
from workers.hands import Hands
from workers.inspector import StillAtWork
from workers.scribe import Scribe

log = logging.getLogger("twokey.run")

#: After a broken run, for how long the environment is asked what is in, before that is left to an inspection.
ASK_FOR = timedelta(minutes=1)
_PAUSE = 1.0

Ending = Callable[[], Any]


def carry_out(hands: Hands, request: Request, session: Session) -> None:
    """Do what was claimed and tell it. The caller's session holds the lock until all is told. Raises nothing."""
    scribe = Scribe(hands.book, request.id)
    with scribe.writing():
        try:
            ending = _certify if request.act is Act.CERTIFY else _apply
            scribe.write(ending(hands, request, session, scribe))
        except (EngineError, LedgerError) as unknown:
            log.warning("#%d: %s An inspection will find out what is in.", request.id, unknown)
        except Exception:
            log.exception("#%d: an error that nobody expected; an inspection will find out what is in", request.id)
    tallying.leave(hands, request.id)


def _apply(hands: Hands, request: Request, session: Session, scribe: Scribe) -> Ending:
    """Apply the frozen plan; gives the call that ends the request. Raises when nobody can say what is in."""

    def tell(step: Step) -> None:
        if event := reporting.step(step):
            scribe.tell(event)

    actor = f"{request.actor.name} ({request.actor.id})"
    plan = Plan.from_json(hands.book.frozen_plan(request.id))
    try:
        report = apply.run(session, plan, backup=hands.into, actor=actor, request=f"#{request.id}", tell=tell)
        to, why = reporting.end(report)
    except Exception as broken:
        to, why = _after(hands, request, session, broken)
    return lambda: hands.book.move(request.id, to, why=why)


def _after(hands: Hands, request: Request, session: Session, broken: Exception) -> tuple[State, Event]:
    """The end of a run that broke: before anything ran, or in the middle; then its own history says how far it came."""
    planned = tuple(one.id for one in request.plan.migrations) if request.plan else ()
    if isinstance(broken, EngineError) and not isinstance(broken, ConnectionLost | LeftTransaction | LostLock):
        return State.FAILED, reporting.trouble(request, broken, left=planned)
    log.warning("#%d broke in the middle (%s)", request.id, type(broken).__name__, exc_info=broken)
    session.conn.close()  # what it still did ends with it, and so does its lock
    return State.INTERRUPTED, _found_out(hands, request, because=_because(request, broken))


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


def _certify(hands: Hands, request: Request, _session: Session, _scribe: Scribe) -> Ending:
    """The call that writes down what the request covers and ends it."""
    covers = certificate.thaw(hands.book.frozen_plan(request.id))
    by = CertifiedBy(actor_id=request.actor.id, actor_name=request.actor.name, at=hands.book.now(), note=request.note)
    certification = Certification(request_id=request.id, environment=request.environment, covers=covers, by=by)
    why = Certified(by.actor_id, by.actor_name, migrations=tuple(id_ for id_, _ in covers), note=by.note)
    return lambda: hands.book.certify(certification, why=why)
