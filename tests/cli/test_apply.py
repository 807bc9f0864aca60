"""Applying from a terminal: told step by step, stopped at the first failure, and never where two keys must turn."""

import re
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from cli import applying
from cli.answer import Tone, line
from cli.terminal import say
from engine import lock
from tests.cli.conftest import COLUMNS, USERS, Shell
from tests.cli.conftest import OURS as ON_ONE_SERVER
from tests.support.workflow import OURS

FROM_HERE = "Nothing protected is changed from a terminal. Ask in Slack: /migrate apply production\n"


def test_apply_tells_each_step(shell: Shell) -> None:
    said = shell("apply", "dev")
    lines = said.out.splitlines()
    assert said.code == 0
    assert lines[0] == "Backing up …"
    kept = re.fullmatch(r"Backed up to (.+\.sql) \([\d,]+ bytes in \d+\.\d s, read back\)\.", lines[1])
    assert kept
    assert Path(kept[1]).name.startswith("development-backup-")
    assert lines[2] == f"[1/2] {USERS}.sql …"
    assert re.fullmatch(rf"\[1/2\] {USERS}\.sql applied in \d+\.\d\d s", lines[3])
    assert re.fullmatch(r"development: 2 migrations applied in \d+\.\d s\.", lines[6])
    assert shell.sql("development", "SELECT migration_id FROM schema_migrations ORDER BY id") == [(USERS,), (COLUMNS,)]


def test_apply_again_has_nothing_to_do_and_takes_no_backup(shell: Shell) -> None:
    shell("apply", "dev")
    said = shell("apply", "dev")
    assert (said.code, said.out) == (
        0,
        "development already has every migration of the folder. There is nothing to apply.\n",
    )
    assert shell("apply", "dev", "--json").body == {"environment": "development", "outcome": "nothing", "done": []}
    assert len(list((shell.folder / "migrations" / "schema-backups").glob("*.sql"))) == 1


def test_one_migration_is_not_two(shell: Shell) -> None:
    shell.bring("dev")
    shell.write("20250818150000_more", "CREATE TABLE more ();\n")
    assert re.search(r"^development: 1 migration applied in", shell("apply", "dev").out, re.MULTILINE)


def test_promote_brings_what_the_one_before_has_and_names_what_stays(shell: Shell) -> None:
    shell.bring("dev")
    shell.write("20250818150000_more", "CREATE TABLE more ();\n")
    said = shell("promote", "test")
    assert said.code == 0
    assert "Stays pending: 20250818150000_more.sql is not on development yet.\n" in said.out
    assert shell.sql("test", "SELECT count(*) FROM schema_migrations") == [(2,)]


def test_what_the_one_before_lacks_is_refused(shell: Shell) -> None:
    said = shell("promote", "test")
    assert (said.code, said.out) == (
        1,
        f"development does not have {USERS}.sql yet, so test cannot get it. Bring it to development first.\n",
    )


def test_a_failure_says_what_is_in_what_was_rolled_back_and_what_was_not_tried(shell: Shell) -> None:
    shell.write("20250818150000_bad", "CREATE TABLE bad ();\nALTER TABLE nowhere ADD COLUMN x int;\n")
    shell.write("20250818160000_after", "CREATE TABLE after ();\n")
    said = shell("apply", "dev")
    assert said.code == 1
    told = said.out.splitlines()[-4:]
    assert told[0].startswith("20250818150000_bad.sql:2 failed on development (42P01): ")
    assert told[1] == f"2 migrations before it committed and stayed: {USERS}, {COLUMNS}"
    assert told[2] == "Not tried: 20250818160000_after"
    assert "or correct 20250818150000_bad.sql; then apply development again. The file has no `-- " in told[3]
    assert shell.sql("development", "SELECT to_regclass('bad'), to_regclass('after')") == [(None, None)]


def test_a_file_that_cannot_be_rolled_back_names_the_backups_to_go_back_to(shell: Shell) -> None:
    shell.bring("dev", "test")
    shell.sql("test", "INSERT INTO users VALUES (1)")
    shell.write("20250818150000_strict", "ALTER TABLE users ALTER email SET NOT NULL;\n")
    shell("apply", "dev")
    newest = shell("backups", "dev", "--json").body["backups"][0]["file"]
    shell("backup", "dev")
    said = shell("promote", "test")
    assert said.code == 1
    assert said.out.endswith(f"that the two differ. To type: twokey restore development {newest}\n")
    (shell.folder / "migrations" / "schema-backups" / newest).unlink()
    assert shell("promote", "test").out.endswith(" To type: twokey backups development\n")
    shell.workflow(ON_ONE_SERVER.replace('name = "development"', 'name = "development"\nprotected = true'))
    assert shell("promote", "test").out.endswith(" To type: /migrate backups development\n")
    shell.sql("development", "DELETE FROM schema_migrations WHERE migration_id LIKE '%strict'")
    assert "To type" not in shell("promote", "test").out


def test_a_failure_as_json(shell: Shell) -> None:
    shell.write(USERS, "SELECT 1/0;\n")
    said = shell("apply", "dev", "--json")
    assert said.code == 1
    body = said.body
    assert (body["environment"], body["outcome"], body["done"], body["left"]) == (
        "development",
        "failed",
        [],
        [COLUMNS],
    )
    assert body["failure"].keys() == {"migration", "line", "sqlstate", "message", "sentence", "next_step"}
    assert body["failure"]["sqlstate"] == "22012"


def test_a_success_as_json_is_all_that_is_printed(shell: Shell) -> None:
    said = shell("apply", "dev", "--json")
    body = said.body
    assert said.code == 0
    assert [one["id"] for one in body["done"]] == [USERS, COLUMNS]
    assert body["backup"].keys() == {"path", "bytes", "sha256"}
    assert (body["outcome"], body["left"], body["held"], body["failure"]) == ("applied", [], [], None)


@pytest.mark.parametrize("verb", ["apply", "promote"])
def test_a_protected_environment_is_never_changed_from_here(shell: Shell, verb: str) -> None:
    shell.unset("PRODUCTION_DATABASE_URL")  # it is not even looked at
    said = shell(verb, "prod")
    assert (said.code, said.out) == (1, f"production is protected and needs two keys.\n{FROM_HERE}")
    assert shell(verb, "prod", "--json").body["environment"] == "production"


def test_a_local_file_cannot_unprotect_what_the_database_knows_to_be_protected(shell: Shell) -> None:
    shell("status")
    shell.workflow(OURS.replace("protected = true", "protected = false"))
    said = shell("apply", "prod")
    assert said.code == 1
    assert said.out.startswith("production is protected, the database says so, but twokey.toml does not.")
    assert said.out.endswith(FROM_HERE)
    assert shell.sql("production", "SELECT count(*) FROM schema_migrations") == [(0,)]


def test_what_is_unprotected_is_no_way_into_what_is_from_a_terminal_either(shell: Shell) -> None:
    shell.bring("dev")
    backup = shell("backup", "dev", "--json").body["backup"]["file"]
    shell("status")  # production is met, and knows that it is protected
    shell.write("20250818150000_more", "-- migrate:up\nCREATE TABLE more ();\n-- migrate:down\nDROP TABLE more;\n")
    shell("apply", "dev")
    shell.write("20250818160000_most", "CREATE TABLE most ();\n")
    shell.workflow(ON_ONE_SERVER.replace("on_protected_server = true\n", ""))
    for words in (
        ("plan", "dev"),
        ("apply", "dev"),
        ("rollback", "dev"),
        ("restore", "dev", backup),
        ("restore", "dev", backup, "--into", "x"),
    ):
        said = shell(*words)
        assert said.code == 1
        assert "development's login postgres may change " in said.out
        assert said.out.endswith("write on_protected_server = true for development in twokey.toml.\n")
    assert shell.sql("development", "SELECT count(*) FROM schema_migrations") == [(3,)]


def test_a_database_that_is_down_exits_3(shell: Shell) -> None:
    shell.export("DEVELOPMENT_DATABASE_URL", "postgresql://ada@127.0.0.1:1/nowhere")
    assert shell("apply", "dev").code == 3


def test_without_a_pg_dump_nothing_is_applied(shell: Shell) -> None:
    shell.export("PG_BIN", str(shell.folder))
    said = shell("apply", "dev")
    assert said.code == 1
    assert f"There is no pg_dump in {shell.folder}, the folder that PG_BIN names" in said.out
    assert shell.sql("development", "SELECT count(*) FROM schema_migrations") == [(0,)]


def test_who_waits_is_told_who_holds_the_lock(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(applying, "WAIT", timedelta(milliseconds=50))
    with psycopg.connect(shell.dsn["development"], application_name="twokey apply #7") as other:
        other.execute("SELECT pg_advisory_lock(%s, %s)", (lock.CLASS, lock.OBJECT))
        said = shell("apply", "dev")
    assert said.code == 1
    assert re.match(r"Waiting: twokey apply #7 \(.+\) holds the lock\. Ctrl-C gives up\.\n", said.out)


def test_a_terminal_gets_colour_and_nothing_else_does(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    say([line("well", Tone.GOOD)])
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    say([line("well", Tone.GOOD)])
    assert capsys.readouterr().out == "well\n\x1b[32mwell\x1b[0m\n"
