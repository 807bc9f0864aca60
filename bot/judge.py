"""Reactions that were heard become decisions, or are refused in words. Policy judges; this applies what it says."""

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from bot import messages
from bot.identity import Directory
from bot.patience import Patience, one_by_one
from bot.voice import SlackFailed, Voice, emoji
from ledger import people, policy
from ledger.book import Book
from ledger.deliveries import CARD
from ledger.errors import AuthorsDecision, IllegalMove, OwnDecision
from ledger.events import (
    Agreed,
    Approved,
    Halted,
    Noted,
    Refused,
    Rejected,
    Released,
    Withdrawn,
)
from ledger.records import Delivery, Heard, Told
from ledger.request import POLICY, Actor, Decision, Group, Request, Source, Verdict
from ledger.states import SAID, State
from ledger.workflow import Environment, Workflow

#: How long a reaction on a message that is nobody's card is kept: the card may stand there and not be known yet,
#: because Slack's answer to its post was lost.
KEPT_FOR = timedelta(minutes=1)

log = logging.getLogger("twokey.judge")


class Judge:
    """One per process, in the loop's thread, so two reactions are never judged at once."""

    def __init__(
        self,
        book: Book,
        *,
        voice: Voice,
        directory: Directory,
        workflow: Workflow,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._book, self._voice, self._directory, self._workflow = book, voice, directory, workflow
        self._patience = Patience(clock=clock)
        #: Whether Slack was silent in this round: a wait that ends within it lets nobody overtake.
        self._held = False

    def judge(self) -> None:
        """Judge what was heard, in the order in which it happened. Where Slack is silent, the rest waits too."""
        self._held = not self._patience.may("slack")
        one_by_one(self._book.unjudged(), self._judge, key=lambda heard: heard.id, by=self._patience)

    def _judge(self, heard: Heard) -> None:
        if self._held:
            return
        try:
            settled = self._settled(heard)
        except SlackFailed as failed:
            log.warning("%s", failed)
            self._patience.failed("slack", retry_after=failed.retry_after)
            self._held = True
            return
        self._patience.worked("slack")
        if settled:
            self._book.judged(heard.id)

    def _settled(self, heard: Heard) -> bool:
        request_id = self._book.request_at(channel=heard.channel, ts=heard.message_ts)
        if request_id is None:
            return self._is_nobodys(heard)
        if heard.source is not Source.RECONCILE and heard.team != self._directory.home:
            log.warning("A reaction told by workspace %s is none of ours.", heard.team)
            return True
        request = self._book.request(request_id)
        environment = self._workflow.environment(request.environment)
        if environment is None or not policy.needs_second_key(request, environment):
            return True
        if self._is_outdated(heard):
            return True
        meant = {self._workflow.approve_with: Verdict.APPROVE, self._workflow.reject_with: Verdict.REJECT}
        verdict = {emoji(name): verdict for name, verdict in meant.items()}.get(heard.emoji)
        if verdict is None:
            return True
        if heard.added:
            self._added(heard, verdict, request, environment)
        else:
            self._removed(heard, verdict, request, environment)
        return True

    def _is_nobodys(self, heard: Heard) -> bool:
        # By our own ear, not by Slack's: what came while we were away is delivered minutes after it happened.
        kept = heard.heard_at is not None and self._book.now() - heard.heard_at < KEPT_FOR
        return not (kept and self._book.unannounced())

    def _is_outdated(self, heard: Heard) -> bool:
        """Whether a reaction was taken away later, by word that came earlier; or this is the late word of one that was
        read back from Slack meanwhile, and judged then.

        What was read back may be overtaken, too: by word that came while Slack was read.
        """
        pressed = heard.source is Source.BUTTON
        theirs = [
            one
            for one in self._book.reactions(channel=heard.channel, ts=heard.message_ts, pressed=pressed)
            if (one.actor_id, one.emoji) == (heard.actor_id, heard.emoji)
        ]
        at = [one.id for one in theirs].index(heard.id)
        overtaken = heard.added and any(not one.added and one.id < heard.id for one in theirs[at + 1 :])
        before = theirs[at - 1] if at else None
        read_back = before is not None and before.source is Source.RECONCILE and before.added == heard.added
        return overtaken or (read_back and heard.source is Source.REACTION)

    def _added(self, heard: Heard, verdict: Verdict, request: Request, environment: Environment) -> None:
        actor = self._directory.fresh(heard.actor_id)
        groups = self._directory.groups(environment.approvers)
        if verdict is Verdict.APPROVE:
            # Whoever asked may have shown another address then, and be this very person by the one they have now.
            request = replace(request, actor=people.since(request.actor, self._directory.fresh(request.actor.id)))
        why_not = self._why_not(actor, heard, verdict, request=request, environment=environment, groups=groups)
        if why_not is not None:
            self._refuse(actor, request, why_not, word=self._word(heard, verdict, request))
            return
        assert request.plan is not None  # what may be decided has been planned
        decision = Decision(request.id, actor, verdict, request.plan.digest, heard.event_ts, None, heard.source)
        try:
            stood = any(_stands(one, verdict, by=actor.id) for one in self._book.decisions(request.id))
            said_before = stood and _is_told(self._book.events(request.id), of=actor.id)
            self._book.decide(decision)
            word = self._word(heard, verdict, request)
            decisions = self._book.decisions(request.id)
            missing = policy.approvals_missing(request, environment, decisions=decisions, groups=groups)
            if verdict is Verdict.REJECT:
                self._book.move(request.id, State.REJECTED, why=Rejected(actor.id, actor.name, heard.source, word))
            elif request.state is State.PLANNED and not missing:
                self._approve(actor, request, heard.source, word=word)
            elif not said_before:
                also = Noted(actor.id, actor.name, "approves as well.", word)
                self._book.tell(request.id, Agreed(actor.id, actor.name, missing, word) if missing else also)
        except (IllegalMove, OwnDecision, AuthorsDecision) as error:
            self._refuse(actor, request, str(error), word=self._word(heard, verdict, request))

    def _why_not(
        self,
        actor: Actor,
        heard: Heard,
        verdict: Verdict,
        *,
        request: Request,
        environment: Environment,
        groups: tuple[Group, ...],
    ) -> str | None:
        """Why this word does not count, if it does not."""
        freeze = self._book.frozen(request.environment) if verdict is Verdict.APPROVE else None
        judged = policy.may_decide(actor, request, environment, now=self._book.now(), freeze=freeze, groups=groups)
        if isinstance(judged, policy.Denied):
            return judged.why
        if _before_the_plan(heard, self._book.deliveries(request.id).get(CARD)):
            again = "Read it, then take the reaction away and give it again."
            return f"#{request.id} had no plan when you reacted. {again}"
        if verdict is Verdict.APPROVE and _in_frost(heard, self._book.events(request.id)):
            again = "Take the reaction away and give it again."
            return f"#{request.id} was frozen since you reacted, or nobody knows when. {again}"
        return None

    def _word(self, heard: Heard, verdict: Verdict, request: Request) -> str | None:
        """What an event keeps of this word, also of one that a bot wrote down that died before it told of it."""
        return self._book.word(request.id, actor_id=heard.actor_id, verdict=verdict, event_ts=heard.event_ts)

    def _approve(self, actor: Actor, request: Request, source: Source, *, word: str | None) -> None:
        starts_at = self._book.now() + self._workflow.start_delay
        why = Approved(actor.id, actor.name, starts_at.isoformat(), source, word)
        self._book.move(request.id, State.APPROVED, why=why, starts_at=starts_at)
        log.info("#%s approved by %s, starts at %s", request.id, actor.id, why.starts_at)

    def _refuse(self, actor: Actor, request: Request, why: str, *, word: str | None) -> None:
        """Kept as a line of the story, and said to the one who reacted alone."""
        self._book.tell(request.id, Refused(actor.id, actor.name, why, word=word))
        log.info("#%s refused a reaction of %s", request.id, actor.id)
        self._whisper(request, actor.id, why)

    def _whisper(self, request: Request, actor_id: str, why: str) -> None:
        environment = self._workflow.environment(request.environment)
        try:
            if environment is not None:
                self._voice.whisper(environment.channel, actor_id, messages.whisper(why))
        except SlackFailed as failed:  # the line in the thread says it too
            log.warning("%s", failed)

    def _removed(self, heard: Heard, verdict: Verdict, request: Request, environment: Environment) -> None:
        took = self._book.withdraw(
            request_id=request.id, actor_id=heard.actor_id, verdict=verdict, event_ts=heard.event_ts
        )
        if heard.source is Source.BUTTON and not took:
            self._whisper(request, heard.actor_id, f"No approval of yours stands on #{request.id}.")
        decisions = self._book.decisions(request.id)
        theirs = next((one.actor for one in decisions if one.actor.id == heard.actor_id), None)
        if theirs is None:
            return
        missing = policy.approvals_missing(request, environment, decisions=decisions, groups=request.groups)
        back = Withdrawn(theirs.id, theirs.name, heard.source, missing)
        took_key = took and verdict is Verdict.APPROVE
        if verdict is Verdict.APPROVE and missing and request.state is State.APPROVED:
            self._withdraw(theirs, request, back)
        elif took_key and request.state is State.PLANNED and environment.approvals > 1:
            self._book.tell(request.id, back)
        elif took:
            enough = "another approval stands" if environment.approvals == 1 else "enough approvals stand"
            kept = enough if request.state is State.APPROVED else f"#{request.id} {SAID[request.state]}"
            self._book.tell(request.id, Noted(theirs.id, theirs.name, f"took the reaction back; {kept}."))

    def _withdraw(self, actor: Actor, request: Request, why: Withdrawn) -> None:
        try:
            self._book.move(request.id, State.PLANNED, why=why)
        except IllegalMove as error:
            what = f"took the reaction back, too late: #{request.id} {SAID[error.standing]}."
            self._book.tell(request.id, Noted(actor.id, actor.name, what))


def _before_the_plan(heard: Heard, card: Delivery | None) -> bool:
    """Whether the card stood there without its plan when this was said: it does where no worker answered at first, or
    where one waited for the environment before it could draw it; and until Slack has taken the edit.
    """
    since = card.plan_ts if card else None
    return since is None or float(heard.event_ts) <= float(since)


def _in_frost(heard: Heard, story: Iterable[Told]) -> bool:
    """Whether this was said before the last frost was over: it counts no more, whenever we hear of it."""
    over = 0.0
    for one in story:
        match one.event:
            case Halted(until=until):
                over = datetime.fromisoformat(until).timestamp() if until else one.at.timestamp()
            case Released():
                over = one.at.timestamp()
            case _:
                pass
    return float(heard.event_ts) <= over


def _is_told(story: Iterable[Told], *, of: str) -> bool:
    """Whether the yes of this person that stands is told of; a bot may die between a word and its event."""
    told = False
    for one in story:
        match one.event:
            case Agreed(actor_id=by) | Approved(actor_id=by) if by == of:
                told = True
            case Withdrawn(actor_id=by) if by in {of, POLICY.id}:
                told = False
            case Noted(actor_id=by, word=word) if by == of:
                told = word is not None  # else it was taken back
            case _:
                pass
    return told


def _stands(decision: Decision, verdict: Verdict, *, by: str) -> bool:
    """Whether this is a word of that sort and that person that was not taken back."""
    return decision.verdict is verdict and decision.withdrawn_ts is None and by == decision.actor.id
