"""What a linter cannot see: each hazard that the live catalog tells, with its sentence, beside what tells nothing."""

import pytest

from engine import catalog, plan
from engine.connection import Session
from engine.hazards import BY_FIGURES, Hazard, types
from tests.engine.hazards.conftest import Found, flush_statistics, hazards_of
from tests.support.engine import draw, migration


def said(hazards: list[Hazard], name: str) -> list[str]:
    return [hazard.sentence for hazard in hazards if hazard.name == name]


def figures(session: Session, table: str) -> str:
    return next(one.figures for one in catalog.read(session).relations.values() if one.name == table)


def test_a_file_names_every_relation_it_locks_and_the_mode(found: Found, shop: Session) -> None:
    hazards = found(
        "SELECT 1;\nALTER TABLE lines ADD FOREIGN KEY (n) REFERENCES customers (id);\nALTER TABLE lines ADD x int;"
    )
    assert said(hazards, "takes_locks") == [
        (
            f"locks lines [{figures(shop, 'lines')}] in ACCESS EXCLUSIVE (reads and writes wait) "
            f"and customers [{figures(shop, 'customers')}] in SHARE ROW EXCLUSIVE (reads go on, writes wait) "
            "until it commits. Run it when nothing long runs there: while it waits, others queue behind it."
        )
    ]
    assert {hazard.line for hazard in hazards} == {2}


def test_what_the_file_made_itself_is_no_lock(found: Found) -> None:
    assert found("CREATE TABLE new (id int); ALTER TABLE new ADD x int; DROP TABLE new") == []
    assert found("COMMENT ON TABLE orders IS 'x'; UPDATE orders SET total = 1 WHERE id = 1") == []


def test_a_dropped_table_is_told_with_its_rows_and_what_goes_with_it(found: Found, shop: Session) -> None:
    rows = figures(shop, "orders")
    assert rows.startswith("about 1,000 rows, ")
    assert said(found("DROP TABLE orders CASCADE"), "drops_table") == [
        (
            f"drops the table orders with every row ({rows}) and, by CASCADE, the view big, the view totals, "
            "the view bigger, the foreign key lines_order of lines. "
            "Rename it first and drop it a release later, when nothing reads it."
        )
    ]
    assert "CASCADE" not in said(found("DROP TABLE lines CASCADE"), "drops_table")[0]


def test_a_dropped_column_is_told_with_its_rows(found: Found, shop: Session) -> None:
    assert said(found("ALTER TABLE orders DROP COLUMN total"), "drops_column") == [
        (
            f"drops the column total of orders with every value in it ({figures(shop, 'orders')}). "
            "Release code that no longer reads it first."
        )
    ]


def test_truncate_cascade_names_what_it_reaches(found: Found, shop: Session) -> None:
    assert said(found("TRUNCATE customers CASCADE"), "truncates") == [
        (
            f"empties customers of all rows ({figures(shop, 'customers')}) and, by CASCADE, also "
            f"orders ({figures(shop, 'orders')}), lines ({figures(shop, 'lines')}). "
            "Delete the rows you mean by their keys instead."
        )
    ]


def test_a_table_nobody_counted_says_so(found: Found, shop: Session) -> None:
    shop.conn.execute("CREATE TABLE fresh (id int)")
    assert "fresh with every row (" in said(found("DROP TABLE fresh"), "drops_table")[0]


REWRITES = [
    ("ALTER TABLE orders ALTER total TYPE text", True),
    ("ALTER TABLE orders ALTER total TYPE numeric(14,2)", False),
    ("ALTER TABLE orders ALTER total TYPE numeric", False),
    ("ALTER TABLE orders ALTER total TYPE numeric(12,3)", True),
    ("ALTER TABLE orders ALTER customer TYPE bigint", True),
    ("ALTER TABLE customers ALTER name TYPE varchar(40)", False),
    ("ALTER TABLE customers ALTER name TYPE text", False),
    ("ALTER TABLE customers ALTER name TYPE varchar", False),
    ("ALTER TABLE customers ALTER name TYPE varchar(10)", True),
    ("ALTER TABLE customers ALTER note TYPE varchar", False),
    ("ALTER TABLE customers ALTER note TYPE varchar(10)", True),
    ("ALTER TABLE customers ALTER born TYPE date", True),
    ("ALTER TABLE customers ALTER born TYPE timestamp(3)", True),
    ("ALTER TABLE customers ADD x uuid DEFAULT gen_random_uuid()", True),
    ("ALTER TABLE customers ADD x timestamptz DEFAULT now()", False),
    ("ALTER TABLE customers ADD x int DEFAULT 5 NOT NULL", False),
    ("ALTER TABLE customers ADD x bigserial", True),
    ("ALTER TABLE customers ADD x int GENERATED ALWAYS AS IDENTITY", True),
    ("ALTER TABLE customers ADD x int GENERATED ALWAYS AS (code * 2) STORED", True),
    ("ALTER TABLE lines SET UNLOGGED", True),
    ("CLUSTER orders USING orders_customer", True),
]


@pytest.mark.parametrize(("sql", "rewritten"), REWRITES)
def test_what_is_said_to_write_a_table_anew_does(found: Found, shop: Session, sql: str, rewritten: bool) -> None:
    shop.conn.execute("DROP VIEW bigger, big; DROP MATERIALIZED VIEW totals; INSERT INTO lines (n) VALUES (1)")
    names = {hazard.name for hazard in found(sql)}
    table = sql.split()[1] if sql.startswith("CLUSTER") else sql.split()[2]
    node = f"SELECT relfilenode FROM pg_class WHERE relname = '{table}'"
    before = shop.conn.execute(node.encode()).fetchone()
    with shop.conn.transaction(force_rollback=True):
        shop.conn.execute(sql.encode())
        after = shop.conn.execute(node.encode()).fetchone()
    assert bool(names & {"rewrites_table", "changes_column_type"}) == rewritten == (before != after)


def test_a_rewrite_is_told_with_its_size(found: Found, shop: Session) -> None:
    rows = figures(shop, "orders")
    assert said(found("ALTER TABLE orders ADD x uuid DEFAULT gen_random_uuid()"), "rewrites_table") == [
        (
            f"writes the whole table orders anew ({rows}) while nobody can read it: "
            "the column x has a default that differs from row to row (gen_random_uuid). "
            "Run it while the table is quiet, or split it into small steps."
        )
    ]
    assert said(found("ALTER TABLE orders ADD x int DEFAULT ours()"), "rewrites_table") == [
        (
            f"may write the whole table orders anew ({rows}) while nobody can read it: "
            "the column x has a default that may differ from row to row (ours). "
            "Run it while the table is quiet, or split it into small steps."
        )
    ]
    assert said(found("ALTER TABLE orders ALTER customer TYPE bigint"), "changes_column_type") == [
        (
            f"changes the type of orders.customer from integer to bigint, which writes the whole table anew ({rows}) "
            "while nobody can read it. On a large table add a new column, fill it in batches and switch over."
        )
    ]


def test_a_type_with_less_room_is_told(found: Found, shop: Session) -> None:
    assert said(found("ALTER TABLE customers ALTER born TYPE date"), "narrows_column_type") == [
        (
            f"narrows customers.born from timestamp without time zone to date ({figures(shop, 'customers')}): "
            "the time of day is gone. Look for such values first, and keep the old column until nobody misses them."
        )
    ]


@pytest.mark.parametrize(
    ("old", "new", "lost"),
    [
        ("bigint", "integer", "a value that is too large fails the migration"),
        ("integer", "bigint", None),
        ("double precision", "real", "digits are rounded away"),
        ("numeric", "integer", "fractions are rounded away, and a value that is too large fails the migration"),
        ("numeric(12,2)", "numeric(10,2)", "a value that is too large fails the migration"),
        (
            "numeric(12,2)",
            "numeric(12,1)",
            "digits behind the point are rounded away, and a value that is too large fails the migration",
        ),
        ("numeric(12,2)", "numeric(14,2)", None),
        ("integer", "numeric(10,0)", None),
        ("text", "character varying(5)", "a longer value fails the migration, or is cut off where USING casts it"),
        ("character varying(5)", "character varying(9)", None),
        ("timestamp with time zone", "time without time zone", "the date is gone"),
        ("jsonb", "json", None),
    ],
)
def test_how_types_narrow(old: str, new: str, lost: str | None) -> None:
    assert types.narrows(old, new) == lost


def test_an_invalid_index_of_an_earlier_attempt_is_named(found: Found, shop: Session) -> None:
    shop.conn.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'orders_customer'::regclass")
    start = (
        "meets orders_customer, an invalid index of orders that an earlier attempt left: "
        "it slows down every write and answers no query"
    )
    end = ". Drop it first: DROP INDEX CONCURRENTLY orders_customer."
    for sql, more in (
        ("CREATE INDEX other ON orders (total)", ""),
        ("CREATE INDEX orders_customer ON orders (customer)", ", and the statement fails"),
        ("CREATE INDEX IF NOT EXISTS orders_customer ON orders (customer)", ", and IF NOT EXISTS skips the statement"),
    ):
        hazards = found(sql)
        assert said(hazards, "meets_invalid_index") == [start + more + end]
        assert said(hazards, "if_not_exists_skips") == []


@pytest.mark.parametrize(
    ("sql", "what"),
    [
        ("CREATE TABLE IF NOT EXISTS orders (id int)", "the table orders"),
        ("CREATE TABLE IF NOT EXISTS orders AS SELECT 1", "the relation orders"),
        ("CREATE INDEX IF NOT EXISTS orders_customer ON orders (total)", "the index orders_customer"),
        ("CREATE SEQUENCE IF NOT EXISTS orders_id_seq", "the sequence orders_id_seq"),
        ("CREATE SCHEMA IF NOT EXISTS public", "the schema public"),
        ("ALTER TABLE orders ADD COLUMN IF NOT EXISTS total text", "the column total of orders"),
    ],
)
def test_if_not_exists_over_something_that_is_there_is_told(found: Found, sql: str, what: str) -> None:
    assert said(found(sql), "if_not_exists_skips") == [
        (
            f"skips {what}, which is there already, perhaps not as written here. "
            "Compare the two, and leave IF NOT EXISTS out so that the next surprise is an error."
        )
    ]


def test_if_not_exists_over_nothing_is_nothing(found: Found) -> None:
    assert said(found("CREATE TABLE IF NOT EXISTS elsewhere (id int); CREATE SCHEMA IF NOT EXISTS z"), "x") == []
    names = {hazard.name for hazard in found("ALTER TABLE orders ADD COLUMN IF NOT EXISTS fresh text")}
    assert names == {"takes_locks"}


def test_a_four_byte_key_that_runs_out_is_told_once_where_the_file_touches_it(found: Found, shop: Session) -> None:
    assert said(found("ALTER TABLE customers ADD x int"), "int4_key_runs_out") == []
    shop.conn.execute("SELECT setval('customers_id_seq', 1800000000)")
    hazards = found("SELECT 1;\nUPDATE customers SET code = 1;\nALTER TABLE customers ADD x int")
    assert [(one.line, one.sentence) for one in hazards if one.name == "int4_key_runs_out"] == [
        (
            2,
            (
                "touches customers, whose key id is a four-byte integer and 84% used up "
                "(1,800,000,000 of 2,147,483,647): "
                "after the last one every INSERT fails. Plan its change to bigint now."
            ),
        )
    ]
    assert said(found("UPDATE orders SET total = 1"), "int4_key_runs_out") == []


def test_a_sequence_somebody_holds_is_not_waited_for(shop: Session) -> None:
    import psycopg

    with psycopg.connect(shop.database.dsn) as other:
        other.execute("ALTER SEQUENCE customers_id_seq INCREMENT 2")
        assert catalog.read(shop).keys == ()
    assert [key.column for key in catalog.read(shop).keys] == ["id"]


def test_dropping_an_index_that_is_used_is_told(shop_alone: Session) -> None:
    shop, dropped = shop_alone, "DROP INDEX orders_customer"
    assert said(hazards_of(dropped, shop), "drops_used_index") == []
    shop.conn.execute("SET enable_seqscan = off")
    shop.conn.execute("SELECT * FROM orders WHERE customer = 7")
    flush_statistics(shop)
    (sentence,) = said(hazards_of(dropped, shop), "drops_used_index")
    assert sentence.startswith("drops the index orders_customer (")
    last = ", the last on 2" if shop.server >= 160000 else ". "
    assert f"), which answered 1 scans since the statistics began{last}" in sentence
    assert sentence.endswith(". Find out which queries use it and what they would use instead.")


def test_figures_do_not_reach_the_digest(shop_alone: Session) -> None:
    shop = shop_alone
    files = [migration("20250101000000_x", "ALTER TABLE customers ADD x int;")]
    before = draw(shop, files)
    shop.conn.execute("SELECT setval('customers_id_seq', 1800000000); INSERT INTO customers (name) VALUES ('z')")
    shop.conn.execute("ANALYZE customers")
    after = draw(shop, files)
    assert {one.name for one in after.migrations[0].hazards} == {"takes_locks", "int4_key_runs_out"}
    assert "int4_key_runs_out" in BY_FIGURES
    assert before.migrations != after.migrations
    assert before.digest == after.digest == plan.digest(after)
