"""The workspace as one ASGI application, and its server, which listens on loopback and nowhere else."""

import asyncio
import ipaddress
import socket
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from playground import speech
from playground.admin import Admin
from playground.delivery import PostOffice
from playground.errors import Refused
from playground.faults import Faults
from playground.file_room import FileRoom
from playground.gestures import Gestures
from playground.granted import Grant
from playground.socket_mode import Sockets
from playground.web_api import WebApi
from playground.world import World

PAGE = Path(__file__).parent / "page"
LOOPBACK = ["127.0.0.1", "localhost", "[::1]"]
_POLICY = "default-src 'self'; img-src 'self' data: https:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"


class NotLoopback(Exception):
    """The workspace has no passwords, so nobody else's machine may reach it."""

    def __init__(self, host: str) -> None:
        super().__init__(host)
        self.host = host

    def __str__(self) -> str:
        return f"The playground has no passwords and listens on loopback only, not on {self.host}. Use 127.0.0.1."


def check_loopback(host: str) -> None:
    """Raises NotLoopback for anything but 127.0.0.0/8, ::1 and localhost."""
    try:
        inside = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        inside = False
    if not inside:
        raise NotLoopback(host)


class Guard:
    """Keeps other web sites out: their pages cannot send JSON here, and cannot frame this one."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/playground/") and scope["method"] == "POST":
            kind = dict(scope["headers"]).get(b"content-type", b"")
            if not kind.startswith(b"application/json"):
                await JSONResponse({"ok": False, "error": "Send JSON."}, 415)(scope, receive, send)
                return

        async def with_policy(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"content-security-policy", _POLICY.encode())]
            await send(message)

        await self.app(scope, receive, with_policy)


class Protocol(H11Protocol):
    """HTTP that lets the application drop the connection, as a network does."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


def build(world: World) -> Starlette:
    """The application for one workspace."""
    sockets = Sockets(world)
    post_office = PostOffice(world, sockets)
    web_api = WebApi(world, Faults())
    admin = Admin(world, web_api, post_office, Gestures(world, post_office))

    async def response_url(request: Request) -> Response:
        try:
            return JSONResponse(speech.respond(world, request.path_params["key"], await request.json()))
        except ValueError:
            return JSONResponse({"ok": False, "error": "invalid_payload"}, 400)
        except Refused as refused:
            status = 404 if refused.error.endswith("_url") else 400
            return JSONResponse(refused.as_slack(), status)

    async def page(_: Request) -> Response:
        return FileResponse(PAGE / "index.html", headers={"cache-control": "no-store"})

    return Starlette(
        routes=[
            Route("/api/{method}", web_api.answer, methods=["GET", "POST"]),
            Route("/commands/T0TWOKEY/{number}/{key}", response_url, methods=["POST"]),
            Route("/actions/T0TWOKEY/{number}/{key}", response_url, methods=["POST"]),
            *FileRoom(world).routes(),
            WebSocketRoute("/link/", sockets.serve),
            *admin.routes(),
            Route("/", page),
            Route("/archives/{channel}/{message}", page),
            Mount("/page", StaticFiles(directory=PAGE)),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=LOOPBACK), Middleware(Guard)],
    )


class Server:
    """A workspace behind a socket that is already bound, so its address is known before it runs.

    Raises NotLoopback, and OSError when the port is taken.
    """

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0, grant: Grant | None = None) -> None:
        check_loopback(host)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host, port), family=family)
        shown = f"[{host}]" if ":" in host else host
        self.address = f"http://{shown}:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(
            build(World(address=self.address, grant=grant or Grant())),
            http=Protocol,
            ws="websockets-sansio",
            loop="asyncio",
            lifespan="off",
            log_level="critical",
            timeout_graceful_shutdown=1,
        )
        self._uvicorn = uvicorn.Server(config)

    def run(self) -> None:
        """Serve until asked to stop, in whichever thread this is called."""
        with self._socket:
            asyncio.run(self._uvicorn.serve(sockets=[self._socket]))

    def stop(self) -> None:
        """End what `run` does."""
        self._uvicorn.should_exit = True
