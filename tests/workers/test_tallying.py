"""The end of a run stands in the environment too."""

from datetime import timedelta

import psycopg
import pytest

from engine import tallies
from engine.connection import open_session
from ledger import verification
from ledger.states import State
from tests.workers.row import Row
from workers import tallying


def kept(row: Row, name: str = "development") -> tuple[str, ...]:
    hands = row.hands(name)
    with open_session(hands.database, purpose="tests", limits=hands.limits) as session:
        return tallies.kept(session)


def test_a_run_leaves_its_end_in_the_environment(row: Row) -> None:
    assert kept(row) == ()
    request = row.do("development")
    assert request.state is State.APPLIED
    assert kept(row) == (str(row.ledger.tally(request.id)),)
    tallying.leave(row.hands("development"), request.id)
    assert len(kept(row)) == 1
    assert verification.of_ledger(row.ledger, kept=[row.ledger.tally(request.id)]).breaches == ()


def test_a_request_that_has_not_ended_leaves_nothing(row: Row) -> None:
    request, _ = row.ledger.open(row.wish("development"), expires_in=timedelta(hours=1), protected=False)
    tallying.leave(row.hands("development"), request.id)
    assert kept(row) == ()


def test_a_role_that_may_not_make_the_table_runs_all_the_same(row: Row, caplog: pytest.LogCaptureFixture) -> None:
    row.do("development")
    with psycopg.connect(row.dsn["development"], autocommit=True) as conn:
        conn.execute("DROP TABLE twokey_tallies; CREATE VIEW twokey_tallies AS SELECT 1 AS id")
    tallying.leave(row.hands("development"), 1)
    assert "#1: its end could not be left in development: " in caplog.text
