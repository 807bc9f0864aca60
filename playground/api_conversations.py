"""conversations.*, users.* and usergroups.*: reading what stands in a channel and who the people are."""

import base64
import binascii

from playground.errors import Refused
from playground.messages import Channel, Message
from playground.methods import Call, method
from playground.people import Json

_PAGE = "cursor inclusive include_all_metadata latest limit oldest"


@method("users.info", scope="users:read", required="user", optional="include_locale")
def user_info(call: Call) -> Json:
    """The e-mail address takes a scope of its own; without it the field is not there."""
    person = call.world.person(call.text("user"))
    user = person.as_slack()
    if "users:read.email" in call.world.grant.scopes:
        user["profile"]["email"] = person.email
    return {"user": user}


@method("usergroups.users.list", scope="usergroups:read", required="usergroup", optional="include_disabled")
def group_members(call: Call) -> Json:
    """Who is in a user group; https://docs.slack.dev/reference/methods/usergroups.users.list"""
    members = call.world.groups.get(call.text("usergroup"))
    if members is None:
        raise Refused("no_such_subteam")
    return {"users": list(members)}


@method("conversations.info", scope="channels:read", required="channel", optional="include_locale include_num_members")
def info(call: Call) -> Json:
    channel = call.channel(joined=False)
    shown = channel.as_slack()
    if call.flag("include_num_members"):
        shown["num_members"] = len(channel.members)
    return {"channel": shown}


@method("conversations.history", scope="channels:history", required="channel", optional=_PAGE)
def history(call: Call) -> Json:
    """Newest first."""
    channel = call.channel(joined=True)
    newest_first = list(reversed(_between(call, channel.timeline())))
    answer = _page(call, channel, newest_first, most=999, default=100)
    return answer | {"pin_count": 0, "channel_actions_ts": None, "channel_actions_count": 0}


@method("conversations.replies", scope="channels:history", required="channel ts", optional=_PAGE)
def replies(call: Call) -> Json:
    """The parent, then its replies, oldest first."""
    channel = call.channel(joined=True)
    try:
        named = channel.find(call.text("ts"))
    except Refused as error:
        raise Refused("thread_not_found") from error
    parent = channel.find(named.thread_ts) if named.thread_ts else named
    found = [parent, *_between(call, channel.replies(parent.ts))]
    return _page(call, channel, found, most=1000, default=1000)


def _between(call: Call, messages: list[Message]) -> list[Message]:
    """Those after `oldest` and before `latest`; a `ts` compares as text, since all have ten digits and six."""
    oldest, latest, inclusive = call.text("oldest"), call.text("latest"), call.flag("inclusive")
    if oldest in ("", "0"):
        oldest = "0000000000.000000"
    if latest in ("", "now"):
        latest = "9999999999.999999"

    def inside(ts: str) -> bool:
        return oldest < ts < latest or (inclusive and ts in (oldest, latest))

    return [message for message in messages if inside(message.ts)]


def _page(call: Call, channel: Channel, messages: list[Message], *, most: int, default: int) -> Json:
    start = _start(call.text("cursor"))
    end = start + call.number("limit", default=default, most=most)
    with_metadata = call.flag("include_all_metadata")
    answer: Json = {
        "messages": [channel.show(message, include_metadata=with_metadata) for message in messages[start:end]],
        "has_more": end < len(messages),
    }
    if answer["has_more"]:
        cursor = base64.b64encode(f"next:{end}".encode()).decode()
        answer["response_metadata"] = {"next_cursor": cursor}
    return answer


def _start(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        return int(base64.b64decode(cursor, validate=True).decode().removeprefix("next:"))
    except (binascii.Error, ValueError) as error:
        raise Refused("invalid_cursor") from error
