"""What a receipt says of files that are no transaction, of parents, renames, partitions and samples."""

from datetime import timedelta

import pytest

from engine import rehearsal
from engine.connection import Limits
from engine.rehearsal import Bench, RehearsalFailed, restored
from engine.rehearsal.receipt import Change, Rows
from engine.restore import Source
from tests.engine.rehearsal.conftest import NOW, Shop
from tests.support.engine import TOOLS


def test_a_statement_apart_from_transactions_is_watched_while_it_runs(shop: Shop, untouched: None) -> None:
    slow = "CREATE FUNCTION slow(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 FROM pg_sleep(0.02)'"
    apart = (
        "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY i ON users (slow(id));\nUPDATE loose SET owner = 2;"
    )
    seen = shop.rehearse(slow, apart + "\nVACUUM FULL loose;\n-- migrate:down\nDROP INDEX i;").receipt
    file = seen.files[1]
    assert not file.together
    assert [(one.tag, one.rewrites) for one in file.statements] == [
        ("CREATE INDEX", ()),
        ("UPDATE", ()),
        ("VACUUM", ("public.loose",)),
    ]
    locks = {(one.relation, one.mode, one.number) for one in file.locks}
    assert {("public.users", "SHARE UPDATE EXCLUSIVE", 1), ("public.loose", "ROW EXCLUSIVE", 2)} <= locks
    assert all(one.seconds <= file.seconds for one in file.locks)
    assert file.changes == (Change("public.loose", 0, 2, 0, 0),)


def test_an_index_that_is_left_invalid_fails(shop: Shop, untouched: None) -> None:
    apart = "-- migrate:up transaction:false\nCREATE UNIQUE INDEX CONCURRENTLY i ON orders ((owner > 0));"
    with pytest.raises(RehearsalFailed) as caught:
        shop.rehearse(apart)
    assert (caught.value.failure.sqlstate, caught.value.failure.line) == ("23505", 2)


def test_a_parent_that_is_locked_beside_the_table_that_is_named(shop: Shop, untouched: None) -> None:
    seen = shop.rehearse("ALTER TABLE orders DROP CONSTRAINT orders_owner_fkey; SELECT pg_sleep(0.05);").receipt
    (lock,) = (one for one in seen.files[0].locks if one.relation == "public.users")
    assert lock.mode == "ACCESS EXCLUSIVE"
    assert 0.05 <= lock.seconds <= seen.seconds  # it is held through what comes after


def test_rows_keep_their_table_through_a_rename_and_their_parent_through_partitions(
    shop: Shop, untouched: None
) -> None:
    seen = shop.rehearse(
        "ALTER TABLE loose RENAME TO found; INSERT INTO found VALUES (3);",
        "CREATE TABLE parts (k int) PARTITION BY RANGE (k); "
        "CREATE TABLE part PARTITION OF parts FOR VALUES FROM (0) TO (9);",
        "INSERT INTO parts VALUES (1), (2); DROP TABLE audit; CREATE TABLE audit AS SELECT 1 AS a;",
    ).receipt
    assert {one for one in seen.rows if one.before != one.after} == {
        Rows("public.found", 2, 3),
        Rows("public.part", None, 2),
        Rows("public.audit", 0, 1),
    }
    assert seen.unnamed == ()


def test_what_holds_only_at_the_commit_fails_without_a_statement(shop: Shop, untouched: None) -> None:
    key = "FOREIGN KEY (owner) REFERENCES users DEFERRABLE INITIALLY DEFERRED NOT VALID"
    with pytest.raises(RehearsalFailed) as caught:
        shop.rehearse(f"ALTER TABLE loose ADD {key};", "INSERT INTO loose VALUES (77);")
    assert (caught.value.number, caught.value.failure.sqlstate, caught.value.failure.line) == (0, "23503", None)
    assert str(caught.value).startswith("20250202000000_m2.sql failed in rehearsal on a copy of production (23503): ")


def test_a_statement_that_takes_too_long_fails(shop: Shop, untouched: None) -> None:
    bench = Bench(shop.server, rehearsal.likeness(shop.session))
    short = Limits(statement_timeout=timedelta(milliseconds=300))
    with pytest.raises(RehearsalFailed) as caught:
        rehearsal.rehearse(shop.plan("SELECT pg_sleep(1);"), Source(shop.backup, TOOLS), bench, limits=short, now=NOW)
    assert caught.value.failure.sqlstate == "57014"


def test_a_copy_may_be_the_schema_and_a_sample(shop: Shop, untouched: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restored, "SAMPLE", 3)
    bench = Bench(shop.server, rehearsal.likeness(shop.session), extent="schema")
    drawn = shop.plan("ALTER TABLE users ADD n int;")
    seen = rehearsal.rehearse(drawn, Source(shop.backup, TOOLS), bench, limits=Limits(), now=NOW).receipt
    assert seen.extent == "schema"
    held = {one.table: one.before for one in seen.rows}
    assert held == {"public.users": 3, "public.loose": 2, "public.orders": 0, "public.audit": 0}
