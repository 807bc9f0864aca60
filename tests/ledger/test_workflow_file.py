"""twokey.toml is read whole or refused with a sentence that names the key and says what to write."""

from datetime import timedelta
from pathlib import Path

import pytest

from ledger.workflow import Backups, Environment, Generate, Scratch, Verbosity, Workflow, WorkflowError
from ledger.workflow_file import load, warnings

REPO = Path(__file__).parents[2]

SMALLEST = """\
migrations = "migrations"
channel = "C0MIGRATE"

[[environment]]
name = "development"
aliases = ["dev"]
database_url = { env = "DEVELOPMENT_DATABASE_URL" }
"""
ANOTHER = '[[environment]]\nname = "test"\ndatabase_url = { env = "TEST_DATABASE_URL" }\n'


def read(folder: Path, text: str) -> Workflow:
    file = folder / "twokey.toml"
    file.write_text(text, encoding="utf-8")
    return load(file)


def test_the_workflow_of_this_repo() -> None:
    workflow = load(REPO / "twokey.toml")
    everywhere = {"channel": "C0MIGRATE", "verbosity": Verbosity.NORMAL}
    open_to_all = {"protected": False, "approvers": (), **everywhere}
    assert workflow == Workflow(
        migrations=REPO / "migrations",
        backups=REPO / "migrations" / "schema-backups",
        channel="C0MIGRATE",
        requests_expire=timedelta(hours=4),
        start_delay=timedelta(seconds=15),
        approve_with="white_check_mark",
        reject_with="x",
        lock_timeout=timedelta(seconds=2),
        statement_timeout=timedelta(minutes=30),
        environments=(
            Environment("development", ("dev",), "DEVELOPMENT_DATABASE_URL", **open_to_all),
            Environment("test", (), "TEST_DATABASE_URL", **open_to_all),
            Environment(
                "production",
                ("prod",),
                "PRODUCTION_DATABASE_URL",
                protected=True,
                approvers=("U0APPROVER",),
                **everywhere,
            ),
        ),
        scratch=Scratch("SCRATCH_DATABASE_URL"),
        generate=Generate("models:Base", REPO),
    )
    assert warnings(workflow) == ()


def test_everything_can_be_set(tmp_path: Path) -> None:
    workflow = read(
        tmp_path,
        'backups = "/var/backups"\nrequests_expire = "2d"\nstart_delay = "500ms"\napprove_with = "+1"\n'
        'reject_with = "no_entry"\nlock_timeout = "1 s"\nstatement_timeout = "90min"\nverbosity = "quiet"\n'
        "approve_button = true\n" + SMALLEST + ANOTHER + 'channel = "G0TEST"\nverbosity = "all"\n',
    )
    assert (workflow.migrations, workflow.backups) == (tmp_path / "migrations", Path("/var/backups"))
    assert (workflow.requests_expire, workflow.start_delay) == (timedelta(days=2), timedelta(seconds=0.5))
    assert (workflow.lock_timeout, workflow.statement_timeout) == (timedelta(seconds=1), timedelta(minutes=90))
    assert (workflow.approve_with, workflow.reject_with, workflow.approve_button) == ("+1", "no_entry", True)
    first, second = workflow.environments
    assert (first.channel, first.verbosity) == ("C0MIGRATE", Verbosity.QUIET)
    assert (second.channel, second.verbosity) == ("G0TEST", Verbosity.ALL)
    assert workflow.environment("DEV") is first
    assert workflow.environment("prod") is None
    assert (workflow.before(first), workflow.before(second)) == (None, first)


def test_backups_are_plain_and_all_kept_unless_the_file_says_otherwise(tmp_path: Path) -> None:
    (only,) = read(tmp_path, SMALLEST).environments
    assert only.backup == Backups("plain", 1, None, None)
    text = "keep_backups = 10\n" + SMALLEST + ANOTHER
    first, second = read(
        tmp_path, text + 'backup_format = "directory"\nbackup_jobs = 4\nkeep_backups_for = "30d"\n'
    ).environments
    assert first.backup == Backups("plain", 1, 10, None)
    assert second.backup == Backups("directory", 4, 10, timedelta(days=30))


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (
            'backup_format = "tar"',
            'backup_format cannot be "tar"; write backup_format = "plain", "custom" or "directory".',
        ),
        ("backup_jobs = 0", "backup_jobs cannot be 0; write backup_jobs = 10, or another number from 1."),
        ("keep_backups = true", "keep_backups cannot be true; write keep_backups = 10, or another number from 1."),
    ],
)
def test_how_backups_are_written_is_checked(tmp_path: Path, line: str, sentence: str) -> None:
    with pytest.raises(WorkflowError) as caught:
        read(tmp_path, SMALLEST + line + "\n")
    assert str(caught.value) == f"{tmp_path}/twokey.toml: {DEV}{sentence}"


def test_several_connections_write_a_directory_alone(tmp_path: Path) -> None:
    with pytest.raises(WorkflowError) as caught:
        read(tmp_path, SMALLEST + "backup_jobs = 2\n")
    assert str(caught.value) == (
        f'{tmp_path}/twokey.toml: {DEV}backup_jobs is for backup_format = "directory" alone; '
        "leave it out, or write that."
    )


def test_a_protected_environment_that_nobody_may_approve_is_said(tmp_path: Path) -> None:
    workflow = read(tmp_path, SMALLEST + "protected = true\napprovers = []\n")
    (warning,) = warnings(workflow)
    assert warning == (
        "Nobody may approve development: its approvers are empty, so it cannot be changed. "
        "Add Slack user ids to approvers in twokey.toml."
    )


DEV = 'environment "development": '
KEYS = (
    "channel, verbosity, keep_backups, keep_backups_for, person, migrations, backups, requests_expire, start_delay, "
    "approve_with, reject_with, lock_timeout, statement_timeout, environment, scratch, generate, approve_button"
)
A_CHANNEL = '"C…", the id at the foot of the channel\'s details in Slack'
A_URL = '{ env = "DEVELOPMENT_DATABASE_URL" }'


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            'channel = "C0MIGRATE"',
            "",
            'channel is missing; write channel = "C…", the id at the foot of the channel\'s details in Slack.',
        ),
        (
            "C0MIGRATE",
            "#migrations",
            f'channel cannot be "#migrations"; write channel = {A_CHANNEL}.',
        ),
        ('migrations = "migrations"', "", 'migrations is missing; write migrations = "migrations".'),
        ('"migrations"', '""', 'migrations cannot be ""; write migrations = "migrations".'),
        ('"migrations"', "true", 'migrations cannot be true; write migrations = "migrations".'),
        ('"migrations"', "7", 'migrations cannot be 7; write migrations = "migrations".'),
        (
            "channel",
            'requests_expire = "soon"\nchannel',
            'requests_expire cannot be "soon"; write requests_expire = "15s", "30min" or "4h".',
        ),
        (
            "channel",
            'start_delay = "0s"\nchannel',
            'start_delay cannot be "0s"; write start_delay = "15s", "30min" or "4h".',
        ),
        (
            "channel",
            "lock_timeout = 2\nchannel",
            'lock_timeout cannot be 2; write lock_timeout = "15s", "30min" or "4h".',
        ),
        (
            "channel",
            'statement_timeout = "1h30"\nchannel',
            'statement_timeout cannot be "1h30"; write statement_timeout = "15s", "30min" or "4h".',
        ),
        (
            "channel",
            'verbosity = "loud"\nchannel',
            'verbosity cannot be "loud"; write verbosity = "quiet", "normal" or "all".',
        ),
        (
            "channel",
            'approve_with = ":+1:"\nchannel',
            'approve_with cannot be ":+1:"; write approve_with = "white_check_mark", an emoji\'s name without colons.',
        ),
        (
            "channel",
            'approve_with = "x"\nchannel',
            "reject_with is the same emoji as approve_with; write another one.",
        ),
        ("channel", 'chanel = "C0"\nchannel', f"chanel is not a key that Twokey knows; write one of {KEYS}."),
        (
            'name = "development"\n',
            "",
            'environment number 1: name is missing; write name = "production": small letters, digits, - and _.',
        ),
        (
            'name = "development"',
            'name = "De velopment"',
            DEV.replace("dev", "De v")
            + 'name cannot be "De velopment"; write name = "production": small letters, digits, - and _.',
        ),
        ('["dev"]', '"dev"', DEV + 'aliases cannot be "dev"; write aliases = ["prod"].'),
        ('["dev"]', "[1]", DEV + 'aliases cannot be [1]; write aliases = ["prod"].'),
        ('["dev"]', '["dev", "dev"]', DEV + "aliases names someone or something twice; write each once."),
        (
            '["dev"]',
            '["development"]',
            'environment uses the name or alias "development" twice; give each its own.',
        ),
        ('"test"', '"dev"', 'environment uses the name or alias "dev" twice; give each its own.'),
        (
            '{ env = "DEVELOPMENT_DATABASE_URL" }',
            '"postgresql://app:hunter2@db/shop"',
            DEV + f"database_url must not stand in this file; write database_url = {A_URL}.",
        ),
        (
            'database_url = { env = "DEVELOPMENT_DATABASE_URL" }',
            "",
            DEV + f"database_url is missing; write database_url = {A_URL}.",
        ),
        (
            '{ env = "DEVELOPMENT_DATABASE_URL" }',
            "{ }",
            DEV + 'database_url: env is missing; write env = "DEVELOPMENT_DATABASE_URL", the name of a variable.',
        ),
        (
            '"DEVELOPMENT_DATABASE_URL"',
            '"postgresql://app:hunter2@db/shop"',
            DEV + 'database_url: env cannot be that; write env = "DEVELOPMENT_DATABASE_URL", the name of a variable.',
        ),
        (
            '"DEVELOPMENT_DATABASE_URL"',
            '"host=db password=hunter2"',
            DEV + 'database_url: env cannot be that; write env = "DEVELOPMENT_DATABASE_URL", the name of a variable.',
        ),
        (
            '"DEVELOPMENT_DATABASE_URL" }',
            '"D", file = "x" }',
            DEV + "database_url: file is not a key that Twokey knows; write one of env.",
        ),
        (
            'aliases = ["dev"]',
            'protected = "yes"',
            DEV + 'protected cannot be "yes"; write protected = true or protected = false.',
        ),
        (
            'aliases = ["dev"]',
            'approvers = ["@bo"]',
            DEV + 'approvers cannot be ["@bo"]; '
            'write approvers = ["U0APPROVER", "S0APPROVERS"], Slack ids of people and user groups.',
        ),
        (
            'aliases = ["dev"]',
            'approvers = ["U0BO", "U0BO"]',
            DEV + "approvers names someone or something twice; write each once.",
        ),
        (
            'aliases = ["dev"]',
            "approver = []",
            DEV + "approver is not a key that Twokey knows; "
            "write one of name, aliases, database_url, protected, approvers, certifiers, approvals, "
            "authors_may_approve, on_protected_server, channel, verbosity, backup_format, backup_jobs, keep_backups, "
            "keep_backups_for, rehearsal, rehearse, rehearsal_good_for, differs.",
        ),
    ],
)
def test_what_is_malformed_is_named_with_what_to_write(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    with pytest.raises(WorkflowError) as caught:
        read(tmp_path, (SMALLEST + ANOTHER).replace(old, new, 1))
    assert str(caught.value) == f"{tmp_path}/twokey.toml: {sentence}"


@pytest.mark.parametrize(
    "instead", ["environment = []\n", "environment = 1\n", "environment = [1]\n", "[environment]\n", ""]
)
def test_a_workflow_has_an_environment(tmp_path: Path, instead: str) -> None:
    with pytest.raises(WorkflowError) as caught:
        read(tmp_path, SMALLEST.partition("[[")[0] + instead)
    assert str(caught.value) == (
        f"{tmp_path}/twokey.toml: environment is missing; write a [[environment]] table for each, in their order."
    )


def test_what_is_no_toml_at_all(tmp_path: Path) -> None:
    file = tmp_path / "twokey.toml"
    with pytest.raises(WorkflowError) as caught:
        load(file)
    assert str(caught.value) == (
        f"{file} is not there; set TWOKEY_CONFIG to the workflow file, or write one as the README shows it."
    )
    with pytest.raises(WorkflowError) as caught:
        load(tmp_path)
    assert str(caught.value) == f"{tmp_path} cannot be read; set TWOKEY_CONFIG to the workflow file."
    file.write_bytes(b'channel = "\xff"')
    with pytest.raises(WorkflowError) as caught:
        load(file)
    assert str(caught.value) == f"{file} is not UTF-8; save it as UTF-8."
    with pytest.raises(WorkflowError) as caught:
        read(tmp_path, "channel = C0MIGRATE")
    assert str(caught.value) == f"{file} is not TOML: Invalid value (at line 1, column 11)."
