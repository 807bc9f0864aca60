"""The ledger's events → Slack. What should stand there is drawn from the ledger; what does stand there is compared.

A lost post is derived again, never decided again. In one channel nothing overtakes: where Slack refuses or is silent,
that channel waits and every other one goes on.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import replace

from bot import enclosures, messages
from bot.blocks import plain
from bot.easel import Easel, NotDrawn
from bot.enclosures import Enclosure, Of
from bot.messages import Slot
from bot.patience import Patience, one_by_one
from bot.voice import SlackFailed, Voice
from ledger import evidence
from ledger.book import Book
from ledger.deliveries import CARD
from ledger.events import Generated
from ledger.records import Delivery
from ledger.request import Request
from ledger.states import FINAL
from ledger.workflow import Workflow

#: Slack takes some fifty edits a minute from one app in one workspace; progress may use most of them.
BETWEEN_EDITS = 1.2

#: Slack's words for a message that cannot be edited any more, or a card under which nothing can be said.
_GONE = {"message_not_found", "thread_not_found", "invalid_thread_ts", "edit_window_closed", "cant_update_message"}

#: Slack's words for a file that it will not take, however often one tries.
_NO_FILES = {
    "missing_scope",
    "file_type_not_allowed",
    "file_upload_size_restricted",
    "file_uploads_disabled",
    "file_uploads_except_images_disabled",
    "storage_limit_reached",
}

log = logging.getLogger("twokey.announcer")


class Announcer:
    """One per workspace. Interrupted anywhere and run again, it posts each message once."""

    def __init__(
        self,
        book: Book,
        *,
        voice: Voice,
        workflow: Workflow,
        easel: Easel | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._book, self._voice, self._workflow, self._clock = book, voice, workflow, clock
        self._easel = easel or Easel()
        self._patience = Patience(clock=clock)
        self._edited_at = 0.0
        #: The channels in which somebody waits in this round: a wait that ends within it lets nobody overtake.
        self._held: set[str] = set()

    def announce(self) -> None:
        """Bring every request that has news up to date, the oldest first."""
        self._held.clear()
        one_by_one(self._book.unannounced(), self._bring_up_to_date, key=lambda one: ("#", one), by=self._patience)

    def _bring_up_to_date(self, request_id: int) -> None:
        request = self._book.request(request_id)
        environment = self._workflow.environment(request.environment)
        if environment is None:
            log.warning("#%s is of %s, which is not in twokey.toml; not told", request_id, request.environment)
            self._book.announced(request_id, request.version)
            return
        if environment.channel in self._held or not self._patience.may(environment.channel):
            self._held.add(environment.channel)
            return
        # Events may be younger than the request read before them; together they would tell a state that never was.
        told = [one for one in self._book.events(request_id) if one.seq <= request.version]
        slots = messages.project(request, environment, told=told, workflow=self._workflow)
        try:
            done = self._deliver(request, slots)
        except SlackFailed as failed:
            log.warning("#%s in %s: %s", request_id, environment.channel, failed)
            self._patience.failed(environment.channel, retry_after=failed.retry_after)
            self._held.add(environment.channel)
            return
        self._patience.worked(environment.channel)
        if done:
            self._book.announced(request_id, request.version)

    def _deliver(self, request: Request, slots: tuple[Slot, ...]) -> bool:
        """Let every slot stand in Slack; False when one has to wait for its turn to be edited, or to be drawn."""
        request_id, standing = request.id, self._book.deliveries(request.id)
        done = True
        for slot in slots:
            there = standing.get(slot.name)
            if there is None or there.ts is None:
                if self._is_wet(request_id, slot):
                    done = False
                    continue
                standing[slot.name] = self._post(request, slot, standing)
                done &= standing[slot.name].content_hash == slot.body.content_hash()
            elif there.content_hash != slot.body.content_hash() or _is_undated(request, slot, there):
                done &= self._edit(request, slot, there)
        return done

    def _is_wet(self, request_id: int, slot: Slot) -> bool:
        """Whether the slot's picture is being drawn: whatever comes after it does not wait for that."""
        if slot.name != messages.PICTURE:
            return False
        try:
            return self._picture(request_id) is None
        except NotDrawn:
            return False  # it is said when it is put there

    def _picture(self, request_id: int) -> bytes | None:
        timeline = enclosures.rehearsal(self._book.request(request_id))
        assert timeline is not None
        return self._easel.picture(request_id, timeline)

    def _post(self, request: Request, slot: Slot, standing: dict[str, Delivery]) -> Delivery:
        tried_before, request_id = slot.name in standing, request.id
        delivery = self._book.delivering(request_id, slot.name, channel=slot.channel)
        parent = standing[CARD].ts if slot.in_thread and CARD in standing else None
        try:
            found = self._find(slot, delivery, parent) if tried_before else None
            ts = found or self._put(slot, delivery, parent)
        except SlackFailed as failed:
            if slot.in_thread and failed.error in _GONE:
                self._lost(request_id, CARD)
            raise
        # What was found was said by an earlier attempt; a hash of nothing lets the next round compare and edit.
        content_hash = "" if found and not slot.encloses else slot.body.content_hash()
        plan_ts = ts if content_hash and _shows_plan(request, slot) else None
        self._book.delivered_as(request_id, slot.name, ts=ts, content_hash=content_hash, plan_ts=plan_ts)
        if slot.name == messages.PICTURE:
            self._easel.take_down(request_id)
        return replace(delivery, ts=ts, content_hash=content_hash)

    def _find(self, slot: Slot, delivery: Delivery, parent: str | None) -> str | None:
        """What an earlier attempt put there: the file, or the message."""
        file = slot.encloses
        found = self._voice.find_file(slot.channel, file.name, thread_ts=parent) if file else None
        return found or self._voice.find(slot.channel, key=delivery.attempt_key, thread_ts=parent)

    def _put(self, slot: Slot, delivery: Delivery, parent: str | None) -> str:
        """Let it stand there now; where Slack takes no files, or there is no picture, that is said in its place."""
        body, key, number = slot.body, delivery.attempt_key, delivery.request_id
        if slot.encloses:
            try:
                return self._upload(slot, slot.encloses, number, parent)
            except NotDrawn as undrawn:
                body = plain(enclosures.undrawn(number, undrawn.why))
            except SlackFailed as failed:
                if failed.error not in _NO_FILES:
                    raise
                body = plain(enclosures.instead(slot.encloses, number, failed.error))
        return self._voice.post(slot.channel, body, key=key, thread_ts=parent, broadcast=slot.broadcast)

    def _upload(self, slot: Slot, file: Enclosure, request_id: int, parent: str | None) -> str:
        content = self._content(file.of, request_id)
        return self._voice.upload(slot.channel, file, content, comment=slot.body.text, thread_ts=parent)

    def _content(self, of: Of, request_id: int) -> bytes:
        match of:
            case Of.PICTURE:
                drawn = self._picture(request_id)
                assert drawn is not None
                return drawn
            case Of.SQL:
                text = enclosures.sql(self._book.request(request_id), self._book.frozen_plan(request_id))
            case Of.DRAFT:
                told = [one.event for one in self._book.events(request_id)]
                text = next(event.text for event in told if isinstance(event, Generated))
            case Of.EVIDENCE:
                text = evidence.as_text(evidence.gather(self._book, request_id))
        return text.encode()

    def _lost(self, request_id: int, slot: str) -> None:
        """It is gone from Slack, and is put there anew; under a new card stand the files and the receipt, too."""
        for name in (CARD, *messages.UNDER_CARD) if slot == CARD else (slot,):
            self._book.lost(request_id, name)

    def _edit(self, request: Request, slot: Slot, there: Delivery) -> bool:
        goes_on = slot.name == messages.PROGRESS and request.state not in FINAL
        if goes_on and self._clock() - self._edited_at < BETWEEN_EDITS:
            return False
        try:
            self._voice.edit(there.channel, there.ts or "", slot.body)
        except SlackFailed as failed:
            if failed.error in _GONE:
                self._lost(there.request_id, slot.name)
            raise
        if slot.name == messages.PROGRESS:
            self._edited_at = self._clock()
        # After Slack's answer: who reacts before this is written may have reacted to what stood there before.
        plan_ts = f"{self._book.now().timestamp():.6f}" if _shows_plan(request, slot) else None
        content_hash = slot.body.content_hash()
        self._book.delivered_as(request.id, slot.name, ts=there.ts or "", content_hash=content_hash, plan_ts=plan_ts)
        return True


def _is_undated(request: Request, slot: Slot, there: Delivery) -> bool:
    """Whether nobody wrote down since when the plan stands there: no reaction counts until an edit says so."""
    return there.plan_ts is None and _shows_plan(request, slot)


def _shows_plan(request: Request, slot: Slot) -> bool:
    """Whether it is the card, as it is once the request has a plan."""
    return slot.name == CARD and request.plan is not None
