"""A restore is compared before it is swapped in, and the old database stays until told otherwise."""

from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from engine import backup, contents, dump, former, history, load, lock, manifest, restore, standing, tools
from engine.backup import Into
from engine.connection import Database, open_session
from engine.form import Form
from engine.restore import RestoreFailed
from playground.embedded import Postgres
from tests.support.engine import TOOLS, bring, draw, migration, real_files
from tests.support.restore import KEPT, NOW, ask, databases, restored, taken

MORE = migration("20250818160001_more", "CREATE TABLE more (id int);\n")


@pytest.mark.parametrize(("form", "parallel"), [(Form.PLAIN, 1), (Form.CUSTOM, 1), (Form.DIRECTORY, 2)])
def test_what_was_done_since_is_undone_and_kept_beside(
    shop: Database, tmp_path: Path, postmaster: psycopg.Connection, form: Form, parallel: int
) -> None:
    source = taken(shop, tmp_path, form, parallel)
    ask(shop, "DELETE FROM users")
    done, told = restored(shop, source)
    assert (done.environment, done.database, done.kept) == ("development", "shop", KEPT)
    assert told == [
        restore.Loading("shop_twokey_restoring", done.manifest.bytes),
        restore.Comparing(len(done.manifest.contents.rows)),
        restore.Swapping(KEPT),
    ]
    assert ask(shop, "SELECT email FROM users ORDER BY id") == [("ä'@x",), ("a\nb",)]
    assert databases(postmaster) == ["shop", KEPT]
    there = Database("development", protected=False, dsn=shop.dsn.replace("/shop?", f"/{KEPT}?"))
    assert ask(there, "SELECT count(*) FROM users") == [(0,)]


def test_the_swapped_in_database_knows_who_it_is_and_work_goes_on(shop: Database, tmp_path: Path) -> None:
    source = taken(shop, tmp_path)
    files = (*real_files(), MORE)
    with open_session(shop, purpose="twokey test") as session:
        bring(session, files, folder=tmp_path)
    restored(shop, source)
    with open_session(shop, purpose="twokey test") as session:
        here = standing.look(session, files)
        wanted = manifest.read(source.backup).contents
        assert (here.environment, here.head, here.pending) == ("development", wanted.head, (MORE.id,))
        assert ask(shop, "SELECT name, protected FROM twokey_environment") == [("development", False)]
        found = contents.read(session, history.prepare(session))
        record = wanted.rows["public.twokey_deeds"] + 2  # the fourth migration, undone now, and the restore
        assert found == replace(wanted, rows={**wanted.rows, "public.twokey_deeds": record})
        assert [one.id for one in draw(session, files).migrations] == [MORE.id]
        assert len(bring(session, files, folder=tmp_path).done) == 1


def test_the_planner_knows_the_restored_tables(shop: Database, tmp_path: Path) -> None:
    restored(shop, taken(shop, tmp_path))
    assert ask(shop, "SELECT reltuples::int FROM pg_class WHERE relname = 'users'") == [(2,)]


def test_owner_grants_settings_comment_limit_encoding_and_locale_survive(
    shop: Database, tmp_path: Path, postmaster: psycopg.Connection
) -> None:
    facts = (
        "SELECT pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datcollate, datctype, datconnlimit,"
        " datistemplate, (SELECT array_agg(x::text ORDER BY x::text) FROM unnest(datacl) x),"
        " shobj_description(oid, 'pg_database'),"
        " (SELECT array_agg((pg_get_userbyid(setrole), setconfig)::text ORDER BY setrole) FROM pg_db_role_setting"
        "  WHERE setdatabase = d.oid) FROM pg_database d WHERE datname = 'shop'"
    )
    postmaster.execute(
        "DROP ROLE IF EXISTS keeper; CREATE ROLE keeper; DROP ROLE IF EXISTS clerk; CREATE ROLE clerk;"
        "ALTER DATABASE shop OWNER TO keeper; REVOKE ALL ON DATABASE shop FROM PUBLIC;"
        "GRANT CONNECT ON DATABASE shop TO clerk WITH GRANT OPTION; ALTER DATABASE shop CONNECTION LIMIT 17;"
        "ALTER DATABASE shop SET search_path = public, \"Odd, name\"; ALTER DATABASE shop SET work_mem = '5MB';"
        "ALTER DATABASE shop SET shop.words = 'a, ''b'''; ALTER ROLE clerk IN DATABASE shop SET datestyle = 'German';"
        "COMMENT ON DATABASE shop IS 'it''s ours'"
    )
    before = postmaster.execute(facts).fetchall()
    restored(shop, taken(shop, tmp_path))
    assert postmaster.execute(facts).fetchall() == before
    assert before[0][4] == 17
    for name in databases(postmaster):
        postmaster.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
    postmaster.execute("DROP ROLE keeper, clerk")


@pytest.mark.parametrize(
    "locale",
    [
        "ENCODING 'UTF8' LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C'",
        "ENCODING 'LATIN1' LOCALE 'C'",
    ],
)
def test_other_encodings_and_locale_providers_survive(
    shop: Database, tmp_path: Path, postmaster: psycopg.Connection, locale: str
) -> None:
    if "builtin" in locale and postmaster.info.server_version < 170000:
        pytest.skip("PostgreSQL has it from 17 on")
    facts = (
        "SELECT pg_encoding_to_char(encoding), datcollate, datctype, to_jsonb(d) ->> 'datlocprovider',"
        " to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticurules' FROM pg_database d WHERE datname = 'shop'"
    )
    postmaster.execute("DROP DATABASE shop WITH (FORCE)")
    postmaster.execute(f"CREATE DATABASE shop TEMPLATE template0 {locale}".encode())
    before = postmaster.execute(facts).fetchall()
    restored(shop, taken(shop, tmp_path))
    assert postmaster.execute(facts).fetchall() == before


@pytest.mark.parametrize("form", list(Form))
def test_what_a_newer_pg_dump_wrote_loads_into_an_older_server(
    shop: Database, tmp_path: Path, postgres: Postgres, form: Form
) -> None:
    newest = tools.Tools((TOOLS.pg_dump(180000).path.parent,))
    with open_session(shop, purpose="twokey test") as session:
        path = Path(backup.take(session, into=Into(tmp_path, newest, form), now=NOW).path)
        env = {**dump.surroundings(session.conn), "PGDATABASE": "shop_older"}
    there, found = Database("development", protected=False, dsn=postgres.create("shop_older")), manifest.read(path)
    assert load.load(path, found, tools=newest, server=160000, parallel=1, env=env).why == ""
    with open_session(there, purpose="twokey test") as session:
        assert contents.read(session, history.prepare(session)) == found.contents


def test_sessions_are_ended_and_newcomers_meet_the_new_database(shop: Database, tmp_path: Path) -> None:
    source = taken(shop, tmp_path)
    with psycopg.connect(shop.dsn) as busy:
        busy.execute("LOCK TABLE users IN SHARE MODE")
        restored(shop, source)
        with pytest.raises(psycopg.OperationalError, match="terminating connection"):
            busy.execute("SELECT 1")
    assert ask(shop, "SELECT count(*) FROM users") == [(2,)]


def test_without_a_public_schema_there_is_none_afterwards(shop: Database, tmp_path: Path) -> None:
    ask(shop, "CREATE SCHEMA app; ALTER DATABASE shop SET search_path = app; DROP SCHEMA public CASCADE")
    restored(shop, taken(shop, tmp_path))
    assert ask(shop, "SELECT count(*) FROM pg_namespace WHERE nspname = 'public'") == [(0,)]


def test_beside_nothing_is_swapped(shop: Database, tmp_path: Path, postmaster: psycopg.Connection) -> None:
    source = taken(shop, tmp_path)
    ask(shop, "DELETE FROM users")
    with open_session(shop, purpose="twokey test") as session, lock.only_one(session):
        done = restore.beside(session, source, name="shop_monday")
        assert (done.database, done.kept) == ("shop_monday", None)
        assert session.conn.execute("SELECT count(*) FROM users").fetchone() == (0,)
        with pytest.raises(RestoreFailed) as caught:
            restore.beside(session, source, name="shop_monday")
    assert str(caught.value) == (
        "development was not restored: there is a database shop_monday already. "
        "Its database is as it was. Say another name."
    )
    there = Database("development", protected=False, dsn=shop.dsn.replace("/shop?", "/shop_monday?"))
    assert ask(there, "SELECT count(*) FROM users") == [(2,)]
    assert databases(postmaster) == ["shop", "shop_monday"]


def test_the_kept_database_is_dropped_by_its_name_alone(shop: Database, tmp_path: Path) -> None:
    restored(shop, taken(shop, tmp_path))
    with open_session(shop, purpose="twokey test") as session:
        session.conn.execute("CREATE DATABASE shop_before_20200101_000000")  # whatever it is called, nobody kept it
        assert [one.name for one in former.kept(session)] == [KEPT]
        with pytest.raises(former.NoSuchFormer) as unknown:
            former.drop(session, "postgres", actor="ada", request=None)
        with psycopg.connect(shop.dsn.replace("/shop?", f"/{KEPT}?")), pytest.raises(former.FormerInUse) as inside:
            former.drop(session, KEPT, actor="ada", request=None)
        session.conn.execute(
            "DROP ROLE IF EXISTS passer_by; CREATE ROLE passer_by;"
            " GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO passer_by; SET ROLE passer_by"
        )
        with pytest.raises(former.NotTheOwner) as stranger:
            former.drop(session, KEPT, actor="ada", request=None)
        session.conn.execute("RESET ROLE; DROP OWNED BY passer_by; DROP ROLE passer_by")
        former.drop(session, KEPT, actor="ada", request=None)
        assert former.kept(session) == ()
        with pytest.raises(former.NoSuchFormer) as none:
            former.drop(session, KEPT, actor="ada", request=None)
    assert str(unknown.value) == (f"postgres is not a database that a restore of development kept. It kept {KEPT}.")
    assert str(inside.value) == f"Somebody is in {KEPT}, so it was not dropped. End those sessions, then ask again."
    assert str(stranger.value) == (
        f"The role of development's address does not own {KEPT}, so it was not dropped. "
        "Its owner can drop it, or make that role its owner; then ask again."
    )
    assert str(none.value).endswith(" It kept none.")


@pytest.mark.parametrize("length", [30, 45, 46, 63])
def test_a_long_name_is_cut_and_marked(length: int) -> None:
    name = former.name("x" * length, NOW)
    assert len(name) <= 63
    assert name.endswith("_before_20250818_161500")
    assert former.name("x" * (length - 1) + "y", NOW) != name
