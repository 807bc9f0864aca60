"""A way back is a value whose digest binds which down sections run, where and on what."""

import json
from dataclasses import replace
from typing import Any

import pytest

from engine import plan, reversal
from engine.connection import Limits
from engine.plan import Planned
from engine.refusals import PlanAltered
from engine.reversal import Reversal
from tests.support.engine import migration, stands

A, B = "20250101000000_a", "20250102000000_b"
TEXT = "-- migrate:up\nCREATE TABLE é ();\n-- migrate:down\nDROP TABLE é;\n"
FILES = (migration(A, "SELECT 1;"), migration(B, TEXT))
#: Worked out apart from the engine: the JSON written out by hand, its texts and itself hashed by sha256sum.
GOLDEN = "c093382dde058c7655f229700e4dbff70fb48e014cc01609a067de7476895363"


def draw() -> Reversal:
    here = stands("production", FILES, applied=2, protected=True)
    ran = Planned(B, "b", TEXT, "c" * 64, lines=4, hazards=())
    return reversal.draw(here, (ran,), limits=Limits())


def test_it_says_which_way_down_runs_on_its_own_lines_and_what_it_loses() -> None:
    (one,) = draw().migrations
    assert (one.id, one.text.strip(), one.lines) == (B, "DROP TABLE é;", 1)
    assert [(hazard.name, hazard.line) for hazard in one.hazards] == [("drops_table", 4)]


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
        {"schema": "app"},
        {"head": A},
        {"fingerprint": "e" * 64},
        {"migrations": ()},
        {"lock_timeout": 1},
        {"statement_timeout": 1},
        {"tool_version": "9"},
    ],
)
def test_another_place_time_or_text_is_another_digest(change: dict[str, Any]) -> None:
    assert plan.digest(replace(draw(), **change)) != GOLDEN


def test_what_changes_by_itself_changes_no_digest() -> None:
    assert plan.digest(replace(draw(), server="18.5", bytes=1)) == GOLDEN


def test_json_brings_it_back_whole_and_nothing_altered() -> None:
    said = json.loads(json.dumps(draw().as_json()))
    assert Reversal.from_json(said) == draw()
    for altered in ({"head": A}, {"migrations": [{**said["migrations"][0], "text": "DROP TABLE users;"}]}):
        with pytest.raises(PlanAltered):
            Reversal.from_json({**said, **altered})


def test_a_way_back_and_a_plan_of_the_same_text_never_share_a_digest() -> None:
    forward = plan.draw(stands("production", FILES, applied=1, protected=True), FILES, before=None, limits=Limits())
    assert forward.digest != draw().digest
