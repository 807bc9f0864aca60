"""A plan is a value whose digest binds what runs, where and on what."""

import json
from dataclasses import replace
from typing import Any

import pytest

from engine import plan, refusals
from engine.connection import Limits
from engine.files import Migration
from engine.gate import Gate, Held
from engine.plan import Plan
from engine.refusals import PlanAltered
from engine.statements import Forbidden, SyntaxFault
from tests.support.engine import migration, stands

A, B = "20250101000000_a", "20250102000000_b"
FILES = (migration(A, "DROP TABLE t;"), migration(B, "SELECT 'é';"))
#: Worked out apart from the engine, with the JSON written out by hand.
GOLDEN = "469bce1291a93f96408f2a32add904a42d686d03bc32515c16312692f5f672f2"


def draw(files: tuple[Migration, ...] = FILES, before: Gate | None = None, applied: int = 0) -> Plan:
    return plan.draw(
        stands("production", files, applied=applied, protected=True), files, before=before, limits=Limits()
    )


def test_every_file_is_parsed_before_anything_runs() -> None:
    with pytest.raises(SyntaxFault):
        draw((*FILES, migration("20250103000000_c", "SELEC")))


def test_a_held_file_is_parsed_too() -> None:
    there = Gate("test", stands("test", FILES, applied=1))
    with pytest.raises(Forbidden):
        draw((FILES[0], migration(B, "VACUUM")), there)


def test_a_gate_that_says_no_draws_no_plan() -> None:
    with pytest.raises(refusals.BeforeUnobserved):
        draw(before=Gate("test", None))


def test_a_plan_says_what_runs_and_what_is_held() -> None:
    drawn = draw(before=Gate("test", stands("test", FILES, applied=1)))
    assert [(one.id, one.name, one.text, one.lines) for one in drawn.migrations] == [(A, "a", "DROP TABLE t;", 1)]
    assert [hazard.name for hazard in drawn.migrations[0].hazards] == ["drops_table"]
    assert drawn.held == (Held(B, f"{B}.sql is not on test yet."),)
    assert (drawn.lock_timeout, drawn.statement_timeout, drawn.head) == (2000, 900000, None)


#: A way down of every kind of hazard that our own rules see without a database.
DOWN = """DROP TABLE users CASCADE;
DROP SCHEMA old;
DROP OWNED BY ada;
ALTER TABLE users DROP COLUMN email, ADD COLUMN age int NOT NULL, ALTER name SET NOT NULL, ALTER name TYPE varchar(3);
ALTER TABLE users RENAME TO people;
ALTER TABLE people ADD CHECK (age > 0);
CREATE INDEX IF NOT EXISTS users_name ON users (name);
TRUNCATE orders;
DELETE FROM orders;
UPDATE orders SET paid = true;
LOCK TABLE orders;
DO $$BEGIN PERFORM 1; END$$;
"""


def test_hazards_are_of_the_way_up_alone() -> None:
    up = migration(A, f"-- migrate:up\nCREATE TABLE t (id bigint);\n-- migrate:down\n{DOWN}")
    drawn = plan.draw(stands("development", [up], applied=0), [up], before=None, limits=Limits())
    assert drawn.migrations[0].hazards == ()
    turned = migration(A, f"-- migrate:up\n{DOWN}\n-- migrate:down\nDROP TABLE t;")
    drawn = plan.draw(stands("development", [turned], applied=0), [turned], before=None, limits=Limits())
    assert (
        len({hazard.name for hazard in drawn.migrations[0].hazards}) > 10
    )  # the same statements, where they would run
    assert max(hazard.line for hazard in drawn.migrations[0].hazards) <= 1 + DOWN.count("\n")


def test_the_golden_vector() -> None:
    assert draw().tool_version == "0.1.0"
    assert plan.digest(draw()) == draw().digest == GOLDEN


@pytest.mark.parametrize(
    "change",
    [
        {"environment": "test"},
        {"protected": False},
        {"database": "other"},
        {"system_identifier": "8"},
        {"schema": "other"},
        {"head": "x"},
        {"fingerprint": "0"},
        {"lock_timeout": 1},
        {"statement_timeout": 1},
        {"tool_version": "9"},
        {"migrations": ()},
    ],
)
def test_the_digest_changes_with_what_is_bound(change: dict[str, Any]) -> None:
    assert plan.digest(replace(draw(), **change)) != GOLDEN


def test_the_order_of_the_texts_is_bound() -> None:
    assert plan.digest(replace(draw(), migrations=draw().migrations[::-1])) != GOLDEN


@pytest.mark.parametrize("change", [{"bytes": 1}, {"server": "18.5"}, {"held": (Held("x", "y"),)}])
def test_the_digest_stays_with_what_changes_by_itself(change: dict[str, Any]) -> None:
    assert plan.digest(replace(draw(), **change)) == GOLDEN


def test_it_travels_as_json_texts_and_all() -> None:
    drawn = draw(before=Gate("test", stands("test", FILES, applied=1)))
    assert Plan.from_json(json.loads(json.dumps(drawn.as_json()))) == drawn


def test_a_text_that_was_altered_on_the_way_does_not_run() -> None:
    said = draw().as_json()
    said["migrations"][1]["text"] = "DROP DATABASE x"
    with pytest.raises(PlanAltered) as caught:
        Plan.from_json(said)
    assert str(caught.value) == (
        f"The stored plan {GOLDEN[:12]} of production was altered, so it will not run. Ask again for a new plan."
    )


def test_a_place_that_was_altered_on_the_way_does_not_run() -> None:
    with pytest.raises(PlanAltered):
        Plan.from_json(draw().as_json() | {"database": "other"})
