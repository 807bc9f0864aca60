"""baseline and repair: explicit, under the lock, recorded, and never on a protected environment."""

import psycopg
import pytest

from engine import amend, lock
from tests.cli.conftest import COLUMNS, OURS, USERS, Shell

NEITHER = "Nothing protected is changed from a terminal. Ask in Slack: /migrate {} production\n"
NOTES = "SELECT act, migration_id, by, checksum_before IS NOT NULL, text_before FROM twokey_amendments ORDER BY id"
EDIT = "-- who shops here\nCREATE TABLE users (\n  id bigint PRIMARY KEY\n);\n"


def test_a_database_that_has_the_schema_is_taken_over(shell: Shell) -> None:
    shell.sql("development", "CREATE TABLE users (id bigint PRIMARY KEY)")
    said = shell("baseline", "dev", f"{USERS}.sql")
    assert (said.code, said.out) == (
        0,
        (
            f"development: 1 migration written down as applied; nothing ran. The last is {USERS}.\n"
            "Whether its schema really is what these files make: twokey validate\n"
        ),
    )
    assert shell.sql("development", NOTES) == [("baseline", USERS, "ada (terminal)", False, None)]
    assert shell("apply", "dev").code == 0
    assert shell.sql("development", "SELECT migration_id FROM schema_migrations ORDER BY id") == [(USERS,), (COLUMNS,)]


def test_all_up_to_the_named_one_are_taken_over(shell: Shell) -> None:
    body = shell("baseline", "dev", COLUMNS, "--json").body
    assert body == {"environment": "development", "act": "baseline", "migrations": [USERS, COLUMNS], "refusal": None}
    assert "2 migrations written down" in shell("baseline", "test", COLUMNS).out
    assert shell("validate").code == 0  # our own table is no part of the schema


def test_a_baseline_names_a_file_that_waits(shell: Shell) -> None:
    assert shell("baseline", "dev", "nonsense").out == (
        "The folder has no nonsense.sql. Name one that is pending. See which are: twokey status development\n"
    )
    shell.bring("dev")
    said = shell("baseline", "dev", USERS)
    assert (said.code, said.out) == (1, f"development already has {USERS}. There is nothing to take over.\n")
    shell.write(USERS, EDIT)
    assert f"{USERS}.sql changed after development applied it" in shell("baseline", "dev", COLUMNS).out


@pytest.mark.parametrize("words", [("baseline", "prod", USERS), ("repair", "prod", "--accept", USERS)])
def test_a_protected_history_is_not_touched(shell: Shell, words: tuple[str, ...]) -> None:
    assert shell(*words).out == f"production is protected and needs two keys.\n{NEITHER.format(words[0])}"
    shell("status")
    shell.workflow(OURS.replace("protected = true", "protected = false"))
    said = shell(*words)
    assert said.code == 1
    assert said.out.startswith("production is protected, the database says so, but twokey.toml does not.")
    assert said.out.endswith(NEITHER.format(words[0]))
    assert shell.sql("production", "SELECT count(*) FROM schema_migrations") == [(0,)]


def test_an_edited_file_of_a_protected_environment_is_shown_with_where_to_ask(shell: Shell) -> None:
    shell("status")
    row = f"('{USERS}', 'users', 'other', 'production')"
    shell.sql("production", f"INSERT INTO schema_migrations (migration_id, name, checksum, environment) VALUES {row}")
    assert shell("repair", "prod").out == (
        f"{USERS}.sql changed after production applied it.\n"
        "  What ran is not known: another tool applied it.\n"
        "  Restore the file as it ran, or put the change in a new migration.\n"
        "  If the database already is as the file says now, ask in Slack: "
        f"/migrate repair production {USERS}\n"
        "Nothing was changed.\n"
    )


def test_the_refusal_of_an_edited_file_shows_the_way(shell: Shell) -> None:
    shell.bring("dev")
    shell.write(USERS, EDIT)
    said = shell("apply", "dev")
    assert said.code == 1
    assert said.out.endswith("put the change in a new migration. See what changed: twokey repair development\n")


def test_an_edited_file_is_shown_as_a_diff_and_nothing_changes(shell: Shell) -> None:
    shell.bring("dev")
    shell.write(USERS, "CREATE TABLE users (id int PRIMARY KEY);\n")
    said = shell("repair", "dev")
    assert (said.code, said.out) == (
        1,
        (
            f"{USERS}.sql changed after development applied it.\n"
            f"  --- {USERS}.sql as it ran\n"
            f"  +++ {USERS}.sql as it is\n"
            "  @@ -1 +1 @@\n"
            "  -CREATE TABLE users (id bigint PRIMARY KEY);\n"
            "  +CREATE TABLE users (id int PRIMARY KEY);\n"
            "  Restore the file as it ran, or put the change in a new migration.\n"
            f"  If the database already is as the file says now: twokey repair development --accept {USERS}\n"
            "Nothing was changed.\n"
        ),
    )
    (one,) = shell("repair", "dev", "--json").body["edited"]
    assert one.keys() == {"id", "ran", "now", "diff", "whitespace_and_comments_only"}
    assert "edited" in shell("status", "dev").out


def test_whitespace_and_comments_are_said_to_be_that_and_accepted_with_a_name(shell: Shell) -> None:
    shell.bring("dev")
    shell.write(USERS, EDIT)
    assert (
        f"{USERS}.sql changed after development applied it. Whitespace and comments only.\n"
        in shell("repair", "dev").out
    )
    said = shell("repair", "dev", "--accept", f"{USERS}.sql", "--accept", USERS)
    assert (said.code, said.out) == (
        0,
        f"development: {USERS} now counts as it is in the folder. Nothing ran.\n",
    )
    ran = "CREATE TABLE users (id bigint PRIMARY KEY);\n"
    assert shell.sql("development", NOTES) == [("repair", USERS, "ada (terminal)", True, ran)]
    assert shell("repair", "dev").out == ("No file changed after development applied it. There is nothing to repair.\n")
    assert shell("status", "dev").out.count("edited") == 0


def test_a_file_that_is_not_edited_is_not_repaired(shell: Shell) -> None:
    shell.bring("dev")
    said = shell("repair", "dev", "--accept", USERS)
    assert (said.code, said.out) == (
        1,
        (
            f"{USERS} is not an edited file of development, so there is nothing to accept. "
            "See which are: twokey repair development\n"
        ),
    )


def test_a_misspelled_file_is_answered_with_the_one_that_was_meant(shell: Shell) -> None:
    said = shell("baseline", "dev", USERS[:-1])
    assert said.out.startswith(f"The folder has no {USERS[:-1]}.sql. Did you mean {USERS}? See which are: ")
    shell.bring("dev")
    shell.write(USERS, EDIT)
    meant = f"so there is nothing to accept. Did you mean {USERS}? See which are: twokey repair development\n"
    assert shell("repair", "dev", "--accept", USERS[:-1]).out.endswith(meant)
    assert "Did you mean" not in shell("repair", "dev", "--accept", COLUMNS).out
    said = shell("rollback", "dev", "to", USERS[:-1])
    assert said.out.startswith(f"development has not applied {USERS[:-1]}. Did you mean {USERS}? See what it has: ")


def test_what_another_tool_applied_has_no_text_to_compare(shell: Shell) -> None:
    shell.bring("dev")
    shell.sql("development", "DELETE FROM twokey_migrations")
    shell.write(USERS, EDIT)
    assert "  What ran is not known: another tool applied it.\n" in shell("repair", "dev").out
    assert shell("repair", "dev", "--accept", USERS).code == 0


def test_both_wait_for_nobody_who_holds_the_lock(shell: Shell) -> None:
    shell("status")
    with psycopg.connect(shell.dsn["development"]) as other:
        other.execute("SELECT pg_advisory_lock(%s, %s)", (lock.CLASS, lock.OBJECT))
        assert shell("baseline", "dev", USERS).out.startswith("development is busy: ")
        assert shell("repair", "dev", "--accept", USERS).out.startswith("development is busy: ")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("SELECT 1", "select  1 -- x\n;", True),
        ("SELECT 'a'", "SELECT 'b'", False),
        ("SELECT 1", "SELECT 2", False),
        (
            "DO $$ BEGIN END $$",
            "DO $$BEGIN END$$",
            False,
        ),
        ("SELECT E'location: 1\\n'", "SELECT E'location: 2\\n'", False),
        ("SELECT a IN (1, 2)", "SELECT a IN (1,2)", True),
        ("SELEC", "SELEC", False),
    ],
)
def test_what_differs_in_looks_only(one: str, other: str, same: bool) -> None:
    assert amend.same_statements(one, other) == same
