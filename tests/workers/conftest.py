"""The row of environments that this room's tests work on."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from engine.scratch import Server
from ledger.book import Book
from playground import embedded, stack
from tests.support.empty import Emptied
from tests.support.workflow import workflow_with
from tests.workers.row import Row
from workers import gate, neighbours


@pytest.fixture(scope="session")
def environments(postgres: embedded.Postgres) -> Iterator[Mapping[str, str]]:
    """Three databases for the session: to empty one takes a tenth of the time that making it takes."""
    names = ("development", "test", "production")
    yield {name: postgres.create(f"workers_{name}") for name in names}
    for name in names:
        postgres.drop(f"workers_{name}")


@pytest.fixture
def row(tmp_path: Path, ledger: Book, ledger_url: str, redis_url: str, environments: Mapping[str, str]) -> Row:
    """Three empty environments and the repository's own migrations."""
    settings = workflow_with(start_delay="1s", lock_timeout="1s", statement_timeout="20s")
    (tmp_path / "twokey.toml").write_text(stack.on_one_server(settings))
    shutil.copytree(
        Path(__file__).parents[2] / "migrations", tmp_path / "migrations", ignore=shutil.ignore_patterns("*backup*")
    )
    return Row(tmp_path, ledger, ledger_url, redis_url, Emptied(environments))


@pytest.fixture
def rehearsed(row: Row, postgres: embedded.Postgres, monkeypatch: pytest.MonkeyPatch) -> Row:
    """Production has all three and a row; development and test have a fourth file, which production may get."""
    monkeypatch.setattr(gate, "PATIENCE", timedelta())  # the bot has looked already
    row.scratch = Server(postgres.url(), on_protected_server=True)
    row.bring("production")
    row.sql("production", "INSERT INTO users (email) VALUES ('a@example.com')")
    return row


@pytest.fixture
def owner_says(ledger_url: str) -> Callable[[str], None]:
    """Run one statement as the ledger's owner, past the book."""

    def say(statement: str) -> None:
        with psycopg.connect(ledger_url, autocommit=True) as conn:
            conn.execute(statement)  # pyright: ignore[reportArgumentType, reportCallIssue]

    return say


@pytest.fixture
def little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that nobody answers for is not waited for."""
    monkeypatch.setattr(neighbours, "PATIENCE", timedelta(seconds=0.1))
