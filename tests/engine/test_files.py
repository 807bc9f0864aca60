"""A folder is read whole, in order, or not at all."""

import hashlib
import pickle
from pathlib import Path

import pytest

from engine import files
from tests.support.engine import AUDIT, COLUMNS, USERS, real_files

ONE = "20250818130001_one.sql"
DISGUISED = (
    "so that people would read it otherwise than PostgreSQL does. "
    "Remove it; in a text that needs it write it as an escape, E'\\u…' or E'\\r'."
)


def write(folder: Path, **contents: bytes) -> Path:
    for name, content in contents.items():
        (folder / f"{name}.sql").write_bytes(content)
    return folder


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        (
            "create_users.sql",
            b"SELECT 1",
            (
                "create_users.sql is not named like a migration. Rename it to YYYYMMDDHHMMSS_name.sql "
                "(a real date; letters, digits, _ and - in the name), or move it out of the folder."
            ),
        ),
        (
            ONE,
            b" \n-- a remark\n/* and /* another */ */;\n",
            f"{ONE} holds no SQL statement. Write one, or remove the file.",
        ),
        (ONE, b"", f"{ONE} holds no SQL statement. Write one, or remove the file."),
        (ONE, b"SELECT 1;\n-- caf\xe9", f"{ONE}:2 is not UTF-8 text. Save the file as UTF-8 and try again."),
        (
            ONE,
            b"SELECT 1;\n\n\0DROP TABLE t",
            f"{ONE}:3 holds a NUL byte, at which PostgreSQL would stop reading. Remove it.",
        ),
        (ONE, "SELECT 1;\n/* \u202e */ SELECT 2".encode(), f"{ONE}:2 holds U+202E, {DISGUISED}"),
        *(
            (ONE, f"SELECT 1;\n-- {hidden}DROP TABLE t".encode(), f"{ONE}:2 holds U+{ord(hidden):04X}, {DISGUISED}")
            for hidden in "\x0b\x1b\x85\u061c\u200b\u200e\u2028\u3164\ufeff\U000e0041"
        ),
        (ONE, b"SELECT 1; -- all is well\rDROP TABLE users;\r\n", f"{ONE}:1 holds U+000D, {DISGUISED}"),
    ],
)
def test_a_file_that_cannot_be_a_migration_is_named(tmp_path: Path, name: str, content: bytes, sentence: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(files.BadFile) as caught:
        files.read(tmp_path)
    assert str(caught.value) == sentence
    assert str(pickle.loads(pickle.dumps(caught.value))) == sentence


@pytest.mark.parametrize(
    "name",
    [
        "2025081813000_short.sql",
        "202508181300011_long.sql",
        "20251318130001_month.sql",
        "20250818130001.sql",
        "20250818130001_.sql",
        "20250818130001_a b.sql",
        "20250818130001_a.SQL",
    ],
)
def test_a_malformed_name_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"SELECT 1")
    with pytest.raises(files.BadName):
        files.read(tmp_path)


def test_two_files_with_one_timestamp_are_named(tmp_path: Path) -> None:
    with pytest.raises(files.SameTimestamp) as caught:
        files.read(write(tmp_path, **{"20250818130001_a": b"SELECT 1", "20250818130001_b": b"SELECT 1"}))
    assert str(caught.value) == (
        "20250818130001_a.sql and 20250818130001_b.sql have the same timestamp. Give the newer one a later timestamp."
    )


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(files.NoFolder) as caught:
        files.read(tmp_path / "gone")
    assert str(caught.value) == (
        f"The migrations folder {tmp_path}/gone cannot be read. Create it, or correct `migrations` in twokey.toml."
    )


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / ONE).symlink_to(tmp_path / "gone")
    with pytest.raises(files.Unreadable) as caught:
        files.read(tmp_path)
    assert str(caught.value) == f"{ONE} cannot be read. Check the file's permissions for the account that runs Twokey."


def test_other_things_in_the_folder_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "schema-backups").mkdir()
    for name in (".gitkeep", "README.md", "._20250818130001_one.sql", ".#20250818130001_one.sql"):
        (tmp_path / name).write_bytes(b"\0")
    assert files.read(tmp_path) == ()


def test_the_files_of_this_repository_are_read_in_order() -> None:
    assert [file.id for file in real_files()] == [USERS, COLUMNS, AUDIT]


def test_only_line_ends_and_the_byte_order_mark_are_left_out_of_the_checksum() -> None:
    plain = files.parse(ONE, b"SELECT 1;\n-- caf\xc3\xa9 \n")
    other = files.parse(ONE, b"\xef\xbb\xbfSELECT 1;\r\n-- caf\xc3\xa9 \r\n")
    assert plain.checksum == other.checksum == hashlib.sha256(plain.text.encode()).hexdigest()
    assert other.raw_checksum == hashlib.sha256(b"\xef\xbb\xbfSELECT 1;\r\n-- caf\xc3\xa9 \r\n").hexdigest()
    assert files.parse(ONE, b"SELECT 1;\n-- caf\xc3\xa9\n").checksum != plain.checksum


def test_a_migration_knows_its_parts() -> None:
    found = files.parse("20250818140001_add_user-columns.sql", b"SELECT 1;\nSELECT 2;\n")
    assert (found.id, found.stamp, found.name, found.lines) == (
        "20250818140001_add_user-columns",
        "20250818140001",
        "add_user-columns",
        2,
    )


@pytest.mark.parametrize(
    ("id_", "stamp"), [("20250818140001", "20250818140001"), ("202508181400019_x", None), ("x", None)]
)
def test_the_timestamp_of_any_tools_id(id_: str, stamp: str | None) -> None:
    assert files.stamp_of(id_) == stamp
