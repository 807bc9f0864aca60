"""`twokey rollback`: what was applied is taken back, and never where two keys must turn."""

import pytest

from tests.cli.conftest import COLUMNS, USERS, Shell

NOTES, TAGS = "20260101000000_notes", "20260102000000_tags"


@pytest.fixture
def four(shell: Shell) -> Shell:
    """Development with four migrations, of which the two newest have a way down."""
    for name in (NOTES, TAGS):
        table = name.partition("_")[2]
        shell.write(name, f"-- migrate:up\nCREATE TABLE {table} ();\n-- migrate:down\nDROP TABLE {table};\n")
    shell.bring("dev")
    return shell


def test_the_newest_is_taken_back(four: Shell) -> None:
    said = four("rollback", "dev")
    assert said.code == 0
    assert f"[1/1] {TAGS}.sql taken back in 0." in said.out
    assert "development: 1 migration taken back in " in said.out
    assert four.sql("development", "SELECT to_regclass('tags'), to_regclass('notes')::text") == [(None, "notes")]


def test_the_last_two_as_json(four: Shell) -> None:
    said = four("rollback", "dev", "last", "2", "--json")
    assert said.code == 0
    assert said.body["outcome"] == "reverted"
    assert [one["id"] for one in said.body["done"]] == [TAGS, NOTES]
    assert (said.body["left"], said.body["failure"]) == ([], None)
    assert four("rollback", "dev").code == 1


def test_back_to_a_migration_which_stays(four: Shell) -> None:
    assert four("rollback", "dev", "to", COLUMNS).code == 0
    assert four.sql("development", "SELECT migration_id FROM schema_migrations ORDER BY id") == [(USERS,), (COLUMNS,)]


def test_a_failure_is_said_with_what_was_not_tried(four: Shell) -> None:
    four.sql("development", "CREATE VIEW v AS SELECT FROM tags")
    said = four("rollback", "dev", "last", "2")
    assert said.code == 1
    assert f"{TAGS}.sql:4 failed on development (2BP01)" in said.out
    assert "development: 0 migrations taken back in " in said.out
    assert f"Not tried: {NOTES}\nPut right what the message says, then roll development back again.\n" in said.out


def test_no_way_down_is_refused(four: Shell) -> None:
    said = four("rollback", "dev", "last", "3")
    assert said.code == 1
    assert said.out == (
        f"{COLUMNS}.sql has no `-- migrate:down` section, so development cannot be rolled back past it. "
        "The way back is to restore the backup that was taken before it. "
        "See which there are: twokey backups development\n"
    )


def test_no_way_down_is_refused_with_the_backup_that_is_the_way_back(shell: Shell) -> None:
    (shell.folder / "migrations" / f"{COLUMNS}.sql").unlink()
    shell.bring("dev")
    shell.write(COLUMNS, "ALTER TABLE users ADD COLUMN email text;\n")
    assert shell("apply", "dev").code == 0
    [backup] = (shell.folder / "migrations" / "schema-backups").glob("*.sql")
    shell("backup", "dev")
    said = shell("rollback", "dev")
    assert said.code == 1
    assert said.out.endswith(f"before it. That is: twokey restore development {backup.name}\n")
    assert shell("restore", "development", backup.name).code == 0
    assert shell.sql("development", "SELECT migration_id FROM schema_migrations") == [(USERS,)]


def test_what_the_next_environment_has_stays(four: Shell) -> None:
    assert four("promote", "test").code == 0
    said = four("rollback", "dev")
    assert said.code == 1
    assert said.out == (
        f"test still has {TAGS}.sql, so it cannot be taken back on development. Roll back test first.\n"
    )
    assert four("rollback", "test").code == 0
    assert four("rollback", "dev").code == 0


def test_a_protected_environment_is_not_rolled_back_from_here(four: Shell) -> None:
    said = four("rollback", "production")
    assert said.code == 1
    assert said.out == (
        "production is protected and needs two keys.\n"
        "Nothing protected is changed from a terminal. Ask in Slack: /migrate rollback production\n"
    )


def test_the_mark_in_the_database_decides(four: Shell) -> None:
    four.sql("development", "UPDATE twokey_environment SET protected = true")
    said = four("rollback", "dev")
    assert said.code == 1
    assert "Nothing protected is changed from a terminal." in said.out


@pytest.mark.parametrize("words", [["last"], ["last", "0"], ["last", "x"], ["past", "2"], ["to"]])
def test_words_that_say_no_way_are_wrong_usage(shell: Shell, words: list[str]) -> None:
    said = shell("rollback", "dev", *words)
    assert said.code == 2
    assert said.err == (
        "Say how far back: twokey rollback ENVIRONMENT, … last 2, or … to 20250818130001_create_users.\n"
    )
