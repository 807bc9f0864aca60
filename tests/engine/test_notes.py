"""Notes on a plan: nobody is refused for them, and no digest knows them."""

from dataclasses import replace

import pytest

from engine import notes, plan
from engine.connection import Limits
from engine.files import Migration
from engine.plan import Plan
from tests.support.engine import migration, stands


def drawn(*files: Migration) -> Plan:
    return plan.draw(stands("development", files, applied=0), files, before=None, limits=Limits())


def named(name: str, text: str = "-- impact: none\nSELECT 1") -> Migration:
    return migration(f"20250101000000_{name}", text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("-- impact: Deploy 2.1 first.\nSELECT 1", "Deploy 2.1 first."),
        ("-- migrate:up\nSELECT 1;\n  --Impact:  a  \n-- impact: b\n", "a b"),
        ("SELECT 1 -- impact: not at the beginning", None),
        ("-- impact:\nSELECT 1", None),
        ("-- impact: " + "x" * 400, "x" * 299 + "…"),
    ],
)
def test_what_the_application_must_know_is_read_from_the_file(text: str, said: str | None) -> None:
    assert notes.impact(text) == said


def test_a_small_plan_with_good_names_and_impacts_has_no_note() -> None:
    assert notes.of(drawn(named("create_users"))) == ()


def test_a_file_without_an_impact_line_is_named_and_the_digest_does_not_mind() -> None:
    found = drawn(named("create_users", "SELECT 1"))
    assert notes.of(found) == (
        (
            "20250101000000_create_users.sql has no `-- impact:` line, "
            "so nobody reads here what the application must know."
        ),
    )
    assert plan.digest(found) == plan.digest(replace(found))


@pytest.mark.parametrize(
    ("name", "vague"), [("update", True), ("fix_2", True), ("new-schema", True), ("fix_users", False)]
)
def test_a_name_that_says_nothing_is_told(name: str, vague: bool) -> None:
    said = (f"20250101000000_{name}.sql says in the name nothing of what will change.",)
    assert notes.of(drawn(named(name))) == (said if vague else ())


def test_many_files_are_named_in_part_and_counted() -> None:
    files = [migration(f"202501010000{second:02}_fix", "SELECT 1") for second in range(21)]
    large, vague, silent = notes.of(drawn(*files))
    assert large == (
        "This is a large plan: 21 migrations with 21 lines. When one fails, those before it stay; "
        "consider fewer at once."
    )
    first = ", ".join(f"2025010100000{second}_fix.sql" for second in range(5))
    assert vague == f"{first} and 16 more say in the name nothing of what will change."
    assert silent.startswith(f"{first} and 16 more have no `-- impact:` line")
    assert len(notes.of(drawn(named("create_users", "-- impact: none\nSELECT 1" + "\n-- x" * 1000 + "\n;")))) == 1
