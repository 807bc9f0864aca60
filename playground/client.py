"""How tests and the demo act as people in the workspace, look at it, and order Slack's faults."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

from playground.people import APP_TOKEN, BOT_TOKEN, MIGRATIONS, SIGNING_SECRET, Json

Seen = TypeVar("Seen")
_LONGER_THAN_SLACK_WAITS = 30
_direct = build_opener(ProxyHandler({}))


class NotPossible(Exception):
    """The workspace refused a gesture or a wish; the message is its sentence, or Slack's name for the error."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """A workspace that runs at `address`."""

    address: str

    @property
    def api_url(self) -> str:
        """What SLACK_API_URL must be."""
        return f"{self.address}/api/"

    @property
    def page_url(self) -> str:
        """Where a person with a browser looks at the channel."""
        return f"{self.address}/"

    def bot_variables(self) -> dict[str, str]:
        """The variables that point a bot at this workspace in Socket Mode."""
        return {
            "SLACK_API_URL": self.api_url,
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            "SLACK_APP_TOKEN": APP_TOKEN,
            "SLACK_SIGNING_SECRET": SIGNING_SECRET,
        }

    def as_person(self, person_id: str) -> "Acting":
        """Someone to act as."""
        return Acting(self, person_id)

    # looking

    def state(self) -> Json:
        """Everything at once, with `version` to wait from."""
        return self.get("state")

    def messages(self, channel: str = MIGRATIONS) -> list[Json]:
        """What the channel shows, oldest first; replies are in `thread`."""
        found: list[Json] = self.state()["messages"][channel]
        return [one for one in found if one.get("thread_ts", one["ts"]) == one["ts"] or "subtype" in one]

    def thread(self, channel: str, ts: str) -> list[Json]:
        """The replies below the message at `ts`, oldest first."""
        found: list[Json] = self.state()["messages"][channel]
        return [one for one in found if one.get("thread_ts") == ts and one["ts"] != ts]

    def ephemerals(self, person_id: str) -> list[Json]:
        """What only this person sees, oldest first."""
        return [one for one in self.state()["ephemerals"] if one["for"] == person_id]

    def views(self, person_id: str) -> list[Json]:
        """The modals in front of this person, the top one last."""
        return [one for one in self.state()["views"] if one["for"] == person_id]

    def calls(self, method: str | None = None) -> list[Json]:
        """The app's calls, oldest first: `method`, `arguments`, `answer`, `at`."""
        return self.get("calls", **({"method": method} if method else {}))

    def deliveries(self, kind: str | None = None) -> list[Json]:
        """What was delivered: `type`, `payload`, and `attempts` with `acked`, `trouble`, `answer`, `seconds`."""
        return self.get("deliveries", **({"type": kind} if kind else {}))

    def wait_for(self, look: Callable[[], Seen], timeout: float = 10.0) -> Seen:
        """The first truthy value of `look`, tried again whenever something happened. Raises TimeoutError."""
        deadline = time.monotonic() + timeout
        while True:
            version = self.state()["version"]
            if seen := look():
                return seen
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"Nothing of the kind within {timeout:g} s; last seen: {seen!r}")
            self.get("wait", since=str(version), seconds=str(min(left, 1.0)))

    def wait_for_bot(self, timeout: float = 10.0) -> None:
        """Return once an app is connected. Raises TimeoutError."""
        self.wait_for(lambda: self.state()["connected"], timeout)

    def answers(self) -> bool:
        """Whether the workspace is up."""
        try:
            return bool(self.state())
        except OSError:
            return False

    # ordering

    def reset(self) -> None:
        """An empty workspace again; whoever is connected stays connected."""
        self.post("reset")

    def fault(self, method: str, **fault: Any) -> None:
        """Order a fault for the next `times` calls: `error`, `status` and `retry_after`, `hang`, `lose_answer`."""
        self.post("fault", method=method, **fault)

    def mend(self) -> None:
        """No fault that was ordered is left."""
        self.post("mend")

    def disconnect(self, *, reason: str | None = "refresh_requested", grace: float = 0.2) -> None:
        """End all sockets, after a disconnect frame and `grace` seconds; without a reason, at once."""
        self.post("disconnect", reason=reason, grace=grace)

    def deliver(self, kind: str, payload: Json) -> Json:
        """Deliver a payload of one's own making once: `acked` and `answer`."""
        return self.post("deliver", kind=kind, payload=payload)

    def deliver_twice(self, times: int = 1) -> None:
        """Deliver each of the next `times` payloads in two envelopes."""
        self.post("settings", twice=times)

    def hold_events(self, *, holding: bool = True) -> None:
        """Lose every event, as when the app was away for longer than Slack retries."""
        self.post("settings", holding=holding)

    def settings(self, **settings: Any) -> None:
        """Change `ack_timeout`, `retry_delays` (seconds) or `request_url`."""
        self.post("settings", **settings)

    def set_person(self, person_id: str, **flags: Any) -> None:
        """Change flags of a user object; None takes one away."""
        self.post("person", person=person_id, flags=flags)

    def set_channel(self, channel: str, **flags: Any) -> None:
        """Change flags of a channel object, such as `is_ext_shared`."""
        self.post("channel", channel=channel, flags=flags)

    def set_group(self, group_id: str, *members: str) -> None:
        """Who is in a user group from now on."""
        self.post("group", group=group_id, members=members)

    def delete_message(self, channel: str, ts: str) -> None:
        """As a workspace admin would."""
        self.post("delete", channel=channel, ts=ts)

    def advance(self, seconds: float) -> None:
        """Set Slack's clock ahead."""
        self.post("advance", seconds=seconds)

    # speaking to the server

    def get(self, look: str, **query: str) -> Any:
        return self._send(Request(f"{self.address}/playground/{look}?{urlencode(query)}"))

    def post(self, path: str, **body: Any) -> Any:
        """Raises NotPossible with the workspace's reason."""
        request = Request(f"{self.address}/playground/{path}", json.dumps(body).encode())
        request.add_header("Content-Type", "application/json")
        return self._send(request)["answer"]

    def _send(self, request: Request) -> Any:
        try:
            with _direct.open(request, timeout=_LONGER_THAN_SLACK_WAITS) as response:
                return json.load(response)
        except HTTPError as error:
            with error:
                raise NotPossible(json.load(error)["error"]) from error


@dataclass(frozen=True, slots=True)
class Acting:
    """One person's hands."""

    workspace: Workspace
    id: str

    def slash(self, command: str, text: str = "", *, channel: str = MIGRATIONS) -> str | None:
        """Type a command; the text that came back with the ack, or Slack's own sentence, or None for a bare ack."""
        answer = self._do("slash", command=command, text=text, channel=channel)
        return answer["text"] if answer else None

    def say(self, channel: str, text: str, *, thread_ts: str | None = None) -> Json:
        """Write a message; its object."""
        return self._do("say", channel=channel, text=text, thread_ts=thread_ts)

    def react(self, channel: str, ts: str, name: str) -> Json:
        """Add a reaction; the event that Slack sends for it."""
        return self._do("react", channel=channel, ts=ts, name=name)

    def unreact(self, channel: str, ts: str, name: str) -> Json:
        """Take a reaction away; the event that Slack sends for it."""
        return self._do("unreact", channel=channel, ts=ts, name=name)

    def click(self, message: Json, action_id: str, value: Any = None) -> str | None:
        """Press a button of a message that `messages`, `thread` or `ephemerals` gave; what went wrong, or None."""
        channel = message.get("channel", MIGRATIONS)
        return self._do("click", channel=channel, ts=message["ts"], action_id=action_id, value=value)["trouble"]

    def submit(self, view_id: str, values: Json) -> Json:
        """Fill in a modal by block_id and send it: `closed`, `errors`, `view` or `trouble`."""
        return self._do("submit", view_id=view_id, values=values)

    def close(self, view_id: str) -> None:
        """Cancel a modal."""
        self._do("close", view_id=view_id)

    def open_home(self) -> Json | None:
        """Open the App Home; what the app last published there."""
        return self._do("home")

    def _do(self, gesture: str, **arguments: Any) -> Any:
        return self.workspace.post(f"people/{self.id}/{gesture}", **arguments)
