"""The worker judges again: its own copy of the rules, the plan drawn anew, and what Slack shows at this moment."""

import logging
import time
from datetime import timedelta

from ledger import events, policy
from ledger.events import Event, Ready, Refused, Withdrawn, Witnessed
from ledger.policy import Allowed, Denied, NeedsApproval
from ledger.request import POLICY, Request, Witness
from ledger.states import State
from ledger.verdict import mentions
from workers.hands import Hands

log = logging.getLogger("twokey.run")

#: How long the bot has to look at Slack.
PATIENCE = timedelta(seconds=30)
_POLL = 0.1


def opens(hands: Hands, request: Request, *, digest: str) -> bool:
    """Whether the run may start now. If not, the story says why once, and nothing has started.

    An approval that no longer stands puts the request back to `planned`; a bot that does not answer leaves it
    `approved`, to be rung again. Raises IllegalMove when somebody else moved the request meanwhile.
    """
    witness = None
    if policy.needs_second_key(request, hands.environment):
        witness = _ask_the_bot(hands, request.id)
    request, now = hands.book.request(request.id), hands.book.now()
    if request.state is not State.APPROVED or now >= request.expires_at:
        return False  # taken back, or over, while we asked; whoever did it has said so
    if request.starts_at is None or now < request.starts_at:
        return False  # taken back and given again while we asked: it is rung again when that time has come
    verdict = policy.may_start(
        request,
        hands.environment,
        decisions=hands.book.decisions(request.id),
        witness=witness or hands.book.latest_witness(request.id),
        digest=digest,
        now=now,
        approve_button=hands.workflow.approve_button,
        freeze=hands.book.frozen(request.environment),
    )
    match verdict:
        case Allowed():
            return True
        case NeedsApproval(by, missing):
            why = f"#{request.id} did not start: {_wanting(hands, missing)}. {mentions(by)} can approve it."
            _close(hands, request, why=why, missing=missing)
        case Denied(why) if not policy.needs_second_key(request, hands.environment):
            hands.book.move(request.id, State.REJECTED, why=events.Denied(why))
        case Denied(why):
            _close(hands, request, why=why, missing=witness and _unseen(hands, request, witness))
    return False


def say_once(hands: Hands, request_id: int, event: Event) -> None:
    """Add an event to the story unless the last of its kind said the same."""
    kind = type(event)
    last = next((told.event for told in reversed(hands.book.events(request_id)) if type(told.event) is kind), None)
    if last != event:
        hands.book.tell(request_id, event)


def refusal(why: str) -> Refused:
    """The rules' own no to a start; the request stays open."""
    return Refused(actor_id=POLICY.id, actor_name=POLICY.name, why=why)


def _wanting(hands: Hands, missing: int) -> str:
    if hands.environment.approvals == 1:
        return "no approval of this plan stands"
    return "1 more person has to approve it" if missing == 1 else f"{missing} more people have to approve it"


def _unseen(hands: Hands, request: Request, witness: Witness) -> int:
    said = hands.book.decisions(request.id)
    return policy.approvals_unseen(request, hands.environment, witness, decisions=said)


def _close(hands: Hands, request: Request, *, why: str, missing: int | None) -> None:
    """`missing`: how many have to approve anew, where the approval no longer stands."""
    log.info("#%d: %s", request.id, why)
    say_once(hands, request.id, refusal(why))
    if missing:
        hands.book.move(request.id, State.PLANNED, why=Withdrawn(POLICY.id, POLICY.name, missing=missing))


def _ask_the_bot(hands: Hands, request_id: int) -> Witness | None:
    """A new witness, or None when the bot gives none in time. How old it may be is the policy's to judge."""
    before = hands.book.latest_witness(request_id)
    if not _is_asked(hands, request_id):
        hands.book.tell(request_id, Ready())
    until = time.monotonic() + PATIENCE.total_seconds()
    while time.monotonic() < until:
        witness = hands.book.latest_witness(request_id)
        if witness != before:
            return witness
        time.sleep(_POLL)
    return None


def _is_asked(hands: Hands, request_id: int) -> bool:
    """Whether a Ready stands in the story that the bot has not answered yet."""
    for told in reversed(hands.book.events(request_id)):
        if isinstance(told.event, Ready | Witnessed):
            return isinstance(told.event, Ready)
    return False
