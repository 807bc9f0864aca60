"""schema_migrations is the seed's, whoever made it; what it has no room for stands beside it."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from engine import errors, files, history
from engine.connection import Database, Session, open_session
from engine.history import Entry
from tests.support.engine import AUDIT, COLUMNS, USERS, migration, real_files

COLUMNS_OF_THE_SEED = [
    ("id", "integer", "NO", "nextval('schema_migrations_id_seq'::regclass)"),
    ("migration_id", "character varying(255)", "NO", None),
    ("name", "character varying(255)", "NO", None),
    ("applied_at", "timestamp without time zone", "YES", "CURRENT_TIMESTAMP"),
    ("checksum", "character varying(64)", "NO", None),
    ("environment", "character varying(50)", "NO", None),
]
SEED = """CREATE TABLE schema_migrations (
  id SERIAL PRIMARY KEY,
  migration_id VARCHAR(255) UNIQUE NOT NULL,
  name VARCHAR(255) NOT NULL,
  applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  checksum VARCHAR(64) NOT NULL,
  environment VARCHAR(50) NOT NULL
);"""


def test_a_table_of_another_tool_under_that_name_is_refused(session: Session) -> None:
    session.conn.execute("CREATE TABLE schema_migrations (version VARCHAR PRIMARY KEY)")
    with pytest.raises(errors.ForeignHistory) as caught:
        history.prepare(session)
    assert str(caught.value) == (
        "public.schema_migrations in development belongs to another tool: it has no id, migration_id, name, "
        "applied_at, checksum, environment. Rename that table, or keep Twokey's history in another schema by setting "
        "search_path for the role."
    )


def test_a_search_path_without_a_schema_is_refused(session: Session) -> None:
    session.conn.execute("SET search_path = nowhere")
    with pytest.raises(errors.NoSchema) as caught:
        history.prepare(session)
    assert str(caught.value) == (
        "development has no schema to keep its history in: no schema of the search_path exists, "
        "or the role may use none. Create one, or grant USAGE on it."
    )


@pytest.mark.parametrize("table_there", [True, False])
def test_a_role_that_may_not_keep_them_is_told_what_to_grant(session: Session, table_there: bool) -> None:
    session.conn.execute(SEED if table_there else "SELECT 1")
    session.conn.execute("CREATE ROLE reader")
    try:
        session.conn.execute("SET ROLE reader")
        with pytest.raises(errors.MissingPrivilege) as caught:
            history.prepare(session)
    finally:
        session.conn.execute("RESET ROLE; DROP ROLE reader")
    assert str(caught.value) == (
        "reader may not keep Twokey's tables in development. "
        "An owner can allow it: GRANT USAGE, CREATE ON SCHEMA public TO reader; "
        "and give it the table schema_migrations if another role owns it."
    )


def test_a_role_that_may_only_read_the_history_is_told_before_anything_runs(session: Session) -> None:
    history.prepare(session)
    session.conn.execute("CREATE ROLE reader; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader; SET ROLE reader")
    try:
        with pytest.raises(errors.MissingPrivilege):
            history.prepare(session)
    finally:
        session.conn.execute("RESET ROLE; DROP OWNED BY reader; DROP ROLE reader")


def test_the_table_is_the_seeds_to_the_letter(session: Session) -> None:
    history.prepare(session)
    columns = session.conn.execute(
        "SELECT a.attname::text, format_type(atttypid, atttypmod), is_nullable::text, column_default::text"
        " FROM pg_attribute a JOIN information_schema.columns"
        " ON column_name = attname AND table_name = attrelid::regclass::text"
        " WHERE attrelid = 'schema_migrations'::regclass AND attnum > 0 ORDER BY attnum"
    ).fetchall()
    constraints = session.conn.execute(
        "SELECT conname::text, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conrelid = 'schema_migrations'::regclass AND contype IN ('p', 'u') ORDER BY 1"
    ).fetchall()
    assert columns == COLUMNS_OF_THE_SEED
    assert constraints == [
        ("schema_migrations_migration_id_key", "UNIQUE (migration_id)"),
        ("schema_migrations_pkey", "PRIMARY KEY (id)"),
    ]


def test_first_contacts_that_meet_make_the_tables_once(development: Database) -> None:
    def contact(_: int) -> str:
        with open_session(development, purpose="x") as session:
            return history.prepare(session).schema

    with ThreadPoolExecutor(4) as threads:
        assert set(threads.map(contact, range(4))) == {"public"}


def test_a_history_found_in_another_schema_stays_there(session: Session) -> None:
    session.conn.execute(f"CREATE SCHEMA shop; SET search_path = shop, public; {SEED} SET search_path = public, shop")
    assert history.prepare(session).schema == "shop"


def test_rows_of_another_tool_stand_for_files_by_stem_or_timestamp(session: Session) -> None:
    real = real_files()
    session.conn.execute(SEED)
    with session.conn.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO schema_migrations (migration_id, name, checksum, environment) VALUES (%s, 'x', %s, 'dev')",
            [(f"{USERS}.sql", real[0].raw_checksum), (COLUMNS[:14], real[1].checksum), ("baseline", "0")],
        )
    rows = history.read(session, history.prepare(session))
    found = history.matching(real, rows)
    assert {row: file.id for row, file in found.items()} == {f"{USERS}.sql": USERS, COLUMNS[:14]: COLUMNS}
    assert [row.matches(found[row.id]) for row in rows[:2]] == [True, True]
    assert rows[2].stamp is None
    assert AUDIT not in found


def test_a_checksum_over_the_raw_bytes_matches_too() -> None:
    file = files.parse("20250818130001_x.sql", b"SELECT 1;\r\n")
    assert file.raw_checksum != file.checksum
    for checksum in (file.checksum, file.raw_checksum, f" {file.raw_checksum.upper()}"):
        assert history.Row(file.id, checksum, None, None).matches(file)
    assert not history.Row(file.id, "0" * 64, None, None).matches(file)


def test_a_row_says_when_in_utc_and_its_facts_stand_beside_it(session: Session) -> None:
    session.conn.execute("SET TIME ZONE 'Asia/Tokyo'")
    home = history.prepare(session)
    file = migration("20250818130001_x", "SELECT 1")
    entry = Entry(file.id, file.name, file.checksum, file.text, position=1, by="ada", request="7")
    for _ in range(2):  # the second time over facts that a removed row left behind
        session.conn.execute("DELETE FROM schema_migrations")
        assert history.record(session, home, entry, seconds=0.5).isdigit()
    near = session.conn.execute(
        "SELECT abs(extract(epoch FROM applied_at - now() AT TIME ZONE 'UTC')) < 60, name, checksum, environment"
        " FROM schema_migrations"
    ).fetchone()
    facts = session.conn.execute("SELECT * FROM twokey_migrations").fetchall()
    assert near == (True, "x", file.checksum, "development")
    assert facts == [(file.id, 1, "sha256-lf", "SELECT 1", "ada", "7", 0.5)]
    assert [(row.id, row.by) for row in history.read(session, home)] == [(file.id, "ada")]


def test_the_same_migration_is_not_recorded_twice(session: Session) -> None:
    home = history.prepare(session)
    entry = Entry("x", "x", "0", "", position=1, by="ada", request=None)
    history.record(session, home, entry, seconds=0)
    with pytest.raises(psycopg.errors.UniqueViolation):
        history.record(session, home, entry, seconds=0)
