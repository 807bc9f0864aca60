"""chat.*, as slack_sdk calls it."""

import json

import pytest

#: slack_sdk remarks on an empty text, which here is the point.
pytestmark = pytest.mark.filterwarnings("ignore:The top-level `text` argument is missing")
CHANNEL = "C0MIGRATE"
SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "*hello*"}}
METADATA = {"event_type": "twokey", "event_payload": {"delivery": "7:card"}}


def test_a_posted_message_has_the_shape_of_slacks(client, slack):
    answer = client.chat_postMessage(channel=CHANNEL, text="hello", blocks=[SECTION], metadata=METADATA)
    message = answer["message"]
    assert answer["channel"] == CHANNEL
    assert answer["ts"] == message["ts"]
    assert (message["user"], message["bot_id"], message["team"]) == ("U0TWOKEY", "B0TWOKEY", "T0TWOKEY")
    assert message["metadata"] == METADATA
    assert message["blocks"][0]["block_id"]
    assert [one["ts"] for one in slack.messages(CHANNEL)] == [answer["ts"]]


def test_timestamps_are_all_different_and_rise(client):
    stamps = [client.chat_postMessage(channel=CHANNEL, text=str(n))["ts"] for n in range(20)]
    assert stamps == sorted(set(stamps))


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"channel": "C0NOWHERE", "text": "x"}, "channel_not_found"),
        ({"channel": "C0GENERAL", "text": "x"}, "not_in_channel"),
        ({"channel": CHANNEL, "text": ""}, "no_text"),
        ({"channel": CHANNEL, "text": "x", "blocks": "not json"}, "invalid_blocks_format"),
        ({"channel": CHANNEL, "text": "x", "blocks": {"type": "section"}}, "invalid_blocks_format"),
        ({"channel": CHANNEL, "text": "x", "blocks": [{"type": "section"}]}, "invalid_blocks"),
        ({"channel": CHANNEL, "text": "x", "metadata": "{"}, "invalid_metadata_format"),
        ({"channel": CHANNEL, "text": "x", "metadata": {"event_type": "twokey"}}, "invalid_metadata_schema"),
        ({"channel": CHANNEL, "text": "x", "thread_ts": "1700000000.000001"}, "cannot_reply_to_message"),
        ({"channel": CHANNEL, "text": "x", "attachments": [{}] * 101}, "too_many_attachments"),
        ({"channel": CHANNEL, "text": "x", "username": "Somebody"}, "missing_scope"),
        ({"channel": CHANNEL, "text": "x", "colour": "red"}, "invalid_arguments"),
    ],
)
def test_what_slack_would_not_post(client, slack, refusal, arguments, error):
    assert refusal(client.chat_postMessage, **arguments)["error"] == error
    assert slack.messages(CHANNEL) == []


def test_text_beyond_forty_thousand_is_cut(client):
    assert len(client.chat_postMessage(channel=CHANNEL, text="x" * 40_001)["message"]["text"]) == 40_000


def test_an_update_replaces_text_and_blocks_and_keeps_the_metadata(client, slack):
    ts = client.chat_postMessage(channel=CHANNEL, text="old", blocks=[SECTION], metadata=METADATA)["ts"]
    client.chat_update(channel=CHANNEL, ts=ts, text="new", blocks=[SECTION])
    (message,) = slack.messages(CHANNEL)
    assert message["text"] == "new"
    assert message["metadata"] == METADATA
    assert "edited" not in message  # with blocks Slack does not say so


def test_an_update_with_text_alone_drops_the_blocks_and_says_edited(client, slack):
    ts = client.chat_postMessage(channel=CHANNEL, text="old", blocks=[SECTION])["ts"]
    client.chat_update(channel=CHANNEL, ts=ts, text="new")
    (message,) = slack.messages(CHANNEL)
    assert "blocks" not in message
    assert message["edited"]["user"] == "U0TWOKEY"


def test_empty_metadata_removes_it(client, slack):
    ts = client.chat_postMessage(channel=CHANNEL, text="old", metadata=METADATA)["ts"]
    client.chat_update(channel=CHANNEL, ts=ts, text="new", metadata={})
    assert "metadata" not in slack.messages(CHANNEL)[0]


def test_what_slack_would_not_update(client, slack, refusal):
    ada = slack.as_person("U0ENGINEER").say(CHANNEL, "mine")
    ours = client.chat_postMessage(channel=CHANNEL, text="ours")

    def update(**arguments):
        return refusal(client.chat_update, channel=CHANNEL, **arguments)["error"]

    assert update(ts="1700000000.000001", text="x") == "message_not_found"
    assert update(ts=ada["ts"], text="x") == "cant_update_message"
    assert update(ts=ours["ts"], text="x" * 4001) == "msg_too_long"
    assert update(ts=ours["ts"], text="") == "no_text"
    slack.delete_message(CHANNEL, ours["ts"])
    assert update(ts=ours["ts"], text="x") == "message_not_found"


def test_an_ephemeral_is_for_one_person_and_cannot_be_updated(client, slack, refusal):
    ts = client.chat_postEphemeral(channel=CHANNEL, user="U0ENGINEER", text="psst")["message_ts"]
    assert [one["text"] for one in slack.ephemerals("U0ENGINEER")] == ["psst"]
    assert slack.ephemerals("U0APPROVER") == []
    assert slack.messages(CHANNEL) == []
    assert refusal(client.chat_update, channel=CHANNEL, ts=ts, text="x")["error"] == "message_not_found"


def test_an_ephemeral_for_somebody_who_is_not_there(client, refusal):
    answer = refusal(client.chat_postEphemeral, channel=CHANNEL, user="U0GONE", text="psst")
    assert answer["error"] == "user_not_in_channel"


def test_replies_belong_to_the_parent_even_when_a_reply_is_named(client, slack):
    parent = client.chat_postMessage(channel=CHANNEL, text="parent")["ts"]
    reply = client.chat_postMessage(channel=CHANNEL, text="one", thread_ts=parent)["ts"]
    client.chat_postMessage(channel=CHANNEL, text="two", thread_ts=reply, reply_broadcast=True)
    assert [one["text"] for one in slack.thread(CHANNEL, parent)] == ["one", "two"]
    assert [one["text"] for one in slack.messages(CHANNEL)] == ["parent", "two"]
    shown = slack.messages(CHANNEL)[0]
    assert (shown["reply_count"], shown["reply_users"]) == (2, ["U0TWOKEY"])


def test_a_permalink_leads_to_the_page(client, slack, refusal):
    parent = client.chat_postMessage(channel=CHANNEL, text="parent")["ts"]
    reply = client.chat_postMessage(channel=CHANNEL, text="one", thread_ts=parent)["ts"]
    link = client.chat_getPermalink(channel=CHANNEL, message_ts=reply)["permalink"]
    assert link == f"{slack.address}/archives/{CHANNEL}/p{reply.replace('.', '')}?thread_ts={parent}&cid={CHANNEL}"
    answer = refusal(client.chat_getPermalink, channel=CHANNEL, message_ts="1700000000.000001")
    assert answer["error"] == "message_not_found"


def test_blocks_may_come_as_a_string(client):
    answer = client.chat_postMessage(channel=CHANNEL, text="x", blocks=json.dumps([SECTION]))
    assert answer["message"]["blocks"][0]["text"]["text"] == "*hello*"
