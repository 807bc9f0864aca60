"""A schema beside the one that its history implies, and beside the one that another environment had with it."""

import pytest

from tests.cli.conftest import COLUMNS, USERS, Shell
from tests.support.workflow import OURS

DOWN = "postgresql://ada@127.0.0.1:1/nowhere"
BY_HAND = "CREATE INDEX by_hand ON users (id)"
SENTENCE = "index public.by_hand is here and not there: CREATE INDEX by_hand ON public.users USING btree (id)"
SAME = "Its schema is the one that development had with this history.\n"


@pytest.fixture
def brought(shell: Shell) -> Shell:
    """Both unprotected environments have everything."""
    shell.bring("dev", "test")
    return shell


def scratch(shell: Shell, address: str) -> None:
    shell.workflow(OURS.replace("[scratch]\n", "[scratch]\non_protected_server = true\n"))
    shell.export("SCRATCH_DATABASE_URL", address)


def test_what_was_changed_by_hand_is_named_object_by_object(brought: Shell) -> None:
    brought.sql("test", BY_HAND)
    said = brought("validate")
    assert said.code == 1
    assert said.out.splitlines()[:1] == ["The environments do not agree."]
    assert (
        "  drift: test (here) is not what its history makes (there, as its last run left it): 1 object differs. "
        "Put the change in a new migration, or undo it by hand; what is meant to differ, name under differs in "
        f"twokey.toml.\n  drift: {SENTENCE}.\n"
    ) in said.out
    body = brought("validate", "--json").body
    assert body["environments"][1]["schema"] == {
        "state": "drifted",
        "by": "snapshot",
        "why": None,
        "differences": [
            {
                "kind": "index",
                "name": "public.by_hand",
                "here": "CREATE INDEX by_hand ON public.users USING btree (id)",
                "there": None,
                "sentence": SENTENCE,
            }
        ],
    }
    status = brought("status")
    assert status.code == 0
    assert "  ! its schema is not what its history makes: 1 object differs. Which: twokey validate\n" in status.out
    assert brought("status", "test", "--json").body["environments"][0]["drift"] == {
        "state": "drifted",
        "differences": 1,
    }
    brought.sql("test", "CREATE TABLE more ()")
    assert "makes: 2 objects differ. Which" in brought("status").out


def test_what_is_declared_to_differ_does_not(brought: Shell) -> None:
    brought.sql("test", BY_HAND)
    brought.workflow(OURS.replace('name = "test"', 'name = "test"\ndiffers = ["index public.by_hand"]'))
    said = brought("validate")
    assert (said.code, said.out.splitlines()[0]) == (0, "The environments are consistent.")


def test_a_run_ends_with_what_differs_from_the_environment_before(shell: Shell) -> None:
    shell.bring("dev")
    assert shell("promote", "test").out.endswith(SAME)
    shell.write("20250818150000_more", "CREATE TABLE more ();\n")
    assert shell("apply", "dev").out.count("Its schema") == 0
    shell.sql("test", BY_HAND)
    said = shell("promote", "test")
    assert said.code == 0
    assert said.out.endswith(
        "Its schema is not the one that development had with this history (there): 1 object differs. "
        f"What committed stays.\n  {SENTENCE}\n"
    )
    shell.write("20250818160000_again", "CREATE TABLE again ();\n")
    shell("apply", "dev")
    schema = shell("promote", "test", "--json").body["schema"]
    assert (schema["state"], schema["against"], len(schema["differences"])) == ("differs", "development", 1)
    assert schema["differences"][0]["sentence"] == SENTENCE


def test_a_way_back_is_held_against_the_same_history_before(shell: Shell) -> None:
    text = "-- migrate:up\nCREATE TABLE more (a int);\n-- migrate:down\nDROP TABLE more{};\n"
    shell.bring("dev")
    shell.write("20250818150000_more", text.format(""))
    shell("apply", "dev")
    assert shell("rollback", "dev").out.endswith(SAME)
    shell.write("20250818150000_more", text.format("; CREATE TABLE left_behind ()"))
    shell("apply", "dev")
    said = shell("rollback", "dev")
    assert said.out.endswith(
        ": 1 object differs. What committed stays.\n  table public.left_behind is here and not there\n"
    )


def test_what_cannot_be_compared_is_said(shell: Shell) -> None:
    shell.bring("dev")
    shell.sql("development", "DROP TABLE twokey_schemas")
    assert shell("promote", "test").out.endswith(
        "Its schema could not be held against development's: no run ended on development with this history.\n"
    )
    said = shell("validate")
    assert said.code == 0
    assert (
        "  Whether development's schema is what its history makes is not known: no run of Twokey ended on development "
        "with this history. The next one writes its schema down.\n"
    ) in said.out


def test_another_major_version_is_incomparable(shell: Shell) -> None:
    shell.bring("dev")
    shell.sql("development", "UPDATE twokey_schemas SET server = 140004")
    assert (
        "could not be held against development's: development is PostgreSQL 14.4, this 1"
        in shell("promote", "test").out
    )


def test_with_a_scratch_server_every_applied_text_is_replayed(brought: Shell) -> None:
    scratch(brought, brought.dsn["development"])
    assert brought("validate", "--json").body["environments"][0]["schema"] == {
        "state": "none",
        "by": "replay",
        "why": None,
        "differences": [],
    }
    brought.sql("test", BY_HAND)
    brought.sql("test", "DELETE FROM twokey_schemas")  # a replay needs none
    assert (
        "drift: test (here) is not what its history makes (there, replayed): 1 object differs."
        in brought("validate").out
    )


def test_a_baseline_is_replayed_too_and_what_it_claimed_untruly_is_named(shell: Shell) -> None:
    shell.sql("development", "CREATE TABLE users (id bigint PRIMARY KEY)")
    shell("baseline", "dev", COLUMNS)
    scratch(shell, shell.dsn["development"])
    said = shell("validate")
    assert said.code == 1
    assert (
        "  drift: development (here) is not what its history makes (there, replayed): 1 object differs. Put the change "
        "in a new migration, or undo it by hand; what is meant to differ, name under differs in twokey.toml. "
        f"A baseline took over {USERS}, {COLUMNS}: what is missing of that, make by hand.\n"
        "  drift: column public.users.email is not here; there it is text.\n"
    ) in said.out
    shell.sql("development", "ALTER TABLE users ADD email text")
    said = shell("validate")
    assert (said.code, said.out.splitlines()[0]) == (0, "The environments are consistent.")
    assert "baseline" not in said.out  # it was true


def test_without_a_scratch_server_what_one_of_two_baselines_lacks_is_named(shell: Shell) -> None:
    shell.bring("dev")
    shell.sql("test", "CREATE TABLE users (id bigint PRIMARY KEY)")
    shell("baseline", "test", COLUMNS)
    said = shell("validate")
    assert said.code == 1
    assert "have the same history, yet not the same schema: 1 object differs. One was changed by hand, or" in said.out
    assert "  differs: column public.users.email is not here; there it is text.\n" in said.out
    assert "  test was taken over by a baseline, and its schema was not held against what those files make" in said.out


def test_what_cannot_be_replayed_is_held_against_the_last_run_and_that_is_said(shell: Shell) -> None:
    shell.bring("dev")
    scratch(shell, shell.dsn["development"])
    shell.sql("development", f"DELETE FROM twokey_migrations WHERE migration_id = '{USERS}'")
    assert (
        "  development's schema was held against what its last run left. "
        f"Not replayed: {USERS} was run by another tool, which kept no text of it.\n"
    ) in shell("validate").out


def test_a_scratch_server_that_is_down_is_said_and_the_rest_is_answered(brought: Shell) -> None:
    scratch(brought, DOWN)
    said = brought("validate")
    assert said.code == 0
    assert "development's schema was held against what its last run left. Not replayed: scratch (127.0.0.1," in said.out


def test_an_order_of_its_own_is_not_replayed(brought: Shell) -> None:
    brought.sql("test", "UPDATE schema_migrations SET id = id + 10 WHERE id = 1")
    scratch(brought, brought.dsn["development"])
    why = "Not replayed: Its migrations ran in another order than that of their timestamps."
    assert why in brought("validate").out
    assert COLUMNS in brought("status").out
