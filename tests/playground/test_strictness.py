"""Tokens, scopes and arguments, and Slack's bad days."""

import time
from http.client import RemoteDisconnected
from urllib.error import HTTPError

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from playground.client import NotPossible
from playground.people import APP_TOKEN, BOT_TOKEN

CHANNEL = "C0MIGRATE"


@pytest.mark.parametrize(
    ("token", "method", "error"),
    [
        ("", "auth.test", "not_authed"),
        ("xoxb-guess", "auth.test", "invalid_auth"),
        (APP_TOKEN, "auth.test", "not_allowed_token_type"),
        (BOT_TOKEN, "apps.connections.open", "not_allowed_token_type"),
        (BOT_TOKEN, "chat.delete", "unknown_method"),
    ],
)
def test_who_may_call_what(slack, refusal, token, method, error):
    assert refusal(WebClient(token=token, base_url=slack.api_url).api_call, api_method=method)["error"] == error


def test_auth_test_says_who_and_with_which_scopes(client):
    answer = client.auth_test()
    assert (answer["user_id"], answer["bot_id"], answer["team_id"]) == ("U0TWOKEY", "B0TWOKEY", "T0TWOKEY")
    assert "chat:write" in answer.headers["x-oauth-scopes"].split(",")


def test_what_is_missing_and_what_is_strange_is_named(client, refusal):
    answer = refusal(client.api_call, api_method="conversations.info", params={"chanel": CHANNEL})
    assert answer == {
        "ok": False,
        "error": "invalid_arguments",
        "response_metadata": {
            "messages": ["[ERROR] missing required field: channel", "[ERROR] invalid additional property: chanel"]
        },
    }


def test_methods_for_reading_take_no_json(client, refusal):
    answer = refusal(client.api_call, api_method="users.info", json={"user": "U0ENGINEER"})
    assert answer["error"] == "invalid_arguments"


@pytest.mark.parametrize("how", ["params", "json"])
def test_writing_takes_a_form_or_json(client, how):
    answer = client.api_call("chat.postMessage", **{how: {"channel": CHANNEL, "text": "x", "unfurl_links": False}})
    assert answer["message"]["text"] == "x"


def test_a_body_that_is_no_json(slack):
    import json
    from urllib.request import Request, urlopen

    request = Request(f"{slack.api_url}chat.postMessage", b"{", {"Authorization": f"Bearer {BOT_TOKEN}"})
    request.add_header("Content-Type", "application/json")
    with urlopen(request) as answer:
        assert json.load(answer)["error"] == "invalid_arguments"


def test_calls_are_remembered_without_the_token(client, slack):
    client.api_call("auth.test", params={"token": BOT_TOKEN})
    (call,) = slack.calls("auth.test")
    assert call["arguments"] == {}
    assert call["answer"]["ok"] is True


def test_an_error_happens_as_often_as_ordered(client, slack, refusal):
    slack.fault("chat.postMessage", error="fatal_error", times=2)
    for _ in range(2):
        assert refusal(client.chat_postMessage, channel=CHANNEL, text="x")["error"] == "fatal_error"
    client.chat_postMessage(channel=CHANNEL, text="x")
    assert len(slack.messages(CHANNEL)) == 1


def test_a_rate_limit_says_when_to_come_back(client, slack):
    slack.fault("*", status=429, retry_after=7)
    with pytest.raises(SlackApiError) as caught:
        client.auth_test()
    assert caught.value.response.status_code == 429
    assert caught.value.response["error"] == "ratelimited"
    assert caught.value.response.headers["retry-after"] == "7"


def test_slack_is_down(client, slack):
    slack.fault("auth.test", status=503)
    with pytest.raises(SlackApiError) as caught:
        client.auth_test()
    assert caught.value.response.status_code == 503


def test_the_answer_is_lost_after_the_message_was_posted(client, slack):
    slack.fault("chat.postMessage", lose_answer=True)
    with pytest.raises(RemoteDisconnected):
        client.chat_postMessage(channel=CHANNEL, text="posted")
    assert [one["text"] for one in slack.messages(CHANNEL)] == ["posted"]


def test_a_call_that_hangs_does_nothing(slack):
    slack.fault("chat.postMessage", hang=0.2)
    started = time.monotonic()
    impatient = WebClient(token=BOT_TOKEN, base_url=slack.api_url, retry_handlers=[])
    with pytest.raises(RemoteDisconnected):
        impatient.chat_postMessage(channel=CHANNEL, text="x")
    assert time.monotonic() - started >= 0.2
    assert slack.messages(CHANNEL) == []


def test_nothing_of_the_kind_happens(slack):
    with pytest.raises(TimeoutError, match=r"^Nothing of the kind within 0\.1 s; last seen: \[\]$"):
        slack.wait_for(lambda: slack.messages(CHANNEL), timeout=0.1)


def test_wishes_without_sense(slack):
    with pytest.raises(NotPossible, match=r"^There is no weather to be had here\.$"):
        slack.post("weather")
    with pytest.raises(NotPossible, match=r"^There is no setting speed\.$"):
        slack.settings(speed=2)
    with pytest.raises(NotPossible, match=r"^Nobody can sing here\.$"):
        slack.post("people/U0ENGINEER/sing")
    with pytest.raises(NotPossible, match=r"^A message needs some text\.$"):
        slack.as_person("U0ENGINEER").say(CHANNEL, "  ")
    with pytest.raises(NotPossible, match="user_not_found"):
        slack.as_person("U0NOBODY").say(CHANNEL, "x")


def test_another_web_site_cannot_send_forms(slack):
    from urllib.request import urlopen

    with pytest.raises(HTTPError, match="415") as caught, urlopen(f"{slack.address}/playground/reset", b"{}"):
        pass
    with caught.value as answer:
        assert answer.read() == b'{"ok":false,"error":"Send JSON."}'


def test_another_name_for_this_machine_is_refused(slack):
    from urllib.request import Request, urlopen

    with pytest.raises(HTTPError, match="400") as caught:
        urlopen(Request(f"{slack.address}/playground/state", headers={"Host": "evil.example"}))
    caught.value.close()
