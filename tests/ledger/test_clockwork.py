"""What time asks for, by the ledger's own clock."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from ledger.book import Book
from ledger.events import Answered, ExpiryWarned, Unanswered, Waiting
from ledger.request import Request
from ledger.states import State
from tests.support.ledger import WAY, a_request_in, a_wish

MINUTE = timedelta(minutes=1)
Say = Callable[[str], None]


def age(owner_says: Say, request_id: int, column: str, minutes: int = 2) -> None:
    """Let what `column` says have been some minutes earlier."""
    owner_says(f"UPDATE requests SET {column} = {column} - interval '{minutes} min' WHERE id = {request_id}")


def test_a_start_is_due_once_its_time_has_come(ledger: Book) -> None:
    now_due = a_request_in(ledger, State.APPROVED)
    planned = a_request_in(ledger, State.PLANNED)
    starts_at = ledger.now() + MINUTE
    later = ledger.move(planned.id, State.APPROVED, why=WAY[State.APPROVED][1], starts_at=starts_at)
    assert later.starts_at == starts_at
    assert ledger.due(unheard=MINUTE) == (now_due.id,)
    ledger.rung(now_due.id)
    assert ledger.due(unheard=MINUTE) == ()


def test_a_ring_for_the_plan_is_no_ring_for_the_start(ledger: Book) -> None:
    planned = a_request_in(ledger, State.PLANNED)
    ledger.rung(planned.id)
    ledger.move(planned.id, State.APPROVED, why=WAY[State.APPROVED][1])
    assert ledger.due(unheard=MINUTE) == (planned.id,)


def long_ago(owner_says: Say, request_id: int) -> None:
    """Let all that was told of a request have been two minutes earlier."""
    owner_says(
        "DO $$ BEGIN SET LOCAL session_replication_role = replica;"
        f" UPDATE events SET at = at - interval '2 min' WHERE request_id = {request_id}; END $$"
    )


def test_a_silence_is_told_once_until_somebody_was_heard_of(ledger: Book, owner_says: Say) -> None:
    asked, run = a_request_in(ledger, State.ASKED), a_request_in(ledger, State.APPLYING)
    a_request_in(ledger, State.PLANNED, protected=True, wish=a_wish(environment="production"))
    assert ledger.unanswered(MINUTE) == ()
    for request in (asked, run):
        long_ago(owner_says, request.id)
    for column in ("beat_at", "starts_at"):
        age(owner_says, run.id, column)
    assert ledger.unanswered(MINUTE) == (asked.id, run.id)
    for request in (asked, run):
        ledger.tell(request.id, Unanswered(60))
    assert ledger.unanswered(MINUTE) == ledger.answered() == ()
    ledger.beat(run.id)
    assert ledger.answered() == (run.id,)
    ledger.tell(run.id, Answered())
    assert ledger.answered() == ()


def test_who_waits_behind_a_run_or_for_a_lock_has_a_worker(ledger: Book, owner_says: Say) -> None:
    behind, waiting = (
        a_request_in(ledger, State.ASKED),
        a_request_in(ledger, State.ASKED, wish=a_wish(environment="test")),
    )
    run = a_request_in(ledger, State.APPLYING)
    ledger.tell(waiting.id, Waiting("a terminal"))
    for request in (behind, waiting, run):
        long_ago(owner_says, request.id)
    assert ledger.unanswered(MINUTE) == ()
    age(owner_says, run.id, "beat_at")
    age(owner_says, run.id, "starts_at")
    assert ledger.unanswered(MINUTE) == (behind.id, run.id)


def test_an_asking_that_no_worker_took_up_is_rung_once_more(ledger: Book, owner_says: Say) -> None:
    unheard = a_request_in(ledger, State.ASKED)
    just_asked = a_request_in(ledger, State.ASKED)
    planned = a_request_in(ledger, State.PLANNED)
    for request in (unheard, planned):
        age(owner_says, request.id, "asked_at")
    assert ledger.due(unheard=MINUTE) == (unheard.id,)
    assert ledger.due(unheard=timedelta()) == (unheard.id, just_asked.id)
    ledger.rung(unheard.id)
    assert ledger.due(unheard=MINUTE) == ()


def test_what_nobody_took_up_is_rung_again(ledger: Book, owner_says: Say) -> None:
    never_rung = a_request_in(ledger, State.ASKED)
    just_rung = a_request_in(ledger, State.ASKED)
    just_asked = a_request_in(ledger, State.ASKED)
    approved = a_request_in(ledger, State.APPROVED)
    left_after_its_plan = a_request_in(ledger, State.PLANNED)
    waiting_for_people = a_request_in(ledger, State.PLANNED, protected=True)
    for request in (never_rung, just_rung, approved, left_after_its_plan, waiting_for_people):
        age(owner_says, request.id, "asked_at")
    ledger.rung(just_rung.id)
    assert ledger.unclaimed(MINUTE) == (never_rung.id, left_after_its_plan.id)
    age(owner_says, approved.id, "starts_at")
    assert ledger.unclaimed(MINUTE) == (never_rung.id, approved.id, left_after_its_plan.id)
    assert just_asked.id in ledger.unclaimed(timedelta())
    ledger.beat(never_rung.id)  # as a rehearsal does, which may take long
    assert ledger.unclaimed(MINUTE) == (approved.id, left_after_its_plan.id)


@pytest.mark.parametrize("state", State)
def test_only_what_waits_can_be_overdue(ledger: Book, past: Callable[[int], None], state: State) -> None:
    request = a_request_in(ledger, state)
    assert ledger.overdue() == ()
    past(request.id)
    waits = state in {State.ASKED, State.PLANNED, State.APPROVED}
    assert ledger.overdue() == ((request.id,) if waits else ())


def planned(ledger: Book, environment: str, *, minutes: int) -> Request:
    """A request that waits for a second key."""
    wish = a_wish(environment=environment)
    return a_request_in(ledger, State.PLANNED, wish=wish, protected=True, expires_in=minutes * MINUTE)


def test_who_waits_for_a_second_key_is_warned_once(ledger: Book, past: Callable[[int], None]) -> None:
    soon = planned(ledger, "production", minutes=20)
    planned(ledger, "europe", minutes=40)
    past(planned(ledger, "asia", minutes=20).id)
    a_request_in(ledger, State.PLANNED, expires_in=20 * MINUTE)
    a_request_in(ledger, State.ASKED, protected=True, expires_in=20 * MINUTE)
    assert ledger.expiring(timedelta(minutes=30)) == (soon.id,)
    ledger.tell(soon.id, ExpiryWarned(minutes_left=20))
    assert ledger.expiring(timedelta(minutes=30)) == ()


def test_a_run_without_a_beat_is_silent(ledger: Book, owner_says: Say) -> None:
    running = a_request_in(ledger, State.APPLYING)
    ended = a_request_in(ledger, State.APPLIED)
    assert ledger.silent(MINUTE) == ()
    for request in (running, ended):
        age(owner_says, request.id, "beat_at")
    assert ledger.silent(MINUTE) == (running.id,)
    ledger.rung(running.id)  # somebody was sent to find out
    assert ledger.silent(MINUTE) == ()
    age(owner_says, running.id, "rung_at")
    assert ledger.silent(MINUTE) == (running.id,)
    ledger.beat(running.id)
    assert ledger.silent(MINUTE) == ()
