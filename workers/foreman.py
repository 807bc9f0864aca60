"""One request, brought as far as it may go now: planned, started, carried out. Rung twice, nothing happens twice.

Everything is decided by where the request stands in the ledger. Whoever comes second finds it moved, and goes.
"""

import logging
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta

from engine import lock
from engine.connection import Session, open_session
from engine.errors import EngineError, EnvironmentBusy
from engine.refusals import AfterUnobserved, BeforeUnobserved, PlanAltered, UpToDate
from engine.report import Step
from ledger import policy, second_key
from ledger.errors import IllegalMove, LedgerError
from ledger.events import Approved, Denied, Failed, Planned, Stale, Started
from ledger.request import POLICY, Request
from ledger.states import State
from workers import acts, gate, reaching, reporting, running, wanted
from workers.craft import REFUSALS
from workers.craft import purpose as run_purpose
from workers.hands import Hands
from workers.neighbours import Known

log = logging.getLogger("twokey.run")

#: Between two tries for the lock it is asked whether the request still waits.
LOCK_POLL = timedelta(seconds=2)


def run(hands: Hands, request_id: int) -> None:
    """Bring the request as far as it may go; what stops it is told in its story. Raises nothing."""
    try:
        request = hands.book.request(request_id)
        if request.environment == hands.environment.name:
            _advance(hands, request)
        else:
            log.warning("#%d is for %s, not for us.", request_id, request.environment)
    except IllegalMove as moved:
        log.info("#%d: somebody was quicker (%s).", request_id, moved)
    except wanted.Unwanted:
        log.info("#%d: nothing of its plan is left behind.", request_id)
    except LedgerError as away:
        log.warning("#%d: %s", request_id, away)  # the sweep rings again
    except Exception as bug:
        log.exception("#%d: an error that nobody expected", request_id)
        _give_up(hands, request_id, bug)


def _advance(hands: Hands, request: Request) -> None:
    known: Known | None = None
    if request.state is State.ASKED:
        request, known = _plan(hands, request)
    if request.state is State.PLANNED and not policy.needs_second_key(request, hands.environment):
        now = hands.book.now()
        why = Approved(actor_id=POLICY.id, actor_name=POLICY.name, starts_at=now.isoformat())
        request = hands.book.move(request.id, State.APPROVED, why=why, starts_at=now)
    if request.state is State.APPROVED and request.starts_at and request.starts_at <= hands.book.now():
        _start(hands, request, known)


def _plan(hands: Hands, request: Request) -> tuple[Request, Known | None]:
    """asked → planned with the plan beside it; or → rejected by the rules, or → failed by the world.

    Raises Unwanted when somebody ends the request meanwhile.
    """
    book, craft = hands.book, acts.CRAFTS[request.act]
    try:
        with wanted.while_asked(book, request.id):
            known = craft.learn(hands)
            with open_session(hands.database, purpose=f"twokey plan #{request.id}", limits=hands.limits) as session:
                reaching.guard(hands, session, request.act)
                drawn = craft.draw(hands, request, session, known)
    except REFUSALS as refused:
        return book.move(
            request.id, State.REJECTED, why=Denied(reporting.sentence(refused), again=not isinstance(refused, UpToDate))
        ), None
    except EngineError as trouble:
        return book.move(request.id, State.FAILED, why=reporting.trouble(request, trouble)), None
    summary = replace(drawn.summary, barred=tuple(sorted(second_key.barred(drawn.summary, hands.environment))))
    why = Planned(digest=summary.digest, migrations=tuple(one.id for one in summary.migrations))
    return book.lay_plan(request.id, summary=summary, frozen=drawn.frozen, why=why, rehearsed=drawn.rehearsed), known


def _start(hands: Hands, request: Request, known: Known | None) -> None:
    """approved → applying under the lock, if everything is still as it was shown; then carry it out."""
    try:
        with ExitStack() as until_told:
            purpose = run_purpose(request)
            session = until_told.enter_context(open_session(hands.database, purpose=purpose, limits=hands.limits))
            if _take_lock(hands, request, session, until_told) and _is_unchanged(hands, request, session, known):
                hands.book.move(request.id, State.APPLYING, why=Started(worker=hands.name))
                running.carry_out(hands, hands.book.request(request.id), session)
    except EngineError as trouble:
        hands.book.move(request.id, State.FAILED, why=reporting.trouble(request, trouble))


def _take_lock(hands: Hands, request: Request, session: Session, until_told: ExitStack) -> bool:
    """Hold the environment until the story is told; False when the request no longer waits for that."""

    def tell(step: Step) -> None:
        if event := reporting.step(step):
            gate.say_once(hands, request.id, event)

    while hands.book.request(request.id).state is State.APPROVED:
        hands.book.rung(request.id)  # so that the sweep does not pile up rings behind us
        try:
            until_told.enter_context(lock.only_one(session, wait=LOCK_POLL, tell=tell))
        except EnvironmentBusy:
            continue
        return True
    return False


def _is_unchanged(hands: Hands, request: Request, session: Session, known: Known | None) -> bool:
    """Whether the plan drawn anew is the one that was shown, and the rules say yes once more."""
    assert request.plan is not None
    craft = acts.CRAFTS[request.act]
    if known is None or not known.is_fresh():
        known = craft.learn(hands)
    try:
        reaching.guard(hands, session, request.act)
        drawn = craft.draw(hands, request, session, known)
    except (BeforeUnobserved, AfterUnobserved) as unknown:  # that passes, and then it is rung again
        gate.say_once(hands, request.id, gate.refusal(f"#{request.id} did not start. {unknown}"))
        return False
    except REFUSALS as refused:
        return _grow_stale(hands, request, reporting.sentence(refused))
    if drawn.summary.digest != request.plan.digest:
        return _grow_stale(hands, request, craft.difference(request.plan, drawn.summary))
    if craft.digest(request, hands.book.frozen_plan(request.id)) != request.plan.digest:
        raise PlanAltered(request.environment, request.plan.digest)
    return gate.opens(hands, request, digest=drawn.summary.digest)


def _grow_stale(hands: Hands, request: Request, what: str) -> bool:
    hands.book.move(request.id, State.STALE, why=Stale(f"{what} {reporting.anew(request, said=what)}"))
    return False


def _give_up(hands: Hands, request_id: int, bug: Exception) -> None:
    """An error of ours, before anything ran: the asker hears of it, and is not left to wait until it expires."""
    why = Failed(
        why=f"The worker met an error it does not know ({type(bug).__name__}). Nothing was changed.",
        next_step="Its log tells more. Ask again when that is understood.",
    )
    try:
        if hands.book.request(request_id).state is not State.APPLYING:  # else an inspection finds out what is in
            hands.book.move(request_id, State.FAILED, why=why)
    except LedgerError as gone:
        log.warning("#%d: %s", request_id, gone)
