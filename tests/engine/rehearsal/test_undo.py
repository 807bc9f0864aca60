"""What the way back of a plan is worth on these very rows."""

from engine.rehearsal.receipt import Receipt
from tests.engine.rehearsal.conftest import Shop

WAYS = "-- migrate:up\n{}\n-- migrate:down\n{}\n"


def undo(shop: Shop, *ways: tuple[str, str]) -> Receipt:
    return shop.rehearse(*(WAYS.format(*way) for way in ways)).receipt


def test_each_way_back_has_its_class(shop: Shop, untouched: None) -> None:
    seen = undo(
        shop,
        ("CREATE INDEX i ON users (email);", "DROP INDEX i;"),
        ("ALTER TABLE users ALTER id TYPE bigint;", "ALTER TABLE users ALTER id TYPE int;"),
        ("ALTER TABLE users ADD n int;", "ALTER TABLE users DROP n;"),
        ("CREATE TABLE fresh (a int);", "DROP TABLE fresh;"),
        ("INSERT INTO loose VALUES (5);", "SELECT 1;"),
        ("UPDATE loose SET owner = 100 - owner WHERE owner <> 5;", "SELECT 1;"),  # 1 and 99 change places
        ("DO $$BEGIN UPDATE orders SET note = 'x'; END$$;", "SELECT 1;"),
        ("ALTER TABLE orders DROP note;", "ALTER TABLE orders ADD note text;"),
    )
    assert [(one.verdict, one.loses) for one in seen.trips] == [
        ("lossless", ()),
        ("lossless", ()),
        ("loses", ("the values of public.users.n",)),
        ("loses", ("the rows of public.fresh",)),
        ("loses", ("which rows public.loose had",)),
        ("lossless", ()),
        ("loses", ("the rows of public.orders",)),  # it does not name it, so nothing was kept to compare with
        ("loses", ("the values of public.orders.note",)),
    ]


def test_values_that_only_change_places_between_rows_are_lost(shop: Shop, untouched: None) -> None:
    swapped = "UPDATE users SET email = CASE id WHEN 1 THEN 'a2' ELSE 'a1' END WHERE id < 3;"
    assert undo(shop, (swapped, "SELECT 1;")).loses == ("which rows public.users had",)


def test_the_way_back_stops_where_one_has_none(shop: Shop, untouched: None) -> None:
    seen = undo(shop, ("CREATE INDEX i ON users (email);", "DROP INDEX i;"), ("CREATE TABLE t (a int);", "SELECT 1;"))
    first, second = seen.trips
    assert (second.verdict, second.why) == ("broken", "After up and down the schema is not what it was (there).")
    assert [one.sentence for one in second.differences] == ["table public.t is here and not there"]
    assert (first.verdict, first.why) == (
        "irreversible",
        "20250202000000_m2.sql comes after it and has no way back that works.",
    )


def test_a_way_down_that_no_rollback_runs_is_none(shop: Shop, untouched: None) -> None:
    apart = "-- migrate:up\nCREATE INDEX i ON users (email);\n-- migrate:down transaction:false\nDROP INDEX i;\n"
    (trip,) = shop.rehearse(apart).receipt.trips
    assert (trip.verdict, trip.why) == (
        "irreversible",
        f"{trip.id}.sql has a way down that is not one transaction, which no rollback runs",
    )


def test_a_second_way_up_that_is_refused_breaks_it(shop: Shop, untouched: None) -> None:
    once = "DO $$BEGIN IF EXISTS (SELECT FROM loose WHERE owner = 3) THEN RAISE SQLSTATE '22000'; END IF; END$$;"
    seen = undo(shop, (f"{once} INSERT INTO loose VALUES (3);", "SELECT 1;"))
    assert seen.undo == "broken"
    assert "failed on its way up (22000)" in str(seen.trips[0].why)
