"""Before a protected start the worker asks what Slack shows now; this looks and writes it down."""

import logging
from collections.abc import Iterable

from bot.identity import Directory
from bot.patience import Patience, one_by_one
from bot.voice import SlackFailed, Voice, emoji
from ledger import policy, second_key
from ledger.book import Book
from ledger.deliveries import CARD
from ledger.events import Ready, Witnessed
from ledger.records import Told
from ledger.request import Actor, Request, Source, Verdict, Witness
from ledger.states import State
from ledger.workflow import Environment, Workflow

log = logging.getLogger("twokey.witness")


class WitnessStand:
    """Answers every Ready with a Witness."""

    def __init__(self, book: Book, *, voice: Voice, directory: Directory, workflow: Workflow) -> None:
        self._book, self._voice, self._directory, self._workflow = book, voice, directory, workflow
        self._patience = Patience(first=0.2)

    def look(self) -> None:
        """Look at the cards of the requests whose workers hold the lock and wait."""
        one_by_one(self._book.standing_in(State.APPROVED), self._look_for, key=lambda one: one.id, by=self._patience)

    def _look_for(self, request: Request) -> None:
        environment = self._workflow.environment(request.environment)
        if environment is None or not policy.needs_second_key(request, environment):
            return
        if not _is_waited_for(self._book.events(request.id)) or self._is_pressed(request):
            return
        try:
            seen = self._seen(request, environment)
            if self._is_pressed(request):  # while Slack was asked
                return
            self._book.witness(seen)
        except SlackFailed as failed:
            log.warning("#%s: %s", request.id, failed)
            self._patience.failed(request.id, retry_after=failed.retry_after)
            return
        self._patience.worked(request.id)
        log.info("#%s witnessed", request.id)

    def _seen(self, request: Request, environment: Environment) -> Witness:
        at = self._book.now()
        card = self._book.deliveries(request.id).get(CARD)
        reactions = self._voice.reactions(card.channel, card.ts) if card and card.ts else {}
        channels = dict.fromkeys((request.channel, card.channel if card else environment.channel))
        groups = self._directory.groups(environment.approvers)
        approvers = second_key.named(environment.approvers, groups)
        return Witness(
            request_id=request.id,
            at=at,
            approving=self._people(reactions.get(emoji(self._workflow.approve_with), ()), approvers),
            rejecting=self._people(reactions.get(emoji(self._workflow.reject_with), ()), approvers),
            pressed=self._people(self._pressed(request), approvers),
            groups=groups,
            ours=all(self._directory.is_ours_now(one) for one in channels),
            asking=self._directory.fresh(request.actor.id),
        )

    def _is_pressed(self, request: Request) -> bool:
        """Whether a button of its card was pressed and that is not judged yet: nothing in Slack shows what it was."""
        presses = [one for one in self._book.unjudged() if one.source is Source.BUTTON]
        return any(self._book.request_at(channel=one.channel, ts=one.message_ts) == request.id for one in presses)

    def _pressed(self, request: Request) -> set[str]:
        """Whose press of the approving button stands. That it was pressed, the ledger alone knows."""
        said = self._book.decisions(request.id)
        standing = (one for one in said if one.verdict is Verdict.APPROVE and one.withdrawn_ts is None)
        return {one.actor.id for one in standing if one.source is Source.BUTTON}

    def _people(self, ids: Iterable[str], approvers: tuple[str, ...]) -> tuple[Actor, ...]:
        """Only approvers are looked up: nobody else's reaction can count, however many there are."""
        return tuple(self._directory.fresh(one) for one in ids if one in approvers)


def _is_waited_for(story: Iterable[Told]) -> bool:
    asked = [isinstance(told.event, Ready) for told in story if isinstance(told.event, Ready | Witnessed)]
    return bool(asked) and asked[-1]
