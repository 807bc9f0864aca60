"""The same schema gives the same hash; any change to it gives another."""

from collections.abc import Callable

import pytest

from engine import fingerprint, history
from engine.connection import Database, Session, open_session
from engine.fingerprint import Thing
from tests.support.engine import bring, real_files

BASE = """
CREATE SCHEMA shop;
CREATE TYPE mood AS ENUM ('ok', 'bad');
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE TABLE t (a int PRIMARY KEY, b text DEFAULT 'x', c mood, d positive, e int GENERATED ALWAYS AS (a * 2) STORED);
CREATE TABLE p (k int) PARTITION BY RANGE (k);
CREATE INDEX t_b ON t (b);
CREATE VIEW v AS SELECT a FROM t;
CREATE SEQUENCE s;
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION g() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER tr AFTER INSERT ON t EXECUTE FUNCTION g();
"""


MORE = """
ALTER TABLE t ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY, SET (fillfactor = 70);
ALTER TABLE t DISABLE TRIGGER tr;
ALTER TABLE t ALTER b SET NOT NULL, ALTER b TYPE varchar(3) COLLATE "C", CLUSTER ON t_b;
ALTER TABLE t ADD CONSTRAINT small CHECK (a < 9) NOT VALID;
CREATE TABLE i (n bigint GENERATED ALWAYS AS IDENTITY);
CREATE UNLOGGED TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (2);
CREATE POLICY q ON t FOR UPDATE USING (true);
CREATE RULE r AS ON DELETE TO t DO INSTEAD NOTHING;
CREATE TYPE span AS RANGE (subtype = int);
ALTER DOMAIN positive SET DEFAULT 1;
ALTER SEQUENCE s CYCLE
"""
WORDS = {
    "relation public.t": "table, with row security, forced on its owner, with fillfactor=70",
    "relation public.p": "partitioned table, by RANGE (k)",
    "relation public.p1": "table, unlogged, FOR VALUES FROM (1) TO (2), of public.p",
    "relation public.v": "view,  SELECT a\n   FROM public.t;",
    "column public.t.b": "character varying(3) not null default 'x'::text collate \"C\"",
    "column public.t.e": "integer generated as (a * 2)",
    "column public.i.n": "bigint not null always identity",
    "constraint public.t.small": "CHECK ((a < 9)) NOT VALID",
    "index public.t_b": "CREATE INDEX t_b ON public.t USING btree (b), clustered by",
    "sequence public.s": "bigint from 1 by 1, 1 to 9223372036854775807, cache 1, cycle",
    "trigger public.t.tr": (
        "CREATE TRIGGER tr AFTER INSERT ON public.t FOR EACH STATEMENT EXECUTE FUNCTION public.g(), disabled"
    ),
    "policy public.t.q": "for update using true",
    "rule public.t.r": "CREATE RULE r AS\n    ON DELETE TO public.t DO INSTEAD NOTHING;",
    "enum public.mood": "ok, bad",
    "domain public.positive": "integer default 1",
    "range public.span": "of integer",
    "extension plpgsql": "version 1.0",
    "schema shop": "",
}


def seen(session: Session) -> str:
    return fingerprint.read(session, history.prepare(session))


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TABLE u ()",
        "CREATE SCHEMA IF NOT EXISTS shop; DROP SCHEMA shop",
        "ALTER TABLE t ALTER b SET DEFAULT 'y'",
        "ALTER TABLE t ALTER b TYPE varchar(3)",
        "ALTER TABLE t ALTER b SET NOT NULL",
        "ALTER TABLE t DROP CONSTRAINT t_pkey",
        "ALTER TABLE t ADD CHECK (a > 0)",
        "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY q ON t USING (true)",
        "ALTER TABLE t ALTER a ADD GENERATED ALWAYS AS IDENTITY",
        "DROP INDEX t_b; CREATE UNIQUE INDEX t_b ON t (b)",
        "CREATE OR REPLACE VIEW v AS SELECT a FROM t WHERE a > 0",
        "ALTER SEQUENCE s INCREMENT 2",
        "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 2'",
        "ALTER TABLE t DISABLE TRIGGER tr",
        "CREATE TYPE other AS ENUM ('ok')",
        "ALTER TYPE mood ADD VALUE 'fine'",
        "ALTER DOMAIN positive SET NOT NULL",
        "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (2)",
        "CREATE RULE r AS ON DELETE TO t DO INSTEAD NOTHING",
        "CREATE AGGREGATE sumup (int) (sfunc = int4pl, stype = int)",
        "CREATE TYPE span AS RANGE (subtype = int)",
    ],
)
def test_a_change_changes_it(session: Session, change: str) -> None:
    session.conn.execute(BASE)
    before = seen(session)
    session.conn.execute(change)
    assert seen(session) != before


@pytest.mark.parametrize(
    "change",
    [
        "INSERT INTO t VALUES (1); SELECT nextval('s')",
        "ALTER TABLE t ADD COLUMN z int; ALTER TABLE t DROP COLUMN z",
        "COMMENT ON TABLE t IS 'x'",
        "GRANT SELECT ON t TO PUBLIC",
        "SET search_path = shop, pg_catalog, public",
        "CREATE TEMP TABLE w ()",
        "ANALYZE t",
    ],
)
def test_what_is_not_schema_leaves_it(session: Session, change: str) -> None:
    session.conn.execute(BASE)
    before = seen(session)
    session.conn.execute(change)
    assert seen(session) == before


def test_the_hash_is_the_one_it_always_was(session: Session) -> None:
    things = (Thing("table", "b", None, "said"), Thing("index", "a", "é", "otherwise"))
    assert fingerprint.digest(things) == "c5d3f8eca24f54b068360925d55814e8ae45c0ae2ee1cb499c2f2da319d65a79"
    if session.server // 10000 == 18:  # each major tells a schema in its own words
        session.conn.execute(BASE)
        assert seen(session) == "de38671102f47420e71ddd32dda32365965ea9f2c4b810bc610ac60e6077958f"


def test_every_kind_of_object_has_words(session: Session) -> None:
    session.conn.execute(BASE + MORE)
    words = {f"{one.kind} {one.name}": one.words for one in fingerprint.inventory(session, history.prepare(session))}
    for label, said in WORDS.items():
        assert words[label].replace("SELECT t.a", "SELECT a") == said  # until 15 a view's column bears its table's name


def test_the_engines_own_tables_are_not_in_it(session: Session) -> None:
    home = history.Home("public")
    before = fingerprint.read(session, home)
    assert fingerprint.read(session, history.prepare(session)) == before
    session.conn.execute("ALTER TABLE twokey_migrations ADD COLUMN x serial; CREATE INDEX ON schema_migrations (name)")
    assert fingerprint.read(session, home) == before


def test_two_databases_with_one_schema_agree(session: Session, fresh_database: Callable[[str], str]) -> None:
    bring(session, real_files())
    dsn = fresh_database("engine_twin")
    with open_session(Database("test", protected=False, dsn=dsn), purpose="x") as twin:
        twin.conn.execute("CREATE TABLE noise (); DROP TABLE noise")
        bring(twin, real_files())
        assert seen(twin) == seen(session)
