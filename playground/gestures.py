"""What people do: type a command, click a button, fill in a modal, react. Each becomes Slack's payload for the app."""

from dataclasses import dataclass
from typing import Any

from playground import api_reactions, api_views, modals, speech
from playground.delivery import Answer, PostOffice
from playground.errors import Refused, Unspeakable
from playground.messages import Message
from playground.people import APP, DOMAIN, TEAM, Json, Person
from playground.world import Link, View, World

TROUBLE = "We had some trouble connecting. Try again?"
_TEAM: Json = {"id": TEAM, "domain": DOMAIN}
_FRAME: Json = {"api_app_id": APP, "token": "playground-verification-token", "team": _TEAM, "enterprise": None}


@dataclass(frozen=True, slots=True)
class Gestures:
    """People's hands."""

    world: World
    post_office: PostOffice

    def _person(self, person_id: str) -> Person:
        person = self.world.person(person_id)
        if person.flags.get("deleted"):
            raise Unspeakable(f"{person.real_name} is deactivated and cannot do anything here.")
        return person

    def say(self, person_id: str, *, channel: str, text: str, thread_ts: str | None = None) -> Json:
        """Write a message into the channel or into a thread."""
        person, place = self._person(person_id), self.world.channel(channel)
        if not text.strip():
            raise Unspeakable("A message needs some text.")
        parent = place.find(thread_ts).ts if thread_ts else None
        message = Message(channel, self.world.clock.stamp(), person.id, text, thread_ts=parent)
        return place.show(self.world.post(message))

    async def slash(self, person_id: str, *, command: str, text: str, channel: str) -> Json | None:
        """Type a slash command; what came back at once and only this person sees, or None."""
        person, place = self._person(person_id), self.world.channel(channel)
        link = Link(person.id, channel, self.world.clock.now())
        if command not in self.world.grant.commands:
            return self._slackbot(link, f"`{command}` is not a valid command.")
        payload = {
            "token": _FRAME["token"],
            "team_id": TEAM,
            "team_domain": DOMAIN,
            "enterprise_id": None,
            "channel_id": channel,
            "channel_name": place.name,
            "user_id": person.id,
            "user_name": person.name,
            "command": command,
            "text": text,
            "api_app_id": APP,
            "is_enterprise_install": "false",
            "response_url": self.world.link(link, kind="commands"),
            "trigger_id": self.world.trigger(person.id),
        }
        del payload["enterprise_id"]  # absent outside Enterprise Grid
        answer = await self.post_office.ask("slash_commands", payload)
        return self._answered(link, command, answer)

    def _answered(self, link: Link, command: str, answer: Answer) -> Json | None:
        if answer.trouble:
            return self._slackbot(link, f'{command} failed with the error "{answer.trouble}"')
        try:
            said = speech.say(self.world, link, answer.body)
        except Refused:
            return self._slackbot(link, f'{command} failed with the error "invalid_command_response"')
        return said.as_slack() if said else None

    def _slackbot(self, link: Link, text: str) -> Json:
        message = Message(link.channel, self.world.clock.stamp(), "USLACKBOT", text)
        return self.world.show_to(link.person, message).as_slack()

    def react(self, person_id: str, *, channel: str, ts: str, name: str) -> Json:
        """Add a reaction; the app hears of it if it is in the channel."""
        return self._reaction(person_id, channel=channel, ts=ts, name=name, added=True)

    def unreact(self, person_id: str, *, channel: str, ts: str, name: str) -> Json:
        """Take one's own reaction away."""
        return self._reaction(person_id, channel=channel, ts=ts, name=name, added=False)

    def _reaction(self, person_id: str, *, channel: str, ts: str, name: str, added: bool) -> Json:
        person, place = self._person(person_id), self.world.channel(channel)
        message = place.find(ts)
        act = api_reactions.add if added else api_reactions.remove
        known = act(message, person=person.id, name=name)
        self.world.changes.tell()
        event = {
            "type": "reaction_added" if added else "reaction_removed",
            "user": person.id,
            "reaction": known,
            "item": {"type": "message", "channel": channel, "ts": ts},
            "item_user": message.author,
            "event_ts": self.world.clock.stamp(),
        }
        if place.as_slack()["is_member"]:
            self.post_office.tell(event)
        return event

    async def click(self, person_id: str, *, channel: str, ts: str, action_id: str, value: Any = None) -> Json:
        """Press a button, or pick an option by its value; `trouble` says if the app did not take it."""
        person, place = self._person(person_id), self.world.channel(channel)
        ephemeral = self.world.ephemeral(ts)
        if ephemeral and ephemeral.person != person.id:
            raise Unspeakable(f"{person.real_name} does not see that message.")
        message = ephemeral.message if ephemeral else place.find(ts)
        link = Link(person.id, channel, self.world.clock.now(), source=ts, thread_ts=message.thread_ts)
        container = {"type": "message", "message_ts": ts, "channel_id": channel, "is_ephemeral": bool(ephemeral)}
        if message.thread_ts:
            container["thread_ts"] = message.thread_ts
        payload = _FRAME | {
            "type": "block_actions",
            "user": _user(person),
            "container": container,
            "trigger_id": self.world.trigger(person.id),
            "is_enterprise_install": False,
            "channel": {"id": channel, "name": place.name},
            "state": {"values": {}},
            "response_url": self.world.link(link, kind="actions"),
            "actions": [_action(message, action_id, value) | {"action_ts": self.world.clock.stamp()}],
        }
        if not ephemeral:
            payload["message"] = place.show(message)
        answer = await self.post_office.ask("interactive", payload)
        return {"trouble": answer.trouble}

    async def submit(self, person_id: str, *, view_id: str, values: Json) -> Json:
        """Send a modal off: `closed`, or `errors` by block_id, or the `view` that took its place, or `trouble`."""
        view = self._view(person_id, view_id)
        if wrong := modals.left_wrong(view.body, values):
            return {"errors": wrong}
        shown = view.body | {"state": {"values": modals.filled(view.body, values)}}
        payload = self._about("view_submission", view, shown) | {"response_urls": []}
        answer = await self.post_office.ask("interactive", payload)
        return self._resolved(view, answer)

    def _resolved(self, view: View, answer: Answer) -> Json:
        action = answer.body.get("response_action")
        if answer.trouble:
            return {"trouble": TROUBLE}
        if action == "errors" and (errors := modals.answered(view.body, answer.body.get("errors"))):
            return {"errors": errors}
        if action == "update" and not modals.refused_view(answer.body.get("view")):
            api_views.replace(self.world, view, answer.body["view"])
            return {"view": view.body}
        if action in (None, "clear"):
            self._drop(view, everything=action == "clear")
            return {"closed": True}
        return {"trouble": TROUBLE}

    async def close(self, person_id: str, *, view_id: str) -> Json:
        """Cancel a modal; the app hears of it if it asked to (`notify_on_close`)."""
        view = self._view(person_id, view_id)
        self._drop(view, everything=False)
        if view.body["notify_on_close"]:
            await self.post_office.ask(
                "interactive", self._about("view_closed", view, view.body) | {"is_cleared": False}
            )
        return {"closed": True}

    def home(self, person_id: str) -> Json | None:
        """Look at the App Home; the view that the app last published for this person."""
        person = self._person(person_id)
        known = self.world.homes.get(person.id)
        event: Json = {"type": "app_home_opened", "user": person.id, "channel": f"D{person.id[1:]}", "tab": "home"}
        event["event_ts"] = self.world.clock.stamp()
        if known:
            event["view"] = known.body
        self.post_office.tell(event)
        return known.body if known else None

    def _view(self, person_id: str, view_id: str) -> View:
        view = self.world.views.get(view_id)
        if view is None or view.person != self._person(person_id).id:
            raise Unspeakable(f"No modal {view_id} is open for {person_id}.")
        return view

    def _drop(self, view: View, *, everything: bool) -> None:
        views = self.world.views
        gone = [key for key, one in views.items() if one is view or (everything and one.person == view.person)]
        for key in gone:
            del views[key]
        self.world.changes.tell()

    def _about(self, kind: str, view: View, shown: Json) -> Json:
        person = self.world.person(view.person)
        trigger = {"trigger_id": self.world.trigger(person.id)} if kind == "view_submission" else {}
        return _FRAME | trigger | {"type": kind, "user": _user(person), "is_enterprise_install": False, "view": shown}


def _user(person: Person) -> Json:
    return {"id": person.id, "username": person.name, "name": person.name, "team_id": person.team}


def _action(message: Message, action_id: str, value: Any) -> Json:
    """The entry of `actions` for one element of a message."""
    for one in message.blocks:
        for element in [*_elements(one), *([one["accessory"]] if "accessory" in one else [])]:
            if element.get("action_id") == action_id:
                return {**_pressed(element, value), "block_id": one["block_id"]}
    raise Unspeakable(f"The message {message.ts} has nothing with the action_id {action_id}.")


def _elements(one: Json) -> list[Json]:
    return one["elements"] if one["type"] == "actions" else []


def _pressed(element: Json, value: Any) -> Json:
    pressed = {"type": element["type"], "action_id": element["action_id"]}
    if element["type"] == "button":
        return pressed | {name: element[name] for name in ("text", "value", "style") if name in element}
    options = element["options"]
    if element["type"] == "checkboxes":
        return pressed | {"selected_options": [one for one in options if one["value"] in (value or [])]}
    picked = next((one for one in options if one["value"] == value), None)
    if picked is None:
        raise Unspeakable(f"{element['action_id']} has no option {value!r}.")
    return pressed | {"selected_option": picked}
