"""Reactions are judged in the order in which they happened, whatever Slack does meanwhile."""

from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest

from bot.identity import Directory
from bot.judge import Judge
from bot.voice import Voice
from ledger.book import Book
from ledger.events import Noted, Refused
from ledger.records import Heard
from ledger.request import Act, Request, Source
from ledger.states import State
from ledger.workflow import Workflow
from playground.client import Workspace
from tests.bot.conftest import CHANNEL, a_workflow
from tests.support.ledger import BO, WAY, a_request_in, a_wish


def heard(*, added: bool, event_ts: str) -> Heard:
    """The approver's reaction on the card, put there or taken away."""
    return Heard(
        team="T0TWOKEY",
        channel=CHANNEL,
        message_ts="1712345678.000100",
        actor_id=BO.id,
        emoji="white_check_mark",
        added=added,
        event_ts=event_ts,
        event_id=f"Ev{event_ts}",
    )


@pytest.fixture
def card(ledger: Book) -> Request:
    """A request for production, whose card stands where the reactions are."""
    request = a_request_in(ledger, State.PLANNED, wish=a_wish(environment="production"), protected=True)
    ledger.delivering(request.id, "card", channel=CHANNEL)
    ledger.delivered_as(request.id, "card", ts="1712345678.000100", content_hash="", plan_ts="1712345678.000100")
    return request


def test_a_key_taken_back_is_not_judged_before_it_was_turned(
    card: Request, ledger: Book, voice: Voice, slack: Workspace, workflow: Workflow
) -> None:
    ledger.hear(heard(added=True, event_ts="1712345679.000100"))
    ledger.hear(heard(added=False, event_ts="1712345680.000100"))
    slack.fault("users.info", status=429, retry_after=1)
    clock = count(step=0.6)  # each look at it is later, so the wait ends within the round in which it began
    directory = Directory(voice, home="T0TWOKEY")
    judge = Judge(ledger, voice=voice, directory=directory, workflow=workflow, clock=lambda: next(clock))
    while ledger.unjudged():
        judge.judge()
    assert [type(told.event).__name__ for told in ledger.events(card.id)][-2:] == ["Approved", "Withdrawn"]
    assert ledger.request(card.id).state is State.PLANNED


def test_a_key_taken_back_while_a_worker_claims_the_request_is_too_late(
    card: Request, ledger: Book, voice: Voice, slack: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once = a_workflow(start_delay=0.0)
    judge = Judge(ledger, voice=voice, directory=Directory(voice, home="T0TWOKEY"), workflow=at_once)
    ledger.hear(heard(added=True, event_ts="1712345679.000100"))
    judge.judge()
    ledger.hear(heard(added=False, event_ts="1712345680.000100"))
    read = ledger.decisions

    def claimed_meanwhile(request_id: int) -> object:
        ledger.move(request_id, State.APPLYING, why=WAY[State.APPLYING][1])
        return read(request_id)

    monkeypatch.setattr(ledger, "decisions", claimed_meanwhile)
    judge.judge()
    assert ledger.events(card.id)[-1].event == Noted(
        BO.id, "Bo Approver", "took the reaction back, too late: #1 is running."
    )


def test_a_reaction_from_while_the_bot_was_away_waits_for_its_card_to_be_found(
    ledger: Book, voice: Voice, workflow: Workflow
) -> None:
    request = a_request_in(ledger, State.PLANNED, wish=a_wish(environment="production"), protected=True)
    ledger.delivering(request.id, "card", channel=CHANNEL)  # posted, and the bot ended before Slack's answer
    happened = ledger.now().timestamp() - 300
    ledger.hear(heard(added=True, event_ts=f"{happened:.6f}"))
    judge = Judge(ledger, voice=voice, directory=Directory(voice, home="T0TWOKEY"), workflow=workflow)
    judge.judge()
    assert len(ledger.unjudged()) == 1
    ledger.delivered_as(request.id, "card", ts="1712345678.000100", content_hash="", plan_ts="1712345678.000100")
    judge.judge()
    assert ledger.unjudged() == ()
    assert ledger.request(request.id).state is State.APPROVED


def test_a_reaction_from_the_frost_that_is_heard_after_it_has_to_be_given_anew(
    card: Request, ledger: Book, voice: Voice, workflow: Workflow
) -> None:
    judge = Judge(ledger, voice=voice, directory=Directory(voice, home="T0TWOKEY"), workflow=workflow)
    frost = a_wish(environment="production", act=Act.FREEZE, reason="the disk is full")
    frozen, _ = ledger.freeze(frost, until=None, protected=True)
    in_the_frost = ledger.now().timestamp()
    thaw = a_request_in(ledger, State.APPLYING, wish=a_wish(environment="production", act=Act.THAW), protected=True)
    ledger.thaw(thaw.id, lifts=(frozen.id,))
    ledger.hear(heard(added=True, event_ts=f"{in_the_frost:.6f}"))
    judge.judge()
    again = "Take the reaction away and give it again."
    refused = Refused(BO.id, "Bo Approver", f"#1 was frozen since you reacted, or nobody knows when. {again}")
    assert ledger.events(card.id)[-1].event == refused
    ledger.hear(heard(added=False, event_ts=f"{in_the_frost + 30:.6f}"))
    ledger.hear(heard(added=True, event_ts=f"{in_the_frost + 31:.6f}"))
    judge.judge()
    assert ledger.request(card.id).state is State.APPROVED


def test_a_no_from_the_frost_counts_whenever_it_is_heard(
    card: Request, ledger: Book, voice: Voice, workflow: Workflow
) -> None:
    judge = Judge(ledger, voice=voice, directory=Directory(voice, home="T0TWOKEY"), workflow=workflow)
    frost = a_wish(environment="production", act=Act.FREEZE, reason="the disk is full")
    ledger.freeze(frost, until=timedelta(hours=1), protected=True)
    ledger.hear(replace(heard(added=True, event_ts=f"{ledger.now().timestamp():.6f}"), emoji="x"))
    judge.judge()
    assert ledger.request(card.id).state is State.REJECTED


def test_a_removal_that_is_heard_while_slack_is_read_back_is_not_undone_by_what_was_read(
    card: Request, ledger: Book, voice: Voice, workflow: Workflow
) -> None:
    judge = Judge(ledger, voice=voice, directory=Directory(voice, home="T0TWOKEY"), workflow=workflow)
    ledger.hear(heard(added=False, event_ts="1712345680.000100"))
    judge.judge()
    read = replace(heard(added=True, event_ts="1712345678.000101"), source=Source.RECONCILE)
    ledger.hear(read)
    ledger.hear(heard(added=True, event_ts="1712345679.000100"))
    judge.judge()
    assert ledger.request(card.id).state is State.PLANNED
    ledger.hear(replace(read, event_ts="1712345680.000101", event_id="read once more"))
    judge.judge()
    assert ledger.request(card.id).state is State.APPROVED
