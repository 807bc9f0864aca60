"""A file that cannot be a migration, or would not run: what is said all the same, and what is refused."""

import re

import pytest

from tests.cli.conftest import COLUMNS, USERS, Shell
from tests.cli.test_questions import DOWN


def test_validate_calls_nothing_ready_that_would_not_run(shell: Shell) -> None:
    shell.bring("dev")
    shell.write("20250818150000_typo", "CREATE TABEL typo ();\n")
    said = shell("validate")
    refused = (
        "20250818150000_typo.sql:1:8 is not SQL that PostgreSQL understands (42601): "
        'syntax error at or near "TABEL". Correct the file; nothing was run.'
    )
    assert (said.code, said.out) == (
        1,
        f"The environments agree, but what is pending would not run.\n  refused: {refused}\n",
    )
    shell.export("PRODUCTION_DATABASE_URL", DOWN)
    assert shell("validate").out.startswith("Not every environment could be compared.\n")


def test_a_file_that_cannot_be_a_migration_stops_what_needs_the_folder(shell: Shell) -> None:
    shell.bring("dev")
    shell.write("nonsense", "SELECT 1;")
    for asked in (
        ("plan", "test"), ("validate",), ("apply", "dev"), ("promote", "test"), ("rollback", "dev"),
        ("baseline", "test", USERS), ("repair", "dev"), ("repair", "dev", "--accept", USERS),
    ):  # fmt: skip
        said = shell(*asked)
        assert (said.code, said.out.split(".")[0]) == (1, "nonsense")
    assert shell.sql("development", "SELECT count(*) FROM schema_migrations") == [(2,)]
    assert shell.sql("test", "SELECT to_regclass('schema_migrations')") == [(None,)]


BAD_FOLDERS = [
    ({"nonsense.sql": b"SELECT 1;"}, "nonsense.sql is not named like a migration. Rename it to "),
    (
        {"20270101000000_a.sql": b"SELECT 1;\n\xff"},
        "20270101000000_a.sql:2 is not UTF-8 text. Save the file as UTF-8 and try again.\n",
    ),
    ({"20270101000000_a.sql": b""}, "20270101000000_a.sql holds no SQL statement. Write one, or remove the file.\n"),
    (
        {"20270101000000_a.sql": b"SELECT 1;", "20270101000000_b.sql": b"SELECT 2;"},
        "20270101000000_a.sql and 20270101000000_b.sql have the same timestamp. Give the newer one a later",
    ),
]


@pytest.mark.parametrize(("files", "trouble"), BAD_FOLDERS)
def test_status_with_a_bad_file_says_so_first_and_then_what_the_histories_hold(
    shell: Shell, files: dict[str, bytes], trouble: str
) -> None:
    shell.bring("dev")
    shell.export("TEST_DATABASE_URL", DOWN)
    for name, raw in files.items():
        (shell.folder / "migrations" / name).write_bytes(raw)
    said = shell("status")
    assert said.code == 1  # though one could not be reached
    assert said.out.startswith(trouble)
    lines = said.out.splitlines()
    assert lines[1:7] == [
        (
            "Until then nothing is planned, applied or taken back, and what is pending, edited or missing is not "
            "known. What the histories hold:"
        ),
        "",
        "migration                        development  test     production",
        f"{USERS}      applied      unknown  absent",
        f"{COLUMNS}  applied      unknown  absent",
        "",
    ]
    assert re.fullmatch(rf"development: 2 applied; last {COLUMNS}, .* UTC by ada \(terminal\)", lines[7])
    assert lines[8].startswith("test: unreachable. test (127.0.0.1, database nowhere) cannot be reached")
    assert lines[9:] == ["production (protected): 0 applied"]
    body = shell("status", "--json").body
    assert [one.startswith(trouble.rstrip()) for one in body["folder"]] == [True]
    assert [(one["state"], one["applied"], one["pending"], one["problems"]) for one in body["environments"]] == [
        ("unread", 2, None, None),
        ("unreachable", None, None, None),
        ("unread", 0, None, None),
    ]


def test_status_says_what_is_wrong_with_the_folder_where_no_address_is_set_either(shell: Shell) -> None:
    shell.write("nonsense", "SELECT 1;")
    for name in ("DEVELOPMENT", "TEST", "PRODUCTION"):
        shell.unset(f"{name}_DATABASE_URL")
    said = shell("status")
    assert said.code == 1
    assert said.out.startswith("nonsense.sql is not named like a migration.")
    assert "There is no migration yet." not in said.out
