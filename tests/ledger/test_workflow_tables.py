"""The tables of twokey.toml that a workflow can do without."""

from datetime import timedelta
from pathlib import Path

import pytest

from ledger.workflow import Extent, Generate, Rehearsals, Scratch, Workflow, WorkflowError
from ledger.workflow_file import load

SMALLEST = """\
migrations = "migrations"
channel = "C0MIGRATE"

[[environment]]
name = "development"
database_url = { env = "DEVELOPMENT_DATABASE_URL" }
"""
SCRATCH = '[scratch]\ndatabase_url = { env = "SCRATCH" }\n'


def read(folder: Path, text: str) -> Workflow:
    file = folder / "twokey.toml"
    file.write_text(text, encoding="utf-8")
    return load(file)


def test_scratch_databases_live_where_the_file_says_or_nowhere(tmp_path: Path) -> None:
    workflow = read(tmp_path, SMALLEST)
    assert (workflow.scratch, workflow.dsn_variables) == (None, ("DEVELOPMENT_DATABASE_URL",))
    workflow = read(tmp_path, SMALLEST + SCRATCH)
    assert workflow.scratch == Scratch("SCRATCH", on_protected_server=False)
    assert workflow.dsn_variables == ("DEVELOPMENT_DATABASE_URL", "SCRATCH")
    assert read(tmp_path, SMALLEST + SCRATCH + "on_protected_server = true").scratch == Scratch("SCRATCH", True)


def test_rehearsals_are_each_environments_own(tmp_path: Path) -> None:
    assert read(tmp_path, SMALLEST).environments[0].rehearsals == Rehearsals()
    said = 'rehearse = "schema"\nrehearsal_good_for = "1h"\nrehearsal = { env = "COPIES", room = "50 GB" }\n'
    workflow = read(tmp_path, SMALLEST + said)
    server = Scratch("COPIES", room=50_000_000_000)
    assert workflow.environments[0].rehearsals == Rehearsals(Extent.SCHEMA, server, timedelta(hours=1))
    assert workflow.dsn_variables == ("DEVELOPMENT_DATABASE_URL", "COPIES")
    for word, extent in (("true", Extent.WHOLE), ("false", Extent.OFF)):
        assert read(tmp_path, f"{SMALLEST}rehearse = {word}\n").environments[0].rehearsals.extent is extent


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('rehearse = "maybe"', 'rehearse cannot be "maybe"; write one of true, false, "schema".'),
        (
            'rehearsal = "postgresql://app:hunter2@db/shop"',
            'rehearsal is no table; write rehearsal = { env = "REHEARSAL_DATABASE_URL" }.',
        ),
        (
            'rehearsal = { env = "postgresql://app:hunter2@db/shop" }',
            'rehearsal: env cannot be that; write env = "REHEARSAL_DATABASE_URL".',
        ),
        (
            'rehearsal = { env = "COPIES", room = "all" }',
            'rehearsal: room cannot be that; write room = "500 MB", "50 GB" or "2 TB".',
        ),
    ],
)
def test_what_cannot_be_a_rehearsal_is_said_without_its_address(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(WorkflowError) as caught:
        read(tmp_path, f"{SMALLEST}{text}\n")
    assert str(caught.value) == f'{tmp_path}/twokey.toml: environment "development": {sentence}'


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('scratch = "postgresql://app:hunter2@db/shop"\n', "scratch is no table; write its keys under [scratch]."),
        (
            "[scratch]\n",
            'scratch: database_url is missing; write database_url = { env = "SCRATCH_DATABASE_URL" }.',
        ),
        (
            '[scratch]\ndatabase_url = "postgresql://app:hunter2@db/shop"\n',
            'scratch: database_url must not stand in this file; write database_url = { env = "SCRATCH_DATABASE_URL" }.',
        ),
        (
            SCRATCH + "protected = true\n",
            "scratch: protected is not a key that Twokey knows; write one of database_url, on_protected_server, room.",
        ),
    ],
)
def test_a_scratch_table_is_checked(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(WorkflowError) as caught:
        read(tmp_path, text + SMALLEST if text.startswith("scratch") else SMALLEST + text)
    assert str(caught.value) == f"{tmp_path}/twokey.toml: {sentence}"


GENERATE = "[generate]\n"


def test_what_migrations_are_generated_from_is_models_or_a_command(tmp_path: Path) -> None:
    assert read(tmp_path, SMALLEST).generate is None
    found = read(
        tmp_path, SMALLEST + GENERATE + 'models = "a.b:Base"\nmodels_in = "src"\npython = ".venv/bin/python"\n'
    )
    assert found.generate == Generate("a.b:Base", tmp_path / "src", tmp_path / ".venv/bin/python")
    found = read(tmp_path, SMALLEST + GENERATE + 'command = ["npx", "-v", "-v"]\n')
    assert found.generate == Generate(None, tmp_path, command=("npx", "-v", "-v"))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", 'generate takes either models = "models:Base" or command = ["npx", "print-sql"].'),
        (
            'models = "a:b"\ncommand = ["c"]',
            'generate takes either models = "models:Base" or command = ["npx", "print-sql"].',
        ),
        ('models = "models"', 'generate: models cannot be "models"; write models = "models:Base".'),
        ('command = "npx"', 'generate: command cannot be "npx"; write command = ["npx", "print-sql"].'),
    ],
)
def test_a_generate_table_is_checked(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(WorkflowError) as caught:
        read(tmp_path, SMALLEST + GENERATE + text)
    assert str(caught.value) == f"{tmp_path}/twokey.toml: {sentence}"
