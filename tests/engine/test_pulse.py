"""How a database fares: what its server counts, and who waits there."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from engine import pulse
from engine.connection import Session
from tests.support.waiting import wait_for


def hold(dsn: str, first: str, then: str, *, of: str = "someone") -> None:
    """One transaction that takes two locks, with a nap in which another may take them in the other order."""
    with psycopg.connect(dsn, application_name=of) as conn:
        conn.execute("SET deadlock_timeout = '20ms'")
        conn.execute(f"LOCK TABLE {first}".encode())
        conn.execute("SELECT pg_sleep(0.2)")
        conn.execute(f"LOCK TABLE {then}".encode())


def test_deadlocks_and_what_was_rolled_back_are_counted(session: Session) -> None:
    session.conn.execute("CREATE TABLE one (); CREATE TABLE two ()")
    before = pulse.take(session)
    with ThreadPoolExecutor() as pool:
        both = [pool.submit(hold, session.database.dsn, *order) for order in (("one", "two"), ("two", "one"))]
        assert sorted(type(one.exception()).__name__ for one in both) == ["DeadlockDetected", "NoneType"]
    wait_for(lambda: pulse.take(session).deadlocks > before.deadlocks)
    wait_for(lambda: pulse.take(session).rollbacks > before.rollbacks)
    after = pulse.take(session)
    assert (after.since, after.deadlocks) == (before.since, before.deadlocks + 1)
    assert after.commits > before.commits


@pytest.mark.parametrize(("of", "waiting"), [("someone", 1), ("twokey backup", 0)])
def test_who_waits_for_a_lock_is_counted_but_for_ourselves(session: Session, of: str, waiting: int) -> None:
    session.conn.execute("CREATE TABLE one (); CREATE TABLE two ()")
    dsn = session.database.dsn
    with psycopg.connect(dsn) as holder, ThreadPoolExecutor() as pool:
        holder.execute("LOCK TABLE one")
        waits = pool.submit(hold, dsn, "one", "two", of=of)
        wait_for(lambda: session.conn.execute("SELECT FROM pg_locks WHERE NOT granted").fetchone() is not None)
        assert pulse.take(session).waiting == waiting
        holder.rollback()
        waits.result()
