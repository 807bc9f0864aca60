"""What the bot says to Slack and reads from it: one method per deed, one error for whatever goes wrong."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPException
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.webhook import WebhookClient

from bot.blocks import Body
from bot.enclosures import Enclosure
from ledger.workflow import emoji

#: The metadata by which a message whose post was not answered is found again.
EVENT_TYPE = "twokey"

#: How far back a lost message is looked for, in pages of a hundred.
PAGES = 5

#: Slack refuses the blocks; the sentence in `text` can still be said.
_BLOCKS_REFUSED = {
    "invalid_blocks",
    "invalid_blocks_format",
    "msg_blocks_too_long",
    "blocks_too_long",
    "invalid_attachments",
}


class SlackFailed(Exception):
    """Slack did not do it, or did not say whether it did. `error` is Slack's own name, or the transport's."""

    def __init__(self, deed: str, error: str, retry_after: float | None = None) -> None:
        super().__init__(deed, error, retry_after)
        self.deed, self.error, self.retry_after = deed, error, retry_after

    def __str__(self) -> str:
        return f"Slack did not {self.deed}: {self.error}. Nothing is lost; try again in a moment."


class Voice:
    """The bot's tongue and its eyes on Slack."""

    def __init__(self, client: WebClient, *, timeout: int = 5) -> None:
        """`client` must not retry by itself: a post whose answer was lost would stand there twice."""
        self._client, self._timeout = client, timeout
        self._known: dict[str, str] = {}

    def post(self, channel: str, body: Body, *, key: str, thread_ts: str | None = None, broadcast: bool = False) -> str:
        """Post a message that carries `key` and return its ts. Where Slack refuses the blocks, the sentence alone."""
        try:
            return self._post(channel, body.as_arguments(), key=key, thread_ts=thread_ts, broadcast=broadcast)
        except SlackFailed as failed:
            if failed.error not in _BLOCKS_REFUSED:
                raise
            return self._post(channel, {"text": body.text}, key=key, thread_ts=thread_ts, broadcast=broadcast)

    def _post(
        self, channel: str, content: Mapping[str, Any], *, key: str, thread_ts: str | None, broadcast: bool
    ) -> str:
        place = {} if thread_ts is None else {"thread_ts": thread_ts, "reply_broadcast": broadcast}
        with _translated("post"):
            answer = self._client.chat_postMessage(
                channel=channel,
                unfurl_links=False,
                unfurl_media=False,
                metadata={"event_type": EVENT_TYPE, "event_payload": {"delivery": key}},
                **place,
                **content,
            )
        return str(answer["ts"])

    def edit(self, channel: str, ts: str, body: Body) -> None:
        """Let a message of ours say something else; its metadata stays."""
        try:
            with _translated("edit"):
                self._client.chat_update(channel=channel, ts=ts, **body.as_arguments())
        except SlackFailed as failed:
            if failed.error not in _BLOCKS_REFUSED:
                raise
            with _translated("edit"):
                self._client.chat_update(channel=channel, ts=ts, text=body.text)

    def find(self, channel: str, *, key: str, thread_ts: str | None = None) -> str | None:
        """The ts of our message that carries `key`, or None when it does not stand there."""
        for message in self._look_back(channel, thread_ts):
            if message.get("metadata", {}).get("event_payload", {}).get("delivery") == key:
                return message["ts"]
        return None

    def _look_back(self, channel: str, thread_ts: str | None) -> Iterator[dict[str, Any]]:
        """The messages of a thread, or the newest of a channel."""
        place: dict[str, Any] = {"channel": channel, "limit": 100, "include_all_metadata": True}
        cursor = None
        for _ in range(PAGES):
            with _translated("look back"):
                if thread_ts is None:
                    page = self._client.conversations_history(**place, cursor=cursor)
                else:
                    page = self._client.conversations_replies(**place, ts=thread_ts, cursor=cursor)
            yield from page.get("messages", [])
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                break

    def upload(self, channel: str, file: Enclosure, content: bytes, *, comment: str, thread_ts: str | None) -> str:
        """Put a file into a channel or thread and return its id. Slack tells no ts: it shares a file a little later."""
        with _translated("take the file"):
            answer = self._client.files_upload_v2(
                channel=channel,
                thread_ts=thread_ts,
                filename=file.name,
                title=file.title,
                alt_txt=file.alt,
                content=content,
                initial_comment=comment,
            )
        return str((answer.get("files") or [{}])[0].get("id") or file.name)

    def find_file(self, channel: str, name: str, *, thread_ts: str | None) -> str | None:
        """The id of our own file of that name, or None; somebody else's may be called the same."""
        ours = self._identity()["user_id"]
        for message in self._look_back(channel, thread_ts):
            for file in message.get("files", []):
                if file.get("name") == name and file.get("user") == ours:
                    return str(file["id"])
        return None

    def whisper(self, channel: str, actor_id: str, body: Body) -> None:
        """Show something to one person alone, in a channel that the bot is in."""
        with _translated("whisper"):
            self._client.chat_postEphemeral(channel=channel, user=actor_id, **body.as_arguments())

    def respond(self, response_url: str, body: Body) -> None:
        """Answer the one who asked, alone, below what they see: a card they pressed a button on must stay."""
        with _translated("answer"):
            content: dict[str, Any] = {"text": body.text, "blocks": list(body.blocks)}
            answer = WebhookClient(response_url, timeout=self._timeout, retry_handlers=[]).send(
                response_type="ephemeral", replace_original=False, **content
            )
        if answer.status_code != 200:
            raise SlackFailed("answer", f"http {answer.status_code}", _wait(answer.headers))

    def reactions(self, channel: str, ts: str) -> dict[str, tuple[str, ...]]:
        """Who reacts to a message with what, as Slack has it now: emoji without skin tone → the ids of people.

        Nobody to a message that is gone: whoever deletes it takes every reaction away with it.
        """
        try:
            with _translated("show the reactions"):
                answer = self._client.reactions_get(channel=channel, timestamp=ts, full=True)
        except SlackFailed as failed:
            if failed.error != "message_not_found":
                raise
            return {}
        found: dict[str, tuple[str, ...]] = {}
        for reaction in answer.get("message", {}).get("reactions", []):
            name = emoji(reaction["name"])
            found[name] = (*found.get(name, ()), *reaction["users"])
        return found

    def person(self, actor_id: str) -> dict[str, Any]:
        """Slack's own record of a person."""
        with _translated("say who this is"):
            return self._client.users_info(user=actor_id).get("user", {})

    def channel(self, channel_id: str) -> dict[str, Any]:
        """Slack's own record of a channel."""
        with _translated("say what this channel is"):
            return self._client.conversations_info(channel=channel_id).get("channel", {})

    def members(self, group_id: str) -> tuple[str, ...]:
        """The ids of the people in a user group."""
        with _translated("say who is in the user group"):
            return tuple(self._client.usergroups_users_list(usergroup=group_id).get("users", []))

    def home(self) -> str:
        """The id of the workspace that the bot's token belongs to."""
        return self._identity()["team_id"]

    def site(self) -> str:
        """The workspace's address, which the links to its messages begin with."""
        return self._identity()["url"]

    def _identity(self) -> dict[str, str]:
        """Who the bot is, as Slack says it; asked once, for it never changes."""
        if not self._known:
            with _translated("say where this is"):
                answer = self._client.auth_test()
            self._known = {name: str(answer[name]) for name in ("team_id", "user_id", "url")}
        return self._known

    def open_modal(self, trigger_id: str, view: Mapping[str, Any]) -> None:
        """Show a form to the one who just did something; `trigger_id` is good for three seconds."""
        with _translated("open the form"):
            self._client.views_open(trigger_id=trigger_id, view=dict(view))

    def publish(self, actor_id: str, view: Mapping[str, Any]) -> None:
        """Let the app's own tab show this to one person."""
        with _translated("show the app's tab"):
            self._client.views_publish(user_id=actor_id, view=dict(view))


def _wait(headers: Mapping[str, Any]) -> float | None:
    """The seconds that Slack asks for before the next try, or None."""
    said = {name.lower(): value for name, value in headers.items()}.get("retry-after")
    first = said[0] if isinstance(said, list) else said
    return float(first) if first else None


@contextmanager
def _translated(deed: str) -> Iterator[None]:
    """Whatever the client or the network raises becomes a SlackFailed."""
    try:
        yield
    except SlackApiError as error:
        raise SlackFailed(deed, error.response.get("error", "unknown"), _wait(error.response.headers)) from error
    except (SlackClientError, OSError, HTTPException, ValueError) as error:
        raise SlackFailed(deed, type(error).__name__) from error
