"""A folder for models, and a draft from them for the environment as it is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine import generate
from engine.connection import Session
from engine.files import Migration
from engine.generate import Draft, Progress
from engine.generate.command import Command
from engine.generate.declared import Models
from engine.scratch import Server
from playground.embedded import Postgres

NOW = datetime(2026, 11, 23, 9, 0, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Desk:
    """Where a person changes models and generates."""

    session: Session
    server: Server
    folder: Path

    def write(self, text: str, module: str = "shop") -> Models:
        """The models in a module of the folder."""
        (self.folder / f"{module}.py").write_text(text, encoding="utf-8")
        return Models(f"{module}:metadata", self.folder)

    def draft(
        self,
        source: Models | Command,
        files: Sequence[Migration],
        name: str = "a change",
        told: list[Progress] | None = None,
    ) -> Draft | None:
        """What is generated."""
        tell = (lambda _: None) if told is None else told.append
        return generate.draft(self.session, files, source, server=self.server, name=name, now=NOW, tell=tell)


@pytest.fixture(autouse=True)
def no_other_schema(session: Session) -> Iterator[None]:
    """What the tests here make beside the schemas that every test is cleared of."""
    yield
    session.conn.execute('DROP SCHEMA IF EXISTS "Billing" CASCADE')


@pytest.fixture
def desk(session: Session, postgres: Postgres, tmp_path: Path) -> Desk:
    return Desk(session, Server(postgres.url(), on_protected_server=True), tmp_path)
