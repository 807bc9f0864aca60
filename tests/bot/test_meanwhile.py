"""What comes late or out of order, and people who are others by then than they were."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.identity import Directory
from bot.judge import Judge
from bot.reconciler import Reconciler
from bot.voice import SlackFailed, Voice
from bot.witness import WitnessStand
from ledger.book import Book
from ledger.events import Approved, Ready, Refused
from ledger.records import Heard
from ledger.request import Act, Actor, Decision, Request, Source
from ledger.states import State
from ledger.workflow import Person, Workflow
from playground.client import Workspace
from tests.bot.conftest import CHANNEL
from tests.bot.test_holders import a_judge, story, with_keys
from tests.support.ledger import ADA, BO, a_request_in, a_wish

YES, NO = "white_check_mark", "x"


@pytest.fixture
def card(ledger: Book, slack: Workspace) -> Request:
    """A request for production whose card stands in Slack."""
    request = a_request_in(ledger, State.PLANNED, wish=a_wish(environment="production"), protected=True)
    ts = slack.as_person("U0ENGINEER").say(CHANNEL, "The card")["ts"]
    ledger.delivering(request.id, "card", channel=CHANNEL)
    ledger.delivered_as(request.id, "card", ts=ts, content_hash="", plan_ts=ts)
    return request


@pytest.fixture
def flow() -> Workflow:
    return replace(with_keys(), approve_button=True)


def says(
    ledger: Book, request: Request, name: str, *, added: bool = True, after: float = 0, who: str = BO.id, pressed: bool
) -> None:
    """Somebody reacts, or presses a button, so many seconds from now; nobody judges it yet."""
    at, ts = f"{ledger.now().timestamp() + after:.6f}", ledger.deliveries(request.id)["card"].ts or ""
    source = Source.BUTTON if pressed else Source.REACTION
    assert ledger.hear(Heard("T0TWOKEY", CHANNEL, ts, who, name, added, at, f"Ev{at}", source=source))


def stand(ledger: Book, voice: Voice, flow: Workflow) -> WitnessStand:
    directory = Directory(voice, home="T0TWOKEY", people=flow.people)
    return WitnessStand(ledger, voice=voice, directory=directory, workflow=flow)


def test_a_press_that_was_taken_back_later_and_is_heard_of_late_does_not_count(
    card: Request, ledger: Book, voice: Voice, flow: Workflow
) -> None:
    judge = a_judge(ledger, voice, flow)
    says(ledger, card, YES, added=False, after=2, pressed=True)
    judge.judge()
    says(ledger, card, YES, after=1, pressed=True)
    judge.judge()
    assert (ledger.request(card.id).state, ledger.decisions(card.id)) == (State.PLANNED, ())


@pytest.mark.parametrize(("name", "added", "ends"), [(YES, False, State.PLANNED), (NO, True, State.REJECTED)])
def test_nobody_witnesses_for_a_start_while_a_press_waits_for_its_judge(
    card: Request, ledger: Book, voice: Voice, slack: Workspace, flow: Workflow, name: str, added: bool, ends: State
) -> None:
    judge = a_judge(ledger, voice, flow)
    says(ledger, card, YES, pressed=True)
    judge.judge()
    assert ledger.request(card.id).state is State.APPROVED
    ledger.tell(card.id, Ready())
    slack.fault("users.info", status=429, retry_after=30)
    says(ledger, card, YES, who="U0OBSERVER", pressed=False)  # it meets a Slack that asks for patience
    says(ledger, card, name, added=added, pressed=True)
    judge.judge()
    stand(ledger, voice, flow).look()
    assert ledger.witnesses(card.id) == ()
    a_judge(ledger, voice, flow).judge()
    assert ledger.request(card.id).state is ends


def test_nobody_witnesses_when_a_button_was_pressed_while_slack_was_asked(
    card: Request, ledger: Book, voice: Voice, slack: Workspace, flow: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    says(ledger, card, YES, pressed=True)
    a_judge(ledger, voice, flow).judge()
    ledger.tell(card.id, Ready())
    reactions = voice.reactions

    def pressed_meanwhile(channel: str, ts: str) -> object:
        says(ledger, card, YES, added=False, pressed=True)
        return reactions(channel, ts)

    monkeypatch.setattr(voice, "reactions", pressed_meanwhile)
    stand(ledger, voice, flow).look()
    assert ledger.witnesses(card.id) == ()
    a_judge(ledger, voice, flow).judge()
    assert ledger.request(card.id).state is State.PLANNED


def test_nobody_approves_what_somebody_asked_who_has_left_and_anybody_may_still_say_no(
    card: Request, ledger: Book, voice: Voice, slack: Workspace
) -> None:
    slack.set_person(ADA.id, deleted=True)
    judge = a_judge(ledger, voice, with_keys())
    says(ledger, card, YES, pressed=False)
    judge.judge()
    assert story(ledger, card)[-1].why == (
        "#1 cannot be approved: Slack does not say that <@U0ENGINEER>, who asked, is a full member of the workspace "
        "now. An approver can say `/migrate cancel 1`, and somebody else ask again."
    )
    assert ledger.request(card.id).state is State.PLANNED
    says(ledger, card, NO, pressed=False)
    judge.judge()
    assert ledger.request(card.id).state is State.REJECTED


def test_a_no_waits_for_nothing_that_slack_does_not_say_of_whoever_asked(
    card: Request, ledger: Book, voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = Directory(voice, home="T0TWOKEY")
    fresh = directory.fresh

    def silent_on_ada(user_id: str) -> Actor:
        if user_id == ADA.id:
            raise SlackFailed("look somebody up", "ratelimited", 30)
        return fresh(user_id)

    monkeypatch.setattr(directory, "fresh", silent_on_ada)
    says(ledger, card, NO, pressed=False)
    Judge(ledger, voice=voice, directory=directory, workflow=with_keys()).judge()
    assert ledger.request(card.id).state is State.REJECTED


def test_who_shows_another_address_for_the_asking_is_known_by_the_one_after_it(
    card: Request, ledger: Book, voice: Voice, slack: Workspace
) -> None:
    ada = Person("Ada", (), ("ada@example.com", "ada2@example.com"))
    flow = with_keys(people=(ada,))
    slack.set_person(ADA.id, email="ada@example.com")  # her request knows nothing of it
    slack.set_person(BO.id, email="ada2@example.com")
    says(ledger, card, YES, pressed=False)
    a_judge(ledger, voice, flow).judge()
    refused = story(ledger, card)[-1]
    assert isinstance(refused, Refused)
    assert refused.why.startswith("You asked for #1, so the second key is not yours.")
    ledger.move(card.id, State.APPROVED, why=Approved(BO.id, BO.name, ""))
    ledger.tell(card.id, Ready())
    stand(ledger, voice, flow).look()
    witness = ledger.latest_witness(card.id)
    assert witness
    assert witness.asking
    assert set(witness.asking.marks) & set(Directory(voice, home="T0TWOKEY", people=(ada,)).fresh(BO.id).marks)


def test_whoever_reacts_is_looked_up_then_whatever_was_known_a_minute_ago(
    card: Request, ledger: Book, voice: Voice, slack: Workspace
) -> None:
    flow = with_keys()
    directory = Directory(voice, home="T0TWOKEY")
    directory.actor(BO.id)  # as a member
    slack.set_person(BO.id, is_restricted=True)
    says(ledger, card, YES, pressed=False)
    Judge(ledger, voice=voice, directory=directory, workflow=flow).judge()
    assert story(ledger, card)[-1].why == "Guests cannot ask or decide here. Those who may: <@U0APPROVER>, <@U0SECOND>."


def test_an_emoji_that_means_nothing_is_no_no(card: Request, ledger: Book, voice: Voice) -> None:
    says(ledger, card, "eyes", pressed=False)
    a_judge(ledger, voice, with_keys()).judge()
    assert (ledger.request(card.id).state, ledger.unjudged()) == (State.PLANNED, ())


def test_a_freeze_of_the_moment_of_the_yes_wins(
    card: Request, ledger: Book, voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide = ledger.decide

    def late(decision: Decision) -> bool:
        wish = replace(a_wish(environment="production", act=Act.FREEZE), reason="x")
        ledger.freeze(wish, until=timedelta(seconds=1), protected=True)
        return decide(decision)

    monkeypatch.setattr(ledger, "decide", late)
    says(ledger, card, YES, pressed=False)
    a_judge(ledger, voice, with_keys()).judge()
    assert ledger.request(card.id).state is State.PLANNED
    assert story(ledger, card)[-1].why == "#1 was frozen while you approved it. Approve it anew when that is over."


@pytest.fixture
def crowded(ledger: Book) -> None:
    """A hundred open wishes, none of which waits for a key."""
    for _ in range(101):
        a_request_in(ledger, State.ASKED, wish=a_wish(environment="development"))


def test_however_many_wishes_are_open_a_card_that_waits_is_looked_at(
    crowded: None, card: Request, ledger: Book, voice: Voice, slack: Workspace
) -> None:
    flow = with_keys()
    slack.as_person(BO.id).react(CHANNEL, ledger.deliveries(card.id)["card"].ts or "", YES)
    Reconciler(ledger, voice=voice, workflow=flow).reconcile()
    a_judge(ledger, voice, flow).judge()
    assert ledger.request(card.id).state is State.APPROVED
    ledger.tell(card.id, Ready())
    stand(ledger, voice, flow).look()
    assert [one.approving[0].id for one in ledger.witnesses(card.id)] == [BO.id]


def test_the_channel_of_the_asking_is_looked_at_too(ledger: Book, voice: Voice, slack: Workspace) -> None:
    wish = replace(a_wish(environment="production"), channel="C0GENERAL")
    request = a_request_in(ledger, State.APPROVED, wish=wish, protected=True)
    slack.set_channel("C0GENERAL", is_ext_shared=True)
    ledger.tell(request.id, Ready())
    stand(ledger, voice, with_keys()).look()
    assert [one.ours for one in ledger.witnesses(request.id)] == [False]


def test_everybody_who_reacts_is_asked_for(card: Request, ledger: Book, voice: Voice, slack: Workspace) -> None:
    ts = ledger.deliveries(card.id)["card"].ts or ""
    for person in ("U0OBSERVER", BO.id, "U0SECOND"):
        slack.as_person(person).react(CHANNEL, ts, NO)
    assert voice.reactions(CHANNEL, ts) == {NO: ("U0OBSERVER", BO.id, "U0SECOND")}
