"""`twokey generate` at a terminal: from a changed model to a file that applies."""

import pytest

from playground.embedded import Postgres
from tests.cli.conftest import COLUMNS, Shell

MODELS = """
from sqlalchemy import BigInteger, Column, MetaData, Table, Text

metadata = MetaData()
users = Table("users", metadata, Column("id", BigInteger, primary_key=True, autoincrement=False), Column("email", Text))
"""
PORTS = 'Table("ports", metadata, Column("id", BigInteger, primary_key=True, autoincrement=False))\n'


@pytest.fixture
def desk(shell: Shell, postgres: Postgres) -> Shell:
    """The shell with a scratch server and models that are what its two migrations make."""
    ours = (shell.folder / "twokey.toml").read_text()
    shell.workflow(
        ours.replace('models = "models:Base"', 'models = "shop:metadata"').replace(
            "[scratch]\n", "[scratch]\non_protected_server = true\n"
        )
    )
    (shell.folder / "shop.py").write_text(MODELS)
    shell.export("SCRATCH_DATABASE_URL", postgres.url())
    return shell


def test_what_is_needed_is_named(shell: Shell) -> None:
    ours = (shell.folder / "twokey.toml").read_text()
    said = shell("generate", "add_ports")
    assert (said.code, said.err) == (
        2,
        (
            "SCRATCH_DATABASE_URL is not set; it holds the address of the scratch server. "
            "Set it: export SCRATCH_DATABASE_URL=postgresql://login:password@host/database\n"
        ),
    )
    shell.workflow(ours.replace('[scratch]\ndatabase_url = { env = "SCRATCH_DATABASE_URL" }\n', ""))
    said = shell("generate", "add_ports")
    assert (said.code, said.out.startswith("This needs a scratch database")) == (1, True)
    shell.workflow(ours.replace('[generate]\nmodels = "models:Base"\n', ""))
    said = shell("generate", "add_ports")
    assert (said.code, said.out.startswith("twokey.toml does not say what migrations are generated from.")) == (1, True)


def test_from_a_changed_model_to_a_file_that_applies(desk: Shell) -> None:
    said = desk("generate", "add_ports")
    assert (said.code, COLUMNS in said.out) == (1, True)
    desk.bring("development")
    meant = (desk.folder / "twokey.toml").read_text()
    desk.workflow(meant.replace("on_protected_server = true\n", ""))
    said = desk("generate", "add_ports")
    assert said.code == 1
    assert "its server is also that of production, which is protected." in said.out
    desk.workflow(meant)
    said = desk("generate", "add_ports")
    assert (said.code, said.out) == (
        0,
        (
            "Reading shop:metadata …\nReplaying 2 migrations on a scratch database …\n"
            "No change: development already is what shop:metadata says. Nothing was written.\n"
        ),
    )
    (desk.folder / "shop.py").write_text(MODELS + PORTS)
    said = desk("generate", "Add ports")
    (file,) = (desk.folder / "migrations").glob("*_add_ports.sql")
    first, *lines = said.out.splitlines()[2:]
    assert first == f"Proving {file.name}, up and down …"
    assert lines[0].startswith(f"{file} was written: proven up, down on a scratch database in ")
    assert lines[1:] == [
        "It is called add_ports: a name has small letters, digits and _ alone.",
        *(f"  {line}".rstrip() for line in file.read_text().splitlines()),
        "Read it, commit it, then: twokey apply development",
    ]
    assert desk("apply", "development").code == 0
    assert desk("generate", "again", "--json").body == {
        "environment": "development",
        "outcome": "no change",
        "migration": None,
        "refusal": None,
    }
    (desk.folder / "shop.py").write_text((MODELS + PORTS).replace(', Column("email", Text)', ""))
    said = desk("generate", "no_email")
    assert "line 2, drops_column: " in said.out  # what a reviewer should know is said
    assert desk("rollback", "development").code == 0


def test_a_command_may_print_the_sql_and_a_missing_way_down_is_said(desk: Shell) -> None:
    desk.bring("development")
    ours = (desk.folder / "twokey.toml").read_text()
    desk.workflow(ours.replace('models = "shop:metadata"', 'command = ["echo", "CREATE TABLE towns ();"]'))
    said = desk("generate", "towns")
    assert "Reading echo …\n" in said.out
    assert "It has no way down: a rollback will refuse it, and a restore is the way back." in said.out
    (file,) = (desk.folder / "migrations").glob("*_towns.sql")
    file.unlink()
    body = desk("generate", "towns", "--json").body
    assert (body["outcome"], body["down"], body["text"]) == ("generated", False, "CREATE TABLE towns ();\n")
