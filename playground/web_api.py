"""The Web API's front door: which method, whose token, which arguments, and the answer as Slack words it."""

import asyncio
import json
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from playground import api_chat, api_conversations, api_files, api_reactions, api_views
from playground.errors import Refused
from playground.faults import Fault, Faults
from playground.methods import METHODS, Call, Method, method
from playground.people import APP_TOKEN, BOT, BOT_TOKEN, BOT_USER, DOMAIN, TEAM, Json
from playground.world import World

__all__ = ["WebApi", "api_chat", "api_conversations", "api_files", "api_reactions", "api_views"]
CALLS_KEPT = 5000


@method("auth.test", scope=None, takes_json=True)
def auth_test(call: Call) -> Json:
    return {
        "url": f"{call.world.address}/",
        "team": DOMAIN,
        "user": "twokey",
        "team_id": TEAM,
        "user_id": BOT_USER,
        "bot_id": BOT,
        "is_enterprise_install": False,
    }


@dataclass(slots=True)
class WebApi:
    """Answers calls and remembers the latest of them for the tests."""

    world: World
    faults: Faults
    calls: deque[Json] = field(default_factory=lambda: deque(maxlen=CALLS_KEPT))

    async def answer(self, request: Request) -> Response:
        name = request.path_params["method"]
        arguments, is_json = await _arguments(request)
        fault = self.faults.take(name)
        if fault and fault.hang:
            await asyncio.sleep(fault.hang)
        if fault and not fault.lose_answer:
            body = fault.as_slack()
        else:
            body = self._do(name, arguments, token=_token(request, arguments), is_json=is_json)
        shown = {key: value for key, value in arguments.items() if key != "token"}
        self.calls.append({"method": name, "arguments": shown, "answer": body, "at": self.world.clock.now()})
        self.world.changes.tell()
        if fault and fault.drops:
            request.state.transport.abort()  # the caller sees the connection end, and never the answer
        return self._response(body, fault)

    def _do(self, name: str, arguments: Json, *, token: str, is_json: bool) -> Json:
        try:
            wanted = _named(name)
            _check_token(token, wanted.token)
            self._check_scope(wanted)
            usable = arguments if wanted.takes_json or not is_json else {}
            wanted.check(usable)
            return {"ok": True, **wanted.act(Call(self.world, usable))}
        except Refused as refused:
            return refused.as_slack()

    def _check_scope(self, wanted: Method) -> None:
        granted = self.world.grant.scopes if wanted.token == "xoxb" else {"connections:write"}
        if wanted.scope and wanted.scope not in granted:
            raise Refused("missing_scope", needed=wanted.scope, provided=",".join(sorted(granted)))

    def _response(self, body: Json, fault: Fault | None) -> Response:
        headers = {"x-oauth-scopes": ",".join(sorted(self.world.grant.scopes)), "x-slack-req-id": self.world.name("R")}
        if fault and fault.retry_after is not None:
            headers["retry-after"] = str(fault.retry_after)
        if fault and fault.status >= 500:
            return Response("upstream connect error", fault.status, headers, media_type="text/plain")
        return JSONResponse(body, fault.status if fault else 200, headers)


def _named(name: str) -> Method:
    if name not in METHODS:
        raise Refused("unknown_method", req_method=name)
    return METHODS[name]


async def _arguments(request: Request) -> tuple[Json, bool]:
    """The arguments, from the address and from a form or a JSON body; and whether it was JSON."""
    found: Json = dict(request.query_params)
    kind = request.headers.get("content-type", "")
    if kind.startswith("application/json"):
        body = await request.body()
        found |= _object(body)
        return {name: value for name, value in found.items() if value is not None}, True
    if request.method == "POST":
        async with request.form() as form:
            found |= {name: value for name, value in form.items() if isinstance(value, str)}
    return found, False


def _object(body: bytes) -> Json:
    try:
        value: Any = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _token(request: Request, arguments: Json) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token if scheme == "Bearer" else str(arguments.get("token", ""))


def _check_token(token: str, kind: str) -> None:
    if not token:
        raise Refused("not_authed")
    if token not in (BOT_TOKEN, APP_TOKEN):
        raise Refused("invalid_auth")
    if not token.startswith(kind):
        raise Refused("not_allowed_token_type")
