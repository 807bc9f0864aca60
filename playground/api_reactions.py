"""reactions.*: https://docs.slack.dev/reference/methods/reactions.add and reactions.get."""

from playground import emoji
from playground.errors import Refused
from playground.messages import Message
from playground.methods import Call, method
from playground.people import BOT_USER, Json

KINDS_PER_MESSAGE = 23


def add(message: Message, *, person: str, name: str) -> str:
    """React; returns the name that Slack stores. Raises invalid_name, already_reacted, too_many_emoji."""
    known = emoji.canonical(name)
    if known is None:
        raise Refused("invalid_name")
    if person in message.reactions.get(known, []):
        raise Refused("already_reacted")
    if known not in message.reactions and len(message.reactions) >= KINDS_PER_MESSAGE:
        raise Refused("too_many_emoji")
    message.reactions.setdefault(known, []).append(person)
    return known


def remove(message: Message, *, person: str, name: str) -> str:
    """Take one's reaction away; returns the name that Slack stored. Raises invalid_name, no_reaction."""
    known = emoji.canonical(name)
    if known is None:
        raise Refused("invalid_name")
    if person not in message.reactions.get(known, []):
        raise Refused("no_reaction")
    message.reactions[known].remove(person)
    if not message.reactions[known]:
        del message.reactions[known]
    return known


@method("reactions.add", scope="reactions:write", required="name", optional="channel timestamp", takes_json=True)
def add_as_bot(call: Call) -> Json:
    add(_message(call), person=BOT_USER, name=call.text("name"))
    call.world.changes.tell()
    return {}


@method("reactions.get", scope="reactions:read", optional="channel timestamp full file file_comment")
def get(call: Call) -> Json:
    message = _message(call)
    shown = message.as_slack()
    if message.reactions:
        shown["reactions"] = message.reacted(full=call.flag("full"))
    shown["permalink"] = call.world.permalink(message.channel, message)
    return {"type": "message", "channel": message.channel, "message": shown}


def _message(call: Call) -> Message:
    if not call.text("channel") or not call.text("timestamp"):
        raise Refused("no_item_specified")
    channel = call.channel(joined=False)
    return channel.find(call.timestamp("timestamp", otherwise="bad_timestamp"))
