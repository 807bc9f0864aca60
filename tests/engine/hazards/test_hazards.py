"""What an approver should know of a migration, and what need not worry them."""

from pathlib import Path

import pytest

from engine import hazards, statements
from tests.support.engine import migration, real_files

PAGES = Path(__file__).parents[3] / "docs" / "hazards"


def found(sql: str) -> list[tuple[str, int, str]]:
    parsed = statements.parse(migration("20250101000000_x", sql))
    return [(h.name, h.line, h.sentence) for h in hazards.find((one.node, one.line) for one in parsed)]


@pytest.mark.parametrize(
    ("sql", "name", "sentence"),
    [
        (
            "DROP TABLE shop.t",
            "drops_table",
            (
                "drops the table shop.t with every row. "
                "Rename it first and drop it a release later, when nothing reads it."
            ),
        ),
        (
            "DROP TABLE t CASCADE",
            "drops_table",
            (
                "drops the table t with every row and, by CASCADE, what depends on it. "
                "Rename it first and drop it a release later, when nothing reads it."
            ),
        ),
        (
            "ALTER TABLE t DROP COLUMN c",
            "drops_column",
            "drops the column c of t with every value in it. Release code that no longer reads it first.",
        ),
        ("TRUNCATE t", "truncates", "empties t of all rows. Delete the rows you mean by their keys instead."),
        (
            "TRUNCATE t CASCADE",
            "truncates",
            (
                "empties t of all rows and, by CASCADE, of every table that refers to it. "
                "Delete the rows you mean by their keys instead."
            ),
        ),
        (
            "ALTER TABLE t ALTER c TYPE bigint",
            "changes_column_type",
            (
                "changes the type of t.c, which may write the whole table anew while nobody can read it. "
                "On a large table add a new column, fill it in batches and switch over."
            ),
        ),
        (
            "CREATE INDEX ON t (a)",
            "builds_index_blocking_writes",
            "builds an index on t, and writes to it wait until that is done. Run it while the table is quiet.",
        ),
        (
            "ALTER TABLE t ADD COLUMN c int NOT NULL",
            "adds_required_column",
            (
                "adds the column c to t as NOT NULL without a default, which fails as soon as the table has a row. "
                "Give it a default, or fill it before requiring it."
            ),
        ),
    ],
)
def test_a_hazard_is_named_with_its_line_and_its_way_out(sql: str, name: str, sentence: str) -> None:
    assert found(f"SELECT 1;\n{sql}") == [(name, 2, sentence)]


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE t (a int); CREATE INDEX ON t (a); ALTER TABLE t DROP COLUMN a, ADD b int NOT NULL; DROP TABLE t",
        "CREATE TABLE t AS SELECT 1 AS a; TRUNCATE t; ALTER TABLE t ALTER a TYPE text",
        "ALTER TABLE t ADD c int NOT NULL DEFAULT 1, ADD d timestamptz NOT NULL DEFAULT now(), ADD e int",
        "DROP VIEW v; DROP INDEX i; DELETE FROM t WHERE a = 1",
    ],
)
def test_what_harms_nobody_is_not_named(sql: str) -> None:
    assert found(sql) == []


def test_a_table_that_may_have_been_there_is_not_a_new_one() -> None:
    assert [name for name, *_ in found("CREATE TABLE IF NOT EXISTS t (); DROP TABLE t")] == ["drops_table"]


def test_the_files_of_this_repository_have_none() -> None:
    assert [found(file.text) for file in real_files()] == [[], [], []]


def test_each_hazard_has_its_page() -> None:
    names = {hazards.name_of(rule) for rule in (*hazards.RULES, *hazards.FILE_RULES)}
    assert {page.stem for page in PAGES.glob("*.md")} == {*names, "squawk"}


def test_each_hazard_has_its_test() -> None:
    tests = "\n".join(file.read_text() for file in Path(__file__).parent.glob("test_*.py"))
    assert [r for r in (*hazards.RULES, *hazards.FILE_RULES) if f'"{hazards.name_of(r)}"' not in tests] == []
