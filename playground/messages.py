"""Channels and what stands in them, in the shapes of Slack's message object."""

import mimetypes
from dataclasses import dataclass, field
from urllib.parse import quote

from playground.errors import Refused
from playground.people import APP, BOT, BOT_USER, TEAM, Json

_BOT_PROFILE: Json = {
    "id": BOT,
    "app_id": APP,
    "user_id": BOT_USER,
    "name": "Twokey",
    "icons": {},
    "deleted": False,
    "updated": 1760000000,
    "team_id": TEAM,
}


@dataclass(slots=True)
class File:
    """A file that is uploaded in steps: announced, then sent (`content`), then finished."""

    id: str
    name: str
    length: int
    alt_text: str
    title: str = ""
    content: bytes | None = None
    finished: bool = False

    @property
    def kind(self) -> str:
        """Its media type, by its name."""
        return mimetypes.guess_type(self.name)[0] or "text/plain"

    def as_slack(self, address: str) -> Json:
        """The file object: https://docs.slack.dev/reference/objects/file-object/"""
        url = f"{address}/files/{self.id}/{quote(self.name)}"
        return {
            "id": self.id,
            "name": self.name,
            "title": self.title,
            "mimetype": self.kind,
            "filetype": self.name.rpartition(".")[2],
            "size": self.length,
            "mode": "hosted",
            "user": BOT_USER,
            "is_public": True,
            "alt_txt": self.alt_text,
            "url_private": url,
            "url_private_download": url,
        }


@dataclass(slots=True)
class Message:
    """One message. `reactions` keeps who reacted with what, in the order in which they did."""

    channel: str
    ts: str
    author: str
    text: str
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    thread_ts: str | None = None
    broadcast: bool = False
    metadata: Json | None = None
    edited: Json | None = None
    reactions: dict[str, list[str]] = field(default_factory=dict)
    files: list[Json] = field(default_factory=list)

    @property
    def is_reply(self) -> bool:
        """True below the parent of a thread."""
        return self.thread_ts not in (None, self.ts)

    def as_slack(self, *, include_metadata: bool = False) -> Json:
        """The message object without what depends on its thread or its reactions."""
        body: Json = {"user": self.author, "type": "message", "ts": self.ts, "text": self.text, "team": TEAM}
        if self.author == BOT_USER:
            body |= {"bot_id": BOT, "app_id": APP, "bot_profile": _BOT_PROFILE}
        if self.broadcast:
            body["subtype"] = "thread_broadcast"
        optional = {"blocks": self.blocks, "attachments": self.attachments, "edited": self.edited, "files": self.files}
        body |= {name: value for name, value in optional.items() if value}
        if self.thread_ts:
            body["thread_ts"] = self.thread_ts
        if include_metadata and self.metadata:
            body["metadata"] = self.metadata
        return body

    def reacted(self, *, full: bool = True) -> list[Json]:
        """The `reactions` list. Slack only promises all of `users` when asked for the full list; `count` is right."""
        return [
            {"name": name, "users": list(users if full else users[:1]), "count": len(users)}
            for name, users in self.reactions.items()
        ]


@dataclass(slots=True)
class Channel:
    """A public channel and its messages, oldest first."""

    id: str
    name: str
    members: list[str]
    purpose: str
    flags: Json = field(default_factory=lambda: {"is_ext_shared": False, "is_shared": False, "is_archived": False})
    messages: list[Message] = field(default_factory=list)

    def find(self, ts: str) -> Message:
        """The message at `ts`, a reply or not. Raises message_not_found."""
        for message in self.messages:
            if message.ts == ts:
                return message
        raise Refused("message_not_found")

    def replies(self, ts: str) -> list[Message]:
        """What was answered below the message at `ts`, oldest first."""
        return [message for message in self.messages if message.is_reply and message.thread_ts == ts]

    def timeline(self) -> list[Message]:
        """What the channel itself shows: no replies, unless they were broadcast."""
        return [message for message in self.messages if not message.is_reply or message.broadcast]

    def show(self, message: Message, *, include_metadata: bool = False) -> Json:
        """The message object with its reactions and, for a parent, what is known of its thread."""
        body = message.as_slack(include_metadata=include_metadata)
        if message.reactions:
            body["reactions"] = message.reacted()
        if message.is_reply:
            body["parent_user_id"] = self._author(message.thread_ts or "")
        elif replies := self.replies(message.ts):
            repliers = list(dict.fromkeys(reply.author for reply in replies))
            body |= {
                "thread_ts": message.ts,
                "reply_count": len(replies),
                "reply_users_count": len(repliers),
                "reply_users": repliers,
                "latest_reply": replies[-1].ts,
                "is_locked": False,
                "subscribed": True,
            }
        return body

    def _author(self, ts: str) -> str:
        return next((message.author for message in self.messages if message.ts == ts), BOT_USER)

    def as_slack(self) -> Json:
        """The channel object of `conversations.info`."""
        return {
            "id": self.id,
            "name": self.name,
            "name_normalized": self.name,
            "is_channel": True,
            "is_group": False,
            "is_im": False,
            "is_mpim": False,
            "is_private": False,
            "is_general": self.name == "general",
            "is_org_shared": False,
            "is_pending_ext_shared": False,
            "is_member": BOT_USER in self.members,
            "context_team_id": TEAM,
            "shared_team_ids": [TEAM],
            "created": 1760000000,
            "creator": "U0ENGINEER",
            "topic": {"value": "", "creator": "", "last_set": 0},
            "purpose": {"value": self.purpose, "creator": "U0ENGINEER", "last_set": 1760000000},
            **self.flags,
        }
