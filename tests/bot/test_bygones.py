"""An old button whose offer was taken meanwhile: refused at once, and no number is used up."""

from dataclasses import replace

import pytest

from bot.commands import Do
from bot.desk import Asker, Desk, Filled
from bot.outcomes import AskInModal, Refused, WrittenDown
from ledger.book import Book
from ledger.events import Applied, Certified, MigrationApplied, Reverted, Started
from ledger.request import Act, Certification, CertifiedBy, Request, Wish
from ledger.states import State
from tests.bot.conftest import CHANNEL
from tests.support.ledger import BO, a_request_in, a_wish

FIRST, SECOND, LATER = "20250818140001_add_user_columns", "20250818150001_create_audit_table", "20250818160001_later"
ADA = Asker("U0ENGINEER", CHANNEL, "key")
UNDER = "1795348800.000100"


def wishes(act: Act, **more: object) -> Wish:
    environment = str(more.pop("environment", "test"))
    return replace(a_wish(environment=environment, act=act), **more)  # pyright: ignore[reportArgumentType]


def ran(book: Book, *brought: str, environment: str = "test") -> Request:
    request = a_request_in(book, State.APPLYING, wish=wishes(Act.APPLY, environment=environment))
    for place, one in enumerate(brought, start=1):
        book.tell(request.id, MigrationApplied(one, place, len(brought), 0.1))
    return book.move(request.id, State.APPLIED, why=Applied(brought, 0.1))


def took_back(book: Book, *gone: str, environment: str = "test") -> Request:
    request = a_request_in(book, State.APPLYING, wish=wishes(Act.ROLLBACK, environment=environment))
    return book.move(request.id, State.APPLIED, why=Reverted(gone, 0.1))


def refused(desk: Desk, book: Book, said: str, *, run: Request) -> None:
    """The way back under the run's message; and nothing was written."""
    before = len(book.requests(open_only=False, limit=99))
    assert desk.undo(run.id, ADA) == Refused(said)
    assert len(book.requests(open_only=False, limit=99)) == before


@pytest.mark.parametrize("gone", [(FIRST, SECOND), (SECOND,)])
def test_what_was_taken_back_is_not_taken_back_again_nor_certified(
    desk: Desk, ledger: Book, gone: tuple[str, ...]
) -> None:
    run = ran(ledger, FIRST, SECOND)
    back = took_back(ledger, *gone)
    said = f"#{back.id} took back what #{run.id} had brought to test."
    now = "is about what is newest there now."
    refused(desk, ledger, f"{said} `/migrate rollback test` {now}", run=run)
    assert desk.certify_after(run.id, ADA) == Refused(f"{said} `/migrate certify test` {now}")
    assert len(ledger.requests(open_only=False, limit=99)) == 2


def test_a_rollback_that_took_other_things_back_is_in_nobodys_way(desk: Desk, ledger: Book) -> None:
    run = ran(ledger, FIRST)
    ran(ledger, LATER)
    took_back(ledger, LATER)  # so the first run's migration may be newest again: the worker looks
    took_back(ledger, FIRST, environment="development")
    assert isinstance(desk.undo(run.id, ADA), WrittenDown)


def test_where_more_came_since_the_buttons_say_how_it_is_asked_now(desk: Desk, ledger: Book) -> None:
    run = ran(ledger, FIRST)
    ran(ledger, LATER)
    moved = f"test moved on since #{run.id}: its newest migration is {LATER} now."
    how_far = "Say how far back: `/migrate rollback test to <migration>`, or `… last <number>`."
    refused(desk, ledger, f"{moved} {how_far}", run=run)
    assert desk.certify_after(run.id, ADA) == Refused(f"{moved} Test that, then say `/migrate certify test`.")


def test_what_somebody_else_asks_for_already_is_asked_for_once(desk: Desk, ledger: Book) -> None:
    run = ran(ledger, FIRST)
    open_one = a_request_in(ledger, State.PLANNED, wish=wishes(Act.ROLLBACK, covers_of=run.id, actor=BO))
    refused(desk, ledger, f"#{open_one.id} asks for that already: it waits for a second person.", run=run)


def test_a_second_click_of_the_same_person_is_the_same_wish(desk: Desk, ledger: Book) -> None:
    run = ran(ledger, FIRST)
    first, second = desk.undo(run.id, ADA), desk.undo(run.id, ADA)
    assert isinstance(first, WrittenDown)
    assert isinstance(second, WrittenDown)
    assert (second.new, second.request) == (False, first.request)


def test_a_form_is_judged_again_when_it_comes_back(desk: Desk, ledger: Book) -> None:
    run = ran(ledger, FIRST, environment="production")
    asked = desk.undo(run.id, ADA)
    assert isinstance(asked, AskInModal)
    back = took_back(ledger, FIRST, environment="production")
    assert desk.undo(run.id, ADA) != asked
    filled = Filled("production", "production", "It broke", asked.act, asked.about, asked.covers_of)
    assert desk.confirm(filled, ADA) == Refused(
        f"#{back.id} took back what #{run.id} had brought to production. "
        "`/migrate rollback production` is about what is newest there now."
    )


def card_of(book: Book, request: Request) -> Asker:
    """Who presses a button of the request's card."""
    book.delivering(request.id, "card", channel=CHANNEL)
    book.delivered_as(request.id, "card", ts=UNDER, content_hash="")
    return replace(ADA, under=UNDER)


@pytest.mark.parametrize(("act", "about", "more"), [(Act.ROLLBACK, ("last", "1"), " last 1"), (Act.APPLY, (), "")])
def test_what_was_done_after_it_went_wrong_is_not_asked_for_again_by_the_old_button(
    desk: Desk, ledger: Book, act: Act, about: tuple[str, ...], more: str
) -> None:
    failed = a_request_in(ledger, State.FAILED, wish=wishes(act, about=about))
    presses, do = card_of(ledger, failed), Do(act, "test", about)
    others = a_request_in(ledger, State.APPLYING, wish=wishes(act, about=("last", "7"), actor=BO))
    same = a_request_in(ledger, State.APPROVED, wish=wishes(act, about=about, actor=BO))
    assert desk.ask(do, presses) == Refused(f"#{same.id} asks for that already: it is approved.")
    ledger.move(same.id, State.APPLYING, why=Started("host:1"))
    ledger.move(same.id, State.APPLIED, why=Applied((FIRST,), 0.1))
    done = Refused(f"#{same.id} did that after #{failed.id}. To do it anew, say `/migrate {act} test{more}`.")
    assert desk.ask(do, presses) == done
    assert [one.id for one in ledger.requests(open_only=False, limit=9)] == [same.id, others.id, failed.id]
    assert isinstance(desk.ask(do, replace(ADA, key="typed")), WrittenDown)


def test_a_button_under_another_message_is_none_of_that(desk: Desk, ledger: Book) -> None:
    failed = a_request_in(ledger, State.FAILED, wish=wishes(Act.APPLY))
    ran(ledger, FIRST)
    assert isinstance(desk.ask(Do(Act.APPLY, "test"), replace(ADA, under="1.2")), WrittenDown)
    under = card_of(ledger, failed)
    assert isinstance(desk.ask(Do(Act.BACKUP, "test"), replace(under, key="backup")), WrittenDown)


def test_what_was_certified_and_is_there_already_is_not_asked_for_by_the_old_button(desk: Desk, ledger: Book) -> None:
    certify = a_request_in(ledger, State.APPLYING, wish=wishes(Act.CERTIFY))
    by = CertifiedBy("U0ENGINEER", "ada", ledger.now(), None)
    covers = ((FIRST, "a" * 64), (SECOND, "b" * 64))
    why = Certified("U0ENGINEER", "ada", (FIRST, SECOND), None)
    ledger.certify(Certification(certify.id, "test", covers, by), why=why)
    presses, do = card_of(ledger, certify), Do(Act.APPLY, "production")
    assert isinstance(desk.ask(do, presses), AskInModal)
    ran(ledger, FIRST, environment="production")
    assert isinstance(desk.ask(do, presses), AskInModal)
    ran(ledger, SECOND, environment="production")
    assert desk.ask(do, presses) == Refused(
        f"production has all that #{certify.id} certified. "
        "Test and certify what came to test since, then say `/migrate apply production`."
    )
    assert isinstance(desk.ask(do, ADA), AskInModal)  # typed, it is a question for the worker
