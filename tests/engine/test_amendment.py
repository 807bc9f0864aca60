"""What would be set right in a history is a value whose digest binds which files count, where and instead of what."""

import json
from dataclasses import replace
from typing import Any

import pytest

from engine import amendment, plan
from engine.amend import Edited, NotEdited, NotPending
from engine.amendment import Amendment, Folder
from engine.connection import Limits
from engine.refusals import HistoryDisagrees, PlanAltered
from engine.standing import Problem, State
from tests.support.engine import migration, stands

A, B = "20250101000000_a", "20250102000000_b"
TEXT = "CREATE TABLE é ();\n"
FILES = (migration(A, "SELECT 1;"), migration(B, TEXT))
RAN = "c" * 64
#: Worked out apart from the engine: the JSON written out by hand, its texts and itself hashed by sha256sum.
BASELINE = "44184be15c8df278ca1cdd8cade606cdd909d5ac66544db91747b478a58ae467"
REPAIR = "2a5f3a429f9a5e4d732ff0abfdff26595cd429156db9396005d790e626cf04eb"


def baseline(through: str = B) -> Amendment:
    here = stands("production", FILES, applied=1, protected=True)
    return amendment.baseline(here, Folder(FILES), through=through, limits=Limits())


def repair(*accept: str) -> Amendment:
    here = stands("production", FILES, applied=2, protected=True)
    edited = Edited(B, RAN, FILES[1].checksum, None, looks_only=False)
    return amendment.repair(here, Folder(FILES), [edited], accept=accept or (B, B), limits=Limits())


def test_what_does_not_wait_or_did_not_change_is_refused() -> None:
    with pytest.raises(NotPending):
        baseline(A)
    with pytest.raises(NotPending):
        baseline("nonsense")
    with pytest.raises(NotEdited):
        repair(B, A)
    doubtful = replace(stands("test", FILES, applied=1), problems=(Problem(A, State.EDITED, "Why."),))
    with pytest.raises(HistoryDisagrees):
        amendment.baseline(doubtful, Folder(FILES), through=B, limits=Limits())


def test_it_says_which_files_count_and_what_stood_there() -> None:
    assert [(one.id, one.text, one.hazards) for one in baseline().migrations] == [(B, TEXT, ())]
    assert (repair().ran, repair().files, baseline().files) == ((RAN,), FILES[1:], FILES[1:])


def test_the_golden_vectors() -> None:
    assert baseline().tool_version == "0.1.0"
    assert plan.digest(baseline()) == baseline().digest == BASELINE
    assert plan.digest(repair()) == repair().digest == REPAIR


@pytest.mark.parametrize("change", [{"head": A}, {"fingerprint": "e" * 64}, {"migrations": ()}, {"ran": ()}])
def test_another_place_or_text_is_another_digest(change: dict[str, Any]) -> None:
    assert plan.digest(replace(repair(), **change)) != REPAIR


def test_json_brings_it_back_whole_and_nothing_altered() -> None:
    said = json.loads(json.dumps(repair().as_json()))
    assert Amendment.from_json(said) == repair()
    for altered in ({"act": "baseline"}, {"ran": ["d" * 64]}, {"migrations": [{**said["migrations"][0], "text": "x"}]}):
        with pytest.raises(PlanAltered):
            Amendment.from_json({**said, **altered})
