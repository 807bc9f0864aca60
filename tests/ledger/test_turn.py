"""Of several bots one acts at a time, and the next one takes over."""

import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from ledger.book import Book
from ledger.errors import LedgerUnreachable
from ledger.states import State
from ledger.turn import Turn
from tests.ledger.conftest import Say
from tests.support.ledger import a_request_in, role_url
from tests.support.waiting import wait_for


@pytest.fixture
def two(ledger_url: str) -> Iterator[tuple[Turn, Turn]]:
    """The turns of two bots, under the role that they have in production."""
    with ExitStack() as ending:
        turns = Turn(role_url(ledger_url, "twokey_bot")), Turn(role_url(ledger_url, "twokey_bot"))
        for turn in turns:
            ending.callback(turn.close)
        yield turns


def test_one_holds_it_until_it_ends_and_the_other_says_so_once(
    two: tuple[Turn, Turn], caplog: pytest.LogCaptureFixture
) -> None:
    first, second = two
    with caplog.at_level(logging.INFO, "twokey.turn"):
        assert [first.is_mine(), second.is_mine(), first.is_mine(), second.is_mine()] == [True, False, True, False]
        first.close()
        wait_for(second.is_mine)  # the server lets go a moment after its client has gone
    assert caplog.messages == [
        "Another bot is at work. This one hears Slack too, and takes over the rest when that one ends.",
        "The other bot has ended; this one goes on.",
    ]


def test_a_deed_is_left_to_whoever_holds_it(two: tuple[Turn, Turn]) -> None:
    done: list[str] = []
    first, second = (turn.only(lambda name=name: done.append(name)) for turn, name in zip(two, "ab", strict=True))
    for deed in (first, second, first):
        deed()
    assert done == ["a", "a"]


def test_a_session_that_ends_lets_go_and_is_noticed(two: tuple[Turn, Turn], owner_says: Say) -> None:
    first, second = two
    assert first.is_mine()
    owner_says("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1")
    while not second.is_mine():  # the server ends a session a moment after it was told to
        pass
    assert not first.is_mine()


def test_who_holds_it_hears_at_once_that_something_was_written(two: tuple[Turn, Turn], ledger: Book) -> None:
    turn, other = two
    assert turn.is_mine()
    begun = time.monotonic()
    turn.wait_for_news(0.2)
    assert time.monotonic() - begun >= 0.2
    a_request_in(ledger, State.ASKED)
    turn.wait_for_news(60)
    other.wait_for_news(0.1)  # without the turn there is no session to hear it on
    assert time.monotonic() - begun < 30


def test_a_lost_session_is_not_waited_on_in_a_hurry(two: tuple[Turn, Turn], owner_says: Say) -> None:
    turn, _ = two
    assert turn.is_mine()
    owner_says("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1")
    begun = time.monotonic()
    turn.wait_for_news(0.2)
    turn.wait_for_news(0.2)
    assert time.monotonic() - begun >= 0.2


def test_without_a_ledger_nobody_holds_it() -> None:
    with pytest.raises(LedgerUnreachable):
        Turn("postgresql://bot:x@127.0.0.1:1/ledger").is_mine()
