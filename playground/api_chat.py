"""chat.*: https://docs.slack.dev/reference/methods/chat.postMessage and its neighbours."""

from playground import blocks
from playground.errors import Refused
from playground.messages import Message
from playground.methods import Call, method
from playground.people import BOT_USER, Json

TEXT_KEPT = 40_000
TEXT_OF_AN_UPDATE = 4_000
_CONTENT = "text blocks attachments markdown_text as_user link_names parse"
_LOOKS = "icon_emoji icon_url username"


@method(
    "chat.postMessage",
    scope="chat:write",
    required="channel",
    optional=f"{_CONTENT} {_LOOKS} metadata mrkdwn thread_ts reply_broadcast unfurl_links unfurl_media",
    takes_json=True,
)
def post_message(call: Call) -> Json:
    channel = call.channel(joined=True)
    _check_appearance(call)
    message = Message(
        channel.id,
        call.world.clock.stamp(),
        BOT_USER,
        call.text("text")[:TEXT_KEPT],
        blocks=_blocks(call),
        attachments=_attachments(call),
        thread_ts=_thread(call),
        broadcast=call.flag("reply_broadcast"),
        metadata=_metadata(call) or None,
    )
    _require_content(message)
    call.world.post(message)
    return {"channel": channel.id, "ts": message.ts, "message": message.as_slack(include_metadata=True)}


@method(
    "chat.update",
    scope="chat:write",
    required="channel ts",
    optional=f"{_CONTENT} metadata reply_broadcast file_ids",
    takes_json=True,
)
def update(call: Call) -> Json:
    channel = call.channel(joined=True)
    message = channel.find(call.text("ts"))
    if message.author != BOT_USER:
        raise Refused("cant_update_message")
    text, new_blocks, metadata = call.text("text"), _blocks(call), _metadata(call)
    if len(text) > TEXT_OF_AN_UPDATE:
        raise Refused("msg_too_long")
    if not text and not new_blocks:
        raise Refused("no_text")
    message.text, message.blocks = text or message.text, new_blocks
    if not new_blocks:  # Slack shows "(edited)" only where there are no blocks
        message.edited = {"user": BOT_USER, "ts": call.world.clock.stamp()}
    if metadata is not None:
        message.metadata = metadata or None
    call.world.changes.tell()
    shown = message.as_slack(include_metadata=True)
    return {"channel": channel.id, "ts": message.ts, "text": message.text, "message": shown}


@method(
    "chat.postEphemeral",
    scope="chat:write",
    required="channel user",
    optional=f"{_CONTENT} {_LOOKS} thread_ts",
    takes_json=True,
)
def post_ephemeral(call: Call) -> Json:
    channel = call.channel(joined=True)
    _check_appearance(call)
    person = call.text("user")
    if person not in channel.members:
        raise Refused("user_not_in_channel")
    if len(call.text("text")) > TEXT_KEPT:
        raise Refused("msg_too_long")
    stamp = call.world.clock.stamp()
    message = Message(channel.id, stamp, BOT_USER, call.text("text"), _blocks(call), thread_ts=_thread(call))
    _require_content(message)
    call.world.show_to(person, message)
    return {"message_ts": message.ts}


@method("chat.getPermalink", scope=None, required="channel message_ts")
def get_permalink(call: Call) -> Json:
    channel = call.channel(joined=False)
    message = channel.find(call.text("message_ts"))
    return {"channel": channel.id, "permalink": call.world.permalink(channel.id, message)}


def _check_appearance(call: Call) -> None:
    """Another name or icon takes a scope that the bot does not ask for."""
    if any(name in call.arguments for name in _LOOKS.split()) and "chat:write.customize" not in call.world.grant.scopes:
        provided = ",".join(sorted(call.world.grant.scopes))
        raise Refused("missing_scope", needed="chat:write.customize", provided=provided)


def _blocks(call: Call) -> list[Json]:
    return blocks.read(call.structure("blocks", otherwise="invalid_blocks_format"))


def _attachments(call: Call) -> list[Json]:
    attachments = call.structure("attachments", otherwise="invalid_attachments") or []
    if not isinstance(attachments, list):
        raise Refused("invalid_attachments")
    if len(attachments) > 100:
        raise Refused("too_many_attachments")
    return attachments


def _metadata(call: Call) -> Json | None:
    """None when the argument is absent, empty when the metadata shall go."""
    metadata = call.structure("metadata", otherwise="invalid_metadata_format")
    if metadata is None or metadata == {}:
        return metadata
    if not isinstance(metadata, dict):
        raise Refused("invalid_metadata_format")
    right = isinstance(metadata.get("event_type"), str) and isinstance(metadata.get("event_payload"), dict)
    if not right or metadata.keys() - {"event_type", "event_payload"}:
        raise Refused("invalid_metadata_schema")
    return metadata


def _thread(call: Call) -> str | None:
    """The parent's ts, also when one of its replies was named."""
    if not (thread_ts := call.text("thread_ts")):
        return None
    parents = (message for message in call.channel(joined=True).messages if message.ts == thread_ts)
    parent = next(parents, None)
    if parent is None:
        raise Refused("cannot_reply_to_message")
    return parent.thread_ts or parent.ts


def _require_content(message: Message) -> None:
    if not message.text and not message.blocks and not message.attachments:
        raise Refused("no_text")
