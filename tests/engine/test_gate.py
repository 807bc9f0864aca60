"""An environment only gets what the one before has: same texts, same order, none skipped, certified if it must be."""

from dataclasses import replace

import pytest

from engine import gate, refusals, standing
from engine.files import Migration
from engine.gate import Gate, Held
from engine.refusals import PlanRefused
from engine.standing import Entry, Standing
from tests.support.engine import migration, stands, without

A, B, C = "20250101000000_a", "20250102000000_b", "20250103000000_c"
FILES = tuple(migration(stem, f"SELECT '{stem}'") for stem in (A, B, C))
SHA = {file.id: file.checksum for file in FILES}


def passes(
    before: Standing | None,
    here: Standing,
    *,
    certified: dict[str, str] | None = None,
    files: tuple[Migration, ...] = FILES,
) -> tuple[tuple[str, ...], tuple[Held, ...]]:
    there = Gate("test", before, certified)
    passing, held = gate.pass_through(there, here, gate.pending(here, files))
    return tuple(file.id for file in passing), held


def refused(before: Standing | None, here: Standing, *, certified: dict[str, str] | None = None) -> str:
    with pytest.raises(PlanRefused) as caught:
        passes(before, here, certified=certified)
    return str(caught.value)


def test_a_problem_here_stops_everything() -> None:
    problems = (standing.Problem(A, standing.State.EDITED, "One."), standing.Problem(B, standing.State.LATE, "Two."))
    here = replace(stands("production", FILES, applied=0), problems=problems)
    assert refused(stands("test", FILES, applied=3), here) == "One. Two."


def test_nothing_waits() -> None:
    assert refused(stands("test", FILES, applied=3), stands("production", FILES, applied=3)) == (
        "production already has every migration of the folder. There is nothing to apply."
    )


def test_nobody_saw_the_one_before() -> None:
    assert refused(None, stands("production", FILES, applied=0)) == (
        "production only gets what test has, and test was not observed. "
        "Start the worker of test or bring its database back, then ask again."
    )


def test_the_one_before_has_nothing_of_it() -> None:
    assert refused(stands("test", FILES, applied=1), stands("production", FILES, applied=1)) == (
        f"test does not have {B}.sql yet, so production cannot get it. Bring it to test first."
    )


def test_a_gap_in_the_one_before_is_not_skipped() -> None:
    gap = without(stands("test", FILES, applied=3), B)
    assert refused(gap, stands("production", FILES, applied=1)) == (
        f"test does not have {B}.sql yet, so production cannot get it. Bring it to test first."
    )


def test_the_one_before_ran_another_text() -> None:
    there = replace(stands("test", FILES, applied=1), applied=(Entry(A, "0123456789", None, None),))
    assert refused(there, stands("production", FILES, applied=0)) == (
        f"test ran another text of {A}.sql (01234567) than production would get ({SHA[A][:8]}). "
        "Restore the file as test ran it, or put the change in a new migration."
    )


def test_what_is_in_both_has_one_text() -> None:
    there = stands("test", FILES, applied=2)
    there = replace(there, applied=(Entry(A, "0123456789", None, None), there.applied[1]))
    with pytest.raises(refusals.BeforeDiffers):
        passes(there, stands("production", FILES, applied=1))


def test_the_order_is_the_same() -> None:
    there = stands("test", FILES, applied=2)
    there = replace(there, applied=there.applied[::-1])
    assert refused(there, stands("production", FILES, applied=0)) == (
        f"production would have {A} where test has {B}, and the order must be the same. "
        "Compare the two with validate, then bring production's history in line by hand."
    )


def test_what_the_one_before_never_got_is_named() -> None:
    there = without(stands("test", FILES, applied=2), A)
    assert refused(there, stands("production", FILES, applied=1)) == (
        f"production has {A}, which test does not. Apply test first."
    )


def test_nothing_is_certified() -> None:
    assert refused(stands("test", FILES, applied=3), stands("production", FILES, applied=0), certified={}) == (
        f"{A}.sql is on test but not certified there, so production cannot get it. Test test, then certify test first."
    )


def test_a_certification_with_a_hole_is_not_enough() -> None:
    there, here = stands("test", FILES, applied=3), stands("production", FILES, applied=0)
    assert refused(there, here, certified={B: SHA[B]}).startswith(f"{A}.sql is on test but not certified there")


def test_another_text_was_certified() -> None:
    there, here = stands("test", FILES, applied=1), stands("production", FILES, applied=0)
    assert refused(there, here, certified={A: "0"}) == (
        f"test was certified with another text of {A}.sql than it has now. Test test again, then certify test."
    )


def test_what_is_there_passes_and_later_files_are_held() -> None:
    there, here = stands("test", FILES, applied=2), stands("production", FILES, applied=1)
    assert passes(there, here) == ((B,), (Held(C, f"{C}.sql is not on test yet."),))


def test_exactly_the_certified_ones_pass() -> None:
    there, here = stands("test", FILES, applied=3), stands("production", FILES, applied=0)
    passing, held = passes(there, here, certified={A: SHA[A], B: SHA[B]})
    assert passing == (A, B)
    assert held == (Held(C, f"{C}.sql is not certified on test."),)
