"""Block Kit and its limits: https://docs.slack.dev/reference/block-kit/blocks"""

import secrets
from typing import Any

from playground.errors import Refused
from playground.people import Json
from playground.shapes import (
    OPTION,
    Address,
    Anything,
    Choice,
    Complaints,
    Flag,
    Items,
    Number,
    Object,
    OneOf,
    Shape,
    String,
    Text,
    block,
    complain,
    element,
    twice,
)

BLOCKS_PER_MESSAGE = 50
CHARACTERS_OF_MARKDOWN = 12_000
CHARACTERS_OF_A_TABLE = 10_000

_IMAGE_ELEMENT = Object({"type": Anything(), "image_url": Address(), "alt_text": String(2000)})
_CHOICES: dict[str, Shape] = {"options": Items(OPTION, 10)}
_PICKED: dict[str, Shape] = {"initial_option": OPTION}
ELEMENTS: dict[str, Object] = {
    "button": element(
        {"text": Text(75, plain=True)},
        {
            "value": String(2000, least=0),
            "url": Address(),
            "style": Choice(("primary", "danger")),
            "accessibility_label": String(75),
        },
    ),
    "static_select": element({"options": Items(OPTION, 100)}, {"placeholder": Text(150, plain=True), **_PICKED}),
    "overflow": element({"options": Items(OPTION, 5)}),
    "radio_buttons": element(_CHOICES, _PICKED),
    "checkboxes": element(_CHOICES, {"initial_options": Items(OPTION, 10)}),
    "plain_text_input": element(
        {},
        {
            "initial_value": String(3000, least=0),
            "multiline": Flag(),
            "min_length": Number(0, 3000),
            "max_length": Number(1, 3000),
            "placeholder": Text(150, plain=True),
            "dispatch_action_config": Anything(),
        },
    ),
    "image": _IMAGE_ELEMENT,
}


def _element(*only: str) -> OneOf:
    return OneOf(lambda: ELEMENTS, only)


class _ContextElement:
    """An image, or a text object."""

    def check(self, value: object, at: str) -> Complaints:
        is_image = isinstance(value, dict) and value.get("type") == "image"
        yield from (_IMAGE_ELEMENT if is_image else Text(2000)).check(value, at)


class _Cell:
    """A table's cell: raw text or rich text."""

    def check(self, value: object, at: str) -> Complaints:
        if isinstance(value, dict) and value.get("type") == "raw_text":
            yield from Object({"type": Anything(), "text": String(CHARACTERS_OF_A_TABLE)}).check(value, at)
        else:
            yield from OneOf(lambda: BLOCKS, ("rich_text",)).check(value, at)


_RICH = ("rich_text_section", "rich_text_list", "rich_text_preformatted", "rich_text_quote")
_RICH_TEXT: Any = Object(
    {"type": Choice(_RICH), "elements": Items(Anything(), 1000, least=0)},
    {"style": Anything(), "indent": Number(0, 8), "offset": Number(0, 10_000), "border": Number(0, 1)},
)
_CONTEXT_ELEMENT: Any = _ContextElement()
_CELL: Any = _Cell()
_INPUTS = ("plain_text_input", "static_select", "radio_buttons", "checkboxes")
BLOCKS: dict[str, Object] = {
    "section": block(
        {},
        {
            "text": Text(3000),
            "fields": Items(Text(2000), 10),
            "accessory": _element("button", "static_select", "overflow", "radio_buttons", "checkboxes", "image"),
            "expand": Flag(),
        },
    ),
    "header": block({"text": Text(150, plain=True)}),
    "context": block({"elements": Items(_CONTEXT_ELEMENT, 10)}),
    "divider": block({}),
    "actions": block(
        {"elements": Items(_element("button", "static_select", "overflow", "radio_buttons", "checkboxes"), 25)}
    ),
    "image": block({"image_url": Address(), "alt_text": String(2000)}, {"title": Text(2000, plain=True)}),
    "markdown": block({"text": String(CHARACTERS_OF_MARKDOWN)}),
    "rich_text": block({"elements": Items(_RICH_TEXT, 100)}),
    "table": block({"rows": Items(Items(_CELL, 20), 100)}, {"column_settings": Items(Anything(), 20)}),
    "input": block(
        {"label": Text(2000, plain=True), "element": _element(*_INPUTS)},
        {"hint": Text(2000, plain=True), "optional": Flag(), "dispatch_action": Flag()},
    ),
}


def read(value: object) -> list[Json]:
    """The blocks of a message, each with a block_id. Raises invalid_blocks_format, invalid_blocks."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise Refused("invalid_blocks_format")
    complaints = list(check(value, "/blocks", most=BLOCKS_PER_MESSAGE))
    if complaints:
        said = [f"[ERROR] {complaint}" for complaint in complaints]
        raise Refused("invalid_blocks", errors=complaints, response_metadata={"messages": said})
    return named(value)


def check(value: list[Any], at: str, *, most: int) -> Complaints:
    """Everything Slack would say against these blocks."""
    shape = Items(OneOf(lambda: BLOCKS), most, least=0)
    complaints = list(shape.check(value, at))
    yield from complaints
    if complaints:
        return
    yield from twice(value, "block_id", at)
    for position, one in enumerate(value):
        yield from _beyond_shape(one, f"{at}/{position}")
    if sum(len(one["text"]) for one in value if one["type"] == "markdown") > CHARACTERS_OF_MARKDOWN:
        yield complain(f"markdown text must be less than {CHARACTERS_OF_MARKDOWN + 1} characters in all", at)


def _beyond_shape(one: Json, at: str) -> Complaints:
    if one["type"] == "section" and not one.get("text") and not one.get("fields"):
        yield complain("missing required field: text or fields", at)
    if one["type"] == "actions":
        yield from twice(one["elements"], "action_id", f"{at}/elements")
    if one["type"] == "table" and _characters(one["rows"]) > CHARACTERS_OF_A_TABLE:
        yield complain(f"table must be less than {CHARACTERS_OF_A_TABLE + 1} characters", at)


def _characters(value: object) -> int:
    """How much text stands anywhere inside."""
    if isinstance(value, list):
        return sum(_characters(inner) for inner in value)
    if isinstance(value, dict):
        return sum(len(inner) if name == "text" and isinstance(inner, str) else _characters(inner)
                   for name, inner in value.items())  # fmt: skip
    return 0


def named(value: list[Json]) -> list[Json]:
    """The same blocks with what Slack adds by itself: a block_id each, and an action_id each."""
    return [_with_actions({"block_id": _mark(), **one}) for one in value]


def _with_actions(one: Json) -> Json:
    if isinstance(one.get("elements"), list) and one["type"] == "actions":
        one["elements"] = [{"action_id": _mark(), **inner} for inner in one["elements"]]
    for name in ("accessory", "element"):
        if isinstance(one.get(name), dict) and one[name].get("type") != "image":
            one[name] = {"action_id": _mark(), **one[name]}
    return one


def _mark() -> str:
    return secrets.token_urlsafe(4)[:5]
