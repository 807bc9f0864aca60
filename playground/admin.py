"""The side of the workspace that Slack does not have: acting as people, looking at everything, and ordering faults."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from playground import emoji
from playground.delivery import PostOffice, Settings
from playground.errors import Refused, Unspeakable
from playground.faults import Fault
from playground.gestures import Gestures
from playground.people import BOT_USER, Json
from playground.web_api import WebApi
from playground.world import World

Deed = Callable[[Json], Any]


@dataclass(frozen=True, slots=True)
class Admin:
    """JSON in, JSON out, under /playground/."""

    world: World
    web_api: WebApi
    post_office: PostOffice
    gestures: Gestures

    def routes(self) -> list[Route]:
        looks = (self.state, self.wait, self.feed, self.calls, self.deliveries)
        return [
            *(Route(f"/playground/{look.__name__}", look, methods=["GET"]) for look in looks),
            Route("/playground/people/{person}/{gesture}", self.gesture, methods=["POST"]),
            Route("/playground/{wish}", self.wish, methods=["POST"]),
        ]

    async def state(self, request: Request) -> Response:
        """All that one person sees (`as`), and for tests all that anybody sees (`as` left out)."""
        person = request.query_params.get("as")
        sees = (None, *self.world.people) if person is None else (person,)
        world = self.world
        return JSONResponse(
            {
                "version": world.changes.version,
                "connected": bool(self.post_office.sockets.lines) or bool(self.post_office.settings.request_url),
                "bot": BOT_USER,
                "people": [one.as_slack() for one in world.people.values()],
                "channels": [one.as_slack() for one in world.channels.values()],
                "messages": {one.id: [one.show(message, include_metadata=True) for message in one.messages]
                             for one in world.channels.values()},
                "ephemerals": [one.as_slack() | {"for": one.person} for one in world.ephemerals if one.person in sees],
                "views": [one.body | {"for": one.person} for one in world.views.values() if one.person in sees],
                "homes": {key: one.body for key, one in world.homes.items() if key in sees},
                "emoji": emoji.KNOWN,
                "commands": sorted(world.grant.commands),
            }
        )  # fmt: skip

    async def wait(self, request: Request) -> Response:
        """The version, once it is beyond `since` or a while has passed."""
        since, seconds = int(request.query_params["since"]), float(request.query_params["seconds"])
        return JSONResponse({"version": await self.world.changes.after(since, seconds=seconds)})

    async def feed(self, request: Request) -> Response:
        """Server-sent events: the version each time that something happened."""

        async def versions() -> AsyncIterator[str]:
            version = -1
            while not await request.is_disconnected():
                version = await self.world.changes.after(version, seconds=15)
                yield f"data: {version}\n\n"

        return StreamingResponse(versions(), media_type="text/event-stream", headers={"cache-control": "no-store"})

    async def calls(self, request: Request) -> Response:
        wanted = request.query_params.get("method")
        return JSONResponse([call for call in self.web_api.calls if wanted in (None, call["method"])])

    async def deliveries(self, request: Request) -> Response:
        wanted = request.query_params.get("type")
        return JSONResponse([entry for entry in self.post_office.journal if wanted in (None, entry["type"])])

    async def gesture(self, request: Request) -> Response:
        """One of the `Gestures`, by name, with its arguments as the body."""
        name = request.path_params["gesture"]
        if name not in ("say", "slash", "react", "unreact", "click", "submit", "close", "home"):
            return _unspeakable(f"Nobody can {name} here.")
        deed = getattr(self.gestures, name)
        return await _done(request, lambda body: deed(request.path_params["person"], **body))

    async def wish(self, request: Request) -> Response:
        """What a test orders; see the methods of `playground.client.Workspace`."""
        wishes: dict[str, Deed] = {
            "reset": self._reset,
            "fault": lambda body: self.web_api.faults.ordered.append(Fault(**body)),
            "mend": lambda _: self.web_api.faults.ordered.clear(),
            "disconnect": lambda body: self.post_office.sockets.disconnect(**body),
            "deliver": lambda body: self._deliver(**body),
            "settings": self._set,
            "person": lambda body: self.world.person(body["person"]).set(body["flags"]),
            "channel": lambda body: self.world.channel(body["channel"]).flags.update(body["flags"]),
            "group": lambda body: self.world.groups.update({body["group"]: body["members"]}),
            "delete": lambda body: self._delete(**body),
            "advance": self._advance,
        }
        name = request.path_params["wish"]
        if name not in wishes:
            return _unspeakable(f"There is no {name} to be had here.")
        answer = await _done(request, wishes[name])
        self.world.changes.tell()
        return answer

    def _reset(self, _: Json) -> None:
        self.world.reset()
        self.post_office.reset()
        self.web_api.calls.clear()
        self.web_api.faults.ordered.clear()

    def _set(self, body: Json) -> None:
        for name, value in body.items():
            if name in ("twice", "holding"):
                setattr(self.post_office, name, value)
            elif name in Settings.__slots__:
                setattr(self.post_office.settings, name, value)
            else:
                raise Unspeakable(f"There is no setting {name}.")

    def _advance(self, body: Json) -> None:
        self.world.clock.ahead += body["seconds"]

    async def _deliver(self, *, kind: str, payload: Json) -> Json:
        answer = await self.post_office.ask(kind, payload)
        return {"acked": answer.trouble is None, "answer": answer.body}

    def _delete(self, *, channel: str, ts: str) -> None:
        place = self.world.channel(channel)
        place.messages.remove(place.find(ts))


async def _done(request: Request, deed: Deed) -> Response:
    """The deed's answer; a refusal of Slack's or a wish without sense is a 400 that says why."""
    try:
        body: Json = await request.json()
        answer = deed(body)
        if isinstance(answer, Awaitable) or asyncio.iscoroutine(answer):
            answer = await answer
        return JSONResponse({"ok": True, "answer": answer})
    except Refused as refused:
        return JSONResponse({"ok": False, "error": refused.error}, 400)
    except (Unspeakable, TypeError, KeyError, ValueError) as error:
        return _unspeakable(str(error))


def _unspeakable(sentence: str) -> Response:
    return JSONResponse({"ok": False, "error": sentence}, 400)
