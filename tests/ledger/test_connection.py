"""A ledger that is away, malformed or not prepared yet is said in a sentence that shows no secret."""

import os
import pickle
import time
import traceback
from collections.abc import Callable
from datetime import datetime, timedelta
from multiprocessing import get_context

import psycopg
import pytest

from ledger import errors
from ledger.book import Book
from ledger.errors import LedgerBusy, LedgerError, LedgerUnreachable, MalformedUrl
from ledger.events import Noted
from ledger.prepared import schema_ids
from ledger.states import State
from ledger.workflow import Trouble, WorkflowError
from tests.support.ledger import a_request_in, a_wish, prepare, role_url, schema_files

AWAY = "postgresql://twokey_bot:hunter2@127.0.0.1:1/ledger"
UNREACHABLE = (
    "The ledger's database cannot be reached. Check that PostgreSQL is up and that LEDGER_DATABASE_URL "
    "names the right host, login and database."
)
WAITING = "Waiting for the ledger to be prepared. Run: python -m workers prepare"


@pytest.mark.parametrize(
    "url", ["", "hunter2", "mysql://a:hunter2@h/ledger", "postgresql://a:hunter2@h", "postgresql://a:hunter2@h:port/x"]
)
def test_a_malformed_url_is_named_and_not_shown(url: str) -> None:
    with pytest.raises(MalformedUrl) as caught:
        Book(url)
    assert str(caught.value) == (
        "LEDGER_DATABASE_URL is not a URL that Twokey understands. "
        "Write it like postgresql://login:password@host:5432/ledger."
    )
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


def test_a_ledger_that_is_away_is_said_without_its_password() -> None:
    book = Book(AWAY)
    began = time.monotonic()
    with pytest.raises(LedgerUnreachable) as caught:
        book.open(a_wish(), expires_in=timedelta(hours=1), protected=False)
    assert time.monotonic() - began < 1
    assert str(caught.value) == UNREACHABLE
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))
    assert repr(book) == "<Book>"


def test_a_database_or_a_login_that_is_not_there_is_unreachable(ledger_url: str) -> None:
    for url in (ledger_url.replace("twokey_ledger", "nowhere"), role_url(ledger_url, "nobody")):
        with pytest.raises(LedgerUnreachable):
            Book(url).now()


def test_a_server_that_comes_back_is_found_again(ledger: Book, ledger_url: str) -> None:
    ledger.now()
    _end_sessions(ledger_url)
    assert ledger.now()


def _end_sessions(ledger_url: str) -> None:
    with psycopg.connect(ledger_url, autocommit=True) as conn:
        conn.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tests'")


def test_a_session_lost_in_the_middle_is_unreachable(ledger: Book, ledger_url: str) -> None:
    def lose_the_session() -> None:
        with ledger._transaction() as tx:
            tx.exec_driver_sql("SELECT 1")
            _end_sessions(ledger_url)
            tx.exec_driver_sql("SELECT 1")

    with pytest.raises(LedgerUnreachable):
        lose_the_session()


BUSY = (
    "The ledger's database did not do that just now: it is locked, overloaded, full or read-only. "
    "Try again in a moment; if that does not help, look at the server."
)


@pytest.mark.parametrize("how", ["lock_timeout=50ms", "statement_timeout=50ms", "default_transaction_read_only=on"])
def test_a_ledger_that_cannot_now_is_one_to_try_again(ledger: Book, ledger_url: str, how: str) -> None:
    request = a_request_in(ledger, State.ASKED)
    book = Book(f"{ledger_url}&options=-c%20{how.replace('=', '%3D')}")
    with psycopg.connect(ledger_url) as other:
        other.execute("SELECT FROM requests FOR UPDATE")
        with pytest.raises(LedgerBusy) as caught:
            book.tell(request.id, Noted("U0ENGINEER", "ada", "waits."))
    book.close()
    assert isinstance(caught.value, LedgerUnreachable)
    assert str(caught.value) == BUSY


def test_what_people_write_is_utf8_whatever_the_surroundings_say(
    ledger: Book, ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    request = a_request_in(ledger, State.ASKED)
    book = Book(ledger_url)
    book.tell(request.id, Noted("U0ENGINEER", "Łódź 🔑", "waits."))
    book.close()
    assert ledger.events(request.id)[-1].event == Noted("U0ENGINEER", "Łódź 🔑", "waits.")


def test_a_connection_says_who_it_is_and_waits_for_nothing_long(ledger: Book) -> None:
    with ledger._transaction() as tx:
        told = {
            name: tx.exec_driver_sql(f"SHOW {name}").scalar()
            for name in ("application_name", "statement_timeout", "lock_timeout", "timezone")
        }
    assert told == {"application_name": "tests", "statement_timeout": "5s", "lock_timeout": "2s", "timezone": "UTC"}


def test_the_url_has_the_last_word(ledger_url: str) -> None:
    book = Book(f"{ledger_url}&application_name=mine")
    with book._transaction() as tx:
        assert tx.exec_driver_sql("SHOW application_name").scalar() == "mine"
    book.close()


def test_twenty_listeners_have_a_connection_each(ledger: Book) -> None:
    held = [ledger._engine.connect() for _ in range(20)]
    for connection in held:
        connection.close()


def test_a_fork_leaves_its_parents_connections_alone(ledger: Book) -> None:
    ledger.now()

    def child() -> None:
        ledger.after_fork()
        ledger.now()
        os._exit(0)

    fork = get_context("fork").Process(target=child)
    fork.start()
    fork.join(10)
    assert fork.exitcode == 0
    assert ledger.now()


def test_a_ledger_without_its_schema_is_not_prepared(fresh_database: Callable[[str], str]) -> None:
    url = fresh_database("unprepared")
    book = Book(url)
    assert not book.is_prepared()
    prepare(url)
    assert book.is_prepared()
    with psycopg.connect(url) as conn:
        conn.execute(
            "INSERT INTO schema_migrations (migration_id, name, checksum, environment) VALUES ('9', '', '', '')"
        )
    assert book.is_prepared()
    with psycopg.connect(url) as conn:
        conn.execute("DELETE FROM schema_migrations WHERE migration_id <> '9'")
    assert not book.is_prepared()
    with psycopg.connect(url) as conn:
        conn.execute("REVOKE SELECT ON schema_migrations FROM twokey_bot")
    stranger = Book(role_url(url, "twokey_bot"))
    assert not stranger.is_prepared()
    for each in (book, stranger):
        each.close()


def test_the_schemas_names_are_those_of_its_files() -> None:
    assert schema_ids() == {file.stem for file in schema_files()}


def test_who_waits_says_what_for_and_when_it_is_over(fresh_database: Callable[[str], str]) -> None:
    url = fresh_database("awaited")
    book = Book(url)
    said: list[str] = []

    def say(sentence: str) -> None:
        said.append(sentence)
        if sentence == WAITING:
            prepare(url)

    book.wait_until_prepared(say, every=timedelta(milliseconds=10))
    assert said == [WAITING, "The ledger is prepared."]
    said.clear()
    book.wait_until_prepared(say)
    assert said == []
    book.close()


def test_who_waits_says_that_the_server_is_away(monkeypatch: pytest.MonkeyPatch, ledger_url: str) -> None:
    book = Book(AWAY)
    there = Book(ledger_url)
    said: list[str] = []

    def say(sentence: str) -> None:
        said.append(sentence)
        book._engine = there._engine

    book.wait_until_prepared(say, every=timedelta(milliseconds=10))
    assert said == [UNREACHABLE, "The ledger is prepared."]
    there.close()


_ERRORS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, LedgerError)]
_FACTS = {
    "path": "twokey.toml", "troubles": Trouble("channel", "is missing"),
    "setting": "S", "example": "E", "request_id": 7, "what": "inquiry", "record_id": 1, "standing": State.ASKED,
    "to": State.APPLIED, "expired_at": datetime.fromisoformat("2026-11-22T10:00:00Z"), "environment": "production",
}  # fmt: skip


@pytest.mark.parametrize("kind", [*_ERRORS, WorkflowError])
def test_an_error_survives_pickling(kind: type[Exception]) -> None:
    names = getattr(kind.__init__, "__annotations__", {})
    error = kind(*(_FACTS[name] for name in names if name != "return"))
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
