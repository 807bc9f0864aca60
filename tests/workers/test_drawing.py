"""What changed between the plan that was shown and the one drawn just now, in words."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from ledger.request import PlannedMigration, PlanSummary
from tests.support.ledger import a_plan
from workers import drawing

FIRST, SECOND = (one.id for one in a_plan().migrations)


def change(**fields: object) -> Callable[[PlanSummary], PlanSummary]:
    return lambda plan: replace(plan, **fields)  # pyright: ignore[reportArgumentType]


def edit(plan: PlanSummary) -> PlanSummary:
    return replace(plan, migrations=(replace(plan.migrations[0], checksum="c" * 64), plan.migrations[1]))


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (
            change(head="20250818120009_other"),
            ("development's newest migration was 20250818120001_create_users and is 20250818120009_other now."),
        ),
        (change(head=None), "development's newest migration was 20250818120001_create_users and is none now."),
        (change(migrations=()), f"It would run nothing now, and not {FIRST}, {SECOND}."),
        (
            change(migrations=(*a_plan().migrations, PlannedMigration("20260101000000_z", "z", "c" * 64, 1))),
            "It would also run 20260101000000_z now.",
        ),
        (edit, f"{FIRST}.sql changed after the plan was shown (aaaaaaaa is cccccccc now)."),
        (change(database="shop2"), "development was the database shop and is shop2 now."),
        (
            change(digest="e" * 64),
            "The schema of development, its time limits or Twokey itself changed after the plan was shown.",
        ),
    ],
)
def test_a_difference_is_named(changed: Callable[[PlanSummary], PlanSummary], sentence: str) -> None:
    assert drawing.difference(a_plan(), changed(a_plan())) == sentence


@pytest.mark.parametrize(
    ("milliseconds", "words"), [(2000, "2 s"), (1_800_000, "30 min"), (90_000, "90 s"), (1500, "1500 ms"), (0, "0 ms")]
)
def test_a_time_limit_is_spoken(milliseconds: int, words: str) -> None:
    assert drawing.spoken(milliseconds) == words
