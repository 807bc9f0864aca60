"""How many would wait, and who really did."""

import json
import threading
from dataclasses import replace

import psycopg
import pytest

from engine.connection import open_session
from engine.rehearsal import forecast, traffic, watch
from engine.rehearsal.forecast import Forecast, Wait
from engine.rehearsal.receipt import File, Lock
from engine.rehearsal.traffic import Hindrance, Replica, Traffic
from engine.rehearsal.watch import Actual
from tests.engine.rehearsal.conftest import Shop
from tests.engine.rehearsal.test_receipt import seen
from tests.support.waiting import wait_for


def file(*locks: tuple[str, str, float]) -> File:
    found = tuple(Lock(relation, mode, 1, 0.0, seconds) for relation, mode, seconds in locks)
    return File("20250818130001_x", together=True, at=0.0, seconds=1.0, statements=(), locks=found, changes=())


FIRST = Traffic(100.0, {"public.users": 10}, {"public.users": 0}, {}, sessions=1000, connected=5000)
LAST = Traffic(
    110.0, {"public.users": 1010, "public.t": 5}, {"public.users": 200}, {"public.i": "public.users"}, 1000, 5000
)


@pytest.mark.parametrize(
    ("locks", "wait"),
    [
        ([("public.users", "ACCESS EXCLUSIVE", 0.5)], Wait("public.users", 0.5, 0.5, 60)),
        ([("public.users", "SHARE", 0.5)], Wait("public.users", 0.0, 0.5, 10)),
        (
            [("public.users", "SHARE ROW EXCLUSIVE", 2.0), ("public.users", "ACCESS EXCLUSIVE", 1.0)],
            Wait("public.users", 1.0, 2.0, 140),
        ),
        ([("public.i", "ACCESS EXCLUSIVE", 0.5), ("public.users", "SHARE", 1.0)], Wait("public.users", 0.5, 1.0, 70)),
        ([("public.users", "ROW EXCLUSIVE", 9.0), ("public.users", "SHARE UPDATE EXCLUSIVE", 9.0)], None),
    ],
)
def test_reads_wait_for_access_exclusive_alone_and_writes_from_share(
    locks: list[tuple[str, str, float]], wait: Wait | None
) -> None:
    said = forecast.of(seen(files=(file(*locks),)), FIRST, LAST)
    assert said.waits == ((wait,) if wait else ())
    assert (said.queries, said.longest) == ((wait.queries, wait.writes) if wait else (0, 0.0))
    assert said.sampled == 10.0


@pytest.mark.parametrize(
    ("seconds", "sessions", "connected", "queries"),
    [
        (8.0, (8, 8), (30, 30), 8),  # pgbench with 8 clients: whoever waits asks for nothing else
        (8.0, (8, 12), (30, 30), 12),
        (2.0, (8, 8), (30, 80), 18),  # five a second come to be, and wait too
        (0.05, (8, 8), (30, 30), 6),  # shorter than it takes all of them to ask
        (0.5, (8, 8), (None, None), 60),  # PostgreSQL 13 does not say who comes
        (0.5, (0, 0), (30, 30), 0),
    ],
)
def test_no_more_wait_than_have_a_session_or_come_to_have_one(
    seconds: float, sessions: tuple[int, int], connected: tuple[int | None, int | None], queries: int
) -> None:
    first, last = (
        replace(look, sessions=here, connected=ever)
        for look, here, ever in zip((FIRST, LAST), sessions, connected, strict=True)
    )
    said = forecast.of(seen(files=(file(("public.users", "ACCESS EXCLUSIVE", seconds)),)), first, last)
    assert (said.queries, said.waits[0].queries) == (queries, queries)


def test_a_session_waits_for_one_table_of_a_file() -> None:
    both = file(("public.users", "SHARE", 1.0), ("public.t", "ACCESS EXCLUSIVE", 1.0))
    last = replace(LAST, reads={"public.t": 200}, sessions=10)
    said = forecast.of(seen(files=(both,)), replace(FIRST, sessions=10), last)
    assert (said.queries, {one.relation: one.queries for one in said.waits}) == (
        10,
        {"public.t": 5, "public.users": 5},
    )


def test_two_files_bar_twice_but_nobody_waits_for_both() -> None:
    twice = (file(("public.users", "SHARE", 0.5)), file(("public.users", "SHARE", 2.0)))
    said = forecast.of(seen(files=twice), FIRST, LAST)
    assert said == Forecast(50, 2.0, 10.0, (Wait("public.users", 0.0, 2.5, 50),))
    hindrance = Hindrance("dump", 7, "ada", None, ("public.users",))
    whole = forecast.beside(said, [hindrance], [Replica("west", 10, None)])
    assert Forecast.from_json(json.loads(json.dumps(whole.as_json()))) == whole
    assert forecast.relations(seen(files=twice)) == ("public.users",)


def test_who_stands_in_the_way_is_named_without_a_word_of_what_they_do(shop: Shop) -> None:
    with psycopg.connect(shop.session.database.dsn, application_name="pg_dump") as dump:
        dump.execute("SELECT FROM users")
        with psycopg.connect(shop.session.database.dsn) as idle:
            idle.execute("SELECT FROM orders")
            found = traffic.hindrances(shop.session, ["public.users"])
            pids = dump.info.backend_pid, idle.info.backend_pid
    assert [(one.kind, one.pid, one.holds) for one in found] == [
        ("dump", pids[0], ("public.users",)),
        ("idle in transaction", pids[1], ()),
    ]
    assert all(one.seconds is not None for one in found)
    assert traffic.replicas(shop.session) == ()
    before = traffic.read(shop.session)
    assert before.tables["public.users_pkey"] == "public.users"
    with psycopg.connect(shop.session.database.dsn):
        assert traffic.read(shop.session).sessions == before.sessions + 1


def test_who_waits_for_a_run_is_seen_and_counted(shop: Shop) -> None:
    dsn = shop.session.database.dsn

    def reads() -> None:
        with psycopg.connect(dsn) as conn:
            conn.execute("SELECT FROM loose")

    with open_session(shop.session.database, purpose="twokey test") as run, watch.during(run) as watched:
        with run.conn.transaction():
            run.conn.execute("LOCK loose")
            reader = threading.Thread(target=reads)
            reader.start()
            wait_for(lambda: watched.actual.queries)
        reader.join()
    actual = watched.actual
    assert actual.queries == 1
    assert 0 < actual.longest < 10
    assert actual.looks > 0


def test_not_seeing_is_no_harm(shop: Shop) -> None:
    away = replace(shop.session, database=replace(shop.session.database, dsn="postgresql://ada@127.0.0.1:1/nowhere"))
    with watch.during(away) as watched:
        pass
    assert watched.actual == Actual(0, 0.0, 0)
