"""A migration is generated for whoever asks in Slack: drafted, proven, told; and what stops it."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from engine import generate
from engine.scratch import Server
from ledger.events import Denied, Failed, Generated, Generating, Interrupted, NothingGenerated, Planned
from ledger.request import Act, Fact, Request
from ledger.states import State
from playground.embedded import Postgres
from tests.support.waiting import wait_for
from tests.workers.killed import killed
from tests.workers.row import Row
from tests.workers.test_restoring import settled
from tests.workers.test_righting import why_not
from workers import foreman
from workers.hands import Hands

MODELS = """
from sqlalchemy import BigInteger, Column, MetaData, Table, Text

metadata = MetaData()
users = Table("users", metadata, Column("id", BigInteger, primary_key=True, autoincrement=False), Column("email", Text))
"""
PORTS = 'Table("ports", metadata, Column("id", BigInteger, primary_key=True, autoincrement=False))\n'
USERS = "20250818130001_users"
ON_PRODUCTIONS = "[scratch]\non_protected_server = true\n"


class Shop(Row):
    """The row with a scratch server, and models that are what its one migration makes."""

    server: Server

    def hands(self, name: str) -> Hands:
        return replace(super().hands(name), scratch=self.server)

    def models(self, text: str) -> None:
        (self.folder / "shop.py").write_text(text)


@pytest.fixture
def shop(row: Row, postgres: Postgres) -> Shop:
    shutil.rmtree(row.migrations)
    row.migrations.mkdir()
    row.file(USERS, "CREATE TABLE users (id bigint PRIMARY KEY, email text);\n")
    row.config.write_text(row.config.read_text().replace("models:Base", "shop:metadata"))
    there = Shop(row.folder, row.ledger, row.ledger_url, row.redis_url, row.dsn)
    there.server = Server(postgres.url(), on_protected_server=True)
    there.models(MODELS + PORTS)
    there.bring("development")
    return there


def wish(row: Row, *about: str, name: str = "development") -> Request:
    return row.do(name, Act.GENERATE, about=about)


def test_what_cannot_be_asked_for_is_refused(row: Row) -> None:
    assert why_not(row, wish(row, "add_ports")) == (
        "The worker of development has no scratch server. Whoever runs Twokey: set SCRATCH_DATABASE_URL for it, "
        "to the address of a server with nothing to lose, and start it anew. Until then `twokey generate` does it "
        "at a terminal that has one."
    )
    for request in (wish(row), wish(row, "a", "b"), wish(row, "add_ports", name="test")):
        assert why_not(row, request).startswith("The worker does not understand `generate")
    text = row.config.read_text()
    row.config.write_text(text.replace('[scratch]\ndatabase_url = { env = "SCRATCH_DATABASE_URL" }\n', ""))
    assert why_not(row, wish(row, "add_ports")).startswith("This needs a scratch database, and twokey.toml names no")
    row.config.write_text(text.replace('[generate]\nmodels = "models:Base"\n', ""))
    assert why_not(row, wish(row, "add_ports")).startswith("twokey.toml does not say what migrations are generated")


def test_a_name_that_is_none_is_refused(shop: Shop) -> None:
    assert why_not(shop, wish(shop, "???")).startswith("'???' cannot name a migration.")


def test_what_changed_in_the_models_is_drafted_and_no_folder_has_it(shop: Shop) -> None:
    request = wish(shop, "add_ports")
    assert request.state is State.APPLIED
    assert request.words == "generate add_ports"
    story = shop.told(request.id)
    drawn = story[-1]
    assert isinstance(drawn, Generated)
    assert drawn.migration.endswith("_add_ports")
    assert "CREATE TABLE" in drawn.text.partition("-- migrate:down")[0]
    assert (drawn.back, drawn.reordered, drawn.hazards) == (True, (), ())
    assert [one.what for one in story if isinstance(one, Generating)] == [
        "Reading shop:metadata",
        "Replaying 1 migrations on a scratch database",
        f"Proving {drawn.migration}.sql there",
    ]
    assert [file.stem for file in shop.migrations.glob("*.sql")] == [USERS]
    assert shop.history("development") == [USERS]
    assert request.plan
    assert request.plan.facts == (
        Fact("From", "shop:metadata"),
        Fact("Changes nothing", "it is proven on a scratch database, and comes as a file that somebody has to commit"),
    )
    shop.file(drawn.migration, drawn.text)
    assert shop.do("development").state is State.APPLIED
    again = wish(shop, "add_ports")
    assert shop.last(again.id) == NothingGenerated("shop:metadata")


def test_a_command_of_others_sees_what_the_worker_was_told_it_may(shop: Shop) -> None:
    text = shop.config.read_text()
    command = 'command = ["sh", "-c", "echo CREATE TABLE $PORTS \'();\'"]'
    shop.config.write_text(text.replace('models = "shop:metadata"', command))
    request_id = shop.ask("development", Act.GENERATE, about=("ports",))
    foreman.run(replace(shop.hands("development"), generator_sees={"PORTS": "harbours"}), request_id)
    drawn = shop.last(request_id)
    assert isinstance(drawn, Generated)
    assert "CREATE TABLE harbours ();" in drawn.text
    assert not drawn.back


def test_what_cannot_be_proven_fails_with_what_to_do(shop: Shop) -> None:
    shop.sql("development", "CREATE TABLE stray ()")
    request = wish(shop, "add_ports")
    assert request.state is State.FAILED
    failed = shop.last(request.id)
    assert isinstance(failed, Failed)
    assert failed.why.startswith("Nothing is generated while development is not as the folder makes it. It has drifted")
    assert failed.next_step == "After that, ask again: `/migrate generate add_ports`."


def test_a_change_between_the_looks_makes_it_stale(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    request_id = shop.ask("development", Act.GENERATE, about=("add_ports",))
    monkeypatch.setattr(foreman, "_start", lambda *_: None)
    shop.ring(request_id)
    monkeypatch.undo()
    assert any(isinstance(event, Planned) for event in shop.told(request_id))
    shop.file("20250901000000_more", "CREATE TABLE more ();\n")
    assert shop.ring(request_id).state is State.STALE
    assert "The folder, or what stands in development, changed meanwhile." in str(shop.last(request_id))


def test_one_that_was_killed_changed_nothing(shop: Shop, tmp_path: Path) -> None:
    request_id = shop.ask("development", Act.GENERATE, about=("add_ports",))
    there = tmp_path / "there"

    def hang(*_: object, **__: object) -> None:
        there.touch()
        wait_for(lambda: False, 60)

    killed(shop, request_id, when=there.exists, patch=(generate, "draft", hang))
    settled(shop, request_id)
    assert shop.last(request_id) == Interrupted(
        "The worker of development fell silent in the middle of the run. Nothing was changed; a scratch database that "
        "it left is dropped by a later one. Ask again: `/migrate generate add_ports`.",
        done=(),
        left=(),
    )


def test_a_refusal_is_a_refusal_and_no_trouble(shop: Shop) -> None:
    shop.file("20250901000000_broken", "CREATE TABEL more ();\n")
    request = wish(shop, "")
    assert request.state is State.REJECTED
    assert isinstance(shop.last(request.id), Denied)
