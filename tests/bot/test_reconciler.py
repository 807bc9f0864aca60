"""What Slack shows under a card is true, whoever did not hear of it."""

from collections.abc import Callable
from itertools import count

import pytest
from slack_sdk import WebClient

from bot.identity import Directory
from bot.judge import Judge
from bot.reconciler import Reconciler, missed
from bot.voice import Voice
from ledger.book import Book
from ledger.events import Refused
from ledger.records import Delivery, Heard
from ledger.request import Request, Source
from ledger.states import State
from ledger.workflow import Workflow
from playground.client import Workspace
from tests.bot.conftest import CHANNEL
from tests.support.ledger import BO, a_request_in, a_wish

YES, NO = "white_check_mark", "x"
CARD = Delivery(7, "card", CHANNEL, "key", "100.000000", "")


def heard(person: str, *, added: bool, ts: str, source: Source = Source.REACTION) -> Heard:
    return Heard("", CHANNEL, "100.000000", person, YES, added, ts, f"Ev{ts}", source=source)


@pytest.mark.parametrize(
    ("shown", "known", "found"),
    [
        ({YES: ()}, (), []),
        ({YES: ("U1",)}, (heard("U1", added=True, ts="101.5"),), []),
        ({YES: ()}, (heard("U1", added=True, ts="101.5"), heard("U1", added=False, ts="102.5")), []),
        # Nobody heard of it: just after the card stood there.
        ({YES: ("U1",)}, (), [("U1", YES, True, "100.000001")]),
        ({YES: (), NO: ("U2", "U1")}, (), [("U1", NO, True, "100.000001"), ("U2", NO, True, "100.000001")]),
        # Two skin tones are one word.
        ({YES: ("U1", "U1")}, (), [("U1", YES, True, "100.000001")]),
        # It is gone, and so it went after it came; whatever Slack still tells of comes later than that.
        ({YES: ()}, (heard("U1", added=True, ts="101.5"),), [("U1", YES, False, "101.500001")]),
        (
            {YES: ("U1",)},
            (heard("U1", added=True, ts="101.5"), heard("U1", added=False, ts="102.999999")),
            [("U1", YES, True, "103.000000")],
        ),
        # An emoji that says nothing any more is left alone.
        ({NO: ()}, (heard("U1", added=True, ts="101.5"),), []),
    ],
)
def test_what_was_missed_follows_from_what_slack_shows_and_what_is_known(
    shown: dict[str, tuple[str, ...]], known: tuple[Heard, ...], found: list[tuple[object, ...]]
) -> None:
    read = list(missed(CARD, shown, known))
    assert [(one.actor_id, one.emoji, one.added, one.event_ts) for one in read] == found
    assert {one.source for one in read} <= {Source.RECONCILE}
    assert list(missed(CARD, shown, (*known, *read))) == []


@pytest.fixture
def card(ledger: Book, client: WebClient) -> Request:
    """A request for production whose card stands in Slack; of what happens there nobody tells the bot."""
    request = a_request_in(ledger, State.PLANNED, wish=a_wish(environment="production"), protected=True)
    ts = str(client.chat_postMessage(channel=CHANNEL, text="the card")["ts"])
    ledger.delivering(request.id, "card", channel=CHANNEL)
    ledger.delivered_as(request.id, "card", ts=ts, content_hash="", plan_ts=ts)
    return request


@pytest.fixture
def a_minute_passes(ledger: Book, voice: Voice, workflow: Workflow) -> Callable[[], None]:
    """The bot reads reactions back and judges; each time a minute later."""
    clock = count(step=60.0)
    home = Directory(voice, home="T0TWOKEY")
    reconciler = Reconciler(ledger, voice=voice, workflow=workflow, clock=lambda: next(clock))
    judge = Judge(ledger, voice=voice, directory=home, workflow=workflow)

    def pass_() -> None:
        reconciler.reconcile()
        judge.judge()

    return pass_


def ts_of(ledger: Book, request: Request) -> str:
    return ledger.deliveries(request.id)["card"].ts or ""


def test_an_approval_that_nobody_heard_of_counts_and_so_does_its_withdrawal(
    card: Request, ledger: Book, slack: Workspace, a_minute_passes: Callable[[], None]
) -> None:
    bo, ts = slack.as_person(BO.id), ts_of(ledger, card)
    bo.react(CHANNEL, ts, YES)
    a_minute_passes()
    assert ledger.request(card.id).state is State.APPROVED
    [said] = ledger.decisions(card.id)
    assert (said.actor.id, said.source, said.withdrawn_ts) == (BO.id, Source.RECONCILE, None)
    bo.unreact(CHANNEL, ts, YES)
    a_minute_passes()
    assert ledger.request(card.id).state is State.PLANNED
    assert [told.event.source for told in ledger.events(card.id)[2:]] == [Source.RECONCILE] * 2  # pyright: ignore[reportAttributeAccessIssue]
    bo.react(CHANNEL, ts, NO)
    a_minute_passes()
    assert ledger.request(card.id).state is State.REJECTED


def test_a_missed_reaction_that_does_not_count_is_refused_once(
    card: Request, ledger: Book, slack: Workspace, a_minute_passes: Callable[[], None]
) -> None:
    slack.as_person("U0OBSERVER").react(CHANNEL, ts_of(ledger, card), YES)
    for _ in range(3):
        a_minute_passes()
    late = ledger.reactions(channel=CHANNEL, ts=ts_of(ledger, card))[0]
    ledger.hear(Heard("T0TWOKEY", CHANNEL, late.message_ts, "U0OBSERVER", YES, True, f"{late.event_ts}9", "Ev1"))
    a_minute_passes()
    assert ledger.unjudged() == ()
    refused = [told.event for told in ledger.events(card.id) if isinstance(told.event, Refused)]
    assert [one.actor_id for one in refused] == ["U0OBSERVER"]


def test_while_slack_is_silent_nothing_is_concluded(
    card: Request, ledger: Book, slack: Workspace, a_minute_passes: Callable[[], None]
) -> None:
    slack.as_person(BO.id).react(CHANNEL, ts_of(ledger, card), YES)
    a_minute_passes()
    slack.fault("reactions.get", error="internal_error")
    a_minute_passes()
    assert ledger.request(card.id).state is State.APPROVED
    slack.delete_message(CHANNEL, ts_of(ledger, card))  # whoever deletes a card takes its reactions away
    a_minute_passes()
    assert ledger.request(card.id).state is State.PLANNED
