"""squawk's findings as hazards: its line, its way out, and never silently none."""

import json
import subprocess
from pathlib import Path

import pytest

from engine import squawk
from engine.squawk import Squawk
from tests.support.engine import TOOLS, migration

PAGE = Path(__file__).parents[2] / "docs" / "hazards" / "squawk.md"
A, B = "20250101000000_a", "20250102000000_b"


def look(*texts: str) -> list[list[tuple[str, int, str]]]:
    files = [migration(stem, text) for stem, text in zip((A, B), texts, strict=False)]
    said = Squawk(TOOLS.squawk).look(files, server="18.4")
    return [[(one.name, one.line, one.sentence) for one in said[file.id]] for file in files]


def test_a_finding_is_a_hazard_with_its_line_and_its_way_out() -> None:
    first, second = look("SELECT 1;\n\nALTER TABLE t ADD UNIQUE (a);", "SELECT 1;\nALTER TABLE t DROP CONSTRAINT c;")
    assert first == [
        (
            "squawk:disallowed-unique-constraint",
            3,
            (
                "Adding a `UNIQUE` constraint requires an `ACCESS EXCLUSIVE` lock which blocks reads and writes to the "
                "table while the index is built. "
                "Create an index `CONCURRENTLY` and create the constraint using the index."
            ),
        )
    ]
    assert second == [
        (
            "squawk:ban-drop-constraint",
            2,
            "Dropping a constraint may remove a guarantee that existing clients assume.",
        )
    ]


def test_only_what_runs_is_looked_at_and_its_lines_are_the_files() -> None:
    both = "-- migrate:up\n\nALTER TABLE t DROP CONSTRAINT c;\n-- migrate:down\nALTER TABLE t ALTER a DROP NOT NULL;"
    ((found,),) = look(both)
    assert found[:2] == ("squawk:ban-drop-constraint", 3)
    assert look("SELECT 1;\nALTER TABLE t ALTER a DROP NOT NULL;")[0][0][0] == "squawk:ban-drop-not-null"


def test_what_our_own_rules_say_better_is_left_out() -> None:
    (said,) = look(
        "CREATE TABLE n (id serial PRIMARY KEY, c char(3), v varchar(5), at timestamp);\nDROP TABLE t;\n"
        "TRUNCATE u CASCADE;\nCREATE INDEX ON v (a);\nALTER TABLE v DROP COLUMN a, ALTER b TYPE bigint;"
    )
    assert said == []


def test_the_page_names_each_rule_that_is_left_out() -> None:
    page = PAGE.read_text()
    assert [rule for rule in squawk.LEFT_OUT if f"`{rule}`" not in page] == []


@pytest.mark.parametrize(("path", "why"), [(None, "is not installed"), (Path("/bin/false"), "did not answer")])
def test_a_squawk_that_does_not_look_is_said(path: Path | None, why: str) -> None:
    said = Squawk(path).look([migration(A, "SELECT 1;"), migration(B, "SELECT 2;")])
    ((id_, (hazard,)),) = said.items()
    assert (id_, hazard.name, hazard.line) == (A, "squawk_did_not_run", 1)
    assert hazard.sentence == (
        f"squawk {why}, so its rules looked at none of these files. Install it (pip install squawk-cli) and ask again."
    )


def test_no_file_is_no_look() -> None:
    assert Squawk(None).look([]) == {}


def test_no_finding_that_is_told_hangs_on_whether_there_is_a_transaction(tmp_path: Path) -> None:
    (tmp_path / "x.sql").write_text(
        "CREATE INDEX CONCURRENTLY i ON t (a);\nDROP INDEX j;\n"
        "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID;\n"
        "ALTER TABLE t VALIDATE CONSTRAINT c;\nALTER TABLE t ADD CONSTRAINT u UNIQUE USING INDEX i;\n"
        "ALTER TABLE t ALTER a SET NOT NULL;\nVACUUM t;\n"
    )
    said = [
        {
            (one["line"], one["rule_name"])
            for one in json.loads(
                subprocess.run(
                    [TOOLS.squawk or "", "--reporter=json", *more, "x.sql"],
                    cwd=tmp_path,
                    capture_output=True,
                    check=False,
                ).stdout
            )
        }
        for more in ([], ["--assume-in-transaction"])
    ]
    assert said[0] != said[1]
    assert {rule for _, rule in said[0] ^ said[1]} <= squawk.LEFT_OUT.keys()
