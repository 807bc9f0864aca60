"""The cards' reactions are read back from Slack, and what was missed is written down like what was heard.

Slack's events may be lost, and while no bot runs nobody hears them. What is found is judged like everything else.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal

from bot.patience import Patience, one_by_one
from bot.voice import SlackFailed, Voice, emoji
from ledger import policy
from ledger.book import Book
from ledger.deliveries import CARD
from ledger.records import Delivery, Heard
from ledger.request import Request, Source
from ledger.states import State
from ledger.workflow import Workflow

#: Seconds between two looks at all open cards, and before the next one where Slack did not answer.
EVERY, AGAIN = 60.0, 5.0

log = logging.getLogger("twokey.reconciler")


class Reconciler:
    """One per process. Its first look is when the bot's turn comes, so what was missed meanwhile is known at once."""

    def __init__(
        self, book: Book, *, voice: Voice, workflow: Workflow, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._book, self._voice, self._workflow, self._clock = book, voice, workflow, clock
        self._patience = Patience(clock=clock)
        self._due = 0.0

    def reconcile(self) -> None:
        """Look at every card that waits for a key or for its start, when the time for that has come."""
        if self._clock() < self._due:
            return
        self._due = self._clock() + EVERY
        found = self._book.standing_in(State.PLANNED, State.APPROVED)
        one_by_one(filter(self._waits, found), self._look, key=lambda one: one.id, by=self._patience)

    def _waits(self, request: Request) -> bool:
        environment = self._workflow.environment(request.environment)
        return environment is not None and policy.needs_second_key(request, environment)

    def _look(self, request: Request) -> None:
        card = self._book.deliveries(request.id).get(CARD)
        if card is None or card.ts is None:
            return
        # What is known is read first: whatever of it Slack shows no more was taken away since.
        known = self._book.reactions(channel=card.channel, ts=card.ts)
        try:
            shown = self._voice.reactions(card.channel, card.ts)
        except SlackFailed as failed:
            log.warning("#%s: %s", request.id, failed)
            self._due = self._clock() + (failed.retry_after or AGAIN)
            return
        emojis = (emoji(self._workflow.approve_with), emoji(self._workflow.reject_with))
        for one in missed(card, {name: shown.get(name, ()) for name in emojis}, known):
            if self._book.hear(one):
                was = "added" if one.added else "removed"
                log.info("#%s: it was missed that %s %s %s", request.id, one.actor_id, was, one.emoji)


def missed(card: Delivery, shown: Mapping[str, Iterable[str]], known: Iterable[Heard]) -> Iterator[Heard]:
    """What must have happened, by what Slack shows (emoji → people) and by what is known, in the order of Slack.

    When it happened nobody knows: just after what is known of before. Whatever Slack still tells of comes later.
    """
    last = {(one.actor_id, one.emoji): one for one in known}
    there = {(person, name) for name, people in shown.items() for person in people}
    for person, name in sorted(there | {who for who, one in last.items() if one.added and who[1] in shown}):
        before = last.get((person, name))
        added = (person, name) in there
        if added != (before is not None and before.added):
            yield _read_back(card, person, name, added=added, after=before.event_ts if before else card.ts or "0")


def _read_back(card: Delivery, person: str, name: str, *, added: bool, after: str) -> Heard:
    at = f"{Decimal(after) + Decimal('0.000001'):.6f}"
    return Heard(
        team="",
        channel=card.channel,
        message_ts=card.ts or "",
        actor_id=person,
        emoji=name,
        added=added,
        event_ts=at,
        event_id=f"reconcile:{card.channel}:{card.ts}:{person}:{name}:{at}",
        source=Source.RECONCILE,
    )
