"""What an app says back: the body of an ack, and the uses of a response_url."""

from typing import Any

from playground import blocks
from playground.errors import Refused
from playground.messages import Message
from playground.people import BOT_USER, Json
from playground.world import LINK_SECONDS, LINK_USES, Link, World

_KNOWN = {
    "text", "blocks", "attachments", "response_type", "replace_original", "delete_original", "thread_ts", "metadata",
    "mrkdwn", "unfurl_links", "unfurl_media",
}  # fmt: skip


def say(world: World, link: Link, body: Json) -> Message | None:
    """Show what the app says to the person, or to the channel with `response_type: in_channel`; None for nothing.

    Raises invalid_blocks and its like.
    """
    found = blocks.read(body.get("blocks"))
    text = str(body.get("text") or "")
    if not text and not found:
        return None
    thread_ts = body.get("thread_ts") or link.thread_ts
    message = Message(link.channel, world.clock.stamp(), BOT_USER, text, found, thread_ts=thread_ts)
    if body.get("response_type") == "in_channel":
        return world.post(message)
    return world.show_to(link.person, message).message


def respond(world: World, key: str, body: Any) -> Json:
    """One use of a response_url. Raises Refused with Slack's names for a bad one."""
    link = world.links.get(key)
    if link is None:
        raise Refused("invalid_url")
    if world.clock.now() - link.born > LINK_SECONDS:
        raise Refused("expired_url")
    if link.uses >= LINK_USES:
        raise Refused("used_url")
    if not isinstance(body, dict):
        raise Refused("invalid_payload")
    if strange := body.keys() - _KNOWN:
        raise Refused.because(
            "invalid_arguments", *(f"invalid additional property: {name}" for name in sorted(strange))
        )
    link.uses += 1
    _act(world, link, body)
    return {"ok": True}


def _act(world: World, link: Link, body: Json) -> None:
    """Replace, delete or say.

    Only a click has an original. With a slash command's address Slack ignores `replace_original` and adds a message
    (slackapi/bolt-js#2287, slackapi/bolt-python#1268).
    """
    if link.source and _true(body, "delete_original"):
        _delete(world, link)
    elif link.source and _true(body, "replace_original"):
        _replace(world, link, body)
    elif say(world, link, body) is None:
        raise Refused("no_text")


def _true(body: Json, name: str) -> bool:
    return body.get(name) in (True, "true")


def _original(world: World, link: Link) -> Message:
    ephemeral = world.ephemeral(link.source or "")
    return ephemeral.message if ephemeral else world.channel(link.channel).find(link.source or "")


def _delete(world: World, link: Link) -> None:
    original = _original(world, link)
    world.ephemerals = [one for one in world.ephemerals if one.message is not original]
    messages = world.channel(link.channel).messages
    messages[:] = [one for one in messages if one is not original]
    world.changes.tell()


def _replace(world: World, link: Link, body: Json) -> None:
    original = _original(world, link)
    found = blocks.read(body.get("blocks"))
    if not found and not body.get("text"):
        raise Refused("no_text")
    original.text, original.blocks = str(body.get("text") or ""), found
    world.changes.tell()
