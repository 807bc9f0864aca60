"""What is refused before a plan runs, and the copy that has no way out."""

from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from engine import manifest, rehearsal
from engine.connection import Limits
from engine.load import Loaded
from engine.plan import Plan
from engine.rehearsal import Bench, NotRehearsed, named, restored, room
from engine.restore import Source
from engine.scratch import ScratchRefused
from tests.engine.rehearsal.conftest import NOW, Shop
from tests.support.engine import TOOLS


def refused(shop: Shop, drawn: Plan, bench: Bench | None = None) -> str:
    asked = bench or Bench(shop.server, rehearsal.likeness(shop.session))
    with pytest.raises(NotRehearsed) as caught:
        rehearsal.rehearse(drawn, Source(shop.backup, TOOLS), asked, limits=Limits(), now=NOW)
    return str(caught.value)


def test_a_backup_of_another_environment_or_moment_is_refused(shop: Shop, untouched: None) -> None:
    drawn, name = shop.plan("SELECT 1"), shop.backup.name
    assert refused(shop, replace(drawn, environment="test")) == (
        f"The plan for test was not rehearsed: {name} is a backup of production. Nothing was touched. "
        "Take one of its own."
    )
    assert (
        "the backup's history ends at 20250101000000_base and the plan's at None. Nothing was touched. Ask again."
        in (refused(shop, replace(drawn, head=None)))
    )
    assert "its schema changed between plan and backup" in refused(shop, replace(drawn, fingerprint="0"))


def test_a_server_of_another_major_is_refused(shop: Shop, untouched: None) -> None:
    told = refused(shop, replace(shop.plan("SELECT 1"), server="12.1"))
    assert "its server is PostgreSQL 12.1 and the scratch server " in told
    assert told.endswith("Name a scratch server of PostgreSQL 12.")


def test_roles_that_are_missing_are_named_with_the_statement_that_makes_them(shop: Shop, untouched: None) -> None:
    alike = rehearsal.likeness(shop.session)
    bench = Bench(shop.server, replace(alike, roles=(*alike.roles, ("nobody_here", True))))
    assert refused(shop, shop.plan("SELECT 1"), bench).endswith(
        "the scratch server does not have the roles that its backup names: nobody_here. Nothing was touched. "
        'On that server: CREATE ROLE "nobody_here";'
    )


def test_owners_that_the_scratch_login_may_not_make_owners_are_named(shop: Shop, untouched: None) -> None:
    drawn, alike, login = shop.plan("SELECT 1"), rehearsal.likeness(shop.session), shop.session.conn.info.user
    shop.session.conn.execute("SET ROLE pg_monitor")
    try:
        with pytest.raises(NotRehearsed) as caught:
            restored._knows_roles(shop.session, drawn, alike)
    finally:
        shop.session.conn.execute("RESET ROLE")
    assert str(caught.value).endswith(
        f": {login} may not give objects to the roles that own them: {login}. Nothing was touched. "
        f'On the scratch server: GRANT "{login}" TO "{login}";'
    )


def test_a_backup_that_does_not_become_what_was_backed_up_is_refused(
    shop: Shop, untouched: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn, believed = shop.plan("SELECT 1"), manifest.read(shop.backup)
    more = {**believed.contents.rows, "public.users": 11}
    other = replace(believed, contents=replace(believed.contents, rows=more))
    with pytest.raises(NotRehearsed) as caught:
        restored._compare(shop.session, drawn, other, None, "whole")
    assert ": what was restored is not what was backed up: " in str(caught.value)
    assert str(caught.value).endswith(". Nothing was touched. Take another backup.")
    monkeypatch.setattr(restored.load, "load", lambda *_, **__: Loaded("psql ended with code 3", None))
    assert refused(shop, drawn).endswith(
        f": {shop.backup.name} does not restore: psql ended with code 3. Nothing was touched. "
        "Load it by hand into an empty database on the scratch server to see why."
    )


def test_too_little_room_is_refused_with_the_figures(
    shop: Shop, untouched: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = replace(shop.plan("SELECT 1"), bytes=2_000_000)
    allowed = Bench(replace(shop.server, room=1_000_000), rehearsal.likeness(shop.session))
    assert refused(shop, drawn, allowed) == (
        "The plan for production was not rehearsed: a copy of it needs about 3.0 MB, and 1.0 MB are allowed there. "
        'Nothing was touched. Make room, or say rehearse = "schema" for it, then ask again.'
    )
    usage = namedtuple("usage", "free")  # noqa: PYI024
    monkeypatch.setattr(room.shutil, "disk_usage", lambda _: usage(500_000))
    assert "and 0.5 MB are free on its server's disk" in refused(shop, drawn)
    monkeypatch.setattr(room.shutil, "disk_usage", lambda path: Path(path / "not there").stat())
    room.check(shop.session, drawn, room=None)  # nothing is known, so nothing is refused


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("CREATE ROLE r", "CREATE ROLE"),
        ("ALTER ROLE r SET search_path = x", "ALTER ROLE SET"),
        ("GRANT a TO b", "GRANT of a role"),
        ("REASSIGN OWNED BY a TO b", "REASSIGN OWNED"),
        ("ALTER DATABASE d SET search_path = x", "ALTER DATABASE SET"),
        ("GRANT CONNECT ON DATABASE d TO r", "a statement about a database"),
        ("COMMENT ON ROLE r IS 'x'", "a statement about a role"),
        ("ALTER TABLESPACE t RENAME TO u", "a statement about a tablespace"),
        ("SELECT dblink('host=x', 'DELETE FROM t')", "dblink"),
        ("DO $$BEGIN EXECUTE 'ALTER  SYSTEM SET x = 1'; END$$", "ALTER SYSTEM"),
        ("DO $$BEGIN EXECUTE 'create user u'; END$$", "create user"),
        ("CREATE EXTENSION dblink", "dblink"),
        ("SELECT pg_terminate_backend(1)", "pg_terminate_backend"),
        ("CREATE TABLE roles (database text)", None),
        ("GRANT SELECT ON users TO app", None),
        ("DROP USER MAPPING FOR x SERVER y", None),
    ],
)
def test_what_reaches_beyond_the_database_is_seen(shop: Shop, text: str, what: str | None) -> None:
    assert named.shared(shop.plan(f"\n{text};").migrations) == (what and f"20250201000000_m1.sql:2: {what}")


def test_what_reaches_beyond_needs_a_server_of_its_own(shop: Shop, untouched: None) -> None:
    drawn = shop.plan("COMMENT ON DATABASE rehearsed_shop IS 'x'")
    why = "20250201000000_m1.sql:1: a statement about a database reaches beyond its database"
    assert refused(shop, drawn).endswith(
        f"{why}, and the scratch server is not known to be another than its own. Nothing was touched. "
        "Rehearse on a server of its own, or do this by hand."
    )
    assert why in refused(shop, replace(drawn, system_identifier=None))
    copy = Source(shop.backup, TOOLS), Bench(shop.server, rehearsal.likeness(shop.session))
    elsewhere = replace(drawn, system_identifier="7")  # that name is no database's there
    with restored.copy(elsewhere, *copy, limits=Limits(), tell=lambda _: None) as found:
        assert found.rows["public.users"] == 10


def test_a_protected_environments_own_server_is_refused_unless_it_is_meant(shop: Shop) -> None:
    protected = replace(shop.session.database, protected=True)
    server = replace(shop.server, guarded=(protected,), on_protected_server=False)
    bench = Bench(server, rehearsal.likeness(shop.session))
    with pytest.raises(ScratchRefused):
        rehearsal.rehearse(shop.plan("SELECT 1"), Source(shop.backup, TOOLS), bench, limits=Limits(), now=NOW)


def test_a_copy_has_no_way_to_other_servers(shop: Shop, untouched: None) -> None:
    drawn, bench = shop.plan("SELECT 1"), Bench(shop.server, rehearsal.likeness(shop.session))
    with restored.copy(drawn, Source(shop.backup, TOOLS), bench, limits=Limits(), tell=lambda _: None) as copy:
        with psycopg.connect(copy.session.database.dsn, autocommit=True) as conn:
            conn.execute("CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w")
            conn.execute("CREATE USER MAPPING FOR PUBLIC SERVER s; CREATE USER MAPPING FOR CURRENT_USER SERVER s")
        copy.session.conn.execute("SET ROLE pg_monitor")
        with pytest.raises(NotRehearsed) as caught:
            restored._cut_off(copy.session, drawn)
        assert str(caught.value).endswith(
            "its copy could reach another server, and that could not be cut off (42501). Nothing was touched. "
            "Give the scratch server's login the right to drop user mappings there."
        )
        copy.session.conn.execute("RESET ROLE")
        restored._cut_off(copy.session, drawn)
        assert copy.session.conn.execute("SELECT FROM pg_user_mappings").fetchall() == []
