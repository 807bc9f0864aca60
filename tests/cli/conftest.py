"""A person's shell: a workflow file, a folder of migrations, three real databases, and the command."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cli import surroundings
from cli.answer import Code
from cli.main import run
from engine import apply, lock, plan, standing
from engine.backup import NothingToLose
from engine.connection import open_session
from playground import embedded
from playground.stack import on_one_server
from tests.cli import shapes
from tests.support import kept, workflow
from tests.support.empty import EMPTY_ENVIRONMENT

OURS = on_one_server(workflow.OURS)
USERS = "20250818130001_create_users"
COLUMNS = "20250818140001_add_user_columns"


@dataclass(frozen=True)
class Said:
    """What came of one command."""

    code: int
    out: str
    err: str

    @property
    def body(self) -> Any:
        """The one JSON object on standard output."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Shell:
    """A person's shell and folder."""

    folder: Path
    dsn: dict[str, str]
    _patch: pytest.MonkeyPatch
    _capture: pytest.CaptureFixture[str]

    def __call__(self, *words: str) -> Said:
        """Run `twokey words…`."""
        self._capture.readouterr()
        code = run(words)
        captured = self._capture.readouterr()
        if "--json" in words and code != Code.WRONG_USAGE:
            shapes.check(words, json.loads(captured.out))
        return Said(code, captured.out, captured.err)

    def bring(self, *names: str) -> None:
        """Bring empty environments the whole folder, by the engine alone: there is no backup to wait for."""
        around = surroundings.here()
        for name in names:
            database = around.database(around.environment(name))
            with open_session(database, purpose="twokey test", limits=around.limits) as session, lock.only_one(session):
                files = around.files()
                drawn = plan.draw(standing.look(session, files), files, before=None, limits=around.limits)
                ran = apply.run(session, drawn, backup=NothingToLose(), actor=around.person, request=None)
                assert ran.failure is None

    def write(self, migration: str, text: str) -> None:
        """Put a migration into the folder."""
        (self.folder / "migrations" / f"{migration}.sql").write_text(text)

    def workflow(self, text: str) -> None:
        """Write another workflow file."""
        (self.folder / "twokey.toml").write_text(text)

    def export(self, name: str, value: str) -> None:
        """Set a variable."""
        self._patch.setenv(name, value)

    def unset(self, name: str) -> None:
        """Unset a variable."""
        self._patch.delenv(name)

    def sql(self, environment: str, statement: str) -> list[tuple[Any, ...]]:
        """Run one statement past Twokey."""
        return kept.run(self.dsn[environment], statement)


@pytest.fixture(scope="session")
def databases(postgres: embedded.Postgres) -> dict[str, str]:
    """An address per environment; the databases live as long as the server."""
    return {name: postgres.create(f"cli_{name}") for name in ("development", "test", "production")}


@pytest.fixture
def emptied(databases: dict[str, str]) -> dict[str, str]:
    """The three databases with nothing in them; far quicker than new ones."""
    for address in databases.values():
        kept.run(address, EMPTY_ENVIRONMENT)
    return databases


@pytest.fixture
def shell(
    tmp_path: Path,
    emptied: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Shell:
    """Two migrations in a folder, three empty environments, every address exported; the person is Ada."""
    here = Shell(tmp_path, emptied, monkeypatch, capsys)
    (tmp_path / "migrations").mkdir()
    here.workflow(OURS)
    here.write(USERS, "CREATE TABLE users (id bigint PRIMARY KEY);\n")
    here.write(COLUMNS, "ALTER TABLE users ADD COLUMN email text;\n")
    here.export("TWOKEY_CONFIG", str(tmp_path / "twokey.toml"))
    here.export("LOGNAME", "ada")
    for name, address in emptied.items():
        here.export(f"{name.upper()}_DATABASE_URL", address)
    return here
