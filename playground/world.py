"""All that the workspace remembers, in memory and on one event loop: nothing here needs a lock."""

import asyncio
import secrets
import string
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count

from playground.errors import Refused
from playground.granted import Grant
from playground.messages import Channel, File, Message
from playground.people import BOT_USER, GENERAL, MIGRATIONS, Json, Person, everyone, user_groups

#: Slack's rules for what it hands out with an interaction: https://docs.slack.dev/interactivity/handling-user-interaction/
TRIGGER_SECONDS = 3.0
LINK_SECONDS = 30 * 60.0
LINK_USES = 5


class Clock:
    """Slack's clock, which tests may set ahead. No two timestamps are the same, and later ones are larger."""

    def __init__(self) -> None:
        self.ahead = 0.0
        self._last = 0

    def now(self) -> float:
        return time.time() + self.ahead

    def stamp(self) -> str:
        """A message's `ts`, such as "1712345678.000200"."""
        self._last = max(self._last + 1, int(self.now() * 1_000_000))
        return f"{self._last // 1_000_000}.{self._last % 1_000_000:06d}"


class Changes:
    """A counter of everything that happened, which can be waited for."""

    def __init__(self) -> None:
        self.version = 0
        self._news = asyncio.Event()

    def tell(self) -> None:
        self.version += 1
        self._news.set()
        self._news = asyncio.Event()

    async def after(self, version: int, *, seconds: float) -> int:
        """The counter, as soon as it is beyond `version` or the seconds are over."""
        if self.version <= version:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), seconds)
        return self.version


@dataclass(slots=True)
class Trigger:
    """What `views.open` is opened with: for three seconds, once."""

    person: str
    born: float
    used: bool = False


@dataclass(slots=True)
class Link:
    """A response_url. `source` is the message whose button was clicked; a slash command has none."""

    person: str
    channel: str
    born: float
    source: str | None = None
    thread_ts: str | None = None
    uses: int = 0


@dataclass(slots=True)
class Ephemeral:
    """A message for one person's eyes, which no method can read back."""

    person: str
    message: Message

    def as_slack(self) -> Json:
        return self.message.as_slack() | {"is_ephemeral": True, "channel": self.message.channel}


@dataclass(slots=True)
class View:
    """A modal in front of one person, or their App Home."""

    person: str
    body: Json


@dataclass(slots=True)
class World:
    """The workspace."""

    address: str = "http://127.0.0.1:0"
    grant: Grant = field(default_factory=Grant)
    clock: Clock = field(default_factory=Clock)
    changes: Changes = field(default_factory=Changes)
    people: dict[str, Person] = field(default_factory=everyone)
    channels: dict[str, Channel] = field(default_factory=dict)
    ephemerals: list[Ephemeral] = field(default_factory=list)
    views: dict[str, View] = field(default_factory=dict)
    homes: dict[str, View] = field(default_factory=dict)
    triggers: dict[str, Trigger] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)
    tickets: set[str] = field(default_factory=set)
    files: dict[str, File] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=user_groups)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self._furnish()

    def _furnish(self) -> None:
        active = [person.id for person in self.people.values() if not person.flags["deleted"]]
        without_bot = [member for member in active if member != BOT_USER]
        self.channels = {
            MIGRATIONS: Channel(MIGRATIONS, "migrations", active, "Where SQL migrations are promoted"),
            GENERAL: Channel(GENERAL, "general", without_bot, "Everybody is here but the bot"),
        }

    def reset(self) -> None:
        """As new, but for the grant and whoever is connected."""
        self.people, self.groups = everyone(), user_groups()
        self._furnish()
        for kept in (self.ephemerals, self.views, self.homes, self.triggers, self.links, self.files):
            kept.clear()
        self.clock.ahead = 0.0
        self.changes.tell()

    def name(self, prefix: str) -> str:
        """A new id such as "V0A3K…"; never the same twice."""
        alphabet = string.ascii_uppercase + string.digits
        return f"{prefix}{next(self._numbers):04d}{''.join(secrets.choice(alphabet) for _ in range(5))}"

    def channel(self, channel_id: str) -> Channel:
        """Raises channel_not_found."""
        if channel_id not in self.channels:
            raise Refused("channel_not_found")
        return self.channels[channel_id]

    def person(self, person_id: str) -> Person:
        """Raises user_not_found."""
        if person_id not in self.people:
            raise Refused("user_not_found")
        return self.people[person_id]

    def post(self, message: Message) -> Message:
        """Put a message where it belongs."""
        self.channels[message.channel].messages.append(message)
        self.changes.tell()
        return message

    def show_to(self, person: str, message: Message) -> Ephemeral:
        """Put a message before one person's eyes."""
        ephemeral = Ephemeral(person, message)
        self.ephemerals.append(ephemeral)
        self.changes.tell()
        return ephemeral

    def ephemeral(self, ts: str) -> Ephemeral | None:
        return next((known for known in self.ephemerals if known.message.ts == ts), None)

    def trigger(self, person: str) -> str:
        """A new trigger_id for what this person just did."""
        trigger_id = f"{next(self._numbers)}.{secrets.randbelow(10**10):010d}.{secrets.token_hex(16)}"
        self.triggers[trigger_id] = Trigger(person, self.clock.now())
        return trigger_id

    def exchange(self, trigger_id: str) -> str:
        """Whose trigger that was; used up afterwards. Raises Slack's three errors for a bad one."""
        trigger = self.triggers.get(trigger_id)
        if trigger is None:
            raise Refused("invalid_trigger_id")
        if trigger.used:
            raise Refused("exchanged_trigger_id")
        if self.clock.now() - trigger.born > TRIGGER_SECONDS:
            raise Refused("expired_trigger_id")
        trigger.used = True
        return trigger.person

    def link(self, link: Link, *, kind: str) -> str:
        """A new response_url; `kind` is commands or actions."""
        key = secrets.token_urlsafe(18)
        self.links[key] = link
        return f"{self.address}/{kind}/T0TWOKEY/{next(self._numbers)}/{key}"

    def permalink(self, channel: str, message: Message) -> str:
        """Where the page shows this message."""
        url = f"{self.address}/archives/{channel}/p{message.ts.replace('.', '')}"
        return f"{url}?thread_ts={message.thread_ts}&cid={channel}" if message.is_reply else url
