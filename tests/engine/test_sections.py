"""dbmate's files run as they are; Drizzle's are read, or refused with the setting to change."""

from pathlib import Path

import pytest

from engine import files, sections
from engine.connection import Session
from engine.files import BadSection, NumberedFile
from engine.sections import Section
from tests.support.engine import bring, draw, migration

A = "20250101000000_a"
BOTH = "-- migrate:up\nCREATE TABLE t ();\n\n-- migrate:down\nDROP TABLE t;\n"
WRITE = "Write `-- migrate:up`, the statements, and if there is a way back `-- migrate:down` and its statements."


def test_a_character_of_a_section_stands_where_it_stands_in_the_file() -> None:
    both = sections.cut(BOTH)
    assert both.down
    assert both.up.text.index("CREATE") == BOTH.index("CREATE")
    assert both.down.text.index("DROP") == BOTH.index("DROP")
    assert "DROP" not in both.up.text
    assert "CREATE" not in both.down.text
    assert (both.up.lines, both.down.lines) == (1, 1)


def test_a_text_without_marks_is_up_only() -> None:
    assert sections.cut("SELECT 1") == sections.Sections(Section("SELECT 1"), None)
    assert sections.cut("-- migrate:up\nSELECT 1\n-- migrate:down\n-- none\n").down is None


def test_an_option_says_that_a_section_is_no_transaction() -> None:
    both = sections.cut("-- migrate:up transaction:false\nVACUUM;\n-- migrate:down transaction:true\nSELECT 1;")
    assert both.down
    assert (both.up.together, both.down.together) == (False, True)


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("-- migrate:down\nSELECT 1", 1, "migrate:down stands before any migrate:up"),
        ("SELECT 1;\n-- migrate:up\n", 2, "statements stand before migrate:up"),
        (f"{BOTH}-- migrate:up\n", 6, "there is one migrate:up, and after it at most one migrate:down"),
        ("-- migrate:right\n", 1, "there is no section migrate:right, only up and down"),
        ("-- migrate:up fast:yes\n", 1, "fast:yes is no option of a section; transaction:false is"),
    ],
)
def test_marks_that_make_no_sense_are_refused(text: str, line: int, why: str) -> None:
    with pytest.raises(BadSection) as caught:
        migration(A, text)
    assert str(caught.value) == f"{A}.sql:{line}: {why}. {WRITE}"


def test_only_the_way_up_runs_and_all_of_the_file_is_recorded(session: Session) -> None:
    file = migration(A, BOTH)
    assert file.lines == 1
    assert draw(session, [file]).migrations[0].lines == 1
    assert bring(session, [file]).failure is None
    assert session.conn.execute("SELECT to_regclass('t')::text").fetchone() == ("t",)
    row = session.conn.execute(
        "SELECT checksum, applied_text FROM schema_migrations JOIN twokey_migrations USING (migration_id)"
    )
    assert row.fetchone() == (file.checksum, BOTH)


def test_a_folder_for_each_migration_is_read_as_drizzle_writes_it(tmp_path: Path) -> None:
    (tmp_path / A).mkdir()
    (tmp_path / A / "migration.sql").write_text("SELECT 1;")
    (tmp_path / A / "snapshot.json").write_text("{}")
    (tmp_path / "meta").mkdir()
    (tmp_path / "20240101000000_older.sql").write_text("SELECT 0;")
    assert [file.id for file in files.read(tmp_path)] == ["20240101000000_older", A]


def test_drizzle_s_numbers_are_refused_with_the_setting_to_change(tmp_path: Path) -> None:
    (tmp_path / "0000_brave_hulk.sql").write_text("SELECT 1;")
    with pytest.raises(NumberedFile) as caught:
        files.read(tmp_path)
    assert str(caught.value) == (
        "0000_brave_hulk.sql is numbered, and two branches number alike. Have Drizzle write timestamps: "
        'migrations: { prefix: "timestamp" } in drizzle.config.ts; '
        "and rename this file to YYYYMMDDHHMMSS_name.sql, in the old order."
    )
