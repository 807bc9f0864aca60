"""Up, down, up, with rows in every table: what the way back of a migration is worth."""

import psycopg
import pytest

from engine import roundtrip
from engine.connection import Limits
from engine.files import Migration
from engine.roundtrip import Result, Trip
from engine.scratch import NotReplayed, Server
from engine.statements import Forbidden
from playground.embedded import Postgres
from tests.support.engine import migration

IDS = [f"2025010{day}000000_m{day}" for day in range(1, 8)]


@pytest.fixture
def server(postgres: Postgres) -> Server:
    return Server(postgres.url(), on_protected_server=True)


def files(*ways: tuple[str, str | None] | str) -> list[Migration]:
    found = []
    for id_, way in zip(IDS, ways, strict=False):
        up, down = (way, None) if isinstance(way, str) else way
        found.append(
            migration(id_, f"-- migrate:up\n{up};\n" + ("" if down is None else f"-- migrate:down\n{down};\n"))
        )
    return found


def run(server: Server, *ways: tuple[str, str | None] | str) -> Result:
    return roundtrip.run(server, files(*ways), limits=Limits())


def test_each_migration_has_its_class(server: Server) -> None:
    result = run(
        server,
        ("CREATE TABLE users (id int PRIMARY KEY, name text NOT NULL)", "DROP TABLE users"),
        ("CREATE INDEX users_name ON users (name)", "DROP INDEX users_name"),
        ("ALTER TABLE users ADD age int", "ALTER TABLE users DROP age"),
        ("ALTER TABLE users DROP COLUMN name", "ALTER TABLE users ADD name text NOT NULL DEFAULT 'x'"),
        ("DELETE FROM users", "SELECT 1"),
        ("CREATE VIEW v AS SELECT id FROM users", None),
        ("CREATE TABLE posts (u int REFERENCES users); CREATE INDEX extra ON users (age)", "DROP TABLE posts"),
    )
    assert [(one.verdict, one.loses) for one in result.trips] == [
        ("loses", ("the rows of public.users",)),
        ("lossless", ()),
        ("loses", ("the values of public.users.age",)),
        ("broken", ("the values of public.users.name",)),
        ("loses", ("the rows of public.users",)),
        ("irreversible", ()),
        ("broken", ()),
    ]
    assert result.unfilled == ()


def test_what_a_way_back_leaves_behind_or_forgets_is_named_object_by_object(server: Server) -> None:
    (first, second) = run(
        server,
        ("CREATE TABLE t (a int); CREATE SEQUENCE s", "DROP TABLE t"),
        ("ALTER TABLE t ADD b int", "SELECT 1"),
    ).trips[:2]
    assert first.verdict == "broken"
    assert first.why == f'{IDS[0]}.sql failed on its way up (42P07): relation "s" already exists.'
    assert second.verdict == "broken"
    assert second.why == f'{IDS[1]}.sql failed on its way up (42701): column "b" of relation "t" already exists.'


def test_another_schema_after_up_and_down_is_broken(server: Server) -> None:
    first = ("CREATE TABLE t (a int)", "DROP TABLE t")
    (_, trip) = run(server, first, ("ALTER TABLE t ALTER a TYPE bigint", "ALTER TABLE t ALTER a TYPE smallint")).trips
    assert (trip.verdict, trip.why) == ("broken", "After up and down the schema is not what it was (there).")
    assert [one.sentence for one in trip.differences] == ["column public.t.a is smallint, there it is integer"]


def test_a_second_way_up_that_makes_another_schema_is_broken(server: Server) -> None:
    up = "DO $$ BEGIN CREATE SEQUENCE once; EXCEPTION WHEN duplicate_table THEN CREATE SEQUENCE twice; END $$"
    (trip,) = run(server, (up, "SELECT 1")).trips
    assert (trip.verdict, trip.why) == ("broken", "After up and down the schema is not what it was (there).")
    named = "quote_ident('t' || (SELECT last_value FROM s))"
    odd = f"DO $$ BEGIN EXECUTE 'CREATE TABLE ' || {named} || ' ()'; PERFORM nextval('s'), nextval('s'); END $$"
    down = "DO $$ BEGIN EXECUTE (SELECT 'DROP TABLE ' || relname FROM pg_class WHERE relname ~ '^t[0-9]$'); END $$"
    trip = run(server, ("CREATE SEQUENCE s", "DROP SEQUENCE s"), (odd, down)).trips[1]
    assert (trip.verdict, trip.why) == ("broken", "The second way up made another schema (there).")


def test_a_way_down_that_fails_is_broken_and_the_next_still_has_its_turn(server: Server) -> None:
    result = run(server, ("CREATE TABLE t (a int)", "DROP TABLE nothing"), ("CREATE INDEX i ON t (a)", "DROP INDEX i"))
    assert result.trips == (
        Trip(IDS[0], "broken", why=f'{IDS[0]}.sql failed on its way down (42P01): table "nothing" does not exist.'),
        Trip(IDS[1], "lossless"),
    )


def test_what_rows_of_ours_keep_from_running_is_tried_on_empty_tables(server: Server) -> None:
    result = run(
        server,
        ("CREATE TABLE t (a text)", "DROP TABLE t"),
        ("ALTER TABLE t ADD CHECK (a = 'one')", "ALTER TABLE t DROP CONSTRAINT t_a_check"),
    )
    trip = result.trips[1]
    assert (trip.verdict, trip.why) == (
        "lossless",
        (
            f"It ran on empty tables alone: {IDS[1]}.sql failed on its way up (23514): "
            'check constraint "t_a_check" of relation "t" is violated by some row.'
        ),
    )
    assert result.unfilled == ()  # a may be nothing


def test_a_table_that_takes_no_row_is_named(server: Server) -> None:
    result = run(server, ("CREATE TABLE t (a text NOT NULL CHECK (a = 'one'))", "DROP TABLE t"))
    assert result.trips[0].verdict == "lossless"
    assert result.unfilled == (("public.t", "23514"),)


def test_rows_are_made_for_every_type_that_is_known(server: Server) -> None:
    kinds = (
        "smallint bigint numeric(6,2) real float8 money text varchar(3) char(2) bool date timestamp timestamptz time "
        "interval uuid json jsonb bytea inet tsvector int[] mood positive"
    )
    columns = ", ".join(f"c{place} {kind} NOT NULL" for place, kind in enumerate(kinds.split()))
    result = run(
        server,
        (
            "; ".join(
                (
                    "CREATE TYPE mood AS ENUM ('ok')",
                    "CREATE DOMAIN positive AS int CHECK (VALUE > 0)",
                    f"CREATE TABLE parent (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, {columns}, box box)",
                    "ALTER TABLE parent ADD twice int GENERATED ALWAYS AS (c23 * 2) STORED",
                    "CREATE TABLE none ()",
                    "CREATE TABLE child (id serial PRIMARY KEY, p bigint NOT NULL REFERENCES parent)",
                    "ALTER TABLE child ADD me int REFERENCES child",
                    "CREATE TABLE parts (k int NOT NULL) PARTITION BY RANGE (k)",
                    "CREATE TABLE part PARTITION OF parts FOR VALUES FROM (0) TO (100)",
                )
            ),
            "DROP TABLE parts, child, none, parent; DROP DOMAIN positive; DROP TYPE mood",
        ),
    )
    assert result.unfilled == ()
    assert result.trips[0].loses == tuple(f"the rows of public.{name}" for name in ("child", "none", "parent", "parts"))


def apart(server: Server, index: str, down: str) -> Trip:
    """The trip of an index that is built apart from transactions, on a table with rows."""
    text = f"-- migrate:up transaction:false\nCREATE {index} CONCURRENTLY i ON t ((a IS NULL));\n{down}"
    first = files(("CREATE TABLE t (a int)", "DROP TABLE t"))
    return roundtrip.run(server, [*first, migration(IDS[1], text)], limits=Limits()).trips[1]


def test_a_file_apart_from_transactions_makes_the_trip_too(server: Server) -> None:
    assert apart(server, "INDEX", "-- migrate:down\nDROP INDEX i;\n") == Trip(IDS[1], "lossless")


def test_a_way_down_that_no_rollback_runs_is_none(server: Server) -> None:
    down = "-- migrate:down transaction:false\nDROP INDEX CONCURRENTLY i;\n"
    why = "It has a way down that is not one transaction, which no rollback runs."
    assert apart(server, "INDEX", down) == Trip(IDS[1], "irreversible", why=why)


def test_what_a_file_apart_left_behind_on_our_rows_does_not_keep_it_from_running_on_none(server: Server) -> None:
    bare = (
        f'It ran on empty tables alone: {IDS[1]}.sql failed on its way up (23505): could not create unique index "i".'
    )
    assert apart(server, "UNIQUE INDEX", "-- migrate:down\nDROP INDEX i;\n") == Trip(IDS[1], "lossless", why=bare)
    lacking = f"It has no `-- migrate:down` section. {bare}"
    assert apart(server, "UNIQUE INDEX", "") == Trip(IDS[1], "irreversible", why=lacking)


def test_what_does_not_run_at_all_is_refused(server: Server, postmaster: psycopg.Connection) -> None:
    with pytest.raises(NotReplayed) as caught:
        run(server, "SELECT nope")
    assert str(caught.value) == (
        f"The migrations do not run on an empty database: {IDS[0]}.sql failed on its way up (42703): "
        'column "nope" does not exist.'
    )
    with pytest.raises(Forbidden):
        run(server, "CREATE DATABASE d")
    left = postmaster.execute("SELECT datname FROM pg_database WHERE datname LIKE 'twokey_scratch_roundtrip%'")
    assert left.fetchall() == []
