"""Bot, worker and sweep can do their work with their own logins, and nothing else: the server says so itself."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest
from psycopg.errors import CheckViolation, InsufficientPrivilege

from ledger.book import Book
from ledger.events import Certified, Expired, Noted, Planned, Withdrawn
from ledger.records import Deed, Question
from ledger.request import Act, Certification, CertifiedBy, Decision, Verdict, Witness
from ledger.states import State
from ledger.tables import metadata
from ledger.underway import Settled
from playground import embedded
from tests.ledger.test_decisions import REACTION
from tests.support.ledger import ADA, BO, DIGEST, ROLES, WAY, a_plan, a_request_in, a_wish, role_url


@contextmanager
def book_of(url: str, role: str) -> Iterator[Book]:
    book = Book(role_url(url, role), name=role)
    yield book
    book.close()


@pytest.fixture
def bot(ledger_url: str) -> Iterator[Book]:
    with book_of(ledger_url, "twokey_bot") as book:
        yield book


@pytest.fixture
def worker(ledger_url: str) -> Iterator[Book]:
    with book_of(ledger_url, "twokey_worker") as book:
        yield book


@pytest.fixture
def sweep(ledger_url: str) -> Iterator[Book]:
    with book_of(ledger_url, "twokey_sweep") as book:
        yield book


def test_a_protected_request_goes_its_way_with_three_logins(bot: Book, worker: Book, sweep: Book) -> None:
    assert all(book.is_prepared() for book in (bot, worker, sweep))
    request, _ = bot.open(a_wish(environment="production"), expires_in=timedelta(hours=1), protected=True)
    bot.rung(request.id)
    plan = a_plan(environment="production", protected=True)
    worker.lay_plan(request.id, summary=plan, frozen={}, why=Planned(DIGEST, ()))
    bot.delivering(request.id, "card", channel="C0MIGRATE")
    bot.delivered_as(request.id, "card", ts="1.1", content_hash="h", plan_ts="1.1")
    bot.announced(request.id, 2)
    bot.hear(REACTION)
    bot.judged(bot.unjudged()[0].id)
    bot.decide(Decision(request.id, BO, Verdict.APPROVE, DIGEST, "1.2", None))
    bot.move(request.id, State.APPROVED, why=WAY[State.APPROVED][1])
    assert bot.due(unheard=timedelta(minutes=1)) == (request.id,)
    bot.witness(Witness(request.id, bot.now(), approving=(BO,), rejecting=(), ours=True, asking=ADA))
    assert worker.latest_witness(request.id) is not None
    assert len(worker.decisions(request.id)) == 1
    worker.move(request.id, State.APPLYING, why=WAY[State.APPLYING][1])
    worker.beat(request.id)
    assert sweep.silent(timedelta(hours=1)) == ()
    assert worker.move(request.id, State.APPLIED, why=WAY[State.APPLIED][1]).state is State.APPLIED
    assert [worker.settle(request.id, Settled(None, None, ())) for _ in range(2)] == [True, False]
    bot.lost(request.id, "card")


def test_a_withdrawal_a_rejection_and_an_expiry(
    bot: Book, worker: Book, sweep: Book, ledger: Book, owner_says: Callable[[str], None]
) -> None:
    request = a_request_in(ledger, State.PLANNED)
    bot.decide(Decision(request.id, BO, Verdict.APPROVE, DIGEST, "1.2", None))
    bot.move(request.id, State.APPROVED, why=WAY[State.APPROVED][1])
    bot.withdraw(request_id=request.id, actor_id=BO.id, verdict=Verdict.APPROVE, event_ts="1.3")
    bot.move(request.id, State.PLANNED, why=Withdrawn(BO.id, BO.name, missing=1))
    bot.tell(request.id, Withdrawn(BO.id, BO.name, missing=2))
    bot.tell(request.id, Noted(BO.id, BO.name, "x"))
    sweep.rung(request.id)
    owner_says("UPDATE requests SET expires_at = clock_timestamp()")
    assert sweep.move(request.id, State.EXPIRED, why=Expired()).state is State.EXPIRED
    bot.tell(request.id, Withdrawn(BO.id, BO.name, missing=2))  # what was under way when it ended is no fault
    assert (sweep.overdue(), sweep.unclaimed(timedelta(hours=1)), sweep.expiring(timedelta(hours=9))) == ((), (), ())


def test_a_question_and_a_certification_go_their_way(bot: Book, worker: Book, ledger: Book) -> None:
    inquiry, _ = bot.ask(
        question=Question.STATUS, environment=None, environments=("test",), actor=ADA, channel="C", response_url="u",
        key="k",
    )  # fmt: skip
    (pending,) = worker.observations(inquiry.id)
    assert worker.observe(pending.id, {}) == inquiry.id
    assert worker.answer(inquiry.id, {})
    bot.share(inquiry.id, actor=ADA, channel="C")
    bot.shared_as(inquiry.id, "1.1")
    bot.delivered(inquiry.id)
    assert worker.inquiry(inquiry.id).delivered_at is not None
    assert worker.observe(worker.ask_observation("test"), {}) is None
    request = a_request_in(ledger, State.APPLYING, wish=a_wish(environment="test", act=Act.CERTIFY))
    by = CertifiedBy(ADA.id, ADA.name, ledger.now(), None)
    worker.certify(Certification(request.id, "test", (), by), why=Certified(ADA.id, ADA.name, (), None))
    assert bot.certification("test") is not None


def test_what_was_done_at_a_terminal_goes_its_way(bot: Book, worker: Book, sweep: Book) -> None:
    worker.watch("test")
    [(watch_id, _)] = sweep.unwatched(timedelta(minutes=1))
    sweep.watch_rung(watch_id, sweep.now())
    assert worker.watch_heard(watch_id) == "test"
    done = Deed("d1", worker.now(), "apply", ("1_a",), "ada (terminal)")
    worker.notice("test", [[done]])
    assert worker.noticed_until("test") == done.at
    [notice] = bot.notices(["test"])
    assert bot.noticing(notice.id, channel="C")
    bot.noticed_as(notice.id, "1.1")
    assert bot.notices(["test"]) == ()


@pytest.fixture
def there(prepared_ledger: embedded.Postgres) -> str:
    """The prepared ledger, whatever is in it: what is refused leaves no trace."""
    return prepared_ledger.url("twokey_ledger")


def refused(url: str, login: str, statement: str) -> None:
    """The server itself says no."""
    with psycopg.connect(role_url(url, login)) as conn, pytest.raises(InsufficientPrivilege):
        conn.execute(statement.encode())


@pytest.mark.parametrize("login", [*ROLES, "postgres"])
@pytest.mark.parametrize("statement", ["UPDATE events SET body = '{}'", "DELETE FROM events", "TRUNCATE events"])
def test_nobody_changes_or_removes_an_event(there: str, login: str, statement: str) -> None:
    refused(there, login, statement)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE x ()",
        "CREATE SCHEMA x",
        "ALTER TABLE events DISABLE TRIGGER events_are_kept",
        "DROP TABLE requests",
        "CREATE OR REPLACE FUNCTION events_are_kept() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "INSERT INTO schema_migrations (migration_id, name, checksum, environment) VALUES ('x', 'x', '', '')",
        "SET session_replication_role = replica",
    ],
)
def test_only_the_owner_changes_the_shape_of_things(there: str, role: str, statement: str) -> None:
    refused(there, role, statement)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("table", metadata.tables)
def test_nothing_is_ever_removed(there: str, role: str, table: str) -> None:
    refused(there, role, f"DELETE FROM {table}")
    refused(there, role, f"TRUNCATE {table} CASCADE")


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    "column",
    ["actor_id", "environment", "protected", "act", "expires_at", "asked_at", "key", "reason", "covers_of", "about"],
)
def test_what_was_asked_stays_what_was_asked(there: str, role: str, column: str) -> None:
    refused(there, role, f"UPDATE requests SET {column} = {column}")


def test_a_plan_once_laid_stays(there: str) -> None:
    for role in ROLES:
        refused(there, role, "UPDATE plans SET frozen = '{}'")


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        ("twokey_bot", "INSERT INTO plans DEFAULT VALUES"),
        ("twokey_bot", "INSERT INTO certifications DEFAULT VALUES"),
        ("twokey_bot", "UPDATE observations SET body = '{}'"),
        ("twokey_bot", "UPDATE requests SET digest = ''"),
        ("twokey_bot", "UPDATE decisions SET actor_id = 'U0APPROVER'"),
        ("twokey_bot", "UPDATE witnesses SET at = now()"),
        ("twokey_worker", "INSERT INTO requests DEFAULT VALUES"),
        ("twokey_worker", "INSERT INTO decisions DEFAULT VALUES"),
        ("twokey_worker", "INSERT INTO witnesses DEFAULT VALUES"),
        ("twokey_worker", "INSERT INTO heard DEFAULT VALUES"),
        ("twokey_worker", "INSERT INTO deliveries DEFAULT VALUES"),
        ("twokey_worker", "SELECT response_url FROM inquiries"),
        ("twokey_worker", "UPDATE requests SET announced_version = 0"),
        ("twokey_worker", "UPDATE deeds SET act = ''"),
        ("twokey_worker", "UPDATE notices SET ts = ''"),
        ("twokey_worker", "UPDATE watches SET environment = ''"),
        (
            "twokey_worker",
            "INSERT INTO notices (environment, earlier, attempt_key, ts) VALUES ('test', true, 'x', '1.1')",
        ),
        ("twokey_worker", "INSERT INTO watches (environment, since) VALUES ('test', now())"),
        ("twokey_bot", "UPDATE notices SET earlier = true"),
        ("postgres", "UPDATE deeds SET act = ''"),
        ("postgres", "DELETE FROM deeds"),
        ("postgres", "TRUNCATE manifests"),
        ("postgres", "UPDATE manifests SET manifest = '{}'"),
        ("postgres", "UPDATE notices SET noticed_at = now()"),
        ("postgres", "DELETE FROM notices"),
        ("twokey_bot", "INSERT INTO deeds DEFAULT VALUES"),
        ("twokey_bot", "INSERT INTO notices DEFAULT VALUES"),
        ("twokey_sweep", "SELECT FROM deeds"),
        ("twokey_bot", "INSERT INTO pulses DEFAULT VALUES"),
        ("twokey_sweep", "SELECT FROM pulses"),
        ("twokey_worker", "UPDATE pulses SET deadlocks = 0"),
        ("twokey_sweep", "INSERT INTO requests DEFAULT VALUES"),
        ("twokey_sweep", "INSERT INTO decisions DEFAULT VALUES"),
        ("twokey_sweep", "INSERT INTO plans DEFAULT VALUES"),
        ("twokey_sweep", "SELECT FROM inquiries"),
        ("twokey_sweep", "SELECT FROM decisions"),
        ("twokey_sweep", "UPDATE requests SET digest = ''"),
    ],
)
def test_each_writes_its_own_part_alone(there: str, role: str, statement: str) -> None:
    refused(there, role, statement)


def test_no_function_of_the_ledger_looks_names_up_where_its_caller_says(there: str) -> None:
    with psycopg.connect(there) as conn:
        loose = conn.execute(
            "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
            " AND coalesce(proconfig[1], '') !~ '^search_path=pg_catalog'"
        )
        assert loose.fetchall() == []


def test_the_bot_cannot_approve_in_the_requesters_name(bot: Book, ledger: Book) -> None:
    request = a_request_in(ledger, State.PLANNED)
    own = Decision(request.id, replace(BO, id=ADA.id), Verdict.APPROVE, DIGEST, "1.2", None)
    with pytest.raises(Exception, match="second key is someone else's"):
        bot.decide(own)


@pytest.mark.parametrize("account", [BO.id, "U0BOTWO"])
def test_the_bot_cannot_write_an_authors_approval_by_hand(ledger: Book, ledger_url: str, account: str) -> None:
    plan = replace(a_plan(), barred=(BO.id, "U0BOTWO", "a1" * 32))
    request = a_request_in(ledger, State.PLANNED, plan=plan)
    forged = (
        "INSERT INTO decisions (request_id, requester_id, actor_id, actor_team, actor_name, actor_kind, verdict, "
        "digest, event_ts) VALUES (%s, %s, %s, '', '', 'full_member', 'approve', %s, '1.1')"
    )
    with psycopg.connect(role_url(ledger_url, "twokey_bot")) as conn:
        conn.execute("CREATE TEMP TABLE plans (request_id bigint, digest text, summary jsonb)")
        conn.execute("SET search_path = pg_temp, public")
        with pytest.raises(CheckViolation) as refused:
            conn.execute(forged, (request.id, ADA.id, account, DIGEST))
    assert refused.value.diag.constraint_name == "decisions_need_no_author"
