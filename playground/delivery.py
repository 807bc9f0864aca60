"""Bringing slash commands, interactions and events to the app: over a socket if there is one, else signed over HTTP."""

import asyncio
import hashlib
import hmac
import http.client
import json
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from playground.people import APP, BOT_USER, SIGNING_SECRET, TEAM, Json
from playground.socket_mode import Sockets
from playground.world import World

DELIVERIES_KEPT = 2000


@dataclass(frozen=True, slots=True)
class Answer:
    """What the app said: `trouble` is None, operation_timeout or dispatch_failed; `body` is {} for a bare ack."""

    body: Json = field(default_factory=dict)
    trouble: str | None = None


@dataclass(slots=True)
class Settings:
    """How patient Slack is. Retries of an event: at once, after a minute, after five more."""

    ack_timeout: float = 3.0
    retry_delays: tuple[float, ...] = (0.0, 60.0, 300.0)
    request_url: str | None = None


@dataclass(slots=True)
class PostOffice:
    """Delivers, and keeps a journal of what it delivered."""

    world: World
    sockets: Sockets
    settings: Settings = field(default_factory=Settings)
    journal: deque[Json] = field(default_factory=lambda: deque(maxlen=DELIVERIES_KEPT))
    twice: int = 0
    holding: bool = False
    _running: set[asyncio.Task[Answer]] = field(default_factory=set)

    def reset(self) -> None:
        """Patient again, with an empty journal; redeliveries on their way are dropped."""
        for task in self._running:
            task.cancel()
        self.settings, self.twice, self.holding = Settings(), 0, False
        self.journal.clear()

    async def ask(self, kind: str, payload: Json) -> Answer:
        """Deliver once, as Slack does with slash commands and interactions."""
        return await self._attempt(self._enter(kind, payload), number=0)

    def tell(self, event: Json) -> None:
        """Deliver an event that the app subscribed to, and again until it is acknowledged or the retries are over."""
        if self.holding or event["type"] not in self.world.grant.events:
            return
        task = asyncio.create_task(self._insist(self._enter("events_api", self._wrapped(event))))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _insist(self, entry: Json) -> Answer:
        answer = await self._attempt(entry, number=0)
        for number, delay in enumerate(self.settings.retry_delays, start=1):
            if not answer.trouble or answer.body.get("no_retry"):
                break
            await asyncio.sleep(delay)
            answer = await self._attempt(entry, number=number)
        return answer

    def _enter(self, kind: str, payload: Json) -> Json:
        entry = {"type": kind, "payload": payload, "attempts": []}
        self.journal.append(entry)
        return entry

    async def _attempt(self, entry: Json, *, number: int) -> Answer:
        started = time.monotonic()
        if self.twice > 0:
            self.twice -= 1
            twin = asyncio.create_task(self._carry(entry, number))
            self._running.add(twin)
            twin.add_done_callback(self._running.discard)
        answer = await self._carry(entry, number)
        seconds = round(time.monotonic() - started, 4)
        acked = answer.trouble is None
        entry["attempts"].append({"acked": acked, "trouble": answer.trouble, "answer": answer.body, "seconds": seconds})
        self.world.changes.tell()
        return answer

    async def _carry(self, entry: Json, number: int) -> Answer:
        if self.sockets.lines:
            return await self._by_socket(entry, number)
        if self.settings.request_url:
            return await asyncio.to_thread(
                _by_http, self.settings.request_url, entry, number=number, seconds=self.settings.ack_timeout
            )
        return Answer(trouble="dispatch_failed")

    async def _by_socket(self, entry: Json, number: int) -> Answer:
        retry = {"retry_attempt": number, "retry_reason": "timeout" if number else ""}
        more = retry if entry["type"] == "events_api" else {}
        seconds = self.settings.ack_timeout
        body = await self.sockets.ask(entry["type"], entry["payload"], seconds=seconds, more=more)
        return Answer(trouble="operation_timeout") if body is None else Answer(body)

    def _wrapped(self, event: Json) -> Json:
        channel = event.get("item", event).get("channel", "")
        shared = self.world.channels[channel].flags["is_ext_shared"] if channel in self.world.channels else False
        return {
            "token": "playground-verification-token",
            "team_id": TEAM,
            "context_team_id": TEAM,
            "context_enterprise_id": None,
            "api_app_id": APP,
            "event": event,
            "type": "event_callback",
            "event_id": self.world.name("Ev"),
            "event_time": int(float(event["event_ts"])),
            "authorizations": [
                {
                    "enterprise_id": None,
                    "team_id": TEAM,
                    "user_id": BOT_USER,
                    "is_bot": True,
                    "is_enterprise_install": False,
                }
            ],
            "is_ext_shared_channel": shared,
            "event_context": f"4-{self.world.name('')}",
        }


def signed(body: bytes, *, at: int, secret: str = SIGNING_SECRET) -> Json:
    """The headers that prove a request comes from Slack: https://docs.slack.dev/authentication/verifying-requests-from-slack/"""
    digest = hmac.new(secret.encode(), f"v0:{at}:".encode() + body, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": str(at), "X-Slack-Signature": f"v0={digest}"}


def _by_http(request_url: str, entry: Json, *, number: int, seconds: float) -> Answer:
    """One signed request; anything but a 2xx within the seconds is trouble."""
    body, kind = _written(entry)
    headers = {"Content-Type": kind, "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)"}
    headers |= signed(body, at=int(time.time()))
    if number:
        headers |= {"X-Slack-Retry-Num": str(number), "X-Slack-Retry-Reason": "http_timeout"}
    url = urlsplit(request_url)
    connection = http.client.HTTPConnection(url.hostname or "", url.port or 80, timeout=seconds)
    try:
        connection.request("POST", url.path or "/", body, headers)
        response = connection.getresponse()
        text, no_retry = response.read().decode(), response.getheader("x-slack-no-retry") == "1"
    except TimeoutError:
        return Answer(trouble="operation_timeout")
    except (OSError, http.client.HTTPException):
        return Answer(trouble="dispatch_failed")
    finally:
        connection.close()
    if not 200 <= response.status < 300:
        return Answer({"no_retry": True} if no_retry else {}, "dispatch_failed")
    return Answer(_said(text))


def _written(entry: Json) -> tuple[bytes, str]:
    """The body as Slack writes it: events as JSON, slash commands as a form, interactions as JSON in a form."""
    form = "application/x-www-form-urlencoded"
    if entry["type"] == "events_api":
        return json.dumps(entry["payload"]).encode(), "application/json"
    if entry["type"] == "slash_commands":
        return urlencode(
            {name: "" if value is None else value for name, value in entry["payload"].items()}
        ).encode(), form
    return urlencode({"payload": json.dumps(entry["payload"])}).encode(), form


def _said(text: str) -> Json:
    """A plain body is the text of a message."""
    try:
        value: Any = json.loads(text)
    except ValueError:
        value = text
    if isinstance(value, dict):
        return value
    return {"text": text} if text else {}
