"""response_url: five uses in thirty minutes, and what each kind can do."""

from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from slack_sdk.webhook import WebhookClient

CHANNEL = "C0MIGRATE"
ADA = "U0ENGINEER"
BUTTON = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}}
ROW = {"type": "actions", "elements": [BUTTON]}


@pytest.fixture
def of_a_command(app, connect, slack):
    """The response_url of a slash command that Ada typed."""
    app.command("/migrate")(lambda ack: ack("Looking …"))
    connect()
    slack.as_person(ADA).slash("/migrate")
    return WebhookClient(slack.deliveries("slash_commands")[-1]["payload"]["response_url"])


@pytest.fixture
def of_a_click(app, connect, slack):
    """Let Ada click the button of a message; gives the response_url that came with it."""
    app.action("go")(lambda ack: ack())
    connect()

    def click(message):
        slack.as_person(ADA).click(message, "go")
        return WebhookClient(slack.deliveries("interactive")[-1]["payload"]["response_url"])

    return click


def texts(messages):
    return [one["text"] for one in messages]


def test_a_response_is_ephemeral_unless_it_says_otherwise(of_a_command, slack):
    answer = of_a_command.send(text="psst")
    assert (answer.status_code, answer.body) == (200, '{"ok":true}')
    of_a_command.send(text="all", response_type="in_channel")
    assert texts(slack.ephemerals(ADA)) == ["Looking …", "psst"]
    assert texts(slack.messages(CHANNEL)) == ["all"]


def test_a_command_has_no_original_to_replace(of_a_command, slack):
    of_a_command.send(text="found", replace_original=True)
    of_a_command.send(text="kept", delete_original=True)
    assert texts(slack.ephemerals(ADA)) == ["Looking …", "found", "kept"]


def test_five_uses(of_a_command):
    assert [of_a_command.send(text="x").status_code for _ in range(5)] == [200] * 5
    answer = of_a_command.send(text="x")
    assert (answer.status_code, answer.body) == (404, '{"ok":false,"error":"used_url"}')


def test_thirty_minutes(of_a_command, slack):
    slack.advance(30 * 60 + 1)
    answer = of_a_command.send(text="x")
    assert (answer.status_code, answer.body) == (404, '{"ok":false,"error":"expired_url"}')


def test_an_address_nobody_was_given(slack):
    answer = WebhookClient(f"{slack.address}/commands/T0TWOKEY/1/guess").send(text="x")
    assert (answer.status_code, answer.body) == (404, '{"ok":false,"error":"invalid_url"}')


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"text": ""}, "no_text"),
        ({"text": "x", "blocks": [{"type": "section"}]}, "invalid_blocks"),
        ({"text": "x", "colour": "red"}, "invalid_arguments"),
    ],
)
def test_what_cannot_be_said(of_a_command, body, error):
    answer = of_a_command.send_dict(body)
    assert answer.status_code == 400
    assert f'"error":"{error}"' in answer.body


@pytest.mark.parametrize("body", [b"text=x", b'["text"]'])
def test_what_is_not_a_json_object(of_a_command, body):
    with pytest.raises(HTTPError) as caught, urlopen(of_a_command.url, body):
        pass
    with caught.value as answer:
        assert answer.read() == b'{"ok":false,"error":"invalid_payload"}'


def test_a_click_replaces_the_message_it_was_made_on(of_a_click, client, slack):
    client.chat_postMessage(channel=CHANNEL, text="old", blocks=[ROW])
    of_a_click(slack.messages(CHANNEL)[0]).send(text="new", replace_original=True)
    assert texts(slack.messages(CHANNEL)) == ["new"]


def test_a_click_replaces_or_deletes_an_ephemeral(of_a_click, client, slack):
    client.chat_postEphemeral(channel=CHANNEL, user=ADA, text="old", blocks=[ROW])
    of_a_click(slack.ephemerals(ADA)[0]).send(text="new", blocks=[ROW], replace_original=True)
    assert texts(slack.ephemerals(ADA)) == ["new"]
    of_a_click(slack.ephemerals(ADA)[0]).send(delete_original=True)
    assert slack.ephemerals(ADA) == []


def test_a_click_says_something_new_in_the_thread_it_was_made_in(of_a_click, client, slack):
    parent = client.chat_postMessage(channel=CHANNEL, text="parent")["ts"]
    client.chat_postMessage(channel=CHANNEL, text="reply", blocks=[ROW], thread_ts=parent)
    of_a_click(slack.thread(CHANNEL, parent)[0]).send(text="here", response_type="in_channel")
    assert texts(slack.thread(CHANNEL, parent)) == ["reply", "here"]


def test_a_replacement_needs_words(of_a_click, client, slack):
    client.chat_postMessage(channel=CHANNEL, text="old", blocks=[ROW])
    answer = of_a_click(slack.messages(CHANNEL)[0]).send(replace_original=True)
    assert (answer.status_code, answer.body) == (400, '{"ok":false,"error":"no_text"}')
