"""Reactions: the bot's own, people's, their events, and reading them back."""

import pytest
from slack_sdk import WebClient

from playground import emoji
from playground.client import NotPossible
from playground.granted import Grant
from playground.people import BOT_TOKEN
from playground.workspace import running

CHANNEL = "C0MIGRATE"


@pytest.fixture
def card(client):
    return client.chat_postMessage(channel=CHANNEL, text="card")["ts"]


def test_a_reaction_is_read_back(client, slack, card):
    slack.as_person("U0APPROVER").react(CHANNEL, card, "white_check_mark")
    answer = client.reactions_get(channel=CHANNEL, timestamp=card, full=True)
    assert answer["message"]["reactions"] == [{"name": "white_check_mark", "users": ["U0APPROVER"], "count": 1}]
    assert answer["message"]["permalink"].startswith(slack.address)


def test_without_full_fewer_people_are_named_than_counted(client, slack, card):
    for person in ("U0ENGINEER", "U0APPROVER"):
        slack.as_person(person).react(CHANNEL, card, "eyes")
    (brief,) = client.reactions_get(channel=CHANNEL, timestamp=card)["message"]["reactions"]
    (whole,) = client.reactions_get(channel=CHANNEL, timestamp=card, full=True)["message"]["reactions"]
    assert (brief["count"], len(brief["users"])) == (2, 1)
    assert (whole["count"], len(whole["users"])) == (2, 2)


def test_the_event_has_the_shape_of_slacks(app, connect, slack, card):
    heard = []
    app.event("reaction_added")(lambda body: heard.append(body))
    connect()
    slack.as_person("U0APPROVER").react(CHANNEL, card, "white_check_mark")
    (body,) = slack.wait_for(lambda: heard)
    event = body["event"]
    assert event["item"] == {"type": "message", "channel": CHANNEL, "ts": card}
    assert (event["user"], event["item_user"], event["reaction"]) == ("U0APPROVER", "U0TWOKEY", "white_check_mark")
    assert body["type"] == "event_callback"
    assert body["event_id"].startswith("Ev")
    assert abs(body["event_time"] - float(event["event_ts"])) < 1
    assert body["authorizations"] == [
        {
            "enterprise_id": None,
            "team_id": "T0TWOKEY",
            "user_id": "U0TWOKEY",
            "is_bot": True,
            "is_enterprise_install": False,
        }
    ]
    assert body["is_ext_shared_channel"] is False


def test_a_shared_channel_says_so_in_the_event(app, connect, slack, card):
    heard = []
    app.event("reaction_removed")(lambda body: heard.append(body["is_ext_shared_channel"]))
    app.event("reaction_added")(lambda: None)
    connect()
    slack.set_channel(CHANNEL, is_ext_shared=True)
    stranger = slack.as_person("U0STRANGER")
    stranger.react(CHANNEL, card, "x")
    stranger.unreact(CHANNEL, card, "x")
    assert slack.wait_for(lambda: heard) == [True]


def test_a_skin_tone_and_an_alias(slack, card):
    bo = slack.as_person("U0APPROVER")
    assert bo.react(CHANNEL, card, "thumbsup")["reaction"] == "+1"
    assert bo.react(CHANNEL, card, "thumbsup::skin-tone-3")["reaction"] == "+1::skin-tone-3"
    assert emoji.canonical("white_check_mark::skin-tone-3") is None


@pytest.mark.parametrize(("name", "error"), [("not_an_emoji", "invalid_name"), ("eyes", "already_reacted")])
def test_what_a_person_cannot_react_with(slack, card, name, error):
    bo = slack.as_person("U0APPROVER")
    bo.react(CHANNEL, card, "eyes")
    with pytest.raises(NotPossible, match=error):
        bo.react(CHANNEL, card, name)


def test_what_is_not_there_cannot_be_taken_away(slack, card):
    bo = slack.as_person("U0APPROVER")
    with pytest.raises(NotPossible, match="no_reaction"):
        bo.unreact(CHANNEL, card, "eyes")
    with pytest.raises(NotPossible, match="invalid_name"):
        bo.unreact(CHANNEL, card, "not_an_emoji")


def test_somebody_deactivated_does_nothing(slack, card):
    slack.set_person("U0APPROVER", deleted=True)
    with pytest.raises(NotPossible, match=r"^Bo Approver is deactivated and cannot do anything here\.$"):
        slack.as_person("U0APPROVER").react(CHANNEL, card, "eyes")


def test_reading_refuses_with_slacks_names(client, refusal):
    def get(**arguments):
        return refusal(client.reactions_get, **arguments)["error"]

    assert get(channel=CHANNEL) == "no_item_specified"
    assert get(channel="C0NOWHERE", timestamp="1700000000.000001") == "channel_not_found"
    assert get(channel=CHANNEL, timestamp="1700000000.000001") == "message_not_found"
    assert get(channel=CHANNEL, timestamp="yesterday") == "bad_timestamp"


def test_the_bot_needs_a_scope_of_its_own_to_react(client, refusal, card):
    answer = refusal(client.reactions_add, channel=CHANNEL, timestamp=card, name="eyes")
    assert (answer["error"], answer["needed"]) == ("missing_scope", "reactions:write")
    assert "reactions:read" in answer["provided"]


def test_what_the_manifest_gives_and_does_not_give(refusal):
    with running(grant=Grant(scopes=frozenset({"chat:write", "reactions:write"}), home=False)) as slack:
        client = WebClient(token=BOT_TOKEN, base_url=slack.api_url)
        ts = client.chat_postMessage(channel=CHANNEL, text="x")["ts"]
        assert client.reactions_add(channel=CHANNEL, timestamp=ts, name="thumbsup").data == {"ok": True}
        again = refusal(client.reactions_add, channel=CHANNEL, timestamp=ts, name="+1")
        assert again == {"ok": False, "error": "already_reacted"}
        assert refusal(client.users_info, user="U0GUEST")["needed"] == "users:read"
        tab = {"type": "home", "blocks": []}
        assert refusal(client.views_publish, user_id="U0GUEST", view=tab)["error"] == "not_enabled"
