"""How a method of the Web API is declared, and the arguments of one call, read the way Slack reads them."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from playground.errors import Refused
from playground.messages import Channel
from playground.people import BOT_USER, Json
from playground.world import World


@dataclass(frozen=True, slots=True)
class Call:
    """One call. `arguments` are as they came: text from a form, anything from JSON; null is the same as absent."""

    world: World
    arguments: Json

    def text(self, name: str, default: str = "") -> str:
        value = self.arguments.get(name, default)
        return value if isinstance(value, str) else json.dumps(value)

    def flag(self, name: str) -> bool:
        return self.arguments.get(name) in (True, 1, "1", "true", "True")

    def number(self, name: str, *, default: int, most: int) -> int:
        value = str(self.arguments.get(name, default))
        if not value.isdecimal() or not 1 <= int(value) <= most:
            raise Refused.because("invalid_arguments", f"must be between 1 and {most} [json-pointer:/{name}]")
        return int(value)

    def structure(self, name: str, *, otherwise: str) -> Any:
        """A JSON value, which may come as a string that holds it; None when absent. Raises `otherwise`."""
        value = self.arguments.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value) if value else None
        except ValueError as error:
            raise Refused(otherwise) from error

    def timestamp(self, name: str, *, otherwise: str) -> str:
        value = self.text(name)
        if not re.fullmatch(r"\d{1,10}\.\d{6}", value):
            raise Refused(otherwise)
        return value

    def channel(self, *, joined: bool, named: str = "channel") -> Channel:
        """The channel that is meant. Raises channel_not_found, and not_in_channel where the bot must be in it."""
        channel = self.world.channel(self.text(named))
        if joined and BOT_USER not in channel.members:
            raise Refused("not_in_channel")
        return channel


@dataclass(frozen=True, slots=True)
class Method:
    """What Slack's reference says of one method."""

    name: str
    act: Callable[[Call], Json]
    scope: str | None
    required: frozenset[str]
    optional: frozenset[str]
    takes_json: bool
    token: str

    def check(self, arguments: Json) -> None:
        """Raises invalid_arguments for what is missing and for what Slack does not know."""
        missing = [f"missing required field: {name}" for name in sorted(self.required - arguments.keys())]
        unknown = arguments.keys() - self.required - self.optional - {"token", "team_id"}
        strange = [f"invalid additional property: {name}" for name in sorted(unknown)]
        if missing or strange:
            raise Refused.because("invalid_arguments", *missing, *strange)


METHODS: dict[str, Method] = {}


def method(
    name: str,
    *,
    scope: str | None,
    required: str = "",
    optional: str = "",
    takes_json: bool = False,
    token: str = "xoxb",
) -> Callable[[Callable[[Call], Json]], Callable[[Call], Json]]:
    """Declare a method; argument names are separated by spaces. The function returns the answer without `ok`."""

    def declare(act: Callable[[Call], Json]) -> Callable[[Call], Json]:
        wanted, allowed = frozenset(required.split()), frozenset(optional.split())
        METHODS[name] = Method(name, act, scope, wanted, allowed, takes_json, token)
        return act

    return declare
