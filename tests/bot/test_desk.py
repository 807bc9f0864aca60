"""What the desk refuses, in words, where Slack's shapes do not matter."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest

from bot.commands import Cancel, Do, Freeze, History, Plan, Requests, Status
from bot.desk import Asker, Desk, Filled
from bot.outcomes import AskInModal, FrozenNow, Listed, Looking, Mistyped, Refused, Shared, WrittenDown
from ledger.book import Book
from ledger.errors import LedgerUnreachable
from ledger.events import Certified, MigrationApplied
from ledger.records import Deed, Question
from ledger.request import Act, Certification, CertifiedBy, Request, Wish
from ledger.states import State
from tests.bot.conftest import CHANNEL
from tests.support.ledger import ADA, a_request_in, a_wish

ASKER = Asker("U0ENGINEER", CHANNEL, "key-1")


def test_an_old_button_of_an_environment_that_is_gone(desk: Desk, ledger: Book) -> None:
    gone = Refused("staging is no longer in twokey.toml. `/migrate help` lists the environments.")
    assert desk.ask(Do(Act.APPLY, "staging"), ASKER) == gone
    assert desk.ask(Do(Act.CERTIFY, "staging"), ASKER) == gone
    assert desk.confirm(Filled("staging", "staging", "Why not"), ASKER) == gone
    a_request_in(ledger, State.ASKED, wish=a_wish(environment="staging"))
    assert desk.ask(Cancel(1), ASKER) == Refused("staging is no longer in twokey.toml, so #1 can only expire.")
    assert desk.certify_after(9, ASKER) == Refused("There is no request #9. `/migrate requests` lists the open ones.")


def test_a_second_open_request_is_refused_by_the_ledger_too(
    desk: Desk, ledger: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two people send the form at once: the ledger's index is the referee, since both were judged before."""
    by = CertifiedBy(ADA.id, ADA.name, ledger.now(), None)
    request = a_request_in(ledger, State.APPLYING, wish=a_wish(environment="test", act=Act.CERTIFY))
    certification = Certification(request.id, "test", (("20250818140001_a", "a" * 64),), by)
    ledger.certify(certification, why=Certified(ADA.id, ADA.name, ("20250818140001_a",), None))
    judged = Barrier(2)
    opened = ledger.open

    def open_together(wish: Wish, **more: Any) -> tuple[Request, bool]:
        judged.wait(10)
        return opened(wish, **more)

    monkeypatch.setattr(ledger, "open", open_together)
    form = Filled("production", "production", "the release needs it")
    with ThreadPoolExecutor(2) as threads:
        askers = (replace(ASKER, key="one"), replace(ASKER, key="two"))
        outcomes = list(threads.map(lambda asker: desk.confirm(form, asker), askers))
    [written] = [one for one in outcomes if isinstance(one, WrittenDown)]
    [refused] = [one for one in outcomes if isinstance(one, Refused)]
    number = written.request.id
    assert refused.why == (
        f"production has an open request, #{number}. Wait for its end, or take it back with `/migrate cancel {number}`."
    )


def test_what_was_written_is_said_although_the_ledger_is_lost_then(
    desk: Desk, ledger: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = ledger.open

    def open_and_lose(wish: Wish, **more: Any) -> tuple[Request, bool]:
        written = opened(wish, **more)
        monkeypatch.setattr(ledger, "requests", lost)
        return written

    def lost(**_: Any) -> None:
        raise LedgerUnreachable

    monkeypatch.setattr(ledger, "open", open_and_lose)
    assert isinstance(desk.ask(Do(Act.APPLY, "development"), ASKER), WrittenDown)


def test_a_freeze_says_until_when(desk: Desk, ledger: Book) -> None:
    hours, never = timedelta(hours=2), None
    for until, key in ((hours, "one"), (datetime(2099, 1, 1, tzinfo=UTC), "two"), (never, "three")):
        done = desk.ask(Freeze("production", "the fair", until), replace(ASKER, key=key))
        assert isinstance(done, FrozenNow)
        [there] = [one.until for one in ledger.freezes("production") if one.request_id == done.request.id]
        assert (done.until is None) == (there is None)
        assert done.until is None or there is None or abs(done.until - there) < timedelta(seconds=1)


def test_the_same_wish_delivered_twice_is_one_request(desk: Desk) -> None:
    assert isinstance(desk.ask(Do(Act.APPLY, "development"), ASKER), WrittenDown)
    again = desk.ask(Do(Act.APPLY, "development"), ASKER)
    assert isinstance(again, WrittenDown)
    assert (again.new, again.request.id) == (False, 1)


def test_the_same_word_twice_is_refused_until_there_is_something_new(desk: Desk, ledger: Book) -> None:
    by = CertifiedBy(ADA.id, ADA.name, ledger.now(), "clicked")
    request = a_request_in(ledger, State.APPLYING, wish=a_wish(environment="test", act=Act.CERTIFY))
    certification = Certification(request.id, "test", (("20250818140001_a", "a" * 64),), by)
    ledger.certify(certification, why=Certified(ADA.id, ADA.name, ("20250818140001_a",), "clicked"))
    again = Refused(
        f"test is certified already, by ada at {by.at:%Y-%m-%d %H:%M} UTC, and nothing was applied since. "
        "To certify it anew, add a note: `/migrate certify test <note>`."
    )
    assert desk.ask(Do(Act.CERTIFY, "test"), ASKER) == again
    assert desk.ask(Do(Act.CERTIFY, "test", note="clicked"), ASKER) == again
    assert isinstance(desk.ask(Do(Act.CERTIFY, "test", note="once more"), replace(ASKER, key="note")), WrittenDown)
    run = a_request_in(ledger, State.APPLYING, wish=a_wish(environment="test"))
    ledger.tell(run.id, MigrationApplied("20250818150001_b", 1, 1, 0.1))
    assert isinstance(desk.ask(Do(Act.CERTIFY, "test"), replace(ASKER, key="new")), WrittenDown)


def test_a_way_back_from_a_run_takes_back_what_it_brought_and_no_more(desk: Desk, ledger: Book) -> None:
    run = a_request_in(ledger, State.FAILED, wish=a_wish(environment="test"))
    assert desk.undo(run.id, ASKER) == Refused(f"#{run.id} brought nothing that could be taken back.")
    assert desk.undo(99, ASKER) == Refused("There is no request #99. `/migrate requests` lists the open ones.")
    run = a_request_in(ledger, State.APPLIED, wish=a_wish(environment="test"))
    asked = desk.undo(run.id, ASKER)
    assert isinstance(asked, WrittenDown)
    request = asked.request
    assert (request.act, request.about, request.covers_of) == (Act.ROLLBACK, ("last", "1"), run.id)
    again = desk.undo(request.id, ASKER)
    assert again == Refused(f"#{request.id} brought nothing that could be taken back.")


def test_where_two_keys_must_turn_the_form_carries_what_was_asked_for(desk: Desk) -> None:
    asked = desk.ask(Do(Act.ROLLBACK, "production", ("last", "2")), ASKER)
    assert isinstance(asked, AskInModal)
    assert (asked.act, asked.about, asked.covers_of) == (Act.ROLLBACK, ("last", "2"), None)
    filled = Filled("production", "production", "It broke", asked.act, asked.about, covers_of=7)
    wrong = replace(filled, typed="prod")
    assert desk.confirm(wrong, ASKER) == Mistyped("environment", "Type production, exactly so, to confirm.")
    filled = replace(filled, covers_of=None)
    written = desk.confirm(filled, ASKER)
    assert isinstance(written, WrittenDown)
    request = written.request
    assert (request.act, request.about, request.reason) == (Act.ROLLBACK, ("last", "2"), "It broke")
    busy = desk.ask(Do(Act.ROLLBACK, "production"), replace(ASKER, key="two"))
    assert busy == Refused(
        f"#{request.id} is open for production: {request.actor.name} asked, and it waits for its plan. "
        f"Wait for its end, or take it back with `/migrate cancel {request.id}`."
    )


def test_what_ended_is_listed_with_what_was_done_at_a_terminal(desk: Desk, ledger: Book) -> None:
    ledger.notice("test", [[Deed("d", ledger.now(), "apply", ("1_a",), "ada (terminal)")]])
    ended, still_open = desk.ask(History("test"), ASKER), desk.ask(Requests(), ASKER)
    assert isinstance(ended, Listed)
    assert isinstance(still_open, Listed)
    assert (len(ended.noticed), still_open.noticed) == (1, ())


def test_a_second_wish_says_what_it_waits_for(desk: Desk) -> None:
    first, second = (desk.ask(Do(Act.APPLY, "test"), replace(ASKER, key=key)) for key in ("one", "two"))
    assert isinstance(first, WrittenDown)
    assert isinstance(second, WrittenDown)
    assert (first.behind, second.behind) == (None, first.request.id)


def test_sharing(desk: Desk, ledger: Book) -> None:
    asked = {"question": Question.STATUS, "environment": None, "environments": [], "actor": ADA, "channel": CHANNEL}
    inquiry, _ = ledger.ask(**asked, response_url="https://hooks", key="q")
    ledger.answer(inquiry.id, {"question": "nobody", "environments": []})
    assert desk.share(99, ASKER) == Refused("The ledger has no inquiry 99. Ask again.")
    assert desk.share(1, replace(ASKER, actor_id="U0APPROVER")) == Refused(
        "Only the one who asked can share this answer. Ask the same yourself."
    )
    assert desk.share(1, replace(ASKER, actor_id="U0GUEST")) == Refused(
        "Guests cannot ask or decide here. Ask a full member of the workspace."
    )
    assert desk.share(1, replace(ASKER, channel="C0GENERAL")) == Refused(
        "Answers are shared in <#C0MIGRATE>. Ask there."
    )
    assert desk.share(1, ASKER) == Shared()
    assert desk.share(1, ASKER) == Refused("This answer was shared already.")


def test_a_question_is_asked_of_the_environments_that_it_needs(desk: Desk, ledger: Book) -> None:
    desk.ask(Plan("production"), ASKER)
    assert [one.environment for one in ledger.observations(1)] == ["test", "production"]
    assert desk.ask(Status("test"), replace(ASKER, key="status")) == Looking(("test",), rung=True)
    assert [one.environment for one in ledger.observations(2)] == ["test"]
