"""A rollback from asked to its end: what goes, what stops it, and what is known of one that died."""

from datetime import timedelta

import pytest

from ledger.events import Denied, Failed, Interrupted, Planned, Refused, Reverted, Stale
from ledger.request import Act, Fact, Request
from ledger.states import State
from tests.support.git import commit, git
from tests.support.ledger import ADA
from tests.support.waiting import wait_for
from tests.workers.killed import killed
from tests.workers.row import FIRST, SECOND, THIRD, Row
from tests.workers.test_gate import turn
from tests.workers.test_righting import authors
from workers import foreman, inspector, neighbours, running

NOTES, TAGS = "20260101000000_notes", "20260102000000_tags"


@pytest.fixture
def two(row: Row) -> Row:
    """Five migrations, of which the two newest have a way down."""
    for name in (NOTES, TAGS):
        table = name.partition("_")[2]
        row.file(name, f"-- migrate:up\nCREATE TABLE {table} ();\n-- migrate:down\nDROP TABLE {table};\n")
    return row


def rollback(row: Row, name: str, *about: str, covers_of: int | None = None) -> Request:
    return row.do(name, Act.ROLLBACK, about=about, covers_of=covers_of)


def why_not(row: Row, request: Request) -> str:
    assert request.state is State.REJECTED
    refused = row.last(request.id)
    assert isinstance(refused, Denied)
    return refused.why


def test_the_newest_is_taken_back_after_a_backup(two: Row) -> None:
    two.bring("development")
    request = rollback(two, "development")
    assert request.state is State.APPLIED
    story = two.told(request.id)
    assert [type(event).__name__ for event in story] == [
        "Asked", "Planned", "Approved", "Started", "BackedUp", "MigrationReverted", "Reverted",
    ]  # fmt: skip
    assert isinstance(story[-1], Reverted)
    assert story[-1].migrations == (TAGS,)
    assert two.history("development") == [FIRST, SECOND, THIRD, NOTES]
    assert two.sql("development", "SELECT reverted_by, request FROM twokey_reverted") == [
        (f"{ADA.name} ({ADA.id})", f"#{request.id}")
    ]


def test_what_is_shown_is_what_goes_newest_first_with_what_it_loses_and_what_stays(two: Row) -> None:
    two.bring("development")
    request = rollback(two, "development", "to", THIRD)
    planned = two.told(request.id)[1]
    assert isinstance(planned, Planned)
    assert planned.migrations == (TAGS, NOTES)
    plan = request.plan
    assert plan
    assert [(one.lines, one.hazards[0].name) for one in plan.migrations] == [(1, "drops_table")] * 2
    assert plan.facts == (Fact("Newest afterwards", THIRD),)
    assert two.history("development") == [FIRST, SECOND, THIRD]


@pytest.mark.parametrize(
    ("about", "sentence"),
    [
        (("last", "3"), (f"{THIRD}.sql has no `-- migrate:down` section, so development cannot be rolled back past it. "
         "The way back is to restore the backup that was taken before it. See which there are: "
         "`/migrate backups development`.")),
        (("last", "9"), "9 cannot be taken back on development: its history has 5."),
        (("to", TAGS), f"{TAGS} is the newest on development. There is nothing to take back."),
        (("to", "nowhere"), "development has not applied nowhere. See what it has: `/migrate status development`."),
        (("past", "2"), ("The worker does not understand `rollback development past 2`. "
         "Give bot and workers the same version, then ask again.")),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_back_is_refused(two: Row, about: tuple[str, ...], sentence: str) -> None:
    two.bring("development")
    assert why_not(two, rollback(two, "development", *about)) == sentence
    assert len(two.history("development")) == 5


def test_what_an_environment_further_on_has_stays(two: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    two.bring("development", "test")
    assert why_not(two, rollback(two, "development")) == (
        f"test still has {TAGS}.sql, so it cannot be taken back on development. Roll back test first."
    )
    assert rollback(two, "test").state is State.APPLIED
    monkeypatch.setattr(neighbours, "PATIENCE", timedelta(seconds=0.1))
    two.asleep.add("production")
    assert why_not(two, rollback(two, "development")) == (
        "development only loses what no environment after it has, and production was not observed. "
        "Start the worker of production or bring its database back, then ask again."
    )


def test_a_folder_that_cannot_be_read_is_no_obstacle_to_the_way_back_of_the_last(two: Row) -> None:
    two.bring("production")
    two.file("20260103000000_broken", "SELEC")
    two.file("nameless", "SELECT 1")
    assert rollback(two, "production").state is State.PLANNED


def test_a_protected_environment_is_rolled_back_with_two_keys_and_not_with_one(two: Row) -> None:
    two.bring("production")
    request = rollback(two, "production", "last", "2")
    assert request.state is State.PLANNED
    assert two.ring(request.id).state is State.PLANNED
    # What was kept runs, whatever the folder says since.
    two.file(TAGS, "-- migrate:up\nSELECT 1;\n-- migrate:down\nDROP TABLE users;\n")
    assert turn(two, request.id).state is State.APPLIED
    assert two.history("production") == [FIRST, SECOND, THIRD]
    assert two.sql("production", "SELECT to_regclass('users')::text, to_regclass('tags')") == [("users", None)]


def test_who_wrote_a_file_does_not_approve_its_way_back_and_of_whom_git_knows_nothing_is_said(two: Row) -> None:
    git(two.migrations, "init", "-q", "-b", "main")
    commit(two.migrations, "Ada")
    late = two.file("20260103000000_late", "-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 2;\n")
    two.bring("production")
    request = rollback(two, "production", "last", "2")
    assert authors(request) == {"Ada"}
    assert request.plan is not None
    assert request.plan.facts[1:] == (Fact("In no commit", f"{late}: who wrote that cannot be known"),)


def test_an_environment_that_moved_on_makes_it_stale(two: Row) -> None:
    two.bring("production")
    request = rollback(two, "production")
    two.sql("production", f"DELETE FROM schema_migrations WHERE migration_id = '{TAGS}'")
    assert turn(two, request.id).state is State.STALE
    assert two.last(request.id) == Stale(
        f"production's newest migration was {TAGS} and is {NOTES} now. Ask again: `/migrate rollback production`."
    )


def test_one_that_grew_unseen_further_on_waits(two: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    two.bring("development")
    request_id = two.ask("development", Act.ROLLBACK)
    hands = two.hands("development")
    request, _ = foreman._plan(hands, two.ledger.request(request_id))
    monkeypatch.setattr(neighbours, "PATIENCE", timedelta(seconds=0.1))
    two.asleep.add("test")
    assert two.ring(request.id).state is State.APPROVED
    refused = two.last(request_id)
    assert isinstance(refused, Refused)
    assert refused.why.startswith(f"#{request_id} did not start. development only loses what")
    two.asleep.clear()
    assert two.ring(request.id).state is State.APPLIED


def test_the_button_under_a_run_takes_back_that_run_or_nothing(two: Row) -> None:
    two.bring("development")
    two.file("20260103000000_mine", "-- migrate:up\nCREATE TABLE mine ();\n-- migrate:down\nDROP TABLE mine;\n")
    run = two.do("development")
    two.file("20260104000000_theirs", "-- migrate:up\nCREATE TABLE theirs ();\n-- migrate:down\nDROP TABLE theirs;\n")
    two.do("development")
    assert why_not(two, rollback(two, "development", "last", "1", covers_of=run.id)) == (
        f"development moved on since #{run.id}: its newest migration is 20260104000000_theirs now. "
        "Say how far back: `/migrate rollback development to <migration>`, or `… last <number>`."
    )
    assert rollback(two, "development").state is State.APPLIED
    assert rollback(two, "development", "last", "1", covers_of=run.id).state is State.APPLIED
    assert two.history("development") == [FIRST, SECOND, THIRD, NOTES, TAGS]


def test_a_way_down_that_fails_ends_it_with_what_is_gone_and_what_is_left(two: Row) -> None:
    two.bring("development")
    two.sql("development", "CREATE VIEW v AS SELECT FROM notes")
    request = rollback(two, "development", "last", "2")
    assert request.state is State.FAILED
    failed = two.last(request.id)
    assert isinstance(failed, Failed)
    assert (failed.migration, failed.line, failed.sqlstate) == (NOTES, 4, "2BP01")
    assert (failed.done, failed.left) == ((TAGS,), ())
    assert failed.next_step == "Put right what the message says, then roll development back again."


def test_a_run_that_fell_silent_is_asked_of_the_environments_own_records(
    two: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    two.bring("development")
    with monkeypatch.context() as dying:
        dying.setattr(running, "carry_out", lambda *_: None)
        request = rollback(two, "development", "last", "2")
    assert request.state is State.APPLYING
    two.sql(
        "development",
        "INSERT INTO twokey_reverted (migration_id, position, checksum, applied_text, applied_by, reverted_by,"
        f" request, seconds) VALUES ('{TAGS}', 5, '', '', '', '', '#{request.id}', 0)",
    )
    inspector.inspect(two.hands("development"), request.id)
    assert two.last(request.id) == Interrupted(
        why=(
            "The worker of development fell silent in the middle of the run. "
            "The rest can be asked for again: `/migrate rollback development last 1`."
        ),
        done=(TAGS,),
        left=(NOTES,),
    )


def test_a_run_that_was_killed_is_known_by_what_it_took_back(two: Row) -> None:
    sleeps = two.file("20260103000000_sleeps", "-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT pg_sleep(60);\n")
    goes = two.file("20260104000000_goes", "-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 1;\n")
    two.bring("development")
    request_id = two.ask("development", Act.ROLLBACK, about=("last", "2"))
    killed(two, request_id, when=lambda: goes not in two.history("development"))

    def inspected() -> bool:
        inspector.inspect(two.hands("development"), request_id)
        return two.ledger.request(request_id).state is State.INTERRUPTED

    wait_for(inspected, 30)
    interrupted = two.last(request_id)
    assert isinstance(interrupted, Interrupted)
    assert (interrupted.done, interrupted.left) == ((goes,), (sleeps,))
    assert two.history("development")[-1] == sleeps


def test_a_connection_lost_in_the_middle_is_followed_by_a_question(two: Row) -> None:
    dies = two.file(
        "20260103000000_dies",
        "-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT pg_terminate_backend(pg_backend_pid());\n",
    )
    two.file("20260104000000_goes", "-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 1;\n")
    two.bring("development")
    request = rollback(two, "development", "last", "2")
    assert two.last(request.id) == Interrupted(
        why=(
            "The connection to development was lost in the middle of the run. "
            "The rest can be asked for again: `/migrate rollback development last 1`."
        ),
        done=("20260104000000_goes",),
        left=(dies,),
    )
