"""Who is in the way is named; what passes is tried again, and nothing for ever."""

import re
from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest

from engine import contention
from engine.connection import Database, Limits, Session, open_session
from engine.failure import _next_step
from engine.report import Blocked, Blocker, MigrationDone, Step, TriedAgain
from tests.support.engine import bring, migration

A, B = "20250101000000_a", "20250102000000_b"
SHORT = Limits(lock_timeout=timedelta(milliseconds=60))


@pytest.fixture
def hurried(development: Database) -> Iterator[Session]:
    """A session that waits for a lock for 60 ms."""
    with open_session(development, purpose="x", limits=SHORT) as session:
        yield session


def test_a_lock_that_is_never_let_go_stops_the_run_and_names_who_holds_it(
    development: Database, hurried: Session
) -> None:
    heard: list[Step] = []
    with psycopg.connect(development.dsn) as other:
        other.execute("SELECT pg_advisory_xact_lock(4), 'card 4111'")
        texts = [migration(A, "SELECT 1"), migration(B, "SELECT pg_advisory_xact_lock(4)")]
        ended = bring(hurried, texts, tell=heard.append)
        pid = other.info.backend_pid
    assert [one.id for one in ended.done] == [A]
    assert ended.failure
    sentence = ended.failure.sentence
    assert re.fullmatch(
        rf"{B}\.sql:1 failed on development \(55P03\): canceling statement due to lock timeout\. It was rolled back"
        rf" whole\. It was tried 5 times\. In its way: pid {pid} \(role postgres, in its transaction for \d+ s, its"
        r" statement"
        r" begun at \d\d:\d\d:\d\d UTC\)\.",
        sentence,
    )
    assert "4111" not in sentence
    assert [step.number for step in heard if isinstance(step, TriedAgain)] == [2, 3, 4, 5]
    blocked = next(step for step in heard if isinstance(step, Blocked))
    assert (blocked.id, [one.pid for one in blocked.by]) == (B, [pid])


def test_a_lock_that_is_let_go_in_time_is_waited_for(development: Database, hurried: Session) -> None:
    heard: list[Step] = []
    with psycopg.connect(development.dsn) as other:
        other.execute("SELECT pg_advisory_xact_lock(4)")

        def tell(step: Step) -> None:
            heard.append(step)
            if isinstance(step, TriedAgain):
                other.rollback()

        ended = bring(hurried, [migration(A, "SELECT pg_advisory_xact_lock(4)")], tell=tell)
    assert ended.failure is None
    assert any(isinstance(step, TriedAgain) for step in heard)
    assert [step.id for step in heard if isinstance(step, MigrationDone)] == [A]


@pytest.mark.parametrize(("sqlstate", "tries"), [("40001", 5), ("40P01", 5), ("22012", 1)])
def test_only_what_passes_is_tried_again(hurried: Session, sqlstate: str, tries: int) -> None:
    heard: list[Step] = []
    text = f"DO $$ BEGIN RAISE 'x' USING ERRCODE = '{sqlstate}'; END $$"
    ended = bring(hurried, [migration(A, text)], tell=heard.append)
    assert ended.failure
    assert ended.failure.sentence.endswith(" It was tried 5 times." if tries == 5 else "It was rolled back whole.")
    assert len([step for step in heard if isinstance(step, TriedAgain)]) == tries - 1


def test_a_pause_grows_has_jitter_and_ends(session: Session) -> None:
    pauses = [[contention.pause(session, tries) for _ in range(50)] for tries in (1, 2, 3, 4)]
    for tries, some in enumerate(pauses):
        assert 1 * 2**tries <= min(some) <= max(some) <= min(3 * 2**tries, 15)
        assert len(set(some)) > 1 or max(some) == 15


def test_a_blocker_is_a_phrase_of_what_may_be_known() -> None:
    assert str(Blocker(4711, "app", 95.2, "14:03:07")) == (
        "pid 4711 (role app, in its transaction for 95 s, its statement begun at 14:03:07 UTC)"
    )
    assert str(Blocker(4711, "autovacuum worker", None, None)) == "pid 4711 (role autovacuum worker)"


def test_a_serialization_failure_has_its_way_out(session: Session) -> None:
    assert _next_step(session, A, ran=False, sqlstate="40001") == (
        "It met another transaction's changes. Wait until that ends, then apply development again."
    )
