"""A small language for what a JSON value may look like, which complains in Slack's words and with its JSON pointers."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from playground.people import Json

Complaints = Iterator[str]


def complain(sentence: str, at: str) -> str:
    return f"{sentence} [json-pointer:{at}]"


@dataclass(frozen=True, slots=True)
class String:
    """Text of at most `most` characters."""

    most: int
    least: int = 1

    def check(self, value: object, at: str) -> Complaints:
        if not isinstance(value, str):
            yield complain("must provide a string", at)
        elif len(value) > self.most:
            yield complain(f"must be less than {self.most + 1} characters", at)
        elif len(value) < self.least:
            yield complain(f"must be more than {self.least - 1} characters", at)


@dataclass(frozen=True, slots=True)
class Address:
    """A URL that a person can follow."""

    def check(self, value: object, at: str) -> Complaints:
        yield from String(3000).check(value, at)
        if isinstance(value, str) and not re.match(r"https?://|mailto:|slack://", value):
            yield complain("invalid url", at)


@dataclass(frozen=True, slots=True)
class Flag:
    def check(self, value: object, at: str) -> Complaints:
        if not isinstance(value, bool):
            yield complain("must be a valid boolean", at)


@dataclass(frozen=True, slots=True)
class Number:
    least: int
    most: int

    def check(self, value: object, at: str) -> Complaints:
        if isinstance(value, bool) or not isinstance(value, int):
            yield complain("must be an integer", at)
        elif not self.least <= value <= self.most:
            yield complain(f"must be between {self.least} and {self.most}", at)


@dataclass(frozen=True, slots=True)
class Choice:
    values: tuple[str, ...]

    def check(self, value: object, at: str) -> Complaints:
        if value not in self.values:
            yield complain("must be a valid enum value", at)


@dataclass(frozen=True, slots=True)
class Anything:
    """What the playground passes on without a look."""

    def check(self, value: object, at: str) -> Complaints:  # noqa: ARG002
        yield from ()


@dataclass(frozen=True, slots=True)
class Text:
    """A text object; headers, titles and labels take plain_text only."""

    most: int
    plain: bool = False

    def check(self, value: object, at: str) -> Complaints:
        if not isinstance(value, dict):
            yield complain("must provide an object", at)
            return
        kinds = ("plain_text",) if self.plain else ("plain_text", "mrkdwn")
        if value.get("type") not in kinds:
            yield complain(f"unsupported type: {value.get('type')}", f"{at}/type")
            return
        extra = {"emoji": Flag()} if value["type"] == "plain_text" else {"verbatim": Flag()}
        yield from Object({"text": String(self.most)}, {"type": Anything(), **extra}).check(value, at)


@dataclass(frozen=True, slots=True)
class Object:
    """An object with these fields and no others."""

    required: "dict[str, Shape]"
    optional: "dict[str, Shape]" = field(default_factory=dict)

    def check(self, value: object, at: str) -> Complaints:
        if not isinstance(value, dict):
            yield complain("must provide an object", at)
            return
        for name in self.required:
            if value.get(name) is None:
                yield complain(f"missing required field: {name}", at)
        shapes = self.required | self.optional
        for name, inner in value.items():
            if name not in shapes:
                yield complain(f"invalid additional property: {name}", at)
            elif inner is not None:
                yield from shapes[name].check(inner, f"{at}/{name}")


@dataclass(frozen=True, slots=True)
class Items:
    """A list of at most `most`, and at least one."""

    of: "Shape"
    most: int
    least: int = 1

    def check(self, value: object, at: str) -> Complaints:
        if not isinstance(value, list):
            yield complain("must provide an array", at)
            return
        if len(value) > self.most:
            yield complain(f"no more than {self.most} items allowed", at)
        if len(value) < self.least:
            yield complain(f"no fewer than {self.least} items allowed", at)
        for position, inner in enumerate(value):
            yield from self.of.check(inner, f"{at}/{position}")


@dataclass(frozen=True, slots=True)
class OneOf:
    """An object whose `type` says which of these it is."""

    kinds: "Callable[[], dict[str, Object]]"
    only: tuple[str, ...] = ()

    def check(self, value: object, at: str) -> Complaints:
        if not isinstance(value, dict):
            yield complain("must provide an object", at)
            return
        kind, known = value.get("type"), self.kinds()
        if not isinstance(kind, str) or kind not in known or (self.only and kind not in self.only):
            yield complain(f"unsupported type: {kind}", f"{at}/type")
            return
        yield from known[kind].check(value, at)


Shape = String | Address | Flag | Number | Choice | Anything | Text | Object | Items | OneOf


def block(required: dict[str, Shape], optional: dict[str, Shape] | None = None) -> Object:
    """A block: its own fields, and the two that every block has."""
    return Object({"type": Anything(), **required}, {"block_id": String(255), **(optional or {})})


def element(required: dict[str, Shape], optional: dict[str, Shape] | None = None) -> Object:
    """An interactive element: its own fields, and those that every element has."""
    always: dict[str, Shape] = {"action_id": String(255), "confirm": CONFIRM, "focus_on_load": Flag()}
    return Object({"type": Anything(), **required}, always | (optional or {}))


CONFIRM = Object(
    {"title": Text(100, plain=True), "text": Text(300), "confirm": Text(30, plain=True), "deny": Text(30, plain=True)},
    {"style": Choice(("primary", "danger"))},
)
OPTION = Object({"text": Text(75), "value": String(150)}, {"description": Text(75), "url": Address()})


def twice(values: list[Json], name: str, at: str) -> Complaints:
    """Complains about each id that is there a second time."""
    seen: set[str] = set()
    for position, value in enumerate(values):
        mark = value.get(name, "")
        if mark in seen:
            yield complain(f"`{name}`: {mark} already exists", f"{at}/{position}/{name}")
        seen |= {mark} - {""}
