"""Which pg_dump is used, and what is said when none will do."""

from pathlib import Path

import pytest

from engine import tools
from engine.tools import NoPgDump, PgDumpTooOld
from tests.support.engine import TOOLS


def program(folder: Path, says: str) -> Path:
    folder.mkdir()
    (folder / "pg_dump").write_text(f"#!/bin/sh\necho '{says}'\n")
    (folder / "pg_dump").chmod(0o700)
    return folder


def test_no_pg_dump_where_pg_bin_points(tmp_path: Path) -> None:
    with pytest.raises(NoPgDump) as caught:
        tools.find(str(tmp_path), "/usr/bin").pg_dump(180004)
    assert str(caught.value) == (
        f"There is no pg_dump in {tmp_path}, the folder that PG_BIN names, so nothing can be backed up, and without a "
        "backup nothing is applied. Set PG_BIN to the folder that holds pg_dump, or unset it to have PATH searched."
    )


def test_no_pg_dump_anywhere() -> None:
    with pytest.raises(NoPgDump) as caught:
        tools.Tools(()).pg_dump(180004)
    assert str(caught.value) == (
        "There is no pg_dump in any folder of PATH, so nothing can be backed up, and without a backup nothing is "
        "applied. Install PostgreSQL's client programs, or set PG_BIN to the folder that holds pg_dump."
    )


def test_a_folder_of_path_that_cannot_be_looked_into_is_passed_over(tmp_path: Path) -> None:
    unfit = "/" + "x" * 300  # nobody may, whoever runs this test
    folder = program(tmp_path / "bin", "pg_dump (PostgreSQL) 18.4")
    assert tools.find(None, f"{unfit}:{folder}").pg_dump(180004).path == folder / "pg_dump"


def test_a_pg_dump_that_does_not_answer_is_none(tmp_path: Path) -> None:
    with pytest.raises(NoPgDump):
        tools.find(str(program(tmp_path / "bin", "who knows")), "").pg_dump(180004)


def test_a_pg_dump_older_than_the_server_is_refused_by_name_and_version(tmp_path: Path) -> None:
    folder = program(tmp_path / "bin", "pg_dump (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)")
    with pytest.raises(PgDumpTooOld) as caught:
        tools.find(str(folder), "").pg_dump(180004)
    assert str(caught.value) == (
        f"{folder}/pg_dump is 15.20, older than the server's 18.4, and cannot back it up. "
        "Install the client programs of PostgreSQL 18, and set PG_BIN, which names that folder, to theirs."
    )
    assert tools.find(str(folder), "").pg_dump(150002).version == "15.20"
    with pytest.raises(PgDumpTooOld, match=r" PostgreSQL 18, or set PG_BIN to their folder\.$"):
        tools.Tools((folder,)).pg_dump(180004)


def test_the_nearest_that_is_new_enough_is_taken(tmp_path: Path) -> None:
    old = program(tmp_path / "old", "pg_dump (PostgreSQL) 15.1")
    new = program(tmp_path / "new", "pg_dump (PostgreSQL) 19beta1")
    same = program(tmp_path / "same", "pg_dump (PostgreSQL) 15.4")
    found = tools.find(None, f"{new}:{tmp_path}/nowhere:{old}:{new}:{same}")
    assert found.pg_dump(190000).path == new / "pg_dump"
    assert found.pg_dump(150000).path == old / "pg_dump"


def test_the_embedded_one_is_found_last() -> None:
    assert TOOLS.pg_dump(180004).major == 18
