"""What must not turn the second key, tried in front of the bot. Nothing of it may leave a request but planned."""

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode

import pytest
from slack_sdk import WebClient

from bot.config import Settings
from bot.ears import LARGEST
from bot.identity import Directory
from bot.judge import Judge
from bot.voice import Voice
from ledger.book import Book
from ledger.events import Approved, Asked, Noted, Planned, Ready, Refused, Withdrawn
from ledger.request import Kind, Request, Source
from ledger.states import State
from playground.client import Workspace
from playground.delivery import signed
from tests.bot.conftest import CHANNEL, Running, a_workflow, running
from tests.bot.test_conversation import card, certified, whispered
from tests.bot.test_judge import heard
from tests.support.ledger import BO, a_request_in, a_wish

YES = "white_check_mark"
ADA, DEE = "U0ENGINEER", "U0SECOND"


@pytest.fixture
def asked(ledger: Book) -> Request:
    """A request for production that waits for its second key; made before the bot's first look at the ledger."""
    return a_request_in(ledger, State.PLANNED, wish=a_wish(environment="production"), protected=True)


@pytest.fixture
def patient(
    settings: Settings, asked: Request, slack: Workspace, ledger: Book, client: WebClient, voice: Voice
) -> Iterator[Running]:
    """A bot whose approvals start nothing while a test looks at them."""
    patience = replace(settings, workflow=a_workflow(start_delay=60.0))
    with running(patience, slack=slack, ledger=ledger, client=client, voice=voice) as one:
        yield one


def story(bot: Running, request: Request) -> list[type]:
    return [type(told.event) for told in bot.book.events(request.id)]


def settle(bot: Running) -> None:
    """Whatever was heard is judged."""
    bot.slack.wait_for(lambda: not bot.book.unjudged())


@pytest.mark.parametrize(
    ("flags", "why"),
    [
        ({"is_restricted": True}, "Guests cannot ask or decide here."),
        ({"is_ultra_restricted": True}, "Guests cannot ask or decide here."),
        ({"is_bot": True}, "Bots and workflows cannot ask or decide here."),
        ({"is_workflow_bot": True}, "Bots and workflows cannot ask or decide here."),
        ({"is_stranger": True}, "People of other workspaces cannot ask or decide here."),
        ({"team_id": "T0OTHER"}, "People of other workspaces cannot ask or decide here."),
        ({"is_restricted": None}, "Slack did not say whether this is a full member, so it does not count."),
        ({"deleted": None}, "Slack did not say whether this is a full member, so it does not count."),
    ],
)
def test_an_approver_who_is_no_full_member_of_this_workspace_counts_for_nothing(
    asked: Request, ledger: Book, voice: Voice, slack: Workspace, flags: dict[str, Any], why: str
) -> None:
    ledger.delivering(asked.id, "card", channel=CHANNEL)
    ledger.delivered_as(asked.id, "card", ts="1712345678.000100", content_hash="", plan_ts="1712345678.000100")
    slack.set_person(BO.id, **flags)
    ledger.hear(heard(added=True, event_ts="1712345679.000100"))
    Judge(ledger, voice=voice, directory=Directory(voice, home="T0TWOKEY"), workflow=a_workflow()).judge()
    refused = ledger.events(asked.id)[-1].event
    assert isinstance(refused, Refused)
    assert refused.why.startswith(why)
    assert ledger.request(asked.id).state is State.PLANNED
    assert ledger.decisions(asked.id) == ()


def test_a_reaction_to_anything_but_the_card_counts_for_nothing(
    asked: Request, patient: Running, client: WebClient
) -> None:
    shown, bo = card(patient, "Waiting for a second person"), patient.slack.as_person(BO.id)
    older = str(client.chat_postMessage(channel=CHANNEL, text="an older message")["ts"])
    reply = str(client.chat_postMessage(channel=CHANNEL, text="a reply", thread_ts=shown["ts"])["ts"])
    elsewhere = str(patient.slack.as_person(ADA).say("C0GENERAL", "the card, copied")["ts"])
    for channel, ts in ((CHANNEL, older), (CHANNEL, reply), ("C0GENERAL", elsewhere)):
        bo.react(channel, ts, YES)
    settle(patient)
    assert story(patient, asked) == [Asked, Planned]
    bo.react(CHANNEL, shown["ts"], YES)
    patient.slack.wait_for(lambda: patient.book.request(asked.id).state is State.APPROVED)


def test_a_reaction_removed_at_once_starts_nothing(asked: Request, patient: Running) -> None:
    shown, bo = card(patient, "Waiting for a second person"), patient.slack.as_person(BO.id)
    bo.react(CHANNEL, shown["ts"], YES)
    bo.unreact(CHANNEL, shown["ts"], YES)

    def both_judged() -> bool:
        """By what the ledger heard: a bot under load hears and acks too late, and Slack's third try takes a minute."""
        heard = [one.source for one in patient.book.reactions(channel=CHANNEL, ts=shown["ts"])]
        return heard.count(Source.REACTION) == 2 and not patient.book.unjudged()

    patient.slack.wait_for(both_judged)
    # Slack delivers them side by side; where the removal comes first there is nothing to withdraw.
    assert story(patient, asked) in ([Asked, Planned, Approved, Withdrawn], [Asked, Planned])
    assert patient.book.request(asked.id).state is State.PLANNED


def test_of_a_reaction_and_its_removal_the_later_counts_in_whatever_order_they_arrive(
    asked: Request, ledger: Book, voice: Voice
) -> None:
    ledger.delivering(asked.id, "card", channel=CHANNEL)
    ledger.delivered_as(asked.id, "card", ts="1712345678.000100", content_hash="", plan_ts="1712345678.000100")
    judge = Judge(ledger, voice=voice, directory=Directory(voice, home="T0TWOKEY"), workflow=a_workflow())
    for late in (heard(added=False, event_ts="1712345680.000100"), heard(added=True, event_ts="1712345679.000100")):
        ledger.hear(late)
        judge.judge()
    assert ledger.request(asked.id).state is State.PLANNED
    ledger.hear(heard(added=True, event_ts="1712345681.000100"))
    judge.judge()
    assert ledger.request(asked.id).state is State.APPROVED


def test_of_two_approvals_in_the_same_instant_one_starts_it_and_both_are_kept(asked: Request, patient: Running) -> None:
    shown = card(patient, "Waiting for a second person")
    for person in (BO.id, DEE):
        patient.slack.as_person(person).react(CHANNEL, shown["ts"], YES)
    patient.slack.wait_for(lambda: len(story(patient, asked)) == 4)
    assert story(patient, asked) == [Asked, Planned, Approved, Noted]
    assert {one.actor.id for one in patient.book.decisions(asked.id)} == {BO.id, DEE}


def test_who_was_deactivated_between_reaction_and_run_is_witnessed_as_such(asked: Request, patient: Running) -> None:
    shown = card(patient, "Waiting for a second person")
    patient.slack.as_person(BO.id).react(CHANNEL, shown["ts"], YES)
    patient.slack.wait_for(lambda: patient.book.request(asked.id).state is State.APPROVED)
    patient.slack.set_person(BO.id, deleted=True)
    patient.book.tell(asked.id, Ready())
    patient.slack.wait_for(lambda: patient.book.latest_witness(asked.id))
    witness = patient.book.latest_witness(asked.id)
    assert witness is not None
    assert [(one.id, one.kind) for one in witness.approving] == [(BO.id, Kind.DEACTIVATED)]


def test_with_an_empty_list_of_approvers_nothing_is_even_asked_for(
    settings: Settings, slack: Workspace, ledger: Book, client: WebClient, voice: Voice
) -> None:
    flow = settings.workflow
    nobody = replace(flow, environments=tuple(replace(one, approvers=()) for one in flow.environments))
    alone = replace(settings, workflow=nobody)
    with running(alone, slack=slack, ledger=ledger, client=client, voice=voice) as bot:
        certified(bot)
        said = bot.slack.as_person(ADA).slash("/migrate", "apply prod")
        assert said == "🚫 Nobody may approve production: its approvers in twokey.toml are empty. Add a person there."
        assert bot.slack.views(ADA) == []


def test_the_requester_may_not_press_their_way_in_either(asked: Request, patient: Running) -> None:
    shown, ada = card(patient, "Waiting for a second person"), patient.slack.as_person(ADA)
    for emoji in (YES, "x"):
        ada.react(CHANNEL, shown["ts"], emoji)
        whispered(patient, ADA, "You asked for #1, so the second key is not yours.")
    assert patient.book.request(asked.id).state is State.PLANNED


EVENT = json.dumps(
    {
        "type": "event_callback",
        "team_id": "T0TWOKEY",
        "event_id": "Ev0FORGED",
        "event": {
            "type": "reaction_added",
            "user": BO.id,
            "reaction": YES,
            "item": {"type": "message", "channel": CHANNEL, "ts": "1712345678.000100"},
            "event_ts": "1712345679.000100",
        },
    }
).encode()
COMMAND = urlencode({"command": "/migrate", "text": "apply dev", "user_id": ADA, "channel_id": CHANNEL}).encode()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        signed(EVENT, at=0),
        {"X-Slack-Signature": "v0=" + "0" * 64, "X-Slack-Request-Timestamp": "{now}"},
        {"X-Slack-Signature": "", "X-Slack-Request-Timestamp": "{now}"},
    ],
    ids=["unsigned", "old", "signed_with_nothing", "empty"],
)
def test_a_request_that_slack_did_not_sign_is_not_heard(bot: Running, headers: dict[str, str]) -> None:
    now = {name: value.replace("{now}", str(int(time.time()))) for name, value in headers.items()}
    assert [send(bot, body, now) for body in (EVENT, COMMAND)] == [401, 401]
    assert bot.book.unjudged() == ()
    assert bot.book.requests(open_only=False, limit=9) == ()


def test_a_signature_holds_for_its_own_request_and_for_five_minutes(bot: Running) -> None:
    now = int(time.time())
    assert send(bot, COMMAND, signed(EVENT, at=now)) == 401
    assert send(bot, EVENT, signed(EVENT, at=now - 301)) == 401
    assert send(bot, EVENT, signed(EVENT, at=now)) == 200


MANY = f"{LARGEST + 1}"


@pytest.mark.parametrize(
    ("name", "value", "answer"),
    [
        ("Content-Length", MANY, 413),
        ("Content-Length", "9" * 11, 400),
        ("Content-Length", "-1", 400),
        ("Content-Length", "many", 400),
        ("Content-Length", "٣", 400),
        ("X-Slack-Request-Timestamp", "1,1", 400),
    ],
)
def test_what_slack_would_not_send_is_answered_unread(
    bot: Running, name: str, value: str, answer: int, capfd: pytest.CaptureFixture[str]
) -> None:
    line = HTTPConnection("127.0.0.1", bot.port, timeout=5)
    line.putrequest("POST", "/slack/events")
    line.putheader(name, value.encode())
    line.endheaders()  # and not a byte of a body
    assert line.getresponse().status == answer
    line.close()
    assert capfd.readouterr().err == ""


def test_a_body_that_is_no_text_is_no_request_and_one_of_the_largest_size_is(bot: Running) -> None:
    assert send(bot, b"\xff", signed(b"", at=int(time.time()))) == 400
    assert send(bot, b"x" * LARGEST, {}) == 401


def send(bot: Running, body: bytes, headers: dict[str, str]) -> int:
    kind = "application/json" if body is EVENT else "application/x-www-form-urlencoded"
    line = HTTPConnection("127.0.0.1", bot.port, timeout=5)
    try:
        line.request("POST", "/slack/events", body, {"Content-Type": kind, **headers})
        return line.getresponse().status
    finally:
        line.close()
