"""Environments side by side."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from engine import validate
from engine.deeds import Deed
from engine.drift import Difference, Drift
from engine.fingerprint import Thing
from engine.standing import Cell, Entry, Problem, State
from engine.validate import Seen
from tests.support.engine import migration, stands, without

A, B, C = "20250101000000_a", "20250102000000_b", "20250103000000_c"
FILES = tuple(migration(stem, f"SELECT '{stem}'") for stem in (A, B, C))
SHA = {file.id: file.checksum for file in FILES}
DEV = Seen("development", False, "ok", stands("development", FILES, applied=3))
EITHER = (
    "One was changed by hand, or taken over by a baseline that claims what was not there. Put the change in a new "
    "migration, or make by hand what is missing."
)
DOWN = Seen("test", False, "unreachable", why="test (h, database d) cannot be reached: nothing listens there.")


def seen_test(count: int, **more: Any) -> Seen:
    return Seen("test", False, "ok", replace(stands("test", FILES, applied=count), **more))


def findings(*seen: Seen) -> list[tuple[str, str, str, str]]:
    found = validate.compare(seen)["findings"]
    return [(f["kind"], f["environment"], f["migration"], f["sentence"]) for f in found]


def test_what_an_environment_itself_finds_is_told() -> None:
    problems = tuple(Problem(A, state, "Why.") for state in (State.MISSING, State.EDITED, State.LATE))
    assert findings(DEV, seen_test(3, problems=problems)) == [
        ("missing", "test", A, "Why."),
        ("edited", "test", A, "Why."),
        ("out_of_order", "test", A, "Why."),
    ]


def test_a_file_that_got_another_name_is_told() -> None:
    assert findings(DEV, seen_test(3, renamed=(("20250101000000_old", A),))) == [
        (
            "renamed",
            "test",
            A,
            f"test ran {A}.sql as 20250101000000_old, with the same text. Rename it back, so that it has one name.",
        )
    ]


def test_what_was_edited_is_not_ready_for_the_next() -> None:
    production = Seen("production", True, "ok", stands("production", FILES, applied=0, protected=True))
    edited = seen_test(3, problems=(Problem(B, State.EDITED, "Why."),))
    assert ready(DEV, edited, production) == []


def test_what_the_one_before_never_got_is_extra() -> None:
    before = Seen("development", False, "ok", without(stands("development", FILES, applied=2), B))
    assert findings(before, seen_test(2)) == [
        ("extra", "test", B, f"test has {B}, which development does not. Apply development first.")
    ]


def test_another_text_differs() -> None:
    applied = (Entry(A, "0", None, None),)
    assert findings(DEV, seen_test(1, applied=applied)) == [
        (
            "differs",
            "test",
            A,
            (
                f"test ran another text of {A} than development did. "
                "Compare the two databases, then put the difference in a new migration."
            ),
        )
    ]


def test_another_order_is_named_once() -> None:
    assert findings(DEV, seen_test(3, applied=stands("test", FILES, applied=3).applied[::-1])) == [
        (
            "out_of_order",
            "test",
            C,
            f"test ran {C} where development ran {A}. Check that the order made no difference to the schema.",
        )
    ]


def test_a_schema_changed_by_hand_differs() -> None:
    assert findings(DEV, seen_test(3, fingerprint="0")) == [
        (
            "differs",
            "test",
            C,
            f"test (here) and development (there) have the same history, yet not the same schema. {EITHER}",
        )
    ]
    assert findings(DEV, seen_test(3, fingerprint="0", server="17.2")) == []


def test_what_one_of_two_has_is_named_unless_its_own_history_names_it() -> None:
    table = Thing("relation", "public.more", "r", "table")
    here, before = replace(seen_test(3, fingerprint="0"), things=(table,)), replace(DEV, things=())
    told = [sentence for _, _, _, sentence in findings(before, here)]
    assert told == [
        (
            "test (here) and development (there) have the same history, yet not the same schema: 1 object differs. "
            f"{EITHER}"
        ),
        "table public.more is here and not there.",
    ]
    drifted = Drift("drifted", "replay", "A baseline.", (Difference("table", "public.more", "", None),))
    known = replace(here, standing=seen_test(3, fingerprint="0", drift=drifted).standing)
    assert [sentence.partition(" ")[0] for _, _, _, sentence in findings(before, known)] == ["test", "test", "table"]


def test_a_baseline_that_nobody_replayed_is_noted() -> None:
    taken = Deed("1", datetime(2025, 8, 18, tzinfo=UTC), "baseline", (A,), "ada", None, 7)
    noted = validate.compare([seen_test(3, deed=taken)])["notes"]
    assert noted == [
        (
            "test was taken over by a baseline, and its schema was not held against what those files make: "
            "that takes a [scratch] server in twokey.toml, and a terminal."
        )
    ]
    assert validate.compare([seen_test(3, deed=taken, drift=Drift("none", "replay"))])["notes"] == []


def test_agreement_is_only_claimed_when_all_were_seen() -> None:
    assert validate.compare([DEV, seen_test(3)])["consistent"] is True
    said = validate.compare([DEV, DOWN])
    assert said["consistent"] is False
    assert said["findings"] == []
    assert said["environments"][1] == {"name": "test", "state": "unreachable", "why": DOWN.why, "schema": None}


def ready(*seen: Seen) -> list[tuple[str | None, str, list[str], bool | None]]:
    return [(r["from"], r["to"], r["migrations"], r["certified"]) for r in validate.compare(seen)["ready"]]


def test_what_may_be_promoted() -> None:
    production = Seen("production", True, "ok", stands("production", FILES, applied=0, protected=True))
    tested = replace(seen_test(2), certified={A: SHA[A], B: SHA[B]})
    development = Seen("development", False, "ok", stands("development", FILES, applied=2))
    assert ready(development, tested, production) == [
        (None, "development", [C], None),
        ("test", "production", [A, B], True),
    ]
    assert ready(DEV, seen_test(2), production)[-1] == ("test", "production", [A, B], False)
    assert ready(DEV, DOWN, production) == []


def test_where_a_file_will_not_run_nothing_is_ready() -> None:
    development = Seen("development", False, "ok", stands("development", FILES, applied=2))
    said = validate.compare([development, seen_test(1)], refusals={C: f"{C}.sql:1: Why."})
    assert (said["consistent"], said["ready"]) == (False, [])
    refused = {"kind": "refused", "environment": "development", "migration": C, "sentence": f"{C}.sql:1: Why."}
    assert said["findings"] == [refused]
    assert validate.compare([DEV, seen_test(3)], refusals={C: "Why."})["consistent"]  # it ran, and waits nowhere


def test_an_overview_without_the_folder_holds_the_histories_alone() -> None:
    dbmate = Entry(A[:14], "0", None, None)
    known = replace(stands("test", FILES[:1], applied=1), applied=(dbmate,), cells=(Cell(A[:14], State.APPLIED),))
    unread = Seen("test", False, "unread", why="x.sql is bad.", history=known)
    body = validate.overview([unread, DEV, DOWN], folder="x.sql is bad.")
    assert body["folder"] == ["x.sql is bad."]
    test = body["environments"][0]
    assert (test["state"], test["why"], test["applied"], test["last"]["migration"]) == (
        "unread",
        "x.sql is bad.",
        1,
        A[:14],
    )
    assert (test["pending"], test["problems"], test["edited"]) == (None, None, None)
    # by its timestamp it is the one that development has under its file's name
    assert [row["cells"] for row in body["migrations"]] == [
        ["applied", "absent", "unknown"],
        ["applied", "applied", "unknown"],
        ["absent", "applied", "unknown"],
        ["absent", "applied", "unknown"],
    ]
    assert validate.compare([unread, DEV])["consistent"] is False
    assert validate.compare([unread, DEV])["ready"] == []


def test_the_overview() -> None:
    late = (Cell(A, State.LATE), Cell(B, State.APPLIED))
    problems = (Problem(A, State.LATE, "Why."),)
    assert validate.overview([DEV, seen_test(1, cells=late, problems=problems), DOWN]) == {
        "question": "status",
        "folder": [],
        "environments": [
            {
                "name": "development",
                "protected": False,
                "state": "ok",
                "why": None,
                "applied": 3,
                "pending": [],
                "last": {"migration": C, "at": "2025-08-18T16:00:00+00:00", "by": "ada"},
                "problems": [],
                "edited": [],
                "drift": None,
                "deed": None,
            },
            {
                "name": "test",
                "protected": False,
                "state": "ok",
                "why": None,
                "applied": 1,
                "pending": [A],
                "last": {"migration": A, "at": "2025-08-18T16:00:00+00:00", "by": "ada"},
                "problems": ["Why."],
                "edited": [],
                "drift": None,
                "deed": None,
            },
            {
                "name": "test",
                "protected": False,
                "state": "unreachable",
                "why": DOWN.why,
                "applied": None,
                "pending": None,
                "last": None,
                "problems": None,
                "edited": None,
                "drift": None,
                "deed": None,
            },
        ],
        "migrations": [
            {"id": A, "cells": ["applied", "late", "unknown"]},
            {"id": B, "cells": ["applied", "applied", "unknown"]},
            {"id": C, "cells": ["applied", "absent", "unknown"]},
        ],
    }
