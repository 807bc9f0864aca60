"""A message is reserved before it is posted, so that none is lost and none comes twice."""

from ledger.book import Book
from ledger.events import Noted
from ledger.states import State
from tests.support.ledger import BO, a_request_in


def test_what_happened_is_unannounced_until_it_is_shown(ledger: Book) -> None:
    first = a_request_in(ledger, State.ASKED)
    second = a_request_in(ledger, State.PLANNED)
    assert ledger.unannounced() == (first.id, second.id)
    ledger.announced(first.id, 1)
    ledger.announced(second.id, 1)
    assert ledger.unannounced() == (second.id,)
    ledger.announced(second.id, 2)
    assert ledger.unannounced() == ()
    ledger.announced(second.id, 1)
    assert ledger.unannounced() == ()
    ledger.tell(first.id, Noted(BO.id, BO.name, "reacted"))
    assert ledger.unannounced() == (first.id,)


def test_a_slot_is_reserved_once(ledger: Book) -> None:
    request = a_request_in(ledger, State.PLANNED)
    reserved = ledger.delivering(request.id, "card", channel="C0MIGRATE")
    assert (reserved.slot, reserved.channel, reserved.ts, reserved.content_hash) == ("card", "C0MIGRATE", None, None)
    assert ledger.delivering(request.id, "card", channel="C0OTHER") == reserved
    assert ledger.delivering(request.id, "progress", channel="C0MIGRATE").attempt_key != reserved.attempt_key
    assert set(ledger.deliveries(request.id)) == {"card", "progress"}


def test_a_card_is_found_by_where_it_stands(ledger: Book) -> None:
    request = a_request_in(ledger, State.PLANNED)
    for slot, ts in (("card", "1700000000.000100"), ("progress", "1700000000.000200")):
        ledger.delivering(request.id, slot, channel="C0MIGRATE")
        ledger.delivered_as(request.id, slot, ts=ts, content_hash="h1")
    assert ledger.request_at(channel="C0MIGRATE", ts="1700000000.000100") == request.id
    assert ledger.request_at(channel="C0OTHER", ts="1700000000.000100") is None
    assert ledger.request_at(channel="C0MIGRATE", ts="1700000000.000200") is None
    ledger.delivered_as(request.id, "card", ts="1700000000.000100", content_hash="h2")
    assert ledger.deliveries(request.id)["card"].content_hash == "h2"


def test_a_message_that_is_gone_is_posted_anew(ledger: Book) -> None:
    request = a_request_in(ledger, State.PLANNED)
    before = ledger.delivering(request.id, "card", channel="C0MIGRATE")
    ledger.delivered_as(request.id, "card", ts="1700000000.000100", content_hash="h1")
    ledger.lost(request.id, "card")
    after = ledger.delivering(request.id, "card", channel="C0MIGRATE")
    assert (after.ts, after.content_hash) == (None, None)
    assert after.attempt_key != before.attempt_key
    assert ledger.request_at(channel="C0MIGRATE", ts="1700000000.000100") is None
