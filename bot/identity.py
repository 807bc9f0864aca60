"""Slack user → Actor. What Slack does not say is not granted: a missing flag makes an unknown, who is refused."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from bot.voice import SlackFailed, Voice
from ledger import people as ledger_people
from ledger.request import Actor, Group, Kind
from ledger.workflow import Person, is_group

#: How long a person is believed unchanged when they type a command. Approvals and witnesses ask again each time.
BELIEVED_FOR = 60.0

#: Flags that Slack sends with every member of its own workspace. Without them nobody is taken for a full member.
_ALWAYS_SAID = ("deleted", "is_bot", "is_restricted", "is_ultra_restricted")

#: What Slack says of every channel. Where one of them is not plainly false, the channel counts as shared.
_SHARED = ("is_ext_shared", "is_pending_ext_shared", "is_shared")

#: Slack's names for nobody it would show us: they are told apart from a Slack that does not answer.
_NOT_SHOWN = {"user_not_found", "user_not_visible"}

#: And for a user group that is none, or is none any more: nobody is in it.
_NO_GROUP = {"no_such_subteam", "subteam_disabled"}


class Directory:
    """Who is who in the workspace that the bot lives in."""

    def __init__(
        self, voice: Voice, *, home: str, people: tuple[Person, ...] = (), clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`people` is the map of twokey.toml."""
        self._voice, self._home, self._people, self._clock = voice, home, people, clock
        self._known: dict[str, tuple[float, Actor]] = {}
        self._ours: dict[str, tuple[float, bool]] = {}

    @property
    def home(self) -> str:
        """The workspace that the bot lives in."""
        return self._home

    def is_ours(self, channel_id: str) -> bool:
        """Whether Slack says that a channel is this workspace's alone, at most a minute old. Raises SlackFailed."""
        asked_at, ours = self._ours.get(channel_id, (0.0, None))
        known = ours is not None and self._clock() - asked_at < BELIEVED_FOR
        return bool(ours) if known else self.is_ours_now(channel_id)

    def is_ours_now(self, channel_id: str) -> bool:
        """The same, as Slack says it now. Raises SlackFailed."""
        asked_at, channel = self._clock(), self._voice.channel(channel_id)
        ours = all(channel.get(flag) is False for flag in _SHARED)
        self._ours[channel_id] = (asked_at, ours)
        return ours

    def actor(self, actor_id: str) -> Actor:
        """Who this is, at most a minute old. Raises SlackFailed."""
        known = self._known.get(actor_id)
        if known is not None and self._clock() - known[0] < BELIEVED_FOR:
            return known[1]
        return self.fresh(actor_id)

    def fresh(self, actor_id: str) -> Actor:
        """Who this is, as Slack says it now. Raises SlackFailed."""
        asked_at = self._clock()
        try:
            found = as_actor(actor_id, self._voice.person(actor_id), home=self._home, people=self._people)
        except SlackFailed as failed:
            if failed.error not in _NOT_SHOWN:
                raise
            found = Actor(id=actor_id, team="", name=actor_id, kind=Kind.UNKNOWN)
        self._known[actor_id] = (asked_at, found)
        return found

    def groups(self, listed: Iterable[str]) -> tuple[Group, ...]:
        """Who is in the user groups of a list, as Slack says it now. Raises SlackFailed."""
        return tuple(Group(one, self._members(one)) for one in listed if is_group(one))

    def _members(self, group_id: str) -> tuple[str, ...]:
        try:
            return self._voice.members(group_id)
        except SlackFailed as failed:
            if failed.error not in _NO_GROUP:
                raise
            return ()


def as_actor(actor_id: str, person: Mapping[str, Any], *, home: str, people: Iterable[Person] = ()) -> Actor:
    """Slack's record of a person as an Actor. `home` is the bot's own workspace."""
    profile = person.get("profile") or {}
    # The full name: a display name is a nickname that anyone may set to a colleague's.
    name = person.get("real_name") or profile.get("real_name") or profile.get("display_name") or person.get("name")
    marks = ledger_people.marks((actor_id, *_verified(person)), people) - {actor_id}
    team, is_a = person.get("team_id") or "", kind(person, home=home)
    return Actor(id=actor_id, team=team, name=name or actor_id, kind=is_a, marks=tuple(sorted(marks)))


def _verified(person: Mapping[str, Any]) -> tuple[str, ...]:
    """The hash of the e-mail address, where the scope shows it and Slack says that it was confirmed."""
    email = (person.get("profile") or {}).get("email")
    return (ledger_people.mark(email),) if email and person.get("is_email_confirmed") is True else ()


def kind(person: Mapping[str, Any], *, home: str) -> Kind:
    """What Slack's flags make of a person, the least trusted kind first."""
    if person.get("id") == "USLACKBOT" or any(person.get(f) for f in ("is_bot", "is_workflow_bot", "is_connector_bot")):
        return Kind.BOT
    if person.get("is_stranger") or person.get("team_id") not in {None, "", home}:
        return Kind.OUTSIDER
    if person.get("deleted"):
        return Kind.DEACTIVATED
    if person.get("is_restricted") or person.get("is_ultra_restricted"):
        return Kind.GUEST
    if person.get("is_invited_user"):  # their address is not theirs until they have come
        return Kind.UNKNOWN
    said_all = person.get("team_id") == home and all(person.get(flag) is False for flag in _ALWAYS_SAID)
    return Kind.FULL_MEMBER if said_all else Kind.UNKNOWN
