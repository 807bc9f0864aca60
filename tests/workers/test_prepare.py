"""The ledger is made ready once, by its owner, and again without harm."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from ledger import verification
from ledger.book import Book
from tests.support.ledger import schema_files
from workers import prepare
from workers.config import Misconfigured, PrepareSettings, Secret


@pytest.fixture
def owner(fresh_database: Callable[[str], str]) -> str:
    return fresh_database("prepared_here")


def made(owner: str, **urls: str) -> list[str]:
    said: list[str] = []
    logins = {f"twokey_{role}": Secret(url) for role, url in urls.items()}
    prepare.prepare(PrepareSettings(Secret(owner), logins), say=said.append)
    return said


@pytest.fixture
def forget(postgres) -> Callable[..., None]:
    """Roles belong to the whole server, so a test that makes one takes it away."""

    def drop(*roles: str) -> None:
        with psycopg.connect(postgres.url(), autocommit=True) as conn:
            for role in roles:
                conn.execute(f"DROP ROLE IF EXISTS {role}")  # pyright: ignore[reportArgumentType, reportCallIssue]

    return drop


def test_an_empty_ledger_gets_its_schema_by_our_own_engine_and_then_has_it(owner: str) -> None:
    said = made(owner)
    assert said[1:] == [*(f"Applied {file.stem}." for file in schema_files()), "The ledger is prepared."]
    book = Book(owner)
    assert book.is_prepared()
    book.close()
    assert made(owner) == [
        "The roles twokey_bot, twokey_worker, twokey_sweep are there.",
        f"The schema is complete: {len(schema_files())} files.",
        "The ledger is prepared.",
    ]


def test_each_role_can_use_the_ledger_it_was_made_for(owner: str) -> None:
    made(owner)
    for role in ("twokey_bot", "twokey_worker", "twokey_sweep"):
        book = Book(owner.replace("postgres@", f"{role}@", 1))
        assert book.is_prepared()
        assert book.requests(open_only=True, limit=1) == ()
        book.close()


def test_an_address_makes_its_login_and_the_password_stands_nowhere(
    owner: str, forget: Callable[..., None], capfd: pytest.CaptureFixture[str]
) -> None:
    try:
        url = owner.replace("postgres@", "shop_bot:hunter%402@", 1)
        said = made(owner, bot=url)
        assert "shop_bot can log in as twokey_bot." in said
        assert made(owner, bot=url)[2] == "shop_bot can log in as twokey_bot."
        with psycopg.connect(owner) as conn:
            row = conn.execute("SELECT rolpassword FROM pg_authid WHERE rolname = 'shop_bot'").fetchone()
            assert row
            assert row[0].startswith("SCRAM-SHA-256$")
            held = conn.execute("SELECT pg_has_role('shop_bot', 'twokey_bot', 'USAGE')").fetchone()
            assert held == (True,)
        captured = capfd.readouterr()
        assert "hunter" not in " ".join(said) + captured.out + captured.err
        book = Book(url)
        assert book.is_prepared()
        book.close()
    finally:
        forget("shop_bot")


@pytest.mark.parametrize(
    ("urls", "sentence"),
    [
        (
            {"bot": "postgresql://host/ledger"},
            "LEDGER_BOT_URL names no login. Write it as postgresql://login:password@host/ledger.",
        ),
        (
            {"worker": "postgresql://postgres:x@host/ledger"},
            (
                "LEDGER_WORKER_URL names the login postgres, which belongs to LEDGER_OWNER_URL. "
                "Give each a login of its own."
            ),
        ),
        (
            {"bot": "postgresql://one:x@host/ledger", "sweep": "postgresql://one:x@host/ledger"},
            "LEDGER_SWEEP_URL names the login one, which belongs to LEDGER_BOT_URL. Give each a login of its own.",
        ),
        (
            {"bot": "postgresql://twokey_worker:x@host/ledger"},
            (
                "LEDGER_BOT_URL names the login twokey_worker, which belongs to the role twokey_worker. "
                "Give each a login of its own."
            ),
        ),
    ],
)
def test_logins_that_would_mix_the_roles_are_refused_before_anything_changes(
    owner: str, urls: dict[str, str], sentence: str
) -> None:
    with pytest.raises(Misconfigured) as refused:
        made(owner, **urls)
    assert str(refused.value) == sentence


def test_an_owner_that_may_not_make_roles_is_told_what_to_ask_for(
    owner: str, forget: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.logins.ROLES", ("twokey_bot", "not_there_yet"))
    try:
        with psycopg.connect(owner, autocommit=True) as conn:
            conn.execute("CREATE ROLE small_owner LOGIN; GRANT ALL ON SCHEMA public TO small_owner")
        with pytest.raises(Misconfigured) as refused:
            made(owner.replace("postgres@", "small_owner@", 1))
        assert str(refused.value) == (
            "The owner in LEDGER_OWNER_URL may not make the roles not_there_yet. "
            "Give it CREATEROLE, or have them made by somebody who has it, and run this again."
        )
    finally:
        with psycopg.connect(owner, autocommit=True) as conn:
            conn.execute("DROP OWNED BY small_owner")
        forget("small_owner")


def test_an_older_ledger_is_backed_up_then_upgraded_and_its_record_holds(
    owner: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = tmp_path / "older"
    older.mkdir()
    for file in schema_files()[:2]:
        shutil.copy(file, older)
    with monkeypatch.context() as before:
        before.setattr(prepare.schema, "__path__", [str(older)])
        made(owner)
    with psycopg.connect(owner) as conn:
        conn.execute(
            "INSERT INTO requests (key, act, environment, protected, actor_id, actor_team, actor_name, actor_kind,"
            " channel, state, expires_at, version) VALUES"
            " ('k', 'apply', 'test', false, 'U', 'T', 'n', 'full_member', 'C', 'asked', now(), 1)"
        )
        conn.execute("INSERT INTO events (request_id, seq, kind, body) VALUES (1, 1, 'Asked', '{}')")
    with pytest.raises(prepare.NotPrepared) as refused:
        made(owner)
    assert str(refused.value) == (
        "The ledger is not prepared. It holds something, and this version changes its schema. "
        "Set LEDGER_BACKUPS to a folder in which it is backed up first."
    )
    said: list[str] = []
    settings = PrepareSettings(Secret(owner), {}, backups=tmp_path / "kept", path=os.environ["PATH"])
    prepare.prepare(settings, say=said.append)
    (backup,) = (tmp_path / "kept").glob("ledger-backup-*.sql")
    assert said[1:3] == [f"The ledger as it was stands in {backup}.", f"Applied {schema_files()[2].stem}."]
    book = Book(owner)
    found = verification.of_ledger(book)
    assert (book.is_prepared(), found.events, found.breaches) == (True, 1, ())
    book.close()


def test_a_ledger_that_is_down_is_said_in_one_sentence() -> None:
    with pytest.raises(prepare.NotPrepared) as failed:
        made("postgresql://owner:hunter2@127.0.0.1:1/ledger")
    assert str(failed.value) == (
        "The ledger is not prepared. ledger (127.0.0.1, database ledger) cannot be reached: nothing listens there. "
        "Start the server, or correct LEDGER_OWNER_URL."
    )


def test_a_schema_that_fails_half_way_says_what_and_where(owner: str) -> None:
    with psycopg.connect(owner, autocommit=True) as conn:
        conn.execute("CREATE TABLE requests ()")
    with pytest.raises(prepare.NotPrepared) as failed:
        made(owner)
    assert "is not empty, so nothing is applied without a backup" in str(failed.value)
