"""What is heard: over a websocket and over HTTP, twice, at once, by people who may not, and with the world down."""

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from slack_sdk import WebClient

from bot import inquiries, listeners
from bot.config import Settings
from bot.voice import Voice
from ledger.book import Book
from ledger.records import Question
from ledger.request import Act
from ledger.states import State
from playground.client import Workspace
from tests.bot.conftest import CHANNEL, Running, running
from tests.bot.test_conversation import certified
from tests.support.ledger import ADA, a_request_in, a_wish

NOWHERE = "postgresql://nobody@127.0.0.1:1/ledger"


def requests(bot: Running) -> list[str]:
    return [f"{r.act} {r.environment}" for r in bot.book.requests(open_only=False, limit=50)]


def last_whisper(bot: Running, person: str = "U0ENGINEER") -> str:
    return bot.slack.wait_for(lambda: bot.slack.ephemerals(person))[-1]["text"]


def test_over_a_websocket_a_command_is_acked_with_its_number(bot_on_a_websocket: Running) -> None:
    bot = bot_on_a_websocket
    bot.slack.deliver_twice(1)
    said = bot.slack.as_person("U0ENGINEER").slash("/migrate", "apply dev")
    assert requests(bot) == ["apply development"]
    (written,) = bot.book.requests(open_only=False, limit=2)  # of two deliveries at once, the other may have used up #1
    number = f"#{written.id}"
    assert said in {
        f"{number} is written down: apply development.",
        f"{number} was already written down: apply development.",
    }


def test_a_reaction_is_not_acked_without_the_ledger(
    settings: Settings, slack: Workspace, ledger: Book, client: WebClient, voice: Voice
) -> None:
    nowhere = replace(settings, ledger_url=NOWHERE)
    with running(nowhere, slack=slack, ledger=ledger, client=client, voice=voice) as bot:
        ts = bot.slack.as_person("U0ENGINEER").say(CHANNEL, "Lunch?")["ts"]
        bot.slack.settings(retry_delays=[])
        bot.slack.as_person("U0APPROVER").react(CHANNEL, ts, "white_check_mark")
        attempts = bot.slack.wait_for(lambda: [a for d in bot.slack.deliveries("events_api") for a in d["attempts"]])
        assert attempts[0]["acked"] is False
        said = bot.slack.as_person("U0ENGINEER").slash("/migrate", "apply dev")
        assert said is not None
        assert said.startswith("🚫 Nothing was written. The ledger's database cannot be reached.")


def test_redis_down_is_said_and_nothing_is_lost(
    settings: Settings,
    slack: Workspace,
    ledger: Book,
    client: WebClient,
    voice: Voice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(inquiries, "LATE", timedelta(seconds=0.5))
    nowhere = replace(settings, redis_url="redis://127.0.0.1:1/0")
    with running(nowhere, slack=slack, ledger=ledger, client=client, voice=voice) as bot:
        ada = bot.slack.as_person("U0ENGINEER")
        assert ada.slash("/migrate", "apply dev") == (
            "#1 is written down: apply development. "
            "Redis does not answer, so a worker will hear of it later, by itself."
        )
        assert ada.slash("/migrate", "plan dev") == (
            "Looking at development … Redis does not answer, so no worker may hear of it."
        )
        assert requests(bot) == ["apply development"]
        sentence = "Redis does not answer, so no worker heard of it, for development. Start Redis, then ask again."
        bot.slack.wait_for(lambda: last_whisper(bot) == sentence, timeout=8)


def test_slack_not_saying_who_it_is_writes_nothing(bot: Running) -> None:
    bot.slack.fault("users.info", error="internal_error")
    assert bot.slack.as_person("U0ENGINEER").slash("/migrate", "apply dev") == (
        "🚫 Nothing was written. Slack did not say who this is: internal_error. Nothing is lost; try again in a moment."
    )
    assert requests(bot) == []


def test_fifty_commands_at_once_are_acked_in_time(bot: Running) -> None:
    ada = bot.slack.as_person("U0ENGINEER")
    assert ada.slash("/migrate", "requests") == "There is no open request."

    def timed(number: int) -> float:
        began = time.monotonic()
        assert ada.slash("/migrate", "apply dev") is not None
        return time.monotonic() - began

    with ThreadPoolExecutor(50) as people:
        took = list(people.map(timed, range(50)))
    assert len(requests(bot)) == 50
    assert max(took) < 3.0, f"median {statistics.median(took):.3f} s, worst {max(took):.3f} s"


def test_a_slip_is_shown_with_a_mark_under_the_word(bot: Running) -> None:
    bot.slack.as_person("U0ENGINEER").slash("/migrate", "aply dev & <!channel>")
    shown = bot.slack.ephemerals("U0ENGINEER")[-1]
    assert shown["text"] == "“aply” is not a command. Did you mean `apply`?"
    assert shown["blocks"][1]["text"]["text"] == ("```\n/migrate aply dev &amp; &lt;!channel&gt;\n         ^^^^\n```")


def test_an_endless_word_is_clipped(bot: Running) -> None:
    bot.slack.as_person("U0ENGINEER").slash("/migrate", "x" * 3000)
    [_, shown] = bot.slack.ephemerals("U0ENGINEER")[-1]["blocks"]
    assert shown["text"]["text"] == f"```\n/migrate {'x' * 199}…\n         {'^' * 40}\n```"


def test_who_may_not_is_told_who_may(bot: Running) -> None:
    stranger = bot.slack.as_person("U0STRANGER").slash("/migrate", "status")
    assert stranger == "🚫 Twokey answers the members of its own workspace. Ask one of them to look for you."
    for words in ("apply dev", "repair dev"):  # what changed in a file is SQL
        guest = bot.slack.as_person("U0GUEST").slash("/migrate", words)
        assert guest == "🚫 Guests cannot ask or decide here. Ask a full member of the workspace."
    assert requests(bot) == []


def test_an_act_belongs_into_its_channel(bot: Running) -> None:
    said = bot.slack.as_person("U0ENGINEER").slash("/migrate", "apply dev", channel="C0GENERAL")
    assert said == "🚫 Ask for development in <#C0MIGRATE>, where everyone concerned sees it."


def test_production_is_refused_before_the_form_opens_where_the_ledger_knows(bot: Running) -> None:
    said = bot.slack.as_person("U0ENGINEER").slash("/migrate", "apply prod")
    assert said == (
        "🚫 test is not certified, and production gets what was certified there. "
        "After testing, say `/migrate certify test`, then ask again."
    )
    assert bot.slack.views("U0ENGINEER") == []


def test_certifying_what_nothing_protected_follows_is_refused(bot: Running) -> None:
    for word, name in (("dev", "development"), ("prod", "production")):
        assert bot.slack.as_person("U0ENGINEER").slash("/migrate", f"certify {word}") == (
            f"🚫 {name} needs no certification: no protected environment comes after it."
        )


def test_cancelling(bot: Running) -> None:
    a_request_in(bot.book, State.ASKED)
    ada = bot.slack.as_person("U0ENGINEER")
    assert ada.slash("/migrate", "cancel 1") == "#1 is cancelled. Nothing will run."
    assert ada.slash("/migrate", "cancel 1") == "🚫 #1 was cancelled already. There is nothing left to cancel."
    assert ada.slash("/migrate", "cancel 9") == "🚫 There is no request #9. `/migrate requests` lists the open ones."


def test_an_answer_comes_below_and_can_be_shared_once(bot: Running) -> None:
    ada = bot.slack.as_person("U0ENGINEER")
    assert ada.slash("/migrate", "plan dev") == "Looking at development …"
    refusal = "Nothing is pending on development."
    bot.book.answer(1, {"question": "plan", "environment": "development", "plan": None, "refusal": refusal})
    text = f"🚫 Nothing can be applied to development: {refusal}"
    answer = bot.slack.wait_for(
        lambda: next((e for e in bot.slack.ephemerals("U0ENGINEER") if e["text"] == text), None)
    )
    ada.click(answer, "twokey_share")
    [shown] = bot.slack.wait_for(lambda: bot.slack.messages(CHANNEL))
    assert shown["text"] == f"Ada Engineer shares: {text}"
    ada.click(answer, "twokey_share")
    bot.slack.wait_for(lambda: "This answer was shared already." in last_whisper(bot))
    assert len(bot.slack.messages(CHANNEL)) == 1


def test_a_question_that_no_worker_hears_is_answered_by_the_bot(bot: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inquiries, "LATE", timedelta(seconds=0.5))
    bot.slack.as_person("U0ENGINEER").slash("/migrate", "validate")
    sentence = "No worker answers for development, test, production. Start one: `python -m workers`."
    bot.slack.wait_for(lambda: last_whisper(bot) == sentence, timeout=8)


def press(bot: Running, state: State, action: str, *, environment: str = "test") -> dict[str, Any]:
    """Let a request stand in the channel in a state, and press a button of its card."""
    a_request_in(bot.book, state, wish=a_wish(environment=environment), protected=environment == "production")
    shown = bot.slack.wait_for(lambda: next((m for m in bot.slack.messages(CHANNEL) if action in str(m)), None))
    bot.slack.as_person("U0ENGINEER").click(shown, action)
    return shown


def test_certify_under_the_test_run_names_that_run(bot: Running) -> None:
    press(bot, State.APPLIED, "twokey_certify")
    certify = bot.slack.wait_for(
        lambda: [r for r in bot.book.requests(open_only=True, limit=9) if r.act is Act.CERTIFY]
    )
    assert (certify[0].environment, certify[0].covers_of) == ("test", 1)
    bot.slack.wait_for(lambda: last_whisper(bot) == "#2 is written down: certify test.")


def test_ask_again_under_a_failed_run_asks_again(bot: Running) -> None:
    press(bot, State.FAILED, "twokey_apply")
    assert bot.slack.wait_for(lambda: requests(bot) == ["apply test", "apply test"])


def test_ask_again_under_what_was_done_since_is_refused(bot: Running) -> None:
    for state in (State.FAILED, State.APPLIED):
        a_request_in(bot.book, state, wish=a_wish(environment="test"))
    shown = bot.slack.wait_for(lambda: next((m for m in bot.slack.messages(CHANNEL) if "Ask again" in str(m)), None))
    bot.slack.as_person("U0APPROVER").click(shown, "twokey_apply")
    again = "🚫 #2 did that after #1. To do it anew, say `/migrate apply test`."
    bot.slack.wait_for(lambda: last_whisper(bot, "U0APPROVER") == again)
    assert len(requests(bot)) == 2


def test_plan_under_the_development_run_asks_for_the_next(bot: Running) -> None:
    press(bot, State.APPLIED, "twokey_plan", environment="development")
    [inquiry] = bot.slack.wait_for(lambda: bot.book.inquiries_open())
    assert (inquiry.question, inquiry.environment) == (Question.PLAN, "test")


def test_cancel_on_a_protected_card_takes_it_back(bot: Running) -> None:
    press(bot, State.PLANNED, "twokey_cancel", environment="production")
    bot.slack.wait_for(lambda: bot.book.request(1).state is State.CANCELLED)
    assert bot.book.request(1).actor == ADA


def test_a_reason_of_blanks_or_of_a_page_is_pointed_at(bot: Running) -> None:
    certified(bot)
    ada = bot.slack.as_person("U0ENGINEER")
    ada.slash("/migrate", "apply prod")
    [view] = bot.slack.wait_for(lambda: bot.slack.views("U0ENGINEER"))
    assert ada.submit(view["id"], {"environment": "production", "reason": " \u200b "}) == {
        "errors": {"reason": "Say why, in a few words. The second person reads it."}
    }
    assert ada.submit(view["id"], {"environment": "production", "reason": "x" * 301}) == {
        "errors": {"reason": "The reason has 301 characters; 300 fit."}
    }


def test_a_request_opened_meanwhile_keeps_the_form_and_what_was_typed(bot: Running) -> None:
    certified(bot)
    ada = bot.slack.as_person("U0ENGINEER")
    ada.slash("/migrate", "apply prod")
    [view] = bot.slack.wait_for(lambda: bot.slack.views("U0ENGINEER"))
    a_request_in(bot.book, State.ASKED, wish=a_wish(environment="production"), protected=True)
    assert ada.submit(view["id"], {"environment": "production", "reason": "Ship it"}) == {
        "errors": {
            "reason": "#2 is open for production: ada asked, and it waits for its plan. "
            "Wait for its end, or take it back with /migrate cancel 2."
        }
    }


def test_a_double_click_opens_one_form(bot: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    certified(bot)
    shown = bot.slack.wait_for(lambda: bot.slack.messages(CHANNEL))[-1]
    for _ in range(2):
        bot.slack.as_person("U0ENGINEER").click(shown, "twokey_apply")
    assert len(bot.slack.views("U0ENGINEER")) == 1
    monkeypatch.setattr(listeners, "DOUBLE_CLICK", 0.0)
    bot.slack.as_person("U0ENGINEER").click(shown, "twokey_apply")
    assert len(bot.slack.views("U0ENGINEER")) == 2


def test_a_double_click_is_one_wish(bot: Running) -> None:
    shown = press(bot, State.FAILED, "twokey_apply")
    bot.slack.as_person("U0ENGINEER").click(shown, "twokey_apply")
    bot.slack.wait_for(lambda: last_whisper(bot) == "#2 was already written down: apply test.")
    assert requests(bot) == ["apply test", "apply test"]


def test_a_fault_after_the_ack_is_logged(
    bot: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(listeners.home, "view", lambda *_: next(iter(())))
    bot.slack.as_person("U0ENGINEER").open_home()
    bot.slack.wait_for(lambda: "What was to follow an ack met an error that nobody expected" in caplog.text)
    assert "StopIteration" in caplog.text
