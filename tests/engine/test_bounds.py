"""A migration keeps its hands off the engine's own tables, and within the time limits that the plan shows."""

from datetime import timedelta

import pytest

from engine import bounds, statements
from engine.connection import Limits
from engine.statements import Forbidden
from tests.support.engine import migration

X = "20250818130001_x"
LIMITS = Limits(lock_timeout=timedelta(seconds=2), statement_timeout=timedelta(minutes=15))


def check(sql: str, limits: Limits = LIMITS) -> None:
    file = migration(X, f"SELECT 1;\n{sql}")
    bounds.check(file, statements.parse(file), schema="public", limits=limits)


@pytest.mark.parametrize(
    ("sql", "table"),
    [
        ("DELETE FROM schema_migrations", "schema_migrations"),
        ("INSERT INTO public.schema_migrations (name) VALUES ('x')", "schema_migrations"),
        ("UPDATE twokey_environment SET protected = false", "twokey_environment"),
        ("WITH x AS (DELETE FROM twokey_migrations RETURNING 1) SELECT * FROM x", "twokey_migrations"),
        ("MERGE INTO schema_migrations h USING t ON h.id = t.id WHEN MATCHED THEN DELETE", "schema_migrations"),
        ("TRUNCATE t, schema_migrations", "schema_migrations"),
        ("DROP TABLE t, public.twokey_environment", "twokey_environment"),
        ("ALTER TABLE schema_migrations RENAME TO old", "schema_migrations"),
        ("ALTER TABLE schema_migrations ADD COLUMN note text", "schema_migrations"),
        ("ALTER TABLE schema_migrations SET SCHEMA shop", "schema_migrations"),
        ("LOCK TABLE schema_migrations", "schema_migrations"),
        ("COPY schema_migrations FROM '/tmp/x'", "schema_migrations"),
        (
            "CREATE TRIGGER x AFTER INSERT ON schema_migrations EXECUTE FUNCTION f()",
            "schema_migrations",
        ),
        ("CREATE RULE x AS ON INSERT TO schema_migrations DO INSTEAD NOTHING", "schema_migrations"),
        ("DROP SCHEMA shop, public CASCADE", "The schema public"),
    ],
)
def test_the_history_is_not_for_migrations_to_change(sql: str, table: str) -> None:
    with pytest.raises(Forbidden) as caught:
        check(sql)
    assert str(caught.value) == (
        f"{X}.sql:2: {table} is where Twokey keeps what ran here, and no migration changes that. Remove the statement."
    )


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO t SELECT name FROM schema_migrations",
        "DELETE FROM shop.schema_migrations; DROP TABLE shop.schema_migrations; DROP SCHEMA shop",
        "COPY schema_migrations TO '/tmp/x'; GRANT SELECT ON schema_migrations TO ada",
        "CREATE VIEW v AS SELECT * FROM schema_migrations",
        "UPDATE t SET note = 'schema_migrations' WHERE a = 1",
        "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES schema_migrations",
    ],
)
def test_who_reads_it_or_means_another_one_may(sql: str) -> None:
    check(sql)


@pytest.mark.parametrize(
    ("sql", "name", "limit"),
    [
        ("SET lock_timeout = 0", "lock_timeout", 2000),
        ("SET lock_timeout = '3s'", "lock_timeout", 2000),
        ("SET LOCAL lock_timeout = 2001", "lock_timeout", 2000),
        ("SET lock_timeout TO DEFAULT", "lock_timeout", 2000),
        ("RESET statement_timeout", "statement_timeout", 900_000),
        ("SET statement_timeout = '1 h'", "statement_timeout", 900_000),
        ("SET statement_timeout = '1 fortnight'", "statement_timeout", 900_000),
        ("SET statement_timeout = 'x'", "statement_timeout", 900_000),
    ],
)
def test_no_file_goes_beyond_the_time_limits(sql: str, name: str, limit: int) -> None:
    with pytest.raises(Forbidden) as caught:
        check(sql)
    assert str(caught.value) == (
        f"{X}.sql:2: SET {name} would go beyond the {limit} ms that the plan shows. "
        f"Set less, or raise {name} in twokey.toml."
    )


@pytest.mark.parametrize(
    "sql",
    [
        "SET lock_timeout = 2000; SET lock_timeout = '1.5s'; SET LOCAL statement_timeout = '15 min'",
        "SET search_path = public; SET work_mem = '1GB'; RESET work_mem",
    ],
)
def test_a_file_may_be_stricter(sql: str) -> None:
    check(sql)


def test_where_there_is_no_limit_none_is_exceeded() -> None:
    check("SET lock_timeout = 0", Limits(lock_timeout=timedelta(0)))


@pytest.mark.parametrize(
    ("down", "refused"),
    [
        ("DELETE FROM schema_migrations", "schema_migrations is where Twokey keeps what ran here"),
        ("SET LOCAL statement_timeout = 0", "SET statement_timeout would go beyond the 900000 ms"),
    ],
)
def test_the_way_down_keeps_within_them_too(down: str, refused: str) -> None:
    file = migration(X, f"-- migrate:up\nSELECT 1;\n-- migrate:down\n{down};")
    with pytest.raises(Forbidden) as caught:
        bounds.check(file, statements.parse(file), schema="public", limits=LIMITS)
    assert str(caught.value).startswith(f"{X}.sql:4: {refused}")


def test_what_no_plan_would_be_drawn_with_is_told_before_there_is_one() -> None:
    files = [migration(X, "SELECT 1"), migration("20250818130002_y", "CREATE TABEL y ()")]
    assert bounds.refusals(files, limits=LIMITS) == {
        "20250818130002_y": (
            "20250818130002_y.sql:1:8 is not SQL that PostgreSQL understands (42601): "
            'syntax error at or near "TABEL". Correct the file; nothing was run.'
        )
    }
    longer = [migration(X, "SET lock_timeout = '3s'")]
    assert list(bounds.refusals(longer, limits=LIMITS)) == [X]
