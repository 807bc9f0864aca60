"""A baseline and a repair, from asked to their ends; and what is known of one that died."""

from pathlib import Path

import pytest

from engine import amend
from ledger.errors import AuthorsDecision
from ledger.events import Denied, Interrupted, Repaired, Stale, TakenOver
from ledger.people import mark
from ledger.records import Question
from ledger.request import Act, Fact, Request
from ledger.states import State
from tests.support.git import commit, git
from tests.support.ledger import ADA, BO
from tests.support.waiting import wait_for
from tests.workers.killed import killed
from tests.workers.row import FIRST, SECOND, THIRD, Row
from tests.workers.test_gate import turn
from tests.workers.test_observer import DOWN, ask
from tests.workers.test_restoring import settled
from workers import edits

WHO = f"{ADA.name} ({ADA.id})"


def why_not(row: Row, request: Request) -> str:
    assert request.state is State.REJECTED
    refused = row.last(request.id)
    assert isinstance(refused, Denied)
    return refused.why


def edit(row: Row, name: str = FIRST, text: str = "-- who shops here\n") -> None:
    path = row.migrations / f"{name}.sql"
    path.write_text(text + path.read_text())


def test_words_that_mean_nothing_to_this_worker_are_refused(row: Row) -> None:
    for act, about in ((Act.BASELINE, ()), (Act.BASELINE, (FIRST, SECOND)), (Act.REPAIR, ())):
        assert "The worker does not understand" in why_not(row, row.do("test", act, about=about))


def test_what_does_not_wait_or_did_not_change_is_refused(row: Row) -> None:
    assert why_not(row, row.do("test", Act.BASELINE, about=("nonsense",))) == (
        "The folder has no nonsense.sql. Name one that is pending. See which are: `/migrate status test`."
    )
    row.bring("test")
    text = (row.migrations / f"{SECOND}.sql").read_text()
    row.file(SECOND, "SELECT 1;")
    assert f"to accept. Did you mean {SECOND}? See " in why_not(row, row.do("test", Act.REPAIR, about=(SECOND[:-1],)))
    row.file(SECOND, text)
    assert why_not(row, row.do("test", Act.BASELINE, about=(FIRST,))) == (
        f"test already has {FIRST}. There is nothing to take over."
    )
    assert why_not(row, row.do("test", Act.REPAIR, about=(FIRST,))) == (
        f"{FIRST} is not an edited file of test, so there is nothing to accept. See which are: `/migrate repair test`."
    )


def test_files_are_written_down_as_applied_and_none_runs(row: Row) -> None:
    request = row.do("test", Act.BASELINE, about=(SECOND,))
    assert request.state is State.APPLIED
    assert row.last(request.id) == TakenOver((FIRST, SECOND))
    assert [type(event).__name__ for event in row.told(request.id)] == [
        "Asked", "Planned", "Approved", "Started", "TakenOver",
    ]  # fmt: skip
    assert request.plan
    assert [one.id for one in request.plan.migrations] == [FIRST, SECOND]
    assert request.plan.facts == (
        Fact(
            "Nothing runs",
            "and nothing is backed up: test must have what these make already, and nobody looks whether it has",
        ),
    )
    assert row.history("test") == [FIRST, SECOND]
    assert row.sql("test", "SELECT to_regclass('users') IS NULL") == [(True,)]
    assert row.sql("test", "SELECT act, by, request FROM twokey_deeds") == [
        ("baseline", WHO, f"#{request.id}"),
        ("baseline", WHO, f"#{request.id}"),
    ]


def test_an_edited_file_counts_as_it_is_with_two_keys_and_not_with_one(row: Row) -> None:
    row.bring("production")
    edit(row)
    request = row.do("production", Act.REPAIR, about=(FIRST,))
    assert request.state is State.PLANNED
    assert row.ring(request.id).state is State.PLANNED
    assert request.plan
    assert request.plan.facts == (
        Fact("Changed", f"{FIRST}: lines: 1 came, 0 went, whitespace and comments only"),
        Fact(
            "Nothing runs",
            "production must be as these files say now, and nobody looks whether it is. "
            "`/migrate repair production` shows each change",
        ),
    )
    assert turn(row, request.id).state is State.APPLIED
    assert row.last(request.id) == Repaired((FIRST,))
    assert row.sql("production", "SELECT act, what, request FROM twokey_deeds ORDER BY at DESC LIMIT 1") == [
        ("repair", [FIRST], f"#{request.id}")
    ]
    body = ask(row, Question.REPAIR, "production", of=("production",)).body
    assert body == {"question": "repair", "environment": "production", "edited": [], "more": 0, "refusal": None}


def test_what_counts_in_a_protected_environment_is_committed_and_its_card_names_who_wrote_it(row: Row) -> None:
    git(row.migrations, "init", "-q", "-b", "main")
    commit(row.migrations, "Ada")
    edited = row.file(SECOND, "SELECT 'not committed';\n")
    assert why_not(row, row.do("production", Act.BASELINE, about=(edited,))).startswith(
        f"production is protected and gets what is committed alone. Not in HEAD as in the folder: {SECOND}.sql."
    )
    commit(row.migrations, "Bo")
    with row.config.open("a") as config:
        config.write(f'[[person]]\nname = "Bo"\nslack = ["{BO.id}", "U0BOTWO"]\nemails = ["bo@example.com"]\n')
    request = row.do("production", Act.BASELINE, about=(edited,))
    assert authors(request) == {"Ada", "Bo"}
    assert request.plan
    assert set(request.plan.barred) == {BO.id, "U0BOTWO", mark("bo@example.com"), mark("ada@example.com")}
    with pytest.raises(AuthorsDecision):
        row.approve(request.id)


def authors(request: Request) -> set[str]:
    assert request.plan is not None
    assert request.plan.origin is not None
    return {author.name for author in request.plan.origin.authors}


def test_what_moved_on_or_changed_again_makes_it_stale(row: Row) -> None:
    row.bring("production")
    edit(row)
    request = row.do("production", Act.REPAIR, about=(FIRST,))
    edit(row, text="-- once more\n")
    assert turn(row, request.id).state is State.STALE
    stale = row.last(request.id)
    assert isinstance(stale, Stale)
    assert stale.what.startswith(f"{FIRST}.sql changed after the plan was shown (")
    assert stale.what.endswith(f"Ask again: `/migrate repair production {FIRST}`.")


def test_a_file_that_came_in_between_is_not_written_down_unseen(row: Row) -> None:
    request = row.do("production", Act.BASELINE, about=(SECOND,))
    between = row.file("20250818135959_between", "SELECT 1;\n")
    assert turn(row, request.id).state is State.STALE
    stale = row.last(request.id)
    assert isinstance(stale, Stale)
    assert stale.what.startswith(f"It would write down {FIRST}, {between}, {SECOND} now, and not {FIRST}, {SECOND}.")
    other = row.do("production", Act.BASELINE, about=(SECOND,))
    row.bring("production")
    turn(row, other.id)
    stale = row.last(other.id)
    assert isinstance(stale, Stale)
    assert stale.what.startswith(f"production already has {SECOND}.")


@pytest.mark.parametrize(("act", "name"), [(Act.BASELINE, "take_over"), (Act.REPAIR, "repair")])
@pytest.mark.parametrize("when", ["before", "after"])
def test_one_that_was_killed_was_done_whole_or_not_at_all(
    row: Row, tmp_path: Path, act: Act, name: str, when: str
) -> None:
    if act is Act.REPAIR:
        row.bring("test")
        edit(row)
    request_id = row.ask("test", act, about=(FIRST,))
    there, real = tmp_path / "there", getattr(amend, name)

    def hang(*arguments: object, **more: object) -> None:
        if when == "after":
            real(*arguments, **more)
        there.touch()
        wait_for(lambda: False, 60)

    killed(row, request_id, when=there.exists, patch=(amend, name, hang))
    settled(row, request_id)
    silent = "The worker of test fell silent in the middle of the run."
    ends = {
        "before": Interrupted(
            f"{silent} Nothing of it was done. Ask again: `/migrate {act} test {FIRST}`.", done=(), left=(FIRST,)
        ),
        "after": Interrupted(f"{silent} Everything of it was done.", done=(FIRST,), left=()),
    }
    assert row.last(request_id) == ends[when]


def test_which_files_changed_is_answered_with_how(row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    row.bring("test")
    edit(row)
    row.sql("test", f"UPDATE twokey_migrations SET applied_text = 'gone' WHERE migration_id = '{THIRD}'")
    row.sql("test", f"DELETE FROM twokey_migrations WHERE migration_id = '{SECOND}'")
    edit(row, SECOND)
    edit(row, THIRD, "-- a\n-- b\n")
    monkeypatch.setattr(edits, "SHOWN", 2)
    monkeypatch.setattr(edits, "LINES", 3)
    body = ask(row, Question.REPAIR, "test", of=("test",)).body
    assert body
    first, second = body["edited"]
    assert (body["more"], first["id"], first["measure"]) == (
        1,
        FIRST,
        "lines: 1 came, 0 went, whitespace and comments only",
    )
    assert first["diff"][:2] == ["@@ -1,3 +1,4 @@", "+-- who shops here"]
    assert (len(first["diff"]), first["more"]) == (3, 2)
    assert second == {"id": SECOND, "measure": "what ran is not known, another tool applied it", "diff": [], "more": 0}
    row.dsn["test"] = DOWN
    assert edits.listed(row.hands("test"))["refusal"].startswith("test (127.0.0.1, database app) cannot be reached")
