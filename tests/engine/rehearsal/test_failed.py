"""Plans that succeed on an empty schema and fail on rows: found in rehearsal, and the environment is not touched."""

import pytest

from engine import rehearsal
from engine.errors import ServerRefused, Unreachable
from engine.rehearsal import NotRehearsed, RehearsalFailed
from tests.engine.rehearsal.conftest import Shop


@pytest.mark.parametrize(
    ("text", "sqlstate", "message"),
    [
        ("ALTER TABLE users ALTER email SET NOT NULL", "23502",
         'column "email" of relation "users" contains null values'),
        ("CREATE UNIQUE INDEX one_note ON orders ((owner > 0))", "23505", 'could not create unique index "one_note"'),
        ("ALTER TABLE users ALTER age TYPE int USING age::int", "22P02", "invalid text representation"),
        ("ALTER TABLE loose ADD FOREIGN KEY (owner) REFERENCES users", "23503",
         'insert or update on table "loose" violates foreign key constraint "loose_owner_fkey"'),
    ],
)  # fmt: skip
def test_what_rows_forbid_is_told_with_file_line_and_reason(
    shop: Shop, untouched: None, text: str, sqlstate: str, message: str
) -> None:
    with pytest.raises(RehearsalFailed) as caught:
        shop.rehearse("CREATE TABLE first (a int)", f"SELECT 1;\n\n{text};")
    failed = caught.value
    assert failed.__cause__ is None  # a traceback would show the driver's DETAIL
    assert failed.__suppress_context__
    assert (failed.number, failed.of, failed.failure.line, failed.failure.sqlstate) == (2, 2, 3, sqlstate)
    assert str(failed) == (
        f"20250202000000_m2.sql:3, statement 2 of 2, failed in rehearsal on a copy of production ({sqlstate}): "
        f"{message}. production was not touched. Remove the cause in production, or correct 20250202000000_m2.sql; "
        "then apply production again."
    )


@pytest.mark.parametrize(
    ("hidden", "why"),
    [
        (
            "pg_termi' || 'nate_backend(pg_backend_pid())",
            "the connection to the copy was lost. Nothing was touched. Ask",
        ),
        (
            "pg_advi' || 'sory_unlock_all()",
            (
                "20250201000000_m1.sql left its transaction, or let go of the lock that keeps other runs out, on the "
                "copy. Nothing was touched. Take that out of the file."
            ),
        ),
    ],
)
def test_what_befalls_the_copy_is_not_said_of_the_environment(
    shop: Shop, untouched: None, hidden: str, why: str
) -> None:
    with pytest.raises(NotRehearsed) as caught:
        shop.rehearse(f"DO $$BEGIN EXECUTE 'SELECT {hidden}'; END$$;")
    assert str(caught.value).startswith(f"The plan for production was not rehearsed: {why}")


@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        (
            Unreachable("production", "127.0.0.1, database x", "nothing listens there", "Start it."),
            "the copy cannot be reached: nothing listens there. Nothing was touched. Start it.",
        ),
        (
            ServerRefused("production", "53100", "the disk is full"),
            (
                "the scratch server refused (53100): the disk is full. Nothing was touched. "
                "Remove the cause there, then ask again."
            ),
        ),
    ],
)
def test_trouble_of_the_scratch_server_is_said_to_be_its(shop: Shop, trouble: Exception, told: str) -> None:
    with pytest.raises(NotRehearsed) as caught, rehearsal._trouble_is_the_copys(shop.plan("SELECT 1")):
        raise trouble
    assert str(caught.value) == f"The plan for production was not rehearsed: {told}"


def test_nothing_is_to_be_set_right_in_the_environment_that_is_wrong_on_the_copy_alone(
    shop: Shop, untouched: None
) -> None:
    hide = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'i'::regclass"
    with pytest.raises(RehearsalFailed) as caught:
        shop.rehearse(f"-- migrate:up transaction:false\nCREATE INDEX i ON loose (owner);\n{hide};")
    assert str(caught.value).startswith(
        "20250201000000_m1.sql failed in rehearsal on a copy of production (55000): an index that it left is not "
        "valid. production was not touched. Remove the cause in production, or correct 20250201000000_m1.sql; "
    )
    with pytest.raises(RehearsalFailed) as caught:
        shop.rehearse("CREATE EXTENSION nobody_has_it")
    assert str(caught.value).endswith(
        " production was not touched. Install the extension's files on the scratch server, then apply production again."
    )
