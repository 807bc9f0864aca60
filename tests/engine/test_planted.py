"""Whatever a server says of a row while a migration fails, the report and the log hold none of it."""

import logging

import pytest

from engine.connection import Session
from tests.support.engine import bring, migration

#: An address, a card's number, JSON that is none, and a word that becomes a name; twice, so that nothing is unique.
PEOPLE = """
CREATE TABLE people (email text, card text, note text, name text);
INSERT INTO people VALUES ('ann.planted@example.org', '4111222233334444', '{planted json', 'planted_name');
INSERT INTO people SELECT * FROM people;
"""
PLANTED = ("planted", "4111")

FAILS = {
    "unique": ("CREATE UNIQUE INDEX ON people (email)", "23505"),
    "exclusion": ("ALTER TABLE people ADD EXCLUDE USING hash (email WITH =)", "23P01"),
    "not null": ("UPDATE people SET note = NULL; ALTER TABLE people ALTER note SET NOT NULL", "23502"),
    "row": ("ALTER TABLE people ALTER note SET NOT NULL; UPDATE people SET note = NULL", "23502"),
    "check": ("ALTER TABLE people ADD CHECK (length(card) < 3)", "23514"),
    "checked row": ("ALTER TABLE people ADD CHECK (email <> 'x'); UPDATE people SET email = 'x'", "23514"),
    "domain": ("CREATE DOMAIN short AS text CHECK (length(VALUE) < 3); SELECT email::short FROM people", "23514"),
    "references": (
        (
            "CREATE TABLE known (email text PRIMARY KEY);"
            "ALTER TABLE people ADD FOREIGN KEY (email) REFERENCES known (email)"
        ),
        "23503",
    ),
    "cast": ("ALTER TABLE people ALTER email TYPE int USING email::int", "22P02"),
    "uuid": ("SELECT email::uuid FROM people", "22P02"),
    "enum": ("CREATE TYPE mood AS ENUM ('ok'); SELECT email::mood FROM people", "22P02"),
    "range": ("SELECT card::int FROM people", "22003"),
    "arithmetic": ("SELECT card::bigint * card::bigint FROM people", "22003"),
    "precision": ("SELECT card::numeric(3) FROM people", "22003"),
    "sequence": ("CREATE SEQUENCE few MAXVALUE 9; SELECT setval('few', card::bigint) FROM people", "22003"),
    "json": ("ALTER TABLE people ALTER note TYPE json USING note::json", "22P02"),
    "json path": ("SELECT note::jsonpath FROM people", "42601"),
    "date": ("SELECT email::date FROM people", "22007"),
    "interval": ("SELECT (card || ' days')::interval FROM people", "22015"),
    "bytes": ("SELECT decode(email, 'hex') FROM people", "22023"),
    "encoding": ("SELECT convert_from(decode('ff', 'hex') || email::bytea, 'UTF8') FROM people", "22021"),
    "pattern": ("SELECT 'a' ~ (email || '(') FROM people", "2201B"),
    "escape": ("SELECT email LIKE email ESCAPE card FROM people", "22025"),
    "length": ("SELECT repeat(email, card::bigint::int) FROM people", "22003"),
    "setting": ("SELECT set_config('work_mem', email, true) FROM people", "22023"),
    "zone": ("SELECT now() AT TIME ZONE email FROM people", "22023"),
    "name of a table": (
        "DO $$ BEGIN EXECUTE format('SELECT FROM %I', (SELECT name FROM people LIMIT 1)); END $$",
        "42P01",
    ),
    "name of a role": ("DO $$ BEGIN EXECUTE format('SET ROLE %I', (SELECT name FROM people LIMIT 1)); END $$", "22023"),
    "name of a function": (
        "DO $$ BEGIN EXECUTE format('SELECT %I(1)', (SELECT name FROM people LIMIT 1)); END $$",
        "42883",
    ),
    "name of a column": (
        "DO $$ BEGIN EXECUTE format('SELECT p.%I FROM people p', (SELECT name FROM people LIMIT 1)); END $$",
        "42703",
    ),
    "name of a constraint": (
        (
            "DO $$ BEGIN EXECUTE format('ALTER TABLE people ADD CONSTRAINT c CHECK (name <> %L)',"
            " (SELECT name FROM people LIMIT 1)); END $$"
        ),
        "23514",
    ),
    "operator": ("SELECT name::regoper FROM people", "42883"),
    "large object": ("SELECT lo_get(left(card, 4)::oid) FROM people", "42704"),
    "server's file": ("SELECT pg_read_file(name) FROM people", "58P01"),
    "text search": ("SELECT (email || ' &&')::tsquery FROM people", "42601"),
    "day": ("SELECT make_date(left(card, 4)::int, 13, 45) FROM people", "22008"),
    "key": ("SELECT json_object_agg_unique(email, 1) FROM people", "22030"),
    "syntax": ("DO $$ BEGIN EXECUTE (SELECT name FROM people LIMIT 1); END $$", "42601"),
    "relation": ("SELECT name::regclass FROM people", "42P01"),
    "raised": ("DO $$ BEGIN RAISE EXCEPTION 'no %', (SELECT email FROM people LIMIT 1); END $$", "P0001"),
    "raised elsewhere": (
        (
            "DO $$ DECLARE one text := (SELECT email FROM people LIMIT 1); BEGIN RAISE unique_violation"
            " USING MESSAGE = one, DETAIL = one, HINT = one, COLUMN = one, CONSTRAINT = one, TABLE = one; END $$"
        ),
        "23505",
    ),
    "asserted": ("DO $$ BEGIN ASSERT false, (SELECT email FROM people LIMIT 1); END $$", "P0004"),
    "noticed": (
        (
            "DO $$ BEGIN RAISE WARNING '%', (SELECT email FROM people LIMIT 1);"
            " RAISE LOG '%', (SELECT card FROM people LIMIT 1); PERFORM 1/0; END $$"
        ),
        "22012",
    ),
}


@pytest.mark.parametrize("name", FAILS)
def test_no_value_of_a_row_is_told(session: Session, name: str, caplog: pytest.LogCaptureFixture) -> None:
    if name == "key" and session.server < 160000:
        pytest.skip("PostgreSQL has it from 16 on")
    caplog.set_level(logging.DEBUG)
    sql, sqlstate = FAILS[name]
    files = [migration("20250101000000_people", PEOPLE), migration("20250102000000_fails", sql)]
    ended = bring(session, files)
    assert ended.failure
    assert ended.failure.sqlstate == sqlstate, ended.failure.sentence
    assert [one for one in PLANTED if one in f"{ended!r} {caplog.text}"] == [], ended.failure.sentence
