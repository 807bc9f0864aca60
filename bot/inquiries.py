"""Answers on their way to whoever asked: delivered when a worker has drawn them, hurried when they are late."""

import logging
from datetime import timedelta

from bot import messages
from bot.patience import Patience, one_by_one
from bot.voice import SlackFailed, Voice
from ledger.book import Book
from ledger.doorbell import Doorbell
from ledger.records import Inquiry
from ledger.workflow import Workflow

#: When an answer is drawn from what is there, and when nobody is waited for any longer.
LATE = timedelta(seconds=5)
TOO_LATE = timedelta(seconds=12)

log = logging.getLogger("twokey.inquiries")


class Answering:
    """Questions, from the worker's answer to the asker's eyes."""

    def __init__(self, book: Book, *, bell: Doorbell, voice: Voice, workflow: Workflow) -> None:
        self._book, self._bell, self._voice, self._workflow = book, bell, voice, workflow
        self._patience = Patience(first=1.0)

    def answer(self) -> None:
        """Deliver every answer that is there, and hurry the ones that are late."""
        inquiries = self._book.inquiries_open()
        drawn = [one for one in inquiries if one.answered_at is not None]
        late = [one for one in inquiries if one.answered_at is None]
        one_by_one(drawn, self._deliver, key=lambda one: one.id, by=self._patience)
        one_by_one(late, self._hurry, key=lambda one: ("hurry", one.id), by=self._patience)

    def share(self) -> None:
        """Post every shared answer into its channel, once."""
        one_by_one(self._book.shares_open(), self._share, key=lambda one: ("share", one.id), by=self._patience)

    def _share(self, inquiry: Inquiry) -> None:
        channel, key = inquiry.share.channel if inquiry.share else inquiry.channel, f"share-{inquiry.id}"
        try:
            # An earlier post may stand there unanswered, so the channel is asked before anything is said.
            ts = self._voice.find(channel, key=key)
            shown = messages.shared(inquiry, self._workflow)
            self._book.shared_as(inquiry.id, ts or self._voice.post(channel, shown, key=key))
        except SlackFailed as failed:
            log.warning("%s", failed)
            self._patience.failed(("share", inquiry.id), retry_after=failed.retry_after)

    def _deliver(self, inquiry: Inquiry) -> None:
        shown = messages.answer(inquiry, self._workflow)
        try:
            self._say(inquiry, shown)
        except SlackFailed as failed:
            log.warning("%s", failed)
            self._patience.failed(inquiry.id, retry_after=failed.retry_after)
            return
        self._book.delivered(inquiry.id)
        log.info("answered %s's %s", inquiry.actor.id, inquiry.question)

    def _say(self, inquiry: Inquiry, shown: messages.Body) -> None:
        try:
            self._voice.respond(self._book.response_url(inquiry.id), shown)
        except SlackFailed as failed:
            if failed.error not in {"http 403", "http 404", "http 410"}:
                raise
            self._voice.whisper(inquiry.channel, inquiry.actor.id, shown)  # the address was used up

    def _hurry(self, inquiry: Inquiry) -> None:
        """Ask for an answer from what was observed; where nothing was, or nobody draws it, say so."""
        waited = self._book.now() - inquiry.asked_at
        if waited < LATE:
            return
        observations = self._book.observations(inquiry.id)
        seen = [one.environment for one in observations if one.observed_at is not None]
        if not seen or waited > TOO_LATE:
            rung = any(self._bell.ring_look(one.id, one.environment) for one in observations)
            self._book.answer(inquiry.id, messages.nobody([one.environment for one in observations], rung=rung))
            return
        self._bell.ring_answer(inquiry.id, seen[0])
        self._patience.failed(("hurry", inquiry.id), retry_after=2.0)
