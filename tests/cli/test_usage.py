"""What is typed wrongly is said at once, and nothing is looked at; the help teaches with examples."""

import subprocess
import sys

import pytest

from bot.phrasebook import TABLE
from cli import manual
from cli.main import run, twokey
from playground.stack import on_one_server
from tests.cli.conftest import COLUMNS, OURS, USERS, Shell


def test_an_environment_that_is_not_in_the_file_is_answered_with_the_nearest(shell: Shell) -> None:
    said = shell("apply", "tset")
    assert said.code == 2
    assert said.out == ""
    assert said.err == (
        "twokey.toml has no environment 'tset'. It has development, test, production. Did you mean test?\n"
    )


def test_an_environment_unlike_any_other_is_answered_with_all_of_them(shell: Shell) -> None:
    assert shell("plan", "qqq").err == "twokey.toml has no environment 'qqq'. It has development, test, production.\n"


def test_the_beginning_of_one_name_alone_is_taken_for_a_hint_at_it(shell: Shell) -> None:
    assert shell("plan", "devel").err.endswith(" Did you mean development?\n")
    assert "Did you mean" not in shell("plan", "t").err
    shell.workflow(OURS.replace('name = "test"', 'name = "developers"'))
    assert "Did you mean development" not in shell("plan", "developer").err  # two begin so, and the other is nearer


def test_an_alias_is_understood_and_so_are_capitals(shell: Shell) -> None:
    assert shell("plan", "DEV").out.startswith("An apply to development would run 2 migrations:\n")


@pytest.mark.parametrize("words", [("plan", "development"), ("apply", "test"), ("status", "development")])
def test_an_address_that_is_not_exported_is_named_with_its_variable(shell: Shell, words: tuple[str, ...]) -> None:
    shell.unset("DEVELOPMENT_DATABASE_URL")
    said = shell(*words)
    assert said.code == 2
    assert said.err == (
        "DEVELOPMENT_DATABASE_URL is not set; it holds the address of development. "
        "Set it: export DEVELOPMENT_DATABASE_URL=postgresql://login:password@host/database\n"
        "Not set either: SCRATCH_DATABASE_URL.\n"
    )


def test_whatever_else_is_not_set_is_named_at_once(shell: Shell) -> None:
    for name in ("DEVELOPMENT", "TEST", "PRODUCTION"):
        shell.unset(f"{name}_DATABASE_URL")
    for words in (("status",), ("validate",), ("plan", "development")):
        said = shell(*words)
        assert said.code == 2
        assert said.err == (
            "DEVELOPMENT_DATABASE_URL is not set; it holds the address of development. "
            "Set it: export DEVELOPMENT_DATABASE_URL=postgresql://login:password@host/database\n"
            "Not set either: TEST_DATABASE_URL, PRODUCTION_DATABASE_URL, SCRATCH_DATABASE_URL.\n"
        )


CHANNEL_IS_MISSING = 'channel is missing; write channel = "C…", the id at the foot of the channel\'s details in Slack.'


def test_a_workflow_file_that_is_wrong_is_wrong_usage(shell: Shell) -> None:
    shell.workflow("migrations = 7\n")
    said = shell("status")
    assert said.code == 2
    assert said.err.splitlines() == [
        f"{shell.folder}/twokey.toml: {CHANNEL_IS_MISSING}",
        f'{shell.folder}/twokey.toml: migrations cannot be 7; write migrations = "migrations".',
        f"{shell.folder}/twokey.toml: environment is missing; write a [[environment]] table for each, in their order.",
    ]
    assert [line for line in shell("check").out.splitlines() if "workflow file: " in line] == [
        f"wrong       twokey workflow file: {sentence}" for sentence in said.err.splitlines()
    ]


def test_an_address_that_cannot_be_read_is_wrong_usage_and_not_repeated(shell: Shell) -> None:
    shell.export("DEVELOPMENT_DATABASE_URL", "postgresql://ada:s3cret@host/x?nonsense=1")
    said = shell("apply", "development")
    assert said.code == 2
    assert "s3cret" not in said.err
    assert said.err.startswith("The database address of development is not one PostgreSQL understands.")


@pytest.mark.parametrize("command", [("status",), ("validate",), ("plan", "test")])
def test_a_variable_that_is_empty_or_malformed_is_wrong_usage_for_questions_too(
    shell: Shell, command: tuple[str, ...]
) -> None:
    shell.export("TEST_DATABASE_URL", "")
    said = shell(*command)
    assert said.code == 2
    assert said.err.splitlines()[-1] == (
        "TEST_DATABASE_URL is empty. Set it to postgresql://login:password@host/database, or unset it."
    )
    shell.export("TEST_DATABASE_URL", "postgresql://ada:s3cret@host/x?nonsense=1")
    said = shell(*command)
    assert said.code == 2
    assert said.err.startswith("The database address of test is not one PostgreSQL understands.")
    assert "s3cret" not in said.err


def test_a_refusal_as_json_is_one_object_on_standard_output(shell: Shell) -> None:
    said = shell("apply", "tset", "--json")
    assert (said.code, said.err) == (2, "")
    assert said.body["refusal"].startswith("twokey.toml has no environment 'tset'.")


def test_an_unknown_command_is_wrong_usage(shell: Shell) -> None:
    said = shell("aply", "dev")
    assert said.code == 2
    assert "No such command 'aply'." in said.err


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("init", "twokey --help shows the smallest twokey.toml and a migration; write both, then: twokey check"),
        ("up", "What brings migrations to an environment, after a backup: twokey apply ENVIRONMENT"),
        ("downgrade", "What takes the newest back, after a backup: twokey rollback ENVIRONMENT"),
        (
            "revision",
            (
                "A migration is a file that you write into the migrations folder (twokey --help shows one), or that is "
                "made from what changed in the models: twokey generate NAME"
            ),
        ),
        ("current", "What is where, and what is pending: twokey status"),
        ("stamp", "What writes files down as applied, without running them: twokey baseline ENVIRONMENT MIGRATION"),
        ("dump", "What dumps an environment: twokey backup ENVIRONMENT"),
        ("help", "Say: twokey --help, or: twokey apply --help"),
        ("certify", "That is said in Slack, where it stands in the ledger: /migrate certify"),
    ],
)
def test_another_tools_word_is_answered_with_what_is_meant_here(shell: Shell, typed: str, meant: str) -> None:
    said = shell(typed, "dev")
    assert said.code == 2
    assert said.err.endswith(f"Error: No such command {typed!r}. {meant}\n")


def test_no_word_of_another_tool_is_a_command_here_and_all_of_slacks_are_told() -> None:
    assert not set(manual.ELSEWHERE) & set(twokey.commands)
    assert {row.word for row in TABLE} - set(twokey.commands) <= set(manual.ELSEWHERE)


def test_what_help_shows_is_a_migration_and_a_workflow(shell: Shell) -> None:
    for name in (USERS, COLUMNS):
        (shell.folder / "migrations" / f"{name}.sql").unlink()
    shown = "\n".join(line[4:] for line in shell("--help").out.splitlines() if line.startswith("    "))
    migration = shown.partition("-- migrate:up")[2].partition("migrations = ")[0]
    shell.write("20250818130001_create_cities", f"-- migrate:up{migration}")
    toml = shown.partition("migrations = ")[2].partition("bash  ~")[0]
    shell.workflow(on_one_server(f"migrations = {toml}"))
    assert shell("apply", "development").code == 0
    assert shell("rollback", "development").code == 0


def test_promote_of_the_first_environment_is_answered_with_the_right_word(shell: Shell) -> None:
    said = shell("promote", "dev")
    assert (said.code, said.err) == (
        2,
        "development is the first environment, so nothing is promoted to it.\nSay: twokey apply development\n",
    )


def test_help_teaches_with_examples_and_says_what_the_exit_codes_mean(shell: Shell) -> None:
    said = shell("--help")
    assert said.code == 0
    for sentence in (
        "  Promote SQL migrations development → test → production, from a terminal.",
        "  apply     Back up ENVIRONMENT, then apply what is pending.",
        "  plan      What would run on ENVIRONMENT; runs nothing.",
        "  promote   Bring to ENVIRONMENT what the one before it has.",
        "  status    What is where, what is pending, who applied the last.",
        "  validate  The environments side by side.",
        "    twokey status                   what is where, and what is pending",
        "    twokey plan test                what would run on test, without running it",
        "    twokey apply development        back up, then apply what is pending",
        "    twokey promote test             bring to test what development has",
        "    twokey validate                 missing, extra, edited, out of order, drifted, ready to promote",
        "  Exit codes: 0 done · 1 refused or failed · 2 wrong usage · 3 could not reach a database · 130 Ctrl-C.",
        "  A protected environment is never changed from here. Ask in Slack: /migrate apply <environment>",
    ):
        assert sentence + "\n" in said.out


@pytest.mark.parametrize(
    ("command", "does"),
    [
        ("status", "Show which migration is where, what is pending, and who applied the last one."),
        ("plan", "Show what would run on ENVIRONMENT, and run nothing."),
        ("baseline", "Write down every pending file up to and with MIGRATION as applied on ENVIRONMENT, without"),
        ("repair", "Show what changed in files after ENVIRONMENT applied them."),
        ("check", "Look at everything a run needs, and say what is wrong and how to mend it."),
        ("lint", "Parse each FILE (or the whole folder) and show its hazards, without a database."),
        ("validate", "Compare the environments: missing, extra, edited, out of order, drifted, ready to promote."),
        ("apply", "Back up ENVIRONMENT, then apply what may come now: each migration in a transaction"),
        ("promote", "Bring to ENVIRONMENT what the one before it has. The same act as apply."),
        ("backup", "Dump ENVIRONMENT into the backups folder, read it back, and put a manifest beside it."),
        ("backups", "List the backups of ENVIRONMENT, newest first, each held against its manifest."),
        ("restore", "Load BACKUP into a new database, compare it with its manifest, and swap it in."),
        (
            "discard",
            "Drop DATABASE, which a restore of ENVIRONMENT kept, for good. Without DATABASE: list those there are.",
        ),
    ],
)
def test_each_command_says_what_it_does_and_gives_an_example(shell: Shell, command: str, does: str) -> None:
    text = " ".join(shell(command, "--help").out.split())
    assert does in text
    assert f"Examples: twokey {command}" in text
    assert "--json One JSON object instead of words." in text


def test_the_command_starts_without_what_it_does_not_need() -> None:
    heavy = "{'sqlalchemy', 'psycopg', 'rich', 'postgast', 'redis', 'rq', 'slack_sdk', 'tomllib'}"
    program = f"import sys; from cli.main import run; run(['--help']); sys.exit(str({heavy} & set(sys.modules)))"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ended.stderr == "set()\n"


def test_status_parses_no_sql_and_loads_no_ledger_database() -> None:
    heavy = "{'sqlalchemy', 'postgast', 'rich', 'engine.tools', 'engine.refusals'}"
    program = f"import sys, cli.questions; sys.exit(str({heavy} & set(sys.modules)))"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ended.stderr == "set()\n"


def test_whoever_presses_ctrl_c_is_told_what_became_of_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def ctrl_c(_: str | None) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cli.questions.status", ctrl_c)
    assert run(["status"]) == 130
    told = "Stopped. What was under way was cancelled; what is in stays: twokey status\n"
    assert capsys.readouterr().err.endswith(told)
