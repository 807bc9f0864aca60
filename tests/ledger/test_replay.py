"""A story replayed from its events alone comes to where its row stands, and a freeze to where its own does."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from ledger import verification
from ledger.book import Book
from ledger.chain import Link
from ledger.events import Started
from ledger.request import Act
from ledger.states import State
from tests.support.ledger import WAY, a_request_in, a_wish

Say = Callable[[str], None]


def told(ledger: Book) -> list[str]:
    return [breach.why for breach in verification.of_ledger(ledger).breaches]


def test_a_row_that_is_not_where_its_story_came_to_is_named(ledger: Book, forge: Say) -> None:
    a_request_in(ledger, State.CANCELLED)
    forge("UPDATE requests SET state = 'failed'")
    assert told(ledger) == ["#1 is failed by its row, and cancelled by its story up to event 2."]


def test_an_event_that_cannot_stand_where_it_does_is_named(ledger: Book) -> None:
    request = a_request_in(ledger, State.APPLIED)
    ledger.tell(request.id, Started("host:2"))
    assert told(ledger) == ["Event 6 of #1 (Started) cannot stand there, where #1 was applied."]


def test_a_freeze_and_the_thaws_that_tell_of_it_agree(ledger: Book, forge: Say) -> None:
    freeze = replace(a_wish(environment="production", act=Act.FREEZE), reason="x")
    ledger.freeze(freeze, until=None, protected=True)
    thaw = a_request_in(ledger, State.APPLYING, wish=a_wish(environment="production", act=Act.THAW))
    forge("UPDATE freezes SET thawed_by = 2")
    assert told(ledger) == ["The freeze of #1 was lifted by #2 by its row, and no event of that thaw tells of it."]
    forge("UPDATE freezes SET thawed_by = NULL")
    ledger.thaw(thaw.id, lifts=[1])
    assert told(ledger) == []
    forge("UPDATE freezes SET thawed_by = NULL")
    assert told(ledger) == ["The freeze of #1 stands by its row, and the story of #2 tells that it was lifted."]
    forge("DELETE FROM freezes")
    assert told(ledger) == ["The freeze of #1 is gone."]


def test_a_thaw_that_was_changed_is_named_by_its_chain(ledger: Book, forge: Say) -> None:
    a_request_in(ledger, State.APPLYING, wish=a_wish(environment="production", act=Act.THAW))
    ledger.thaw(1, lifts=[])
    for body in ("{}", '{"freezes": 7}', '{"freezes": ["x"]}', "[]"):
        forge(f"UPDATE events SET body = '{body}' WHERE kind = 'Thawed'")
        (changed,) = told(ledger)
        assert changed.startswith("Event 5 of #1 (Thawed, ")


def test_a_request_that_moves_while_the_record_is_read_is_no_breach(
    ledger: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = a_request_in(ledger, State.APPLYING)
    all_links = ledger.all_links

    def read() -> Iterator[Link]:
        yield from all_links()
        ledger.move(request.id, State.FAILED, why=WAY[State.FAILED][1])

    monkeypatch.setattr(ledger, "all_links", read)
    assert told(ledger) == []


def test_a_thaw_that_ends_while_the_record_is_read_is_no_breach(ledger: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger.freeze(replace(a_wish(environment="production", act=Act.FREEZE), reason="x"), until=None, protected=True)
    thaw = a_request_in(ledger, State.APPLYING, wish=a_wish(environment="production", act=Act.THAW))
    all_links = ledger.all_links

    def read() -> Iterator[Link]:
        yield from all_links()
        ledger.thaw(thaw.id, lifts=[1])

    monkeypatch.setattr(ledger, "all_links", read)
    assert told(ledger) == []
