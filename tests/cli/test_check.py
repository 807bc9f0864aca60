"""check: each thing a run needs, what is wrong with it, and how to mend it."""

from datetime import UTC, datetime, timedelta

import pytest

from engine import checkup
from tests.cli.conftest import OURS, Shell
from tests.support.pooler import pooled

FINE = "Everything a run needs is there.\n"


def line(said: str, beginning: str) -> str:
    (found,) = (one for one in said.splitlines() if beginning in one)
    return found


def test_everything_is_there(shell: Shell) -> None:
    first = shell("check").out
    assert "production history: From now on it says it is production, protected; its history is in public.\n" in first
    said = shell("check")
    assert said.code == 0
    assert said.out.endswith(FINE)
    assert "ok          twokey workflow file: 3 environments.\n" in said.out
    assert f"ok          twokey folder: {shell.folder / 'migrations'} has 2 migrations.\n" in said.out
    assert "ok          test address: TEST_DATABASE_URL is set.\n" in said.out
    assert "ok          test pooler: A lock stays with its session.\n" in said.out
    assert (
        "ok          production history: It says it is production, protected; its history is in public.\n" in said.out
    )
    assert "ok          test backup: postgres may read every table and sequence.\n" in said.out
    assert "ok          test clock: Its clock and this one's agree.\n" in said.out
    assert line(said.out, "test pg_dump").startswith("ok          test pg_dump: /")
    assert ", as postgres." in line(said.out, "test server")


def test_one_environment_alone(shell: Shell) -> None:
    shell.unset("PRODUCTION_DATABASE_URL")
    assert shell("check", "dev").code == 0
    said = shell("check")
    assert said.code == 1
    assert "wrong       production address: PRODUCTION_DATABASE_URL is not set; it holds the address of" in said.out
    assert said.out.endswith("1 of 21 to mend.\n")
    assert shell("check", "nowhere").code == 2


def test_a_server_that_is_down_is_said_and_the_others_are_looked_at(shell: Shell) -> None:
    shell.export("TEST_DATABASE_URL", "postgresql://ada@127.0.0.1:1/nowhere")
    said = shell("check")
    assert said.code == 3
    assert "unreachable test server: test (127.0.0.1, database nowhere) cannot be reached: nothing listens" in said.out
    assert "ok          production clock: " in said.out


def test_a_pooler_in_transaction_mode_is_noticed(shell: Shell) -> None:
    with pooled(shell.dsn["test"]) as address:
        shell.export("TEST_DATABASE_URL", address)
        said = shell("check", "test")
    assert said.code == 1
    assert line(said.out, "test pooler") == (
        "wrong       test pooler: A pooler in transaction mode stands between (PgBouncer, or one like it): a lock does "
        "not stay with its session, so nothing will run. "
        "Point the address at the server itself, or at a pool in session mode."
    )


def test_swapped_addresses_are_said(shell: Shell) -> None:
    shell("status")
    shell.export("TEST_DATABASE_URL", shell.dsn["development"])
    said = shell("check", "test")
    assert said.code == 1
    assert "wrong       test history: The address of test leads to " in said.out


def test_a_login_that_reaches_into_production_is_wrong_unless_it_is_meant(shell: Shell) -> None:
    shell.sql("production", "CREATE TABLE twokey_environment (name text, protected boolean)")
    shell.sql("production", "INSERT INTO twokey_environment VALUES ('production', true)")
    assert "lets it." in line(shell("check", "dev").out, "ok          development reach: development's login postgres")
    shell.workflow(OURS.replace("on_protected_server = true\n", ""))
    said = shell("check", "dev")
    assert said.code == 1
    assert line(said.out, "development reach").endswith("on_protected_server = true for development in twokey.toml.")
    assert "production reach" not in shell("check", "production").out


def test_a_role_that_may_not_read_everything_cannot_back_up(shell: Shell) -> None:
    shell.sql("test", "DROP ROLE IF EXISTS reader")
    shell.sql("test", "CREATE ROLE reader LOGIN; GRANT CREATE, USAGE ON SCHEMA public TO reader")
    shell.sql("test", "CREATE TABLE hidden (id serial)")
    try:
        shell.export("TEST_DATABASE_URL", shell.dsn["test"].replace("postgres@", "reader@"))
        said = shell("check", "test")
    finally:
        shell.sql("test", "DROP OWNED BY reader")
        shell.sql("test", "DROP ROLE reader")
    assert said.code == 1
    assert line(said.out, "test backup") == (
        "wrong       test backup: reader may not read hidden and 1 more, so no backup can be taken. "
        "Allow it: GRANT pg_read_all_data TO reader (PostgreSQL 14 on; before, GRANT SELECT)."
    )


def test_what_the_terminal_lacks_is_said(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.tools._squawk", lambda _: None)
    shell.export("PG_BIN", str(shell.folder))
    shell.write("nonsense", "SELECT 1;")
    said = shell("check", "test")
    assert said.code == 1
    assert (
        "wrong       twokey squawk: squawk is not installed, so plans miss its hazards, and say so. "
        "Install it: pip install squawk-cli.\n"
    ) in said.out
    assert f"wrong       test pg_dump: There is no pg_dump in {shell.folder}, the folder that PG_BIN names" in said.out
    assert "wrong       twokey folder: nonsense.sql is not named like a migration." in said.out


def test_a_workflow_file_or_an_address_that_is_wrong_is_said(shell: Shell) -> None:
    shell.export("TEST_DATABASE_URL", "postgresql://ada:s3cret@host/x?nonsense=1")
    said = shell("check", "test")
    assert said.code == 1
    assert "wrong       test server: The database address of test is not one PostgreSQL understands." in said.out
    assert "s3cret" not in said.out
    shell.workflow(OURS.replace("protected = true", "protectd = true"))
    said = shell("check")
    assert said.code == 1
    assert "wrong       twokey workflow file: " in said.out


def test_check_as_json(shell: Shell) -> None:
    body = shell("check", "dev", "--json").body
    assert (body["question"], body["fine"]) == ("check", True)
    assert body["findings"][0].keys() == {"of", "subject", "state", "sentence"}
    assert {one["subject"] for one in body["findings"] if one["state"] != "ok"} == {"scratch"}


@pytest.mark.parametrize(("seconds", "said"), [(90, "90 s ahead of"), (-4000, "4,000 s behind")])
def test_clocks_that_disagree_are_said(seconds: int, said: str) -> None:
    now = datetime(2025, 8, 18, tzinfo=UTC)
    found = checkup.clocks(now, now + timedelta(seconds=seconds))
    assert (found.state, found.sentence) == (
        "wrong",
        (
            f"The server's clock is {said} this one's, "
            "so times in the history and in backups' names mislead. Let both follow NTP."
        ),
    )
