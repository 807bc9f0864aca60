"""What the engine says names no command: a terminal and Slack type it otherwise. The hint beside it has the words."""

from pathlib import Path

import pytest

from cli import answer
from engine.amend import NotEdited, NotPending
from engine.errors import EngineError, Hint
from engine.generate.naming import NoName
from engine.refusals import HistoryDisagrees, UpToDate
from engine.restore import OfAnother
from engine.revert import NotThere, NoWayBack
from workers import reporting

HINTS = [
    (HistoryDisagrees("test", ("a.sql changed.",), edited=("a",)), Hint("See what changed", "repair test")),
    (HistoryDisagrees("test", ("a.sql is gone.",)), None),
    (NotPending("test", "a", applied=False), Hint("See which are", "status test")),
    (NotPending("test", "a", applied=True), None),
    (NotEdited("test", "a"), Hint("See which are", "repair test")),
    (NoWayBack("test", "a", "has none"), Hint("See which there are", "backups test")),
    (NoWayBack("test", "a", "has none", "test-backup.sql"), Hint("That is", "restore test test-backup.sql")),
    (NotThere("test", "a"), Hint("See what it has", "status test")),
    (
        OfAnother("test", "b.sql is a backup of dev", "Name one of its own."),
        Hint("See which there are", "backups test"),
    ),
    (NoName("…"), Hint("For example", "generate add_cities")),
    (UpToDate("test"), None),
]


@pytest.mark.parametrize(("error", "hint"), HINTS)
def test_an_error_knows_which_command_helps(error: EngineError, hint: Hint | None) -> None:
    assert error.hint == hint


def test_what_may_have_been_meant_is_asked() -> None:
    meant = [
        NotPending("test", "a", applied=False, near="ab"),
        NotEdited("test", "a", "ab"),
        NotThere("test", "a", "ab"),
    ]
    assert [str(one) for one in meant] == [
        "The folder has no a.sql. Did you mean ab?",
        "a is not an edited file of test, so there is nothing to accept. Did you mean ab?",
        "test has not applied a. Did you mean ab?",
    ]


def test_each_room_types_it_in_its_own_way() -> None:
    missing = NotThere("test", "a")
    assert answer.sentence(missing) == "test has not applied a. See what it has: twokey status test"
    assert reporting.sentence(missing) == "test has not applied a. See what it has: `/migrate status test`."
    assert answer.sentence(UpToDate("test")) == reporting.sentence(UpToDate("test")) == str(UpToDate("test"))


def test_no_sentence_of_the_engine_names_a_command() -> None:
    verbs = "status|plan|apply|promote|validate|rollback|backups|restore|discard|generate|baseline|repair|lint|check"
    for file in Path("engine").rglob("*.py"):
        for number, line in enumerate(file.read_text().splitlines(), start=1):
            said = "purpose=" not in line and "application_name" not in line
            found = [verb for verb in verbs.split("|") if f"twokey {verb}" in line or f"/migrate {verb}" in line]
            assert not (said and found), f"{file}:{number} names {found}: give its error a hint"
