"""Socket Mode: https://docs.slack.dev/apis/events-api/using-socket-mode/"""

import asyncio
import json
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any
from uuid import uuid4

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from playground.methods import Call, method
from playground.people import APP, Json
from playground.world import World

CONNECTIONS_PER_APP = 10
_DEBUG: Json = {"host": "applink-playground", "build_number": 1}


@method("apps.connections.open", scope="connections:write", token="xapp")
def connections_open(call: Call) -> Json:
    """A websocket address that works once."""
    ticket = secrets.token_urlsafe(12)
    call.world.tickets.add(ticket)
    return {"url": f"{call.world.address.replace('http', 'ws', 1)}/link/?ticket={ticket}&app_id={APP}"}


@dataclass(slots=True, eq=False)
class Line:
    """One open websocket."""

    socket: WebSocket

    async def send(self, frame: Json) -> None:
        await self.socket.send_text(json.dumps(frame))

    async def hang_up(self) -> None:
        """End it without a word, if it has not ended already."""
        with suppress(RuntimeError, WebSocketDisconnect):
            await self.socket.close()


@dataclass(slots=True)
class Sockets:
    """The app's websockets, and the envelopes that nobody has acknowledged yet."""

    world: World
    lines: list[Line] = field(default_factory=list)
    waiting: dict[str, asyncio.Future[Json]] = field(default_factory=dict)
    turn: Any = field(default_factory=lambda: cycle(range(CONNECTIONS_PER_APP)))

    async def serve(self, socket: WebSocket) -> None:
        """Hold one websocket until it ends."""
        ticket = socket.query_params.get("ticket", "")
        if ticket not in self.world.tickets:
            await socket.close()
            return
        self.world.tickets.discard(ticket)
        await socket.accept()
        line = Line(socket)
        if len(self.lines) >= CONNECTIONS_PER_APP:
            await line.send({"type": "disconnect", "reason": "too_many_websockets", "debug_info": _DEBUG})
            await line.hang_up()
            return
        self.lines.append(line)
        try:
            await line.send(self._hello())
            self.world.changes.tell()
            await self._listen(socket)
        finally:
            self._forget(line)

    async def _listen(self, socket: WebSocket) -> None:
        with suppress(WebSocketDisconnect):
            while socket.client_state is WebSocketState.CONNECTED:
                self._acknowledged(json.loads(await socket.receive_text()))

    def _acknowledged(self, frame: Json) -> None:
        pending = self.waiting.pop(frame.get("envelope_id", ""), None)
        if pending and not pending.done():
            pending.set_result(frame.get("payload") or {})

    def _forget(self, line: Line) -> None:
        if line in self.lines:
            self.lines.remove(line)
        self.world.changes.tell()

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self.lines),
            "debug_info": _DEBUG | {"approximate_connection_time": 18060},
            "connection_info": {"app_id": APP},
        }

    async def ask(self, kind: str, payload: Json, *, seconds: float, more: Json) -> Json | None:
        """Send an envelope to any one of the connections; the payload of its ack ({} for a bare one), None without."""
        envelope_id = str(uuid4())
        answer: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self.waiting[envelope_id] = answer
        envelope = {
            "envelope_id": envelope_id,
            "type": kind,
            "accepts_response_payload": kind != "events_api",
            "payload": payload,
            **more,
        }
        try:
            await self.lines[next(self.turn) % len(self.lines)].send(envelope)
            return await asyncio.wait_for(answer, seconds)
        except (TimeoutError, RuntimeError, WebSocketDisconnect):
            return None
        finally:
            self.waiting.pop(envelope_id, None)

    async def disconnect(self, reason: str | None, *, grace: float) -> None:
        """End every connection; with a reason, a disconnect frame says so `grace` seconds before."""
        lines = list(self.lines)
        self.lines.clear()  # nothing more is sent to them
        if reason:
            for line in lines:
                with suppress(RuntimeError, WebSocketDisconnect):
                    await line.send({"type": "disconnect", "reason": reason, "debug_info": _DEBUG})
            await asyncio.sleep(grace)
        for line in lines:
            await line.hang_up()
        self.world.changes.tell()
