"""The ledger's events → Slack: once, in order, whatever Slack does meanwhile. Every round is one call of announce()."""

import time
from dataclasses import replace
from itertools import count
from threading import Event, Thread
from typing import Any

import pytest
from slack_sdk import WebClient

from bot import loop
from bot.announcer import Announcer
from bot.voice import Voice
from ledger import events
from ledger.book import Book
from ledger.request import Request
from ledger.states import State
from ledger.turn import Turn
from ledger.workflow import Verbosity, Workflow
from playground.client import Workspace
from tests.bot.conftest import CHANNEL, a_workflow
from tests.support.ledger import a_request_in, a_wish, role_url
from tests.support.waiting import wait_for


@pytest.fixture
def announcer(ledger: Book, voice: Voice, workflow: Workflow, slack: Workspace) -> Announcer:
    return Announcer(ledger, voice=voice, workflow=workflow)


def until_told(announcer: Announcer, book: Book) -> None:
    """Rounds, as the loop takes them, until there is no news."""
    deadline = time.monotonic() + 10
    while book.unannounced():
        assert time.monotonic() < deadline, "there is still news after ten seconds"
        announcer.announce()
        time.sleep(0.02)


def texts(slack: Workspace) -> list[str]:
    return [message["text"] for message in slack.messages(CHANNEL)]


def numbers(slack: Workspace) -> list[str]:
    """The requests whose cards stand in the channel, in their order there."""
    return [text.partition(" (#")[2][:1] for text in texts(slack)]


def planned(book: Book, environment: str = "development") -> Request:
    return a_request_in(
        book, State.PLANNED, wish=a_wish(environment=environment), protected=environment == "production"
    )


def test_nothing_stands_in_the_channel_before_there_is_a_plan(
    announcer: Announcer, ledger: Book, slack: Workspace
) -> None:
    a_request_in(ledger, State.ASKED)
    until_told(announcer, ledger)
    assert slack.messages(CHANNEL) == []


def test_two_bots_at_once_post_each_message_once(
    ledger: Book, ledger_url: str, client: WebClient, slack: Workspace
) -> None:
    """As in a rolling deploy. The one that holds the turn ends in the middle, and the other one goes on."""
    ended, turns, books, clocks = (Event(), Event()), [], [], []
    for end in ended:
        url = role_url(ledger_url, "twokey_bot")
        turns.append(turn := Turn(url))
        books.append(book := Book(url))
        announcer = Announcer(book, voice=Voice(client), workflow=a_workflow())
        steps = (turn.only(announcer.announce),)
        clocks.append(
            Thread(target=loop.run, args=(steps,), kwargs={"until": end, "wait_for_news": turn.wait_for_news})
        )
        clocks[-1].start()
    for number in range(1, 9):
        planned(ledger)
        if number == 4:
            wait_for(lambda: len(texts(slack)) >= 2)
            holder = next(n for n, turn in enumerate(turns) if turn._held is not None)
            ended[holder].set()
            clocks[holder].join()
            turns[holder].close()
    wait_for(lambda: not ledger.unannounced())
    for end, clock, turn, book in zip(ended, clocks, turns, books, strict=True):
        end.set()
        clock.join()
        turn.close()
        book.close()
    assert numbers(slack) == list("12345678")
    assert len(slack.calls("chat.postMessage")) == 8


def test_a_post_whose_answer_was_lost_is_found_and_not_repeated(
    announcer: Announcer, ledger: Book, slack: Workspace
) -> None:
    planned(ledger)
    slack.fault("chat.postMessage", lose_answer=True)
    until_told(announcer, ledger)
    [message] = slack.messages(CHANNEL)
    assert ledger.request_at(channel=CHANNEL, ts=message["ts"]) == 1


def test_a_lost_answer_in_a_thread_is_found_there(announcer: Announcer, ledger: Book, slack: Workspace) -> None:
    request = planned(ledger)
    until_told(announcer, ledger)
    ledger.tell(request.id, events.Refused("U0SECOND", "dee", "You are not an approver. Ask bo."))
    slack.fault("chat.postMessage", lose_answer=True)
    until_told(announcer, ledger)
    [card] = slack.messages(CHANNEL)
    [line] = slack.thread(CHANNEL, card["ts"])
    assert line["text"] == "🚫 dee's reaction did not count: “You are not an approver.”"


def test_another_process_finds_what_a_dead_one_posted(
    announcer: Announcer, ledger: Book, voice: Voice, slack: Workspace, workflow: Workflow
) -> None:
    planned(ledger)
    slack.fault("chat.postMessage", lose_answer=True)
    announcer.announce()
    ledger.move(1, State.FAILED, why=events.Failed("It broke.", "Mend it."))
    until_told(Announcer(ledger, voice=voice, workflow=workflow), ledger)
    [card] = [m for m in slack.messages(CHANNEL) if m.get("subtype") != "thread_broadcast"]
    assert card["text"].endswith("❌ Failed.")


def test_order_is_kept_while_slack_asks_to_wait(announcer: Announcer, ledger: Book, slack: Workspace) -> None:
    for environment in ("development", "test", "production"):
        planned(ledger, environment)
    slack.fault("chat.postMessage", status=429, retry_after=1)
    began = time.monotonic()
    until_told(announcer, ledger)
    assert time.monotonic() - began >= 1
    assert numbers(slack) == ["1", "2", "3"]
    assert len(slack.calls("chat.postMessage")) == 4


def test_a_wait_that_ends_in_the_middle_of_a_round_lets_nobody_overtake(
    ledger: Book, voice: Voice, slack: Workspace, workflow: Workflow
) -> None:
    clock = count(step=0.3)  # each look at it is a third of a second later
    announcer = Announcer(ledger, voice=voice, workflow=workflow, clock=lambda: next(clock))
    for environment in ("development", "test", "production"):
        planned(ledger, environment)
    slack.fault("chat.postMessage", status=429, retry_after=1)
    until_told(announcer, ledger)
    assert numbers(slack) == ["1", "2", "3"]


def test_a_channel_that_the_bot_is_not_in_holds_up_no_other(ledger: Book, voice: Voice, slack: Workspace) -> None:
    flow = a_workflow()
    first, *others = flow.environments
    flow = replace(flow, environments=(replace(first, channel="C0GENERAL"), *others))
    planned(ledger, "development")
    planned(ledger, "test")
    Announcer(ledger, voice=voice, workflow=flow).announce()
    assert len(texts(slack)) == 1
    assert ledger.unannounced() == (1,)


def test_blocks_that_slack_refuses_leave_the_sentence(announcer: Announcer, ledger: Book, slack: Workspace) -> None:
    planned(ledger)
    slack.fault("chat.postMessage", error="invalid_blocks")
    until_told(announcer, ledger)
    [message] = slack.messages(CHANNEL)
    assert message["text"] == "ada asked to apply 2 migrations to development (#1). ⏳ Planned."
    assert not any(block["type"] == "actions" for block in message.get("blocks", []))


def test_a_deleted_card_is_posted_anew(announcer: Announcer, ledger: Book, slack: Workspace) -> None:
    planned(ledger, "production")
    until_told(announcer, ledger)
    [gone] = slack.messages(CHANNEL)
    slack.delete_message(CHANNEL, gone["ts"])
    ledger.move(1, State.EXPIRED, why=events.Expired())
    until_told(announcer, ledger)
    assert ledger.request_at(channel=CHANNEL, ts=gone["ts"]) is None
    assert any("⌛ Expired: nobody turned the second key in time" in text for text in texts(slack))


def test_progress_is_edited_a_little_and_the_end_at_once(announcer: Announcer, ledger: Book, slack: Workspace) -> None:
    request = a_request_in(ledger, State.APPLYING)
    until_told(announcer, ledger)
    ledger.tell(request.id, events.BackedUp("b.sql", 10, "c" * 64, 0.1))
    announcer.announce()
    for position in (1, 2):
        ledger.tell(request.id, events.MigrationApplied(f"m{position}", position, 2, 0.1))
        announcer.announce()
    edits = len(slack.calls("chat.update"))
    ledger.move(request.id, State.APPLIED, why=events.Applied(("m1", "m2"), 0.3))
    announcer.announce()
    assert ledger.unannounced() == ()
    assert edits <= 1
    assert len(slack.calls("chat.update")) == edits + 2  # the progress and the card


def test_quiet_is_one_line_for_a_success(ledger: Book, voice: Voice, slack: Workspace) -> None:
    announcer = Announcer(ledger, voice=voice, workflow=a_workflow(verbosity=Verbosity.QUIET))
    request = a_request_in(ledger, State.APPLYING)
    until_told(announcer, ledger)
    assert slack.messages(CHANNEL) == []
    ledger.move(request.id, State.APPLIED, why=events.Applied(("m1",), 0.3))
    until_told(announcer, ledger)
    [line] = slack.messages(CHANNEL)
    assert line["text"] == (
        "✅ *development* · apply #1 · <@U0ENGINEER> 1 migration applied to development in 300 ms. "
        "Next: `/migrate plan test`."
    )


def broadcast(slack: Workspace) -> list[dict[str, Any]]:
    return [message for message in slack.messages(CHANNEL) if message.get("subtype") == "thread_broadcast"]


def test_a_failure_is_seen_by_the_whole_channel_and_a_success_is_not(
    announcer: Announcer, ledger: Book, slack: Workspace
) -> None:
    a_request_in(ledger, State.APPLIED)
    until_told(announcer, ledger)
    assert broadcast(slack) == []
    a_request_in(ledger, State.FAILED)
    until_told(announcer, ledger)
    [loud] = broadcast(slack)
    assert (
        loud["text"]
        == "❌ *development* · apply #2 failed · <@U0ENGINEER>\nIt failed.\nNothing was committed.\n➡️ Fix it."
    )
