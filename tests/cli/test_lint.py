"""lint: hazards and refusals of files, without a database."""

from pathlib import Path

import pytest

from tests.cli.conftest import COLUMNS, USERS, Shell
from tests.engine.test_plan import DOWN

TAIL = "Without a database: what rows, sizes and locks are at stake, a plan says.\n"
BAD = "20250818150000_bad"


def no_database(shell: Shell) -> None:
    for name in shell.dsn:
        shell.unset(f"{name.upper()}_DATABASE_URL")


def test_the_folder_without_a_database(shell: Shell) -> None:
    no_database(shell)
    said = shell("lint")
    assert (said.code, said.out) == (0, f"2 files: 0 hazards. {TAIL}")


def test_hazards_are_told_with_file_and_line_and_are_no_failure_unless_strict(shell: Shell) -> None:
    shell.write(BAD, "SELECT 1;\nDROP TABLE users;\nALTER TABLE x DROP CONSTRAINT c;\n")
    said = shell("lint")
    assert (said.code, said.out) == (
        0,
        (
            f"{BAD}.sql:2: drops_table: drops the table users with every row. "
            "Rename it first and drop it a release later, when nothing reads it.\n"
            f"{BAD}.sql:3: squawk:ban-drop-constraint: Dropping a constraint may remove a guarantee "
            "that existing clients assume.\n"
            f"3 files: 2 hazards. {TAIL}"
        ),
    )
    assert shell("lint", "--strict").code == 1
    assert shell("lint", "--strict", str(shell.folder / "migrations" / f"{USERS}.sql")).code == 0


def test_hazards_are_of_the_way_up_alone(shell: Shell) -> None:
    shell.write(COLUMNS, f"-- migrate:up\nCREATE TABLE t (id bigint);\n-- migrate:down\n{DOWN}")
    said = shell("lint", "--strict", "--json")
    assert (said.code, [one["hazards"] for one in said.body["files"]]) == (0, [[], []])
    shell.write(COLUMNS, "-- migrate:up\nSELECT 1;\n-- migrate:down\nDELETE FROM schema_migrations;\n")
    said = shell("lint")
    assert said.code == 1
    assert f"{COLUMNS}.sql:4: schema_migrations is where Twokey keeps what ran here" in said.out


def test_a_file_that_will_not_run_is_a_failure_and_the_others_are_still_told(shell: Shell) -> None:
    shell.write(BAD, "SELEC 1;\n")
    shell.write("20250818160000_vacuum", "DROP TABLE t;\nVACUUM;\n")
    shell.write("20250818170000_drop", "DROP TABLE t;\n")
    said = shell("lint")
    assert said.code == 1
    assert f'{BAD}.sql:1:1 is not SQL that PostgreSQL understands (42601): syntax error at or near "SELEC".' in said.out
    assert "20250818160000_vacuum.sql:2: VACUUM cannot run inside a transaction" in said.out
    assert "20250818170000_drop.sql:1: drops_table: " in said.out
    assert said.out.endswith(f"5 files: 2 will not run, 1 hazard. {TAIL}")


def test_files_by_name_need_no_workflow_file(shell: Shell, tmp_path: Path) -> None:
    shell.export("TWOKEY_CONFIG", str(tmp_path / "nowhere.toml"))
    good = shell.folder / "migrations" / f"{COLUMNS}.sql"
    assert shell("lint", str(good)).out == f"1 file: 0 hazards. {TAIL}"
    (tmp_path / "bad name.sql").write_text("SELECT 1")
    absent = tmp_path / "20250101000000_gone.sql"
    said = shell("lint", str(tmp_path / "bad name.sql"), str(absent), str(tmp_path))
    assert said.code == 1
    assert "bad name.sql is not named like a migration." in said.out
    assert f"There is no file {absent}. Check its path.\n" in said.out
    near = shell("lint", str(good).replace("add_", "ad_")).out
    assert f"ad_user_columns.sql. Did you mean {COLUMNS}.sql?\n" in near
    assert f"The migrations folder {tmp_path} cannot be read." in said.out
    assert shell("lint").code == 2


def test_lint_as_json(shell: Shell) -> None:
    shell.write(BAD, "DROP TABLE users;\n")
    body = shell("lint", "--json").body
    assert body["question"] == "lint"
    assert [one["file"] for one in body["files"]] == [f"{USERS}.sql", f"{COLUMNS}.sql", f"{BAD}.sql"]
    assert body["files"][0] == {"file": f"{USERS}.sql", "refusal": None, "hazards": []}
    assert body["files"][2]["hazards"][0].keys() == {"name", "line", "sentence"}


def test_a_shell_without_squawk_says_so(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.tools._squawk", lambda _: None)
    assert f"{USERS}.sql:1: squawk_did_not_run: squawk is not installed" in shell("lint").out
    assert "squawk_did_not_run: squawk is not installed" in shell("plan", "dev").out
