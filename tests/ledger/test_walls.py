"""What a login of the bot, the workers or the sweep cannot write, though it may update and insert there."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from itertools import product

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from ledger.book import Book
from ledger.events import KINDS, Cancelled
from ledger.replay import state_after
from ledger.request import Act
from ledger.states import FINAL, MOVES, State
from tests.support.ledger import ADA, BO, a_plan, a_request_in, a_wish, role_url

BOT, WORKER, SWEEP = ROLES = ("twokey_bot", "twokey_worker", "twokey_sweep")
#: What more than one part writes, and what the others do not.
BY_BOT = {
    "Asked", "Approved", "Agreed", "Withdrawn", "Refused", "Noted", "Rejected", "Cancelled", "Witnessed", "Frozen",
    "Halted", "Exported",
}  # fmt: skip
BY_SWEEP = {"ExpiryWarned", "Expired", "Unanswered", "Answered", "RanOut"}
BY_9 = '{"by": 9, "actor_name": "ada"}'
RULES = '{"actor_id": "policy"}'
BY_WORKER = set(KINDS) - (BY_BOT - {"Halted"}) - BY_SWEEP


def says(ledger_url: str, role: str, *statements: str) -> None:
    """One transaction of a login of that role."""
    with closing(psycopg.connect(role_url(ledger_url, role))) as conn, conn.transaction():
        for one in statements:
            conn.execute(one.encode())


def refused(ledger_url: str, role: str, why: str, *statements: str) -> None:
    with pytest.raises(InsufficientPrivilege, match=why):
        says(ledger_url, role, *statements)


def an_event(kind: str, body: str = "{}") -> str:
    return (
        "WITH grown AS (UPDATE requests SET version = version + 1 WHERE id = 1 RETURNING id, version)"
        f" SELECT FROM grown; INSERT INTO events (request_id, seq, kind, body)"
        f" SELECT id, version, '{kind}', '{body}' FROM requests WHERE id = 1"
    )


def a_request(state: str, version: int, act: str) -> str:
    """Another row like the first, but for these."""
    return (
        "INSERT INTO requests (key, act, environment, protected, actor_id, actor_team, actor_name, actor_kind, channel,"
        f" state, version, expires_at) SELECT 'x', '{act}', 'test', protected, actor_id, actor_team, actor_name,"
        f" actor_kind, channel, '{state}', {version}, expires_at FROM requests"
    )


def test_the_database_has_the_same_moves(ledger_url: str) -> None:
    with psycopg.connect(ledger_url) as conn:
        for was, to in product(State, State):
            (may,) = conn.execute("SELECT is_move(%s, %s)", (was, to)).fetchone() or ()
            assert may == (to in MOVES[was])


def test_the_database_has_the_same_words_for_them(ledger_url: str) -> None:
    with psycopg.connect(ledger_url) as conn:
        for stands, kind in product(State, KINDS):
            (to,) = conn.execute("SELECT state_after(%s, %s)", (stands, kind)).fetchone() or ()
            assert to == state_after(stands, kind)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("end", sorted(FINAL))
def test_what_has_ended_is_not_revived_by_any_login(ledger: Book, ledger_url: str, role: str, end: State) -> None:
    a_request_in(ledger, end)
    for to in ("asked", "planned", "approved", "applying"):
        back = f"UPDATE requests SET state = '{to}', starts_at = now() - interval '1 s' WHERE id = 1"
        refused(ledger_url, role, f"no move from {end} to {to} for {role}", back)


def test_an_approved_request_that_was_cancelled_is_not_started_by_the_sweep(ledger: Book, ledger_url: str) -> None:
    a_request_in(ledger, State.APPROVED)
    ledger.move(1, State.CANCELLED, why=Cancelled(ADA.id, ADA.name))
    for role in (SWEEP, WORKER):
        back = "UPDATE requests SET state = 'approved', starts_at = now() - interval '1 s' WHERE id = 1"
        refused(ledger_url, role, f"no move from cancelled to approved for {role}", back)


@pytest.mark.parametrize("role", ROLES)
def test_a_start_is_not_brought_forward(ledger: Book, ledger_url: str, role: str) -> None:
    a_request_in(ledger, State.APPROVED)
    why = "a start has its time from its approval"
    refused(ledger_url, role, why, "UPDATE requests SET starts_at = now() - interval '1 hour' WHERE id = 1")


def test_nothing_starts_before_its_time(ledger: Book, ledger_url: str) -> None:
    a_request_in(ledger, State.APPROVED)
    says(ledger_url, "postgres", "UPDATE requests SET starts_at = now() + interval '1 hour' WHERE id = 1")
    why = "nothing starts before its time or after it"
    refused(ledger_url, WORKER, why, "UPDATE requests SET state = 'applying' WHERE id = 1")


@pytest.mark.parametrize("known", ["asked for", "planned"])
def test_no_worker_approves_where_a_second_person_has_to(ledger: Book, ledger_url: str, known: str) -> None:
    plan = a_plan(protected=known == "planned")
    a_request_in(ledger, State.PLANNED, protected=known == "asked for", plan=plan)
    approving = "UPDATE requests SET state = 'approved', starts_at = now() WHERE id = 1"
    refused(ledger_url, WORKER, "no move from planned to approved for twokey_worker", approving)
    refused(ledger_url, SWEEP, "no move from planned to approved for twokey_sweep", approving)


def test_the_sweep_ends_by_time_alone(ledger: Book, ledger_url: str) -> None:
    a_request_in(ledger, State.PLANNED)
    for to in ("rejected", "cancelled", "stale", "failed"):
        refused(ledger_url, SWEEP, "no move from planned", f"UPDATE requests SET state = '{to}' WHERE id = 1")


@pytest.mark.parametrize("role", ROLES)
def test_every_fact_is_written_by_its_own_part_alone(ledger: Book, ledger_url: str, role: str) -> None:
    a_request_in(ledger, State.ASKED)
    mine = {BOT: BY_BOT, WORKER: BY_WORKER, SWEEP: BY_SWEEP}[role]
    for kind in KINDS:
        if kind in mine and kind in {"Lifted", "RanOut"}:
            refused(ledger_url, role, "the freeze of request 1 is not over by that", an_event(kind))
        elif kind in mine and state_after(State.ASKED, kind) is State.ASKED:
            says(ledger_url, role, an_event(kind))
        elif kind in mine:
            refused(ledger_url, role, f"{kind} does not bring a request from asked to asked", an_event(kind))
        else:
            refused(ledger_url, role, f"{role} does not write {kind}", an_event(kind, '{"actor_id": "U0APPROVER"}'))


def test_what_a_worker_says_of_an_approval_is_the_rules_and_no_person(ledger: Book, ledger_url: str) -> None:
    a_request_in(ledger, State.ASKED)
    refused(ledger_url, WORKER, "Approved does not bring a request from asked to asked", an_event("Approved", RULES))
    for kind in ("Approved", "Withdrawn", "Refused"):
        refused(
            ledger_url, WORKER, f"twokey_worker does not write {kind}", an_event(kind, f'{{"actor_id": "{BO.id}"}}')
        )
    says(ledger_url, WORKER, an_event("Withdrawn", RULES))
    says(ledger_url, WORKER, an_event("Refused", RULES))


@pytest.mark.parametrize("role", ROLES)
def test_no_number_of_a_story_is_left_out_or_taken_before(ledger: Book, ledger_url: str, role: str) -> None:
    a_request_in(ledger, State.ASKED)
    far = "UPDATE requests SET version = 2147483647 WHERE id = 1"
    refused(ledger_url, role, "a story grows by one event at a time", far)
    refused(ledger_url, role, "event 2 of request 1 is missing", "UPDATE requests SET version = version + 1")


@pytest.mark.parametrize(
    ("role", "to"),
    [(WORKER, "applying"), (WORKER, "failed"), (SWEEP, "expired"), (BOT, "cancelled"), (BOT, "rejected")],
)
def test_no_state_is_moved_without_an_event(ledger: Book, ledger_url: str, role: str, to: str) -> None:
    a_request_in(ledger, State.APPROVED)
    silent = f"UPDATE requests SET state = '{to}' WHERE id = 1"
    refused(ledger_url, role, "no move without an event that says why", silent)
    counted = f"UPDATE requests SET state = '{to}', version = version + 1 WHERE id = 1"
    over = "UPDATE requests SET expires_at = now() WHERE id = 1"
    says(ledger_url, "postgres", over if to == "expired" else "SELECT")
    refused(ledger_url, role, "event 4 of request 1 is missing", counted)


def test_nothing_expires_before_its_time(ledger: Book, ledger_url: str) -> None:
    a_request_in(ledger, State.PLANNED)
    early = "UPDATE requests SET state = 'expired', version = version + 1 WHERE id = 1"
    refused(ledger_url, SWEEP, "nothing expires before its time", early)


def test_a_worker_does_not_tell_the_end_of_a_run_that_was_none(ledger: Book, ledger_url: str) -> None:
    a_request_in(ledger, State.APPROVED)
    done = "INSERT INTO events (request_id, seq, kind, body) VALUES (1, 4, 'Applied', '{}')"
    counted = "UPDATE requests SET version = version + 1 WHERE id = 1"
    refused(ledger_url, WORKER, "Applied does not bring a request from approved to approved", counted, done)
    moved = "UPDATE requests SET state = 'applying', version = version + 1 WHERE id = 1"
    refused(ledger_url, WORKER, "Applied does not bring a request from approved to applying", moved, done)


@pytest.mark.parametrize(
    ("state", "version", "act"), [("approved", 1, "apply"), ("asked", 2, "apply"), ("applied", 2, "thaw")]
)
def test_a_request_begins_with_being_asked(ledger: Book, ledger_url: str, state: str, version: int, act: str) -> None:
    a_request_in(ledger, State.ASKED)
    refused(ledger_url, BOT, "a request begins with being asked", a_request(state, version, act))


@pytest.mark.parametrize(("state", "version", "act"), [("asked", 1, "apply"), ("applied", 2, "freeze")])
def test_a_request_begins_with_its_first_word(
    ledger: Book, ledger_url: str, state: str, version: int, act: str
) -> None:
    a_request_in(ledger, State.ASKED)
    refused(ledger_url, BOT, "request 2 has no first word", a_request(state, version, act))


@pytest.fixture
def frozen(ledger: Book) -> Iterator[Book]:
    ledger.freeze(replace(a_wish(environment="production", act=Act.FREEZE), reason="x"), until=None, protected=True)
    yield ledger
    assert ledger.frozen("production")


def test_a_freeze_is_lifted_by_a_thaw_that_runs(frozen: Book, ledger_url: str) -> None:
    assert frozen.frozen("production")
    for by in ("1", "request_id"):
        lifting = f"UPDATE freezes SET thawed_by = {by}"
        refused(ledger_url, WORKER, "a freeze is lifted by a thaw that runs", lifting)


def test_a_freeze_is_said_to_be_over_when_it_is(ledger: Book, ledger_url: str) -> None:
    """Where it was told truly: test_a_freeze_is_told_that_it_is_over_by_the_thaw_or_by_its_time."""
    for until in (timedelta(hours=1), None):
        ledger.freeze(a_wish(act=Act.FREEZE, reason="why"), until=until, protected=False)
    for one in ("1", "2"):
        ran_out, lifted = (an_event(*said).replace("id = 1", f"id = {one}") for said in (("RanOut",), ("Lifted", BY_9)))
        refused(ledger_url, SWEEP, f"the freeze of request {one} is not over by that", ran_out)
        refused(ledger_url, WORKER, f"the freeze of request {one} is not over by that", lifted)
