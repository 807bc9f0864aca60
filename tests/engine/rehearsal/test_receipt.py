"""The record that an approval stands for: its hash, and how long it is good for."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine import plan
from engine.rehearsal import receipt
from engine.rehearsal.receipt import Change, File, Lock, Proof, Ran, Receipt, Rows
from engine.roundtrip import Trip
from engine.standing import Standing
from tests.engine.test_plan import draw
from tests.support.engine import stands

GOLDEN = "7ef55e7b15d2cc220a6f89d2234409cb7c12060385a95cffed1442da43cc8b3e"
NOW = datetime(2026, 1, 2, 4, 0, tzinfo=UTC)


def seen(**other: Any) -> Receipt:
    ran = Ran(1, 2, "UPDATE", 0.001, 0.25, 3, 4096, ("public.users",))
    lock = Lock("public.users", "ROW EXCLUSIVE", 1, 0.001, 0.3)
    file = File("20250818130001_x", True, 0.0, 0.31, (ran,), (lock,), (Change("public.users", 0, 3, 0, 0),))
    known: dict[str, Any] = {
        "environment": "production",
        "plan": "d" * 64,
        "extent": "whole",
        "at": "2026-01-02T03:04:05+00:00",
        "server": "18.4",
        "proof": Proof("production-backup.sql", "a" * 64, "2026-01-02T03:00:00+00:00", "0/1A", 12.5),
        "bytes": 8_000_000,
        "head": None,
        "before": "f" * 64,
        "after": "e" * 64,
        "seconds": 0.31,
        "files": (file,),
        "rows": (Rows("public.users", 3, 3),),
        "unnamed": (),
        "invalid": ("public.i",),
        "unvalidated": (),
        "trips": (Trip("20250818130001_x", "loses", ("the rows of public.users",)),),
        "undo_seconds": 0.1,
    }
    return Receipt(**{**known, **other})


def test_the_golden_vector() -> None:
    assert seen().hash == GOLDEN
    assert Receipt.from_json(json.loads(json.dumps(seen().as_json()))) == seen()


def test_a_record_of_another_kind_is_none() -> None:
    with pytest.raises(ValueError):
        Receipt.from_json({**seen().as_json(), "receipt": 2})


@pytest.mark.parametrize("other", [{"seconds": 0.32}, {"unnamed": ("public.x",)}, {"after": "0"}, {"trips": ()}])
def test_the_hash_is_over_all_of_it(other: dict[str, Any]) -> None:
    assert seen(**other).hash != GOLDEN


def test_a_plans_digest_takes_the_receipt_in() -> None:
    bound = plan.rehearsed(draw(), seen().hash)
    assert bound.digest == plan.digest(bound) != draw().digest
    assert plan.Plan.from_json(json.loads(json.dumps(bound.as_json()))) == bound
    assert plan.rehearsed(draw(), seen(seconds=1.0).hash).digest != bound.digest


def test_the_way_back_of_all_is_worth_what_the_worst_is() -> None:
    assert seen().undo == "loses"
    assert seen(trips=(Trip("a", "lossless"), Trip("b", "broken"), Trip("c", "irreversible"))).undo == "broken"
    assert seen(trips=()).undo == "lossless"


def here(**other: Any) -> Standing:
    return replace(stands("production", (), applied=0), **other)


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({}, None),
        ({"environment": "test"}, "The rehearsal was of production and not of test. test needs one of its own."),
        (
            {"head": "20250818130001_x"},
            "The history of production has moved on since the rehearsal. What is left to run needs a new one.",
        ),
        (
            {"fingerprint": "0"},
            "The schema of production is no longer the one that was rehearsed on. The plan needs a new one.",
        ),
    ],
)
def test_it_holds_while_nothing_moved(other: dict[str, Any], why: str | None) -> None:
    assert receipt.stale(seen(), here(**other), now=NOW, good_for=timedelta(hours=4)) == why


def test_it_holds_for_a_set_time() -> None:
    assert receipt.stale(seen(), here(), now=NOW, good_for=timedelta(minutes=30)) == (
        "The rehearsal began at 2026-01-02 03:04 UTC and counts for 30 minutes (`rehearsal_good_for`, or until its "
        "request ends). The plan needs a new one."
    )
