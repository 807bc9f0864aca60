"""status, plan and validate: every sentence, every shape, every exit code."""

import re

from tests.cli.conftest import COLUMNS, USERS, Shell
from tests.support.workflow import OURS

DOWN = "postgresql://ada@127.0.0.1:1/nowhere"
AS_LEFT = {"state": "none", "by": "snapshot", "why": None, "differences": []}


def test_status_of_new_databases_is_all_pending(shell: Shell) -> None:
    said = shell("status")
    assert said.code == 0
    assert said.out == (
        "migration                        development  test     production\n"
        f"{USERS}      pending      pending  pending\n"
        f"{COLUMNS}  pending      pending  pending\n"
        "\n"
        "development: 0 applied, 2 pending\n"
        "test: 0 applied, 2 pending\n"
        "production (protected): 0 applied, 2 pending\n"
    )


def test_the_first_look_at_a_database_says_what_it_wrote_there(shell: Shell) -> None:
    first = shell("status", "--json")
    assert sorted(first.err.splitlines()) == [
        "cli_development was marked: from now on it is development. Twokey's tables are in public.",
        "cli_production was marked: from now on it is production, protected. Twokey's tables are in public.",
        "cli_test was marked: from now on it is test. Twokey's tables are in public.",
    ]
    assert first.body["environments"][0]["state"] == "ok"
    assert shell("status").err == ""
    shell.sql("production", "UPDATE twokey_environment SET protected = false")
    assert shell("status", "prod").err.startswith("cli_production was marked: from now on it is production, protected.")


def test_status_tells_who_applied_the_last_and_when(shell: Shell) -> None:
    shell("apply", "dev")
    said = shell("status", "dev").out.splitlines()
    assert said[:3] == [
        "migration                        development",
        f"{USERS}      applied",
        f"{COLUMNS}  applied",
    ]
    told = rf"development: 2 applied, 0 pending; last {COLUMNS}, \d{{4}}-\d\d-\d\d \d\d:\d\d UTC by ada \(terminal\)"
    assert re.fullmatch(told, said[4])


def test_status_tells_what_else_was_done_there_last(shell: Shell) -> None:
    shell("baseline", "dev", COLUMNS)
    told = shell("status", "dev").out.splitlines()[-1]
    when = r"\d{4}-\d\d-\d\d \d\d:\d\d UTC"
    assert re.fullmatch(rf"  baseline of {USERS}, {COLUMNS}, {when} by ada \(terminal\)", told)
    shell.sql("development", "UPDATE twokey_deeds SET request = '#7' RETURNING 1")
    assert shell("status", "dev").out.splitlines()[-1].endswith(" UTC by #7 of ada (terminal)")


def test_status_of_an_empty_folder(shell: Shell) -> None:
    for migration in (USERS, COLUMNS):
        (shell.folder / "migrations" / f"{migration}.sql").unlink()
    assert shell("status", "test").out == (
        "There is no migration yet. What one looks like: twokey --help\n\ntest: 0 applied, 0 pending\n"
    )


def test_status_names_an_edited_file(shell: Shell) -> None:
    shell.bring("dev")
    shell.write(USERS, "CREATE TABLE users (id int PRIMARY KEY);\n")
    said = shell("status", "dev")
    assert f"{USERS}      edited\n" in said.out
    assert f"\n  ! {USERS}.sql changed after development applied it" in said.out
    assert said.out.endswith("\n    See what changed: twokey repair development\n")


def test_a_database_that_is_down_is_said_while_the_others_answer(shell: Shell) -> None:
    shell.export("TEST_DATABASE_URL", DOWN)
    said = shell("status")
    assert said.code == 3
    assert f"{USERS}      pending      unknown  pending\n" in said.out
    assert (
        "test: unreachable. test (127.0.0.1, database nowhere) cannot be reached: nothing listens there. "
        "Start the server, or correct the environment's address.\n"
    ) in said.out


def test_an_environment_whose_address_is_not_here_is_unobserved(shell: Shell) -> None:
    shell.unset("PRODUCTION_DATABASE_URL")
    said = shell("status")
    assert said.code == 0
    assert "production (protected): unobserved. PRODUCTION_DATABASE_URL is not set; it holds" in said.out


def test_swapped_addresses_are_refused_by_the_database_itself(shell: Shell) -> None:
    shell("status")
    shell.export("TEST_DATABASE_URL", shell.dsn["development"])
    said = shell("status", "test")
    assert said.code == 1
    assert "test: refused. The address of test leads to" in said.out


def test_status_as_json(shell: Shell) -> None:
    shell.bring("dev")
    body = shell("status", "--json").body
    assert body["question"] == "status"
    assert [one["name"] for one in body["environments"]] == ["development", "test", "production"]
    assert body["migrations"][0] == {"id": USERS, "cells": ["applied", "pending", "pending"]}
    development = body["environments"][0]
    assert development.pop("last").keys() == {"migration", "at", "by"}
    assert development == {
        "name": "development",
        "protected": False,
        "state": "ok",
        "why": None,
        "applied": 2,
        "pending": [],
        "problems": [],
        "edited": [],
        "drift": {"state": "none", "differences": 0},
        "deed": None,
    }


def test_a_plan_names_what_would_run_and_changes_nothing(shell: Shell) -> None:
    said = shell("plan", "dev")
    lines = said.out.splitlines()
    assert said.code == 0
    assert lines[0] == "An apply to development would run 2 migrations:"
    assert re.fullmatch(rf"  {USERS}\.sql  1 line, sha256 [0-9a-f]{{12}}", lines[1])
    assert lines[3] == (
        f"  note: {USERS}.sql, {COLUMNS}.sql have no `-- impact:` line, "
        "so nobody reads here what the application must know."
    )
    assert re.fullmatch(r"Database \w+ on PostgreSQL [\d.]+; digest [0-9a-f]{4}·[0-9a-f]{4}·[0-9a-f]{4}\.", lines[4])
    backups = shell.folder / "migrations" / "schema-backups"
    assert lines[5] == f"A backup comes first, into {backups}. Nothing has run."
    assert lines[6] == "Run it: twokey apply development"
    assert shell("plan", "dev").out == said.out


def test_a_plan_says_what_the_application_must_know(shell: Shell) -> None:
    shell.write("20250818150000_more", "-- impact: Deploy 2.1 first.\nCREATE TABLE more ();\n")
    assert "    impact: Deploy 2.1 first.\n" in shell("plan", "dev").out
    migrations = shell("plan", "dev", "--json").body["plan"]["migrations"]
    assert [one["impact"] for one in migrations] == [None, None, "Deploy 2.1 first."]


def test_a_plan_shows_hazards_with_their_lines(shell: Shell) -> None:
    shell.write("20250818150000_drop_users", "SELECT 1;\n\nDROP TABLE users;\n")
    said = shell("plan", "dev").out
    assert "20250818150000_drop_users.sql  3 lines, sha256 " in said
    assert "\n    line 3, drops_table: " in said


def test_a_plan_names_what_stays_pending_because_the_one_before_lacks_it(shell: Shell) -> None:
    shell.bring("dev")
    shell.write("20250818150000_more", "CREATE TABLE more ();\n")
    said = shell("plan", "test")
    assert said.code == 0
    assert "  stays pending: 20250818150000_more.sql is not on development yet.\n" in said.out


def test_a_plan_for_a_protected_environment_says_what_a_terminal_cannot_see(shell: Shell) -> None:
    shell.bring("dev", "test")
    said = shell("plan", "prod")
    assert said.code == 0
    assert said.out.endswith(
        "Only what is certified passes; that stands in the ledger, which a terminal does not see.\n"
        "Ask in Slack: /migrate apply production\n"
    )


def test_a_plan_that_is_refused_says_why(shell: Shell) -> None:
    said = shell("plan", "test")
    sentence = f"development does not have {USERS}.sql yet, so test cannot get it. Bring it to development first."
    assert (said.code, said.out) == (1, sentence + "\n")
    body = shell("plan", "test", "--json").body
    assert body == {"question": "plan", "environment": "test", "plan": None, "refusal": sentence}


def test_a_plan_of_nothing_is_done(shell: Shell) -> None:
    shell.bring("dev")
    said = shell("plan", "dev")
    assert (said.code, said.out) == (
        0,
        "development already has every migration of the folder. There is nothing to apply.\n",
    )


def test_a_plan_as_json_has_everything_but_the_texts(shell: Shell) -> None:
    plan = shell("plan", "dev", "--json").body["plan"]
    assert plan["migrations"][0].keys() == {"id", "name", "checksum", "lines", "hazards", "impact"}
    assert len(plan["notes"]) == 1
    assert plan.keys() >= {"environment", "protected", "database", "server", "head", "held", "digest", "backup_folder"}
    assert len(plan["digest"]) == 64


def test_a_plan_needs_the_environment_before_and_says_when_that_is_down(shell: Shell) -> None:
    shell.export("DEVELOPMENT_DATABASE_URL", DOWN)
    said = shell("plan", "test")
    assert said.code == 3
    assert said.out.startswith("development (127.0.0.1, database nowhere) cannot be reached: nothing listens there.")


def test_validate_of_environments_that_agree_names_what_is_ready(shell: Shell) -> None:
    shell.bring("dev")
    said = shell("validate")
    assert (said.code, said.out) == (
        0,
        f"The environments are consistent.\n  ready for development → test: {USERS}, {COLUMNS}\n",
    )


def test_validate_of_new_environments_is_ready_for_the_first(shell: Shell) -> None:
    assert shell("validate").out.endswith(f"  ready for development: {USERS}, {COLUMNS}\n")


def test_validate_exits_1_and_names_what_is_wrong(shell: Shell) -> None:
    shell.bring("dev")
    (shell.folder / "migrations" / f"{USERS}.sql").unlink()
    said = shell("validate")
    assert said.code == 1
    assert said.out.startswith(
        f"The environments do not agree.\n  missing: development applied {USERS}, but the folder has no such file."
    )


def test_validate_says_which_environment_could_not_be_compared(shell: Shell) -> None:
    shell.export("TEST_DATABASE_URL", DOWN)
    said = shell("validate")
    assert said.code == 3
    assert said.out.startswith(
        "Not every environment could be compared.\n  test unreachable: test (127.0.0.1, database nowhere)"
    )


def test_validate_as_json(shell: Shell) -> None:
    shell.bring("dev", "test")
    body = shell("validate", "--json").body
    assert body == {
        "question": "validate",
        "consistent": True,
        "environments": [
            {"name": "development", "state": "ok", "why": None, "schema": AS_LEFT},
            {"name": "test", "state": "ok", "why": None, "schema": AS_LEFT},
            {"name": "production", "state": "ok", "why": None, "schema": None},
        ],
        "findings": [],
        "ready": [{"from": "test", "to": "production", "migrations": [USERS, COLUMNS], "certified": None}],
        "notes": [],
    }


def test_one_environment_is_enough(shell: Shell) -> None:
    shell.workflow(OURS.split('[[environment]]\nname = "test"')[0])
    assert shell("validate").out == f"The environments are consistent.\n  ready for development: {USERS}, {COLUMNS}\n"
