"""A generated file's name, and how it comes into the folder."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.generate import naming
from engine.generate.naming import NoName, NotWritten
from tests.support.engine import migration

NOW = datetime(2026, 11, 23, 9, 0, 1, tzinfo=UTC)


@pytest.mark.parametrize("said", ["", " ", "…", "--", "ä", "x" * 101])
def test_what_cannot_name_a_file_is_refused(said: str) -> None:
    with pytest.raises(NoName) as caught:
        naming.stem(said, (), NOW)
    assert str(caught.value) == (
        f"{said!r} cannot name a migration. Say what it does in letters, digits and _, at most 100 of them."
    )


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("add_cities", "add_cities"),
        ("Add Cities!", "add_cities"),
        ("../../etc/passwd", "etc_passwd"),
        ("a; DROP TABLE b", "a_drop_table_b"),
        ("x.sql", "x"),
    ],
)
def test_a_name_is_made_of_what_was_said(said: str, name: str) -> None:
    assert naming.stem(said, (), NOW) == f"20261123090001_{name}"


def test_what_is_not_written_as_it_was_said_is_said() -> None:
    assert naming.changed("add-x") == "It is called add_x: a name has small letters, digits and _ alone."
    assert naming.changed("add_x") is naming.changed("add_x.sql") is None


def test_a_file_is_later_than_every_other(tmp_path: Path) -> None:
    late = migration("20991231235959_from_the_future", "SELECT 1")
    assert naming.stem("next", [late], NOW) == "21000101000000_next"
    early = migration("20250818130001_x", "SELECT 1")
    assert naming.stem("next", [early], NOW) == "20261123090001_next"
    assert not list(tmp_path.iterdir())


def test_a_file_comes_whole_and_replaces_none(tmp_path: Path) -> None:
    path = naming.write(tmp_path, "20261123090001_x.sql", "SELECT 'ä';\n")
    assert path.read_text(encoding="utf-8") == "SELECT 'ä';\n"
    assert path.stat().st_mode & 0o777 == 0o644
    with pytest.raises(NotWritten) as caught:
        naming.write(tmp_path, "20261123090001_x.sql", "SELECT 2;\n")
    assert str(caught.value) == (
        f"{path} was not written: File exists. Nothing was left behind. Put that right, then generate again."
    )
    assert [one.name for one in tmp_path.iterdir()] == ["20261123090001_x.sql"]
    assert path.read_text(encoding="utf-8") == "SELECT 'ä';\n"


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotWritten, match="No such file or directory"):
        naming.write(tmp_path / "nowhere", "20261123090001_x.sql", "SELECT 1;\n")
