"""The buttons that say what the emoji say, for those who cannot see them; where twokey.toml wants them."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from slack_sdk import WebClient

from bot import cards
from bot.config import Settings
from bot.story import Story
from bot.voice import Voice
from ledger import events
from ledger.book import Book
from ledger.request import Request, Source
from ledger.states import State
from playground.client import Workspace
from tests.bot.conftest import CHANNEL, Running, running
from tests.bot.stories import ASKED, BY_BO, PLANNED, WORKFLOW, a_request, a_summary, lines, told
from tests.support.ledger import a_request_in, a_wish

WITH_BUTTONS = replace(WORKFLOW, approve_button=True)
APPROVE = "[Approve twokey_approve=7]"
REJECT = "[Reject twokey_reject=7]"
TAKE_BACK = "[Take back twokey_take_back=7]"
CANCEL = "[Cancel twokey_cancel=7]"
BY_BUTTON = replace(BY_BO, source="button")


@pytest.mark.parametrize(
    ("state", "story", "line", "buttons"),
    [
        (
            State.PLANNED,
            (),
            "⏳ Waiting for a second person: :white_check_mark: starts it, :x: rejects it",
            [APPROVE, REJECT, CANCEL],
        ),
        (
            State.APPROVED,
            (BY_BUTTON,),
            (
                "~Waiting~ → 🟡 Approved by bo, starts at <!date^1795341735^{time_secs}|10:02:15 UTC>; "
                "*Take back* stops it"
            ),
            [TAKE_BACK, REJECT, CANCEL],
        ),
        (State.APPLYING, (BY_BUTTON, events.Started("host:1")), None, []),
    ],
)
def test_a_card_with_buttons(
    state: State, story: tuple[events.Event, ...], line: str | None, buttons: list[str]
) -> None:
    production = WORKFLOW.environments[2]
    request = replace(a_request(state), plan=a_summary(production))
    shown = lines(cards.card(Story(request, production, told(ASKED, PLANNED, *story), WITH_BUTTONS)))
    assert line in {None, shown[1]}
    assert [one for one in shown if one.startswith("[")] == buttons
    assert (
        "*Second key* :white_check_mark: by <@U0APPROVER> or <@U0SECOND> starts it 15 s later, :x: rejects it. "
        "The buttons say the same."
    ) in shown


def test_a_press_whose_button_was_switched_off_meanwhile_is_stopped_by_cancelling() -> None:
    production = WORKFLOW.environments[2]
    request = replace(a_request(State.APPROVED), plan=a_summary(production))
    shown = lines(cards.card(Story(request, production, told(ASKED, PLANNED, BY_BUTTON), WORKFLOW)))
    assert shown[1].endswith("; `/migrate cancel 7` stops it")
    assert [one for one in shown if one.startswith("[")] == [CANCEL]


@pytest.fixture
def card(ledger: Book) -> Request:
    return a_request_in(ledger, State.PLANNED, wish=a_wish(environment="production"), protected=True)


@pytest.fixture
def bot_with_buttons(
    settings: Settings, card: Request, slack: Workspace, ledger: Book, client: WebClient, voice: Voice
) -> Iterator[Running]:
    workflow = replace(settings.workflow, approve_button=True, start_delay=settings.workflow.start_delay * 100)
    with running(replace(settings, workflow=workflow), slack=slack, ledger=ledger, client=client, voice=voice) as one:
        yield one


def press(bot: Running, person: str, button: str) -> None:
    shown = bot.slack.wait_for(lambda: next((m for m in bot.slack.messages(CHANNEL) if button in str(m)), None))
    assert bot.slack.as_person(person).click(shown, button) is None


def reads(bot: Running, person: str, words: str) -> None:
    bot.slack.wait_for(lambda: words in str(bot.slack.ephemerals(person)))


def test_a_press_is_judged_like_a_reaction_and_can_be_taken_back(card: Request, bot_with_buttons: Running) -> None:
    bot, book = bot_with_buttons, bot_with_buttons.book
    for person, why in (("U0OBSERVER", "You are not an approver of production."), ("U0ENGINEER", "You asked for #1")):
        press(bot, person, "twokey_approve")
        reads(bot, person, why)
    press(bot, "U0APPROVER", "twokey_approve")
    bot.slack.wait_for(lambda: book.request(card.id).state is State.APPROVED)
    [said] = book.decisions(card.id)
    assert (said.actor.id, said.source) == ("U0APPROVER", Source.BUTTON)
    book.tell(card.id, events.Ready())
    bot.slack.wait_for(lambda: book.latest_witness(card.id))
    witness = book.latest_witness(card.id)
    assert witness is not None
    assert (witness.approving, [one.id for one in witness.pressed]) == ((), ["U0APPROVER"])
    press(bot, "U0OBSERVER", "twokey_take_back")
    reads(bot, "U0OBSERVER", "No approval of yours stands on #1.")
    press(bot, "U0APPROVER", "twokey_take_back")
    bot.slack.wait_for(lambda: book.request(card.id).state is State.PLANNED)
    press(bot, "U0APPROVER", "twokey_reject")
    bot.slack.wait_for(lambda: book.request(card.id).state is State.REJECTED)


def pressed(action: str) -> dict[str, Any]:
    """A press as Slack delivers it, of a button that nobody shows any more."""
    return {
        "type": "block_actions",
        "team": {"id": "T0TWOKEY"},
        "user": {"id": "U0APPROVER", "team_id": "T0TWOKEY"},
        "channel": {"id": CHANNEL},
        "container": {"type": "message", "channel_id": CHANNEL, "message_ts": "1712345678.000100"},
        "actions": [{"type": "button", "action_id": action, "value": "1", "action_ts": "1712345679.000100"}],
        "trigger_id": "1.1",
        "response_url": "http://127.0.0.1:1/nobody",
    }


def test_without_the_setting_a_press_is_not_written_down(
    bot: Running, voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: list[str] = []
    monkeypatch.setattr(Voice, "respond", lambda _self, _url, body: answers.append(body.text))
    assert bot.slack.deliver("interactive", pressed("twokey_approve"))["acked"]
    bot.slack.wait_for(lambda: answers)
    assert answers == ["🚫 Buttons do not count here. React with :white_check_mark: to the card."]
    assert bot.book.unjudged() == ()
