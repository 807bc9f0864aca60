"""The way back is taken in reverse, each step with its history row, or refused by name."""

from dataclasses import replace
from pathlib import Path

import pytest

from engine import lock, reversal, revert, standing, statements
from engine.backup import Into
from engine.connection import Session
from engine.errors import LockNotHeld
from engine.refusals import HistoryMoved, PlanForAnother
from engine.report import BackupStarted, BackupTaken, MigrationStarted, Report, Reverted, Step
from engine.reversal import Reversal
from engine.revert import CannotRevert, Last, To
from engine.standing import Entry
from engine.transaction import LeftTransaction
from tests.support.engine import TOOLS, bring, migration, stands

A, B, C = "20250101000000_a", "20250102000000_b", "20250103000000_c"


def both(up: str, down: str) -> str:
    return f"-- migrate:up\n{up};\n-- migrate:down\n{down};\n"


FILES = [
    migration(A, both("CREATE TABLE a ()", "DROP TABLE a")),
    migration(B, both("CREATE TABLE b ()", "DROP TABLE b")),
    migration(C, both("CREATE TABLE c ()", "DROP TABLE c")),
]


@pytest.fixture
def three(session: Session) -> Session:
    """A session on an environment with all three."""
    assert bring(session, FILES).failure is None
    return session


def drawn(session: Session, how: Last | To) -> Reversal:
    chosen = revert.choose(session, how, after=())
    return reversal.draw(standing.look(session, FILES), chosen, limits=session.limits)


def back(session: Session, how: Last | To, folder: Path, heard: list[Step] | None = None) -> Report:
    with lock.only_one(session):
        tell = heard.append if heard is not None else lambda _: None
        return revert.run(session, drawn(session, how), into=Into(folder, TOOLS), actor="ada", request="#7", tell=tell)


def tables(session: Session) -> set[str]:
    return {name for (name,) in session.conn.execute("SELECT tablename FROM pg_tables WHERE tablename ~ '^.$'")}


def test_the_last_are_taken_back_newest_first_after_a_backup(three: Session, tmp_path: Path) -> None:
    heard: list[Step] = []
    ended = back(three, Last(2), tmp_path, heard)
    assert [one.id for one in ended.done] == [C, B]
    kinds = [BackupStarted, BackupTaken, MigrationStarted, Reverted, MigrationStarted, Reverted]
    assert [type(step) for step in heard] == kinds
    assert ended.receipt
    assert Path(ended.receipt.path).exists()
    assert tables(three) == {"a"}
    look = standing.look(three, FILES)
    assert (look.head, look.pending) == (A, (B, C))
    kept = three.conn.execute(
        "SELECT migration_id, position, applied_by, reverted_by, request FROM twokey_reverted ORDER BY reverted_at"
    )
    assert kept.fetchall() == [(C, 3, "ada", "ada", "#7"), (B, 2, "ada", "ada", "#7")]
    done = three.conn.execute("SELECT what, by, request FROM twokey_deeds WHERE act = 'rollback' ORDER BY at")
    assert done.fetchall() == [([C], "ada", "#7"), ([B], "ada", "#7")]


def test_what_was_taken_back_can_be_applied_again(three: Session, tmp_path: Path) -> None:
    back(three, To(f"{A}.sql"), tmp_path)
    assert [one.id for one in bring(three, FILES, folder=tmp_path).done] == [B, C]
    assert tables(three) == {"a", "b", "c"}


def test_a_way_down_that_fails_is_rolled_back_and_the_rest_not_tried(session: Session, tmp_path: Path) -> None:
    bring(session, [FILES[0], migration(B, both("SELECT 1", "DROP TABLE a;\nSELECT 1/0")), FILES[2]])
    ended = back(session, Last(3), tmp_path)
    assert [one.id for one in ended.done] == [C]
    assert ended.failure
    assert (
        ended.failure.sentence
        == f"{B}.sql:5 failed on development (22012): division by zero. It was rolled back whole."
    )
    assert ended.failure.next_step == "Put right what the message says, then roll development back again."
    assert ended.left == (A,)
    assert tables(session) == {"a"}
    assert standing.look(session, FILES).head == B


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        (Last(4), "4 cannot be taken back on development: its history has 3."),
        (To("nope"), "development has not applied nope."),
        (To(C), f"{C} is the newest on development. There is nothing to take back."),
    ],
)
def test_what_is_not_there_is_refused(three: Session, how: Last | To, sentence: str) -> None:
    with pytest.raises(CannotRevert) as caught:
        revert.choose(three, how, after=())
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("SELECT 1", "has no `-- migrate:down` section"),
        ("-- migrate:up\nSELECT 1;\n-- migrate:down\n", "has no `-- migrate:down` section"),
        (
            "-- migrate:up\nSELECT 1;\n-- migrate:down transaction:false\nVACUUM",
            "has a way down that is not one transaction",
        ),
    ],
)
def test_no_way_back_is_refused_by_name_with_restore_as_the_way(session: Session, text: str, why: str) -> None:
    bring(session, [migration(A, text), FILES[1]])
    with pytest.raises(CannotRevert) as caught:
        revert.choose(session, Last(2), after=())
    assert str(caught.value) == (
        f"{A}.sql {why}, so development cannot be rolled back past it. "
        "The way back is to restore the backup that was taken before it."
    )


@pytest.mark.parametrize(
    ("down", "because"),
    [
        (
            "UPDATE twokey_environment SET protected = false",
            "twokey_environment is where Twokey keeps what ran here, and no migration changes that",
        ),
        ("SET LOCAL lock_timeout = '1h'", "SET lock_timeout would go beyond the 2000 ms that the plan shows"),
    ],
)
def test_a_way_down_that_is_kept_and_out_of_bounds_is_not_run(session: Session, down: str, because: str) -> None:
    bring(session, [migration(A, "-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 2;")])
    text = f"-- migrate:up\nSELECT 1;\n-- migrate:down\n{down};"
    session.conn.execute("UPDATE twokey_migrations SET applied_text = %s", (text,))  # as before a plan refused it
    with pytest.raises(CannotRevert) as caught:
        revert.choose(session, Last(1), after=())
    assert str(caught.value) == (
        f"{A}.sql has a way down that is not run, since on line 4 {because}, so development cannot be rolled back past "
        "it. The way back is to restore the backup that was taken before it."
    )


def test_what_an_environment_further_on_has_stays(three: Session) -> None:
    after = [stands("test", FILES, applied=2)]
    assert [one.id for one in revert.choose(three, Last(1), after=after)] == [C]
    with pytest.raises(CannotRevert) as caught:
        revert.choose(three, Last(2), after=after)
    assert (
        str(caught.value) == f"test still has {B}.sql, so it cannot be taken back on development. Roll back test first."
    )


def test_without_the_lock_nothing_is_taken_back(three: Session, tmp_path: Path) -> None:
    with pytest.raises(LockNotHeld):
        run(three, drawn(three, Last(1)), tmp_path)
    assert list(tmp_path.iterdir()) == []


def run(session: Session, what: Reversal, folder: Path) -> Report:
    return revert.run(session, what, into=Into(folder, TOOLS), actor="ada", request="#7", tell=lambda _: None)


def test_what_moved_on_since_it_was_drawn_is_left_alone(three: Session, tmp_path: Path) -> None:
    stale = drawn(three, Last(1))
    back(three, Last(1), tmp_path)
    with lock.only_one(three), pytest.raises(HistoryMoved):
        run(three, stale, tmp_path)
    with lock.only_one(three), pytest.raises(PlanForAnother):
        run(three, replace(stale, environment="test"), tmp_path)


def test_what_a_run_took_back_is_known_to_the_database_by_the_request(three: Session, tmp_path: Path) -> None:
    two = drawn(three, Last(2))
    back(three, Last(1), tmp_path)
    assert revert.what_is_back(three, two, request="#7") == ((C,), (B,))
    assert revert.what_is_back(three, two, request="#8") == ((), (C, B))


@pytest.mark.parametrize("there", [C, f"{C}_renamed", C[:14]])
def test_what_is_further_on_under_another_name_stays_too(three: Session, there: str) -> None:
    named = replace(stands("test", FILES, applied=3), applied=(Entry(there, "c" * 64, None, None),))
    with pytest.raises(CannotRevert, match=f"^test still has {C}.sql"):
        revert.choose(three, Last(1), after=[named])


def test_a_way_down_that_leaves_its_transaction_is_caught(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statements.forbidden, "judge", lambda *_, **__: None)
    bring(session, [migration(A, both("SELECT 1", "COMMIT; BEGIN"))])
    with pytest.raises(LeftTransaction):
        back(session, Last(1), tmp_path)
    assert standing.look(session, ()).head == A
