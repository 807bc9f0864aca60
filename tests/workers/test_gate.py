"""A protected start: drawn again, witnessed, judged again. And what stops it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from ledger.events import Applied, Denied, Ready, Refused, Stale, Withdrawn
from ledger.request import POLICY, Act, Request, Witness
from ledger.states import State
from tests.support.ledger import ADA, BO
from tests.support.waiting import wait_for
from tests.workers.row import FIRST, SECOND, THIRD, Row
from workers import gate


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "PATIENCE", timedelta(seconds=0.4))


@pytest.fixture
def asked(row: Row) -> Request:
    """A planned request to bring production what test has and was certified."""
    row.bring("development", "test")
    assert row.do("test", Act.CERTIFY).state is State.APPLIED
    request = row.do("production", reason="Audit needs it")
    assert request.state is State.PLANNED
    return request


@contextmanager
def a_bot(row: Row, request_id: int, *, approving: tuple = (BO,), rejecting: tuple = ()) -> Iterator[None]:
    """A bot that looks at Slack as soon as it is asked."""

    def answer() -> None:
        while not done.wait(0.02):
            if isinstance(row.last(request_id), Ready):
                row.ledger.witness(Witness(request_id, row.ledger.now(), approving, rejecting, ours=True, asking=ADA))
                break

    done = threading.Event()
    bot = threading.Thread(target=answer)
    bot.start()
    yield
    done.set()
    bot.join()


def turn(row: Row, request_id: int) -> Request:
    """Bo turns the second key, the bot sees it, and the worker is rung; gives the request as it stands then."""
    row.approve(request_id, seen=False)
    with a_bot(row, request_id):
        return row.ring(request_id)


def test_an_approved_and_witnessed_request_runs_exactly_what_was_shown(row: Row, asked: Request) -> None:
    assert asked.plan
    assert asked.plan.certified
    assert asked.plan.certified.actor_id == ADA.id
    row.approve(asked.id, seen=False)
    with a_bot(row, asked.id):
        assert row.ring(asked.id).state is State.APPLIED
    kinds = [type(event).__name__ for event in row.told(asked.id)]
    assert kinds[:6] == ["Asked", "Planned", "Approved", "Ready", "Witnessed", "Started"]
    assert isinstance(row.last(asked.id), Applied)
    assert row.history("production") == [FIRST, SECOND, THIRD]


def test_a_plan_waits_for_its_second_key_however_often_it_is_rung(row: Row, asked: Request) -> None:
    story = row.told(asked.id)
    assert row.ring(asked.id).state is State.PLANNED
    assert row.told(asked.id) == story


def test_before_its_time_nothing_starts(row: Row, asked: Request) -> None:
    row.approve(asked.id, starts_in=timedelta(minutes=1))
    assert row.ring(asked.id).state is State.APPROVED
    assert Ready() not in row.told(asked.id)


def test_a_bot_that_does_not_look_leaves_the_request_waiting_and_the_reason_is_said_once(
    row: Row, asked: Request
) -> None:
    row.approve(asked.id, seen=False)
    assert row.ring(asked.id).state is State.APPROVED
    assert row.ring(asked.id).state is State.APPROVED
    story = row.told(asked.id)
    why = (
        f"#{asked.id} did not start: nobody looked at its reactions in the last 30 seconds. "
        "Check that the bot runs; the request waits."
    )
    assert story.count(Refused(POLICY.id, POLICY.name, why)) == 1
    assert story.count(Ready()) == 1
    with a_bot(row, asked.id):
        row.witness(asked.id)
        assert row.ring(asked.id).state is State.APPLIED


def test_an_approval_that_slack_no_longer_shows_goes_back_to_waiting(row: Row, asked: Request) -> None:
    row.approve(asked.id, seen=False)
    with a_bot(row, asked.id, approving=()):
        assert row.ring(asked.id).state is State.PLANNED
    *_, refused, withdrawn = row.told(asked.id)
    assert isinstance(refused, Refused)
    assert refused.why == (
        f"#{asked.id} did not start: the approving reaction is gone, or came from somebody who may no longer approve. "
        "<@U0APPROVER> can react."
    )
    assert withdrawn == Withdrawn(POLICY.id, POLICY.name)
    assert row.history("production") == []


def test_a_no_that_slack_shows_stops_the_start(row: Row, asked: Request) -> None:
    row.approve(asked.id, seen=False)
    with a_bot(row, asked.id, rejecting=(BO,)):
        assert row.ring(asked.id).state is State.PLANNED
    assert Refused(
        POLICY.id, POLICY.name, f"#{asked.id} was rejected by <@U0APPROVER>. Talk to them, then ask again."
    ) in row.told(asked.id)


def test_a_captured_bot_that_writes_approved_starts_nothing(row: Row, asked: Request) -> None:
    row.approve(asked.id, seen=False, decided=False)
    with a_bot(row, asked.id):
        assert row.ring(asked.id).state is State.PLANNED
    refused = row.told(asked.id)[-2]
    assert isinstance(refused, Refused)
    assert refused.why == (f"#{asked.id} did not start: no approval of this plan stands. <@U0APPROVER> can approve it.")
    assert row.history("production") == []


@pytest.mark.parametrize(
    ("decided", "wanting"), [(True, "1 more person has to approve it"), (False, "2 more people have to approve it")]
)
def test_where_several_have_to_approve_it_is_said_how_many_are_wanting(
    row: Row, asked: Request, *, decided: bool, wanting: str
) -> None:
    toml = row.config.read_text()
    several = toml.replace('approvers = ["U0APPROVER"]', 'approvers = ["U0APPROVER", "U0SECOND"]\napprovals = 2')
    row.config.write_text(several)
    row.approve(asked.id, seen=False, decided=decided)
    with a_bot(row, asked.id):
        assert row.ring(asked.id).state is State.PLANNED
    refused = row.told(asked.id)[-2]
    assert isinstance(refused, Refused)
    assert refused.why == f"#{asked.id} did not start: {wanting}. <@U0APPROVER>, <@U0SECOND> can approve it."
    assert row.last(asked.id) == Withdrawn("policy", "policy", missing=1 if decided else 2)


def test_a_captured_bot_that_calls_production_unprotected_starts_nothing(row: Row) -> None:
    row.bring("development", "test")
    row.do("test", Act.CERTIFY)
    request, _ = row.ledger.open(row.wish("production"), expires_in=timedelta(hours=1), protected=False)
    assert row.ring(request.id).state is State.PLANNED
    assert row.history("production") == []


def test_an_approval_taken_back_while_the_bot_is_asked_starts_nothing(row: Row, asked: Request) -> None:
    row.approve(asked.id, seen=False)

    def take_back() -> None:
        wait_for(lambda: row.last(asked.id) == Ready())
        row.ledger.move(asked.id, State.PLANNED, why=Withdrawn(actor_id=BO.id, actor_name=BO.name))

    taken = threading.Thread(target=take_back)
    taken.start()
    assert row.ring(asked.id).state is State.PLANNED
    taken.join()
    assert row.last(asked.id) == Withdrawn(BO.id, BO.name)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (
            lambda row: (row.migrations / f"{THIRD}.sql").write_text("SELECT 1;\n"),
            f"test ran another text of {THIRD}.sql",
        ),
        (
            lambda row: row.sql("production", "CREATE TABLE by_hand ()"),
            "The schema of production, its time limits or Twokey itself changed after the plan was shown. ",
        ),
        (
            lambda row: row.config.write_text(row.config.read_text().replace('"20s"', '"30s"')),
            "The schema of production, its time limits or Twokey itself changed after the plan was shown. ",
        ),
    ],
)
def test_what_is_no_longer_what_was_shown_goes_stale(row: Row, asked: Request, change, what: str) -> None:
    row.approve(asked.id)
    change(row)
    assert row.ring(asked.id).state is State.STALE
    stale = row.last(asked.id)
    assert isinstance(stale, Stale)
    assert what in stale.what
    assert stale.what.endswith("Ask again: `/migrate apply production`.")
    assert row.history("production") == []


def test_a_migration_more_on_test_does_not_slip_into_an_approved_run(row: Row, asked: Request) -> None:
    row.approve(asked.id, seen=False)
    fourth = row.file("20260101000000_fourth", "CREATE TABLE fourth ();\n")
    row.promote("development", "test")
    assert row.do("test", Act.CERTIFY).state is State.APPLIED
    assert row.ring(asked.id).state is State.STALE
    stale = row.last(asked.id)
    assert isinstance(stale, Stale)
    assert stale.what.startswith(f"It would also run {fourth} now.")


def test_an_unobserved_environment_before_lets_an_approved_request_wait(
    row: Row, asked: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.neighbours.PATIENCE", timedelta(seconds=0.1))
    row.approve(asked.id)
    row.asleep.add("test")
    assert row.ring(asked.id).state is State.APPROVED
    refused = row.last(asked.id)
    assert isinstance(refused, Refused)
    assert refused.why.startswith(f"#{asked.id} did not start. production only gets what test has, and test was not ")
    row.asleep.clear()
    with a_bot(row, asked.id):
        assert row.ring(asked.id).state is State.APPLIED


def test_a_folder_with_later_files_brings_only_the_certified_ones(row: Row, asked: Request) -> None:
    later = row.file("20260101000000_later", "CREATE TABLE later ();\n")
    row.approve(asked.id, seen=False)
    with a_bot(row, asked.id):
        assert row.ring(asked.id).state is State.APPLIED
    assert row.history("production") == [FIRST, SECOND, THIRD]
    denied = row.last(row.do("production").id)
    assert isinstance(denied, Denied)
    assert later in denied.why
