"""Views: what Slack refuses, what a person typed into one, and what the form itself says before the app hears of it."""

from collections.abc import Iterator
from typing import Any

from playground import blocks
from playground.errors import Refused
from playground.people import Json
from playground.shapes import Anything, Choice, Complaints, Flag, Object, String, Text, complain

BLOCKS_PER_VIEW = 100

_EVERY_VIEW: dict[str, Any] = {
    "private_metadata": String(3000, least=0),
    "callback_id": String(255, least=0),
    "external_id": String(255, least=0),
}
_TITLE = Text(24, plain=True)
_SHAPES = {
    "modal": Object(
        {"type": Choice(("modal",)), "title": _TITLE, "blocks": Anything()},
        {"submit": _TITLE, "close": _TITLE, "clear_on_close": Flag(), "notify_on_close": Flag(), **_EVERY_VIEW},
    ),
    "home": Object({"type": Choice(("home",)), "blocks": Anything()}, _EVERY_VIEW),
}

named = blocks.named


def check(wished: Any, kind: str) -> None:
    """Raises invalid_arguments with Slack's complaints."""
    complaints = list(_complaints(wished, kind))
    if complaints:
        raise Refused.because("invalid_arguments", *complaints)


def _complaints(wished: Any, kind: str) -> Complaints:
    complaints = list(_SHAPES[kind].check(wished, "/view"))
    yield from complaints
    if complaints:
        return
    if not isinstance(wished["blocks"], list):
        yield complain("must provide an array", "/view/blocks")
        return
    inner = list(blocks.check(wished["blocks"], "/view/blocks", most=BLOCKS_PER_VIEW))
    yield from inner
    asks = any(one.get("type") == "input" for one in wished["blocks"] if isinstance(one, dict))
    if kind == "modal" and asks and not inner and not wished.get("submit"):
        yield complain("`submit` is required when an `input` block is within blocks", "/view")


def inputs(view: Json) -> Iterator[Json]:
    """The blocks that ask for something."""
    return (one for one in view["blocks"] if one["type"] == "input")


def left_wrong(view: Json, typed: Json) -> dict[str, str]:
    """What the form says by itself, block by block, before the app is asked."""
    wrong: dict[str, str] = {}
    for one in inputs(view):
        value, element = typed.get(one["block_id"]), one["element"]
        if not value and not one.get("optional"):
            wrong[one["block_id"]] = "Please complete this required field."
        elif value and element["type"] == "plain_text_input":
            if len(value) < element.get("min_length", 0):
                wrong[one["block_id"]] = f"Please use at least {element['min_length']} characters."
            elif len(value) > element.get("max_length", 3000):
                wrong[one["block_id"]] = f"Please use no more than {element.get('max_length', 3000)} characters."
    return wrong


def filled(view: Json, typed: Json) -> Json:
    """`state.values` of a view_submission: block_id → action_id → what was typed or picked."""
    return {
        one["block_id"]: {one["element"]["action_id"]: _entered(one["element"], typed.get(one["block_id"]))}
        for one in inputs(view)
    }


def _entered(element: Json, typed: Any) -> Json:
    kind = element["type"]
    if kind == "plain_text_input":
        return {"type": kind, "value": typed or None}
    if kind == "checkboxes":
        return {"type": kind, "selected_options": [one for one in element["options"] if one["value"] in (typed or [])]}
    picked = next((one for one in element["options"] if one["value"] == typed), None)
    return {"type": kind, "selected_option": picked}


def answered(view: Json, errors: Any) -> dict[str, str] | None:
    """The errors of a `response_action: errors`, or None when they do not name this view's inputs, as Slack demands."""
    known = {one["block_id"] for one in inputs(view)}
    if not isinstance(errors, dict) or not errors or set(errors) - known:
        return None
    return {block: str(sentence) for block, sentence in errors.items()}


def refused_view(wished: Any) -> bool:
    """Whether Slack would refuse this view in an answer to a submission."""
    try:
        check(wished, "modal")
    except Refused:
        return True
    return False
