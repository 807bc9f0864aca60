"""conversations.* and users.info."""

import pytest

CHANNEL = "C0MIGRATE"
METADATA = {"event_type": "twokey", "event_payload": {"delivery": "7:card"}}


def texts(answer):
    return [one["text"] for one in answer["messages"]]


def test_history_is_newest_first_and_without_replies(client):
    parent = client.chat_postMessage(channel=CHANNEL, text="one")["ts"]
    client.chat_postMessage(channel=CHANNEL, text="below", thread_ts=parent)
    client.chat_postMessage(channel=CHANNEL, text="two")
    answer = client.conversations_history(channel=CHANNEL)
    assert texts(answer) == ["two", "one"]
    assert answer["has_more"] is False


def test_history_in_pages(client):
    for number in range(5):
        client.chat_postMessage(channel=CHANNEL, text=str(number))
    pages = [texts(page) for page in client.conversations_history(channel=CHANNEL, limit=2)]
    assert pages == [["4", "3"], ["2", "1"], ["0"]]


def test_history_between_two_timestamps(client):
    a, b, c = (client.chat_postMessage(channel=CHANNEL, text=text)["ts"] for text in "abc")
    assert texts(client.conversations_history(channel=CHANNEL, oldest=a, latest=c)) == ["b"]
    assert texts(client.conversations_history(channel=CHANNEL, oldest=a, latest=b, inclusive=True)) == ["b", "a"]


def test_metadata_only_for_who_asks_for_it(client):
    client.chat_postMessage(channel=CHANNEL, text="one", metadata=METADATA)
    assert "metadata" not in client.conversations_history(channel=CHANNEL)["messages"][0]
    answer = client.conversations_history(channel=CHANNEL, include_all_metadata=True)
    assert answer["messages"][0]["metadata"] == METADATA


def test_replies_begin_with_the_parent(client):
    parent = client.chat_postMessage(channel=CHANNEL, text="parent")["ts"]
    reply = client.chat_postMessage(channel=CHANNEL, text="reply", thread_ts=parent)["ts"]
    assert texts(client.conversations_replies(channel=CHANNEL, ts=parent)) == ["parent", "reply"]
    answer = client.conversations_replies(channel=CHANNEL, ts=reply)
    assert texts(answer) == ["parent", "reply"]
    assert answer["messages"][1]["parent_user_id"] == "U0TWOKEY"


def test_what_slack_would_not_read(client, refusal):
    history, replies = client.conversations_history, client.conversations_replies
    assert refusal(history, channel="C0NOWHERE")["error"] == "channel_not_found"
    assert refusal(history, channel="C0GENERAL")["error"] == "not_in_channel"
    assert refusal(history, channel=CHANNEL, cursor="!")["error"] == "invalid_cursor"
    assert refusal(history, channel=CHANNEL, limit=1000)["error"] == "invalid_arguments"
    assert refusal(replies, channel=CHANNEL, ts="1700000000.000001")["error"] == "thread_not_found"


def test_a_channel_is_described_even_when_the_bot_is_not_in_it(client):
    assert client.conversations_info(channel=CHANNEL)["channel"]["is_member"] is True
    general = client.conversations_info(channel="C0GENERAL", include_num_members=True)["channel"]
    assert (general["is_member"], general["name"], general["num_members"]) == (False, "general", 6)


@pytest.mark.parametrize(
    ("person", "flags"),
    [
        ("U0ENGINEER", {"deleted": False, "is_restricted": False, "is_bot": False, "team_id": "T0TWOKEY"}),
        ("U0GUEST", {"deleted": False, "is_restricted": True}),
        ("U0STRANGER", {"is_stranger": True, "team_id": "T0OTHER"}),
        ("U0GONE", {"deleted": True}),
        ("U0TWOKEY", {"is_bot": True}),
    ],
)
def test_people_are_described_with_slacks_flags(client, person, flags):
    described = client.users_info(user=person)["user"]
    assert {name: described[name] for name in flags} == flags
    assert "email" not in described["profile"]


def test_slack_tells_less_of_those_who_left(client):
    assert "is_restricted" not in client.users_info(user="U0GONE")["user"]


def test_a_flag_can_be_taken_away(client, slack):
    slack.set_person("U0APPROVER", is_restricted=None)
    assert "is_restricted" not in client.users_info(user="U0APPROVER")["user"]


def test_nobody_of_that_name(client, refusal):
    assert refusal(client.users_info, user="U0NOBODY")["error"] == "user_not_found"
