"""The bot's one clock: it rings for what is due, says a complaint once, and goes on."""

import logging
from datetime import timedelta
from threading import Event

import pytest

from bot import loop
from ledger.book import Book
from ledger.doorbell import Doorbell
from ledger.errors import LedgerUnreachable
from ledger.states import State
from tests.support.ledger import a_request_in


def test_what_redis_did_not_hear_is_rung_when_it_is_back(
    ledger: Book, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "UNHEARD", timedelta())
    asked, approved = a_request_in(ledger, State.ASKED), a_request_in(ledger, State.APPROVED)
    loop.Clock(ledger, bell=Doorbell("redis://127.0.0.1:1/0")).ring()
    assert ledger.due(unheard=timedelta()) == (asked.id, approved.id)
    loop.Clock(ledger, bell=Doorbell(redis_url)).ring()
    assert ledger.due(unheard=timedelta()) == ()


def test_the_loop_says_a_complaint_once_and_goes_on(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "REST", 0.001)
    ended, rounds = Event(), [0]

    def without_a_ledger() -> None:
        raise LedgerUnreachable

    def counts() -> None:
        rounds[0] += 1
        if rounds[0] == 3:
            ended.set()

    with caplog.at_level(logging.ERROR):
        loop.run((without_a_ledger, counts), until=ended, wait_for_news=lambda _: None)
    assert rounds == [3]
    assert len(caplog.records) == 1
    assert "The ledger's database cannot be reached." in caplog.text
