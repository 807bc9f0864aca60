"""What was done at a terminal → the environment's channel: each notice once, and none overtakes another there."""

import logging

from bot import messages
from bot.patience import Patience
from bot.voice import SlackFailed, Voice
from ledger.book import Book
from ledger.records import Notice
from ledger.workflow import Workflow

log = logging.getLogger("twokey.noticeboard")


class NoticeBoard:
    """One per workspace. Interrupted anywhere and run again, it posts each notice once."""

    def __init__(self, book: Book, *, voice: Voice, workflow: Workflow) -> None:
        self._book, self._voice = book, voice
        self._channels = {environment.name: environment.channel for environment in workflow.environments}
        self._patience = Patience()

    def post(self) -> None:
        """Bring what is new into its channel, the oldest first. Of an environment that we do not know, it waits."""
        held = set[str]()
        for told in self._book.notices(tuple(self._channels)):
            channel = self._channels[told.environment]
            if channel in held or not self._patience.may(channel) or not self._posted(told, channel):
                held.add(channel)

    def _posted(self, told: Notice, channel: str) -> bool:
        """Whether it stands there now. What was tried before may stand there already, so the channel is asked first."""
        tried_before = not self._book.noticing(told.id, channel=channel)
        try:
            found = self._voice.find(channel, key=told.attempt_key) if tried_before else None
            ts = found or self._voice.post(channel, messages.notice(told), key=told.attempt_key)
        except SlackFailed as failed:
            log.warning("notice %s in %s: %s", told.id, channel, failed)
            self._patience.failed(channel, retry_after=failed.retry_after)
            return False
        self._book.noticed_as(told.id, ts)
        self._patience.worked(channel)
        return True
