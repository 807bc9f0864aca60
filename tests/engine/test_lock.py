"""One run at a time, and who waits is told who holds the lock."""

import re
from datetime import timedelta

import pytest

from engine import errors, lock
from engine.connection import Database, Session, open_session
from engine.report import Step, Waiting


def test_the_second_is_told_who_holds_it_and_gives_up(session: Session, development: Database) -> None:
    heard: list[Step] = []
    with (
        lock.only_one(session),
        open_session(development, purpose="x") as other,
        pytest.raises(errors.EnvironmentBusy) as caught,
        lock.only_one(other, wait=timedelta(seconds=0.3), tell=heard.append),
    ):
        raise AssertionError
    holder = rf"twokey test \(pid {session.conn.info.backend_pid}, since \d\d:\d\d:\d\d UTC\)"
    (step,) = heard
    assert isinstance(step, Waiting)
    assert re.fullmatch(holder, step.holder)
    assert re.fullmatch(
        rf"development is busy: {holder} still holds it after 0 s\. "
        r"Nothing was changed\. Ask again when that run has ended\.",
        str(caught.value),
    )


def test_the_second_gets_it_when_the_first_lets_go(session: Session, development: Database) -> None:
    with open_session(development, purpose="x") as other:
        first = lock.only_one(session)
        first.__enter__()

        def let_go(_: Step) -> None:
            first.__exit__(None, None, None)

        with lock.only_one(other, wait=timedelta(seconds=5), tell=let_go):
            lock.check(other)


def test_a_session_that_died_has_let_go(development: Database) -> None:
    with (
        pytest.raises(errors.ConnectionLost),
        open_session(development, purpose="x") as doomed,
        lock.only_one(doomed),
    ):
        doomed.conn.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    with open_session(development, purpose="x") as other, lock.only_one(other, wait=timedelta(seconds=5)):
        pass


def test_a_holder_is_called_what_is_known_of_it(session: Session, development: Database) -> None:
    assert lock._holder(session) == "a run that just ended"
    with open_session(development, purpose="") as other, lock.only_one(other):
        assert lock._holder(session).startswith(f"a session (pid {other.conn.info.backend_pid}, since ")


def test_a_session_without_the_lock_is_told(session: Session) -> None:
    with pytest.raises(errors.LockNotHeld) as caught:
        lock.check(session)
    assert str(caught.value) == (
        "The lock of development is not held by this session, so nothing runs. "
        "If a pooler such as PgBouncer stands between, point the address at the server itself."
    )


def test_a_lock_that_was_lost_inside_is_noticed_at_the_end(session: Session) -> None:
    with pytest.raises(errors.LockNotHeld), lock.only_one(session):
        session.conn.execute("SELECT pg_advisory_unlock_all()")
