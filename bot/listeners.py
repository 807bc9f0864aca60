"""Bolt glue: parse, ask the desk, ack. No decision is made here, and nothing slow is done before the ack.

Every listener runs before its response (`process_before_response`), so what Slack hears as done is committed, and
what could not be committed is not acked: Slack delivers an event again, and a person sees that it failed.
"""

import json
import logging
import time
from collections.abc import Callable
from concurrent.futures import Executor
from threading import Lock
from typing import Any

from slack_bolt import Ack, App

from bot import grammar, home, messages
from bot.desk import Asker, Desk, Filled
from bot.next_steps import CERTIFY, KEYS, QUESTIONS, REJECT, SHARE, SPOKEN, TAKE_BACK, UNDO
from bot.outcomes import NAME_FIELD, REASON_FIELD, AskInModal, Mistyped, Outcome, Refused
from bot.voice import SlackFailed, Voice, emoji
from ledger.book import Book
from ledger.errors import LedgerError
from ledger.records import Heard
from ledger.request import Act, Source
from ledger.workflow import Workflow

COMMAND = "/migrate"
EVENTS = ("reaction_added", "reaction_removed")
HOME = "app_home_opened"

#: Seconds within which a second press of the same button opens no second form.
DOUBLE_CLICK = 2.0

log = logging.getLogger("twokey.listeners")


class Listeners:
    """What the bot hears, and whom it asks what to do."""

    def __init__(self, desk: Desk, *, book: Book, voice: Voice, workflow: Workflow, aside: Executor) -> None:
        """`aside` runs what may come after the ack."""
        self._desk, self._book, self._voice, self._workflow, self._aside = desk, book, voice, workflow, aside
        self._forms: dict[str, float] = {}
        self._lock = Lock()

    def attach(self, app: App) -> None:
        """Register every listener."""
        app.command(COMMAND)(self.on_command)
        app.view(messages.MODAL)(self.on_form)
        for action in (*SPOKEN, CERTIFY, UNDO, SHARE):
            app.action(action)(self.on_button)
        for action in KEYS:
            app.action(action)(self.on_key)
        for event in EVENTS:
            app.event(event)(self.on_reaction)
        app.event(HOME)(self.on_home)

    def on_command(self, ack: Ack, body: dict[str, Any]) -> None:
        """`/migrate …`: the answer, or what became of it, is the ack."""
        asker = Asker(body["user_id"], body["channel_id"], body["trigger_id"], body["response_url"])
        try:
            command = grammar.parse(body.get("text") or "", self._workflow)
        except grammar.Slip as slip:
            ack(**messages.slip(slip).as_arguments())
            return
        outcome = self._outcome(lambda: self._desk.ask(command, asker))
        if isinstance(outcome, AskInModal):
            outcome = self._open_form(outcome, body["trigger_id"])
        log.info("%s asked for %s: %s", asker.actor_id, type(command).__name__, type(outcome).__name__)
        ack(**self._reply(outcome))

    def on_button(self, ack: Ack, body: dict[str, Any]) -> None:
        """A button does the same as the command that it stands for."""
        action = body["actions"][0]
        person, place, under = body["user"]["id"], body["channel"]["id"], body["container"]["message_ts"]
        asker = Asker(person, place, _press(body), body["response_url"], under)
        outcome = self._outcome(lambda: self._pressed(action["action_id"], action["value"], asker))
        if isinstance(outcome, AskInModal):
            outcome = outcome if self._just_now(asker.key) else self._open_form(outcome, body["trigger_id"])
        log.info("%s pressed %s: %s", asker.actor_id, action["action_id"], type(outcome).__name__)
        ack()
        if not isinstance(outcome, AskInModal):
            self._later(lambda: self._voice.respond(asker.response_url, messages.reply(outcome, self._workflow)))

    def on_key(self, ack: Ack, body: dict[str, Any]) -> None:
        """A button of a card that says what its emoji says is written down just so; the loop judges it."""
        pressed, place, url = body["actions"][0], body["container"], body["response_url"]
        heard = Heard(
            team=(body.get("team") or {}).get("id") or "",
            channel=place["channel_id"],
            message_ts=place["message_ts"],
            actor_id=body["user"]["id"],
            emoji=emoji(self._workflow.reject_with if pressed["action_id"] == REJECT else self._workflow.approve_with),
            added=pressed["action_id"] != TAKE_BACK,
            event_ts=pressed["action_ts"],
            event_id=":".join((pressed["action_id"], place["message_ts"], body["user"]["id"], pressed["action_ts"])),
            source=Source.BUTTON,
        )
        trouble = self._unheard(heard)
        log.info("%s pressed %s: %s", heard.actor_id, pressed["action_id"], trouble or "heard")
        ack()
        if trouble:
            self._later(lambda: self._voice.respond(url, messages.reply(Refused(trouble), self._workflow)))

    def _unheard(self, pressed: Heard) -> str | None:
        """Why a press does not count, or None once it is written down."""
        if not self._workflow.approve_button:
            return f"Buttons do not count here. React with :{pressed.emoji}: to the card."
        try:
            self._book.hear(pressed)
        except LedgerError as failed:
            return f"Nothing was written. {failed}"
        return None

    def on_form(self, ack: Ack, body: dict[str, Any]) -> None:
        """The form before a protected environment came back: a wrong field is pointed at, and nothing is lost."""
        view = body["view"]
        meant = json.loads(view["private_metadata"])
        typed = {block: fields["typed"]["value"] or "" for block, fields in view["state"]["values"].items()}
        asker = Asker(body["user"]["id"], meant["channel"], view["id"])
        wanted = (Act(meant["act"]), tuple(meant["about"]), meant["covers_of"])
        filled = Filled(meant["environment"], typed[NAME_FIELD], typed[REASON_FIELD], *wanted)
        try:
            outcome = self._desk.confirm(filled, asker)
        except (LedgerError, SlackFailed) as failed:
            outcome = Mistyped(REASON_FIELD, f"Nothing was written. {failed}")
        log.info("%s filled the form for %s: %s", asker.actor_id, filled.environment, type(outcome).__name__)
        if isinstance(outcome, Refused):  # the form stays open, so that what was typed can be kept
            outcome = Mistyped(REASON_FIELD, messages.bare(outcome.why))
        if isinstance(outcome, Mistyped):
            ack(response_action="errors", errors={outcome.field: outcome.why})
            return
        ack()
        self._later(lambda: self._voice.whisper(asker.channel, asker.actor_id, messages.reply(outcome, self._workflow)))

    def on_reaction(self, body: dict[str, Any]) -> None:
        """A reaction that could be a decision is written down; the loop judges it. No ack without the commit."""
        event = body["event"]
        item, name = event["item"], emoji(event["reaction"])
        if item.get("type") != "message" or name not in self._emojis() or item["channel"] not in self._channels():
            return
        heard = Heard(
            team=body.get("team_id") or "",
            channel=item["channel"],
            message_ts=item["ts"],
            actor_id=event["user"],
            emoji=name,
            added=event["type"] == "reaction_added",
            event_ts=event["event_ts"],
            event_id=body["event_id"],
        )
        if self._book.hear(heard):
            log.info("%s %s %s on %s", heard.actor_id, "added" if heard.added else "removed", name, heard.message_ts)

    def on_home(self, event: dict[str, Any]) -> None:
        """Somebody opened the app's own tab; what they saw there last stands until the new one is drawn."""
        if event.get("tab") == "home":
            self._later(lambda: self._show_home(event["user"]))

    def _show_home(self, actor_id: str) -> None:
        self._voice.publish(actor_id, home.view(self._desk.home(actor_id), self._workflow))

    def _just_now(self, press: str) -> bool:
        """Whether the same press came a moment ago: the second click of a double click."""
        now = time.monotonic()
        with self._lock:
            self._forms = {one: at for one, at in self._forms.items() if now - at < DOUBLE_CLICK}
            again = press in self._forms
            self._forms.setdefault(press, now)
            return again

    def _pressed(self, action: str, value: str, asker: Asker) -> Outcome:
        if action == CERTIFY:
            return self._desk.certify_after(int(value), asker)
        if action == SHARE:
            return self._desk.share(int(value), asker)
        if action == UNDO:
            return self._desk.undo(int(value), asker)
        try:
            return self._desk.ask(grammar.parse(f"{action.removeprefix('twokey_')} {value}", self._workflow), asker)
        except grammar.Slip as slip:  # what the button was about is gone
            return Refused(str(slip))

    def _outcome(self, asked: Callable[[], Outcome]) -> Outcome:
        try:
            return asked()
        except (LedgerError, SlackFailed) as failed:
            log.warning("%s", failed)
            return Refused(f"Nothing was written. {failed}")

    def _open_form(self, wanted: AskInModal, trigger_id: str) -> Outcome:
        try:
            self._voice.open_modal(trigger_id, messages.modal(wanted))
        except SlackFailed as failed:
            log.warning("%s", failed)
            return Refused(f"Nothing was written. {failed}")
        return wanted

    def _reply(self, outcome: Outcome) -> dict[str, Any]:
        """A form speaks for itself; everything else is answered in words."""
        return {} if isinstance(outcome, AskInModal) else messages.reply(outcome, self._workflow).as_arguments()

    def _later(self, deed: Callable[[], None]) -> None:
        def done() -> None:
            try:
                deed()
            except (LedgerError, SlackFailed) as failed:
                log.warning("%s", failed)
            except Exception:  # nobody else would hear of it
                log.exception("What was to follow an ack met an error that nobody expected")

        self._aside.submit(done)

    def _emojis(self) -> set[str]:
        return {emoji(self._workflow.approve_with), emoji(self._workflow.reject_with)}

    def _channels(self) -> set[str]:
        return {environment.channel for environment in self._workflow.environments}


def _press(body: dict[str, Any]) -> str:
    """The same for two presses of one button by one person: a double click is one wish. Questions may be repeated."""
    action, message, person = body["actions"][0], body["container"], body["user"]["id"]
    if action["action_id"] in QUESTIONS:
        return body["trigger_id"]
    return ":".join((message["channel_id"], message["message_ts"], action["action_id"], action["value"], person))
