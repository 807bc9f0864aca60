"""Block Kit's limits, at the last value that fits and the first that does not."""

from typing import Any

import pytest

from playground import blocks, modals
from playground.errors import Refused


def plain(length: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": "x" * length}


def button(**more: Any) -> dict[str, Any]:
    return {"type": "button", "text": plain(1), **more}


def actions(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "actions", "elements": list(elements)}


def section(length: int = 1, **more: Any) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": "x" * length}, **more}


def asking(**element: Any) -> dict[str, Any]:
    return {"type": "input", "label": plain(1), "element": {"type": "plain_text_input", **element}}


def confirm(**more: int) -> dict[str, Any]:
    lengths = {"title": 1, "text": 1, "confirm": 1, "deny": 1} | more
    return {name: plain(length) for name, length in lengths.items()}


def complaints(*value: dict[str, Any]) -> list[str]:
    return list(blocks.check(list(value), "/blocks", most=blocks.BLOCKS_PER_MESSAGE))


TWINS = actions(button(action_id="a"), button(action_id="a"))
ROW = [{"type": "raw_text", "text": "x"}]
AT_THE_LIMIT = [
    ("section text", 3000, section),
    ("section fields", 10, lambda n: {"type": "section", "fields": [plain(1)] * n}),
    ("field text", 2000, lambda n: {"type": "section", "fields": [plain(n)]}),
    ("header", 150, lambda n: {"type": "header", "text": plain(n)}),
    ("context elements", 10, lambda n: {"type": "context", "elements": [plain(1)] * n}),
    ("actions elements", 25, lambda n: actions(*[button()] * n)),
    ("button text", 75, lambda n: actions(button(text=plain(n)))),
    ("button value", 2000, lambda n: actions(button(value="x" * n))),
    ("action_id", 255, lambda n: actions(button(action_id="x" * n))),
    ("block_id", 255, lambda n: section(block_id="x" * n)),
    ("button url", 3000, lambda n: actions(button(url="https://" + "x" * (n - 8)))),
    ("confirm title", 100, lambda n: actions(button(confirm=confirm(title=n)))),
    ("confirm text", 300, lambda n: actions(button(confirm=confirm(text=n)))),
    ("confirm deny", 30, lambda n: actions(button(confirm=confirm(deny=n)))),
    ("image alt", 2000, lambda n: {"type": "image", "image_url": "https://x/y.png", "alt_text": "x" * n}),
    ("markdown", 12_000, lambda n: {"type": "markdown", "text": "x" * n}),
    ("table rows", 100, lambda n: {"type": "table", "rows": [ROW] * n}),
    ("table cells", 20, lambda n: {"type": "table", "rows": [ROW * n]}),
    ("table characters", 10_000, lambda n: {"type": "table", "rows": [[{"type": "raw_text", "text": "x" * n}]]}),
    ("input label", 2000, lambda n: asking() | {"label": plain(n)}),
    ("placeholder", 150, lambda n: asking(placeholder=plain(n))),
    ("initial value", 3000, lambda n: asking(initial_value="x" * n)),
    ("min_length", 3000, lambda n: asking(min_length=n)),
]


@pytest.mark.parametrize(("limit", "make"), [case[1:] for case in AT_THE_LIMIT], ids=[case[0] for case in AT_THE_LIMIT])
def test_a_limit_is_met_and_not_passed(limit, make):
    assert complaints(make(limit)) == []
    assert len(complaints(make(limit + 1))) == 1


def test_fifty_blocks_and_no_more():
    assert complaints(*[{"type": "divider"}] * 50) == []
    assert complaints(*[{"type": "divider"}] * 51) == ["no more than 50 items allowed [json-pointer:/blocks]"]


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ({"type": "plan"}, "unsupported type: plan [json-pointer:/blocks/0/type]"),
        ("text", "must provide an object [json-pointer:/blocks/0]"),
        ({"type": "section"}, "missing required field: text or fields [json-pointer:/blocks/0]"),
        ({"type": "header"}, "missing required field: text [json-pointer:/blocks/0]"),
        (section(colour="red"), "invalid additional property: colour [json-pointer:/blocks/0]"),
        (section(0), "must be more than 0 characters [json-pointer:/blocks/0/text/text]"),
        (section(3001), "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"),
        (section(expand="yes"), "must be a valid boolean [json-pointer:/blocks/0/expand]"),
        ({"type": "section", "text": "hello"}, "must provide an object [json-pointer:/blocks/0/text]"),
        ({"type": "header", "text": section()["text"]}, "unsupported type: mrkdwn [json-pointer:/blocks/0/text/type]"),
        (actions(button(style="loud")), "must be a valid enum value [json-pointer:/blocks/0/elements/0/style]"),
        (actions(button(url="javascript:x")), "invalid url [json-pointer:/blocks/0/elements/0/url]"),
        (actions(), "no fewer than 1 items allowed [json-pointer:/blocks/0/elements]"),
        (actions(asking()["element"]), "unsupported type: plain_text_input [json-pointer:/blocks/0/elements/0/type]"),
        (TWINS, "`action_id`: a already exists [json-pointer:/blocks/0/elements/1/action_id]"),
        ({"type": "context", "elements": "x"}, "must provide an array [json-pointer:/blocks/0/elements]"),
        (asking(max_length="9"), "must be an integer [json-pointer:/blocks/0/element/max_length]"),
        (asking(max_length=0), "must be between 1 and 3000 [json-pointer:/blocks/0/element/max_length]"),
        (section(block_id=7), "must provide a string [json-pointer:/blocks/0/block_id]"),
    ],
)  # fmt: skip
def test_what_is_said_of_a_wrong_block(block, said):
    assert complaints(block) == [said]


def test_two_blocks_with_one_id():
    two = complaints(section(block_id="a"), section(block_id="a"))
    assert two == ["`block_id`: a already exists [json-pointer:/blocks/1/block_id]"]


def test_markdown_counts_over_the_whole_message():
    half = {"type": "markdown", "text": "x" * 6001}
    assert complaints(half, half) == ["markdown text must be less than 12001 characters in all [json-pointer:/blocks]"]


def test_the_refusal_says_where():
    with pytest.raises(Refused) as caught:
        blocks.read([section(3001)])
    assert caught.value.as_slack() == {
        "ok": False,
        "error": "invalid_blocks",
        "errors": ["must be less than 3001 characters [json-pointer:/blocks/0/text/text]"],
        "response_metadata": {
            "messages": ["[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]"]
        },
    }


def test_rich_text_and_pictures_pass():
    rich = {
        "type": "rich_text",
        "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "x"}]}],
    }
    picture = {"type": "image", "image_url": "https://x/y.png", "alt_text": "x"}
    assert complaints(rich, {"type": "context", "elements": [picture]}, section(accessory=picture)) == []
    assert complaints({"type": "table", "rows": [[rich]]}) == []


def modal(**more: Any) -> dict[str, Any]:
    return {"type": "modal", "title": plain(1), "submit": plain(1), "blocks": [asking()], **more}


@pytest.mark.parametrize(
    ("limit", "make"),
    [
        (24, lambda n: modal(title=plain(n))),
        (24, lambda n: modal(submit=plain(n))),
        (24, lambda n: modal(close=plain(n))),
        (255, lambda n: modal(callback_id="x" * n)),
        (3000, lambda n: modal(private_metadata="x" * n)),
        (100, lambda n: modal(blocks=[{"type": "divider"}] * n)),
    ],
)
def test_a_views_limit_is_met_and_not_passed(limit, make):
    modals.check(make(limit), "modal")
    with pytest.raises(Refused, match="invalid_arguments"):
        modals.check(make(limit + 1), "modal")


@pytest.mark.parametrize(
    ("view", "said"),
    [
        (
            modal(submit=None),
            "[ERROR] `submit` is required when an `input` block is within blocks [json-pointer:/view]",
        ),
        (modal(type="home"), "[ERROR] must be a valid enum value [json-pointer:/view/type]"),
        (modal(blocks={}), "[ERROR] must provide an array [json-pointer:/view/blocks]"),
        (modal(blocks=["x"]), "[ERROR] must provide an object [json-pointer:/view/blocks/0]"),
        ("view", "[ERROR] must provide an object [json-pointer:/view]"),
    ],
)
def test_what_is_said_of_a_wrong_view(view, said):
    with pytest.raises(Refused) as caught:
        modals.check(view, "modal")
    assert caught.value.more["response_metadata"] == {"messages": [said]}
