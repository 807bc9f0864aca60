"""What cannot be restored is named, and the database is as it was."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from engine import load, lock, manifest, swap, tools
from engine.connection import Database, open_session
from engine.errors import EngineError, EnvironmentBusy, LockNotHeld, WouldUnprotect
from engine.form import Form
from engine.restore import Source, run
from engine.tools import ProgramMissing
from tests.support.engine import TOOLS
from tests.support.restore import NOW, ask, restored, sign, taken

AS_IT_WAS = "Its database is as it was."


def refused(shop: Database, source: Source) -> str:
    """The sentence; the database still has its rows, and nothing new stands beside it."""
    with pytest.raises(EngineError) as caught:
        restored(shop, source)
    assert ask(shop, "SELECT count(*) FROM users") == [(2,)]
    assert ask(shop, "SELECT datname::text FROM pg_database WHERE datname LIKE 'shop%'") == [("shop",)]
    return str(caught.value)


def rewritten(source: Source, change: Callable[[dict[str, object]], object]) -> Source:
    path = manifest.beside(source.backup)
    said = json.loads(path.read_text())
    change(said)
    path.write_text(json.dumps(said))
    return source


def forged(shop: Database, folder: Path, extra: str) -> Source:
    """A backup with something more in it, and a manifest that says so."""
    source = taken(shop, folder)
    with source.backup.open("a") as file:
        file.write(extra)
    sign(source.backup)
    return source


def test_a_backup_that_changed_is_not_even_loaded(shop: Database, tmp_path: Path) -> None:
    source = taken(shop, tmp_path)
    text = source.backup.read_bytes()
    source.backup.write_bytes(text.replace(b"users", b"usurs", 1))
    found, wanted = manifest.sum_of(source.backup)[1][:12], manifest.read(source.backup).sha256[:12]
    assert refused(shop, source) == (
        f"{source.backup.name} cannot be trusted: its SHA-256 is {found}… and its manifest says {wanted}…. "
        "Take another backup, or name another one."
    )


def test_a_backup_of_another_environment_is_refused(shop: Database, tmp_path: Path) -> None:
    source = rewritten(taken(shop, tmp_path), lambda said: said.update(environment="test"))
    assert refused(shop, source) == (
        f"development was not restored: {source.backup.name} is a backup of test. {AS_IT_WAS} Name one of its own."
    )


def test_a_backup_from_a_newer_server_is_refused(shop: Database, tmp_path: Path) -> None:
    source = rewritten(taken(shop, tmp_path), lambda said: said.update(server_version="99.1"))
    assert refused(shop, source).startswith(
        f"development was not restored: {source.backup.name} is from PostgreSQL 99.1 and this is 1"
    )


def test_what_differs_from_the_manifest_is_named(shop: Database, tmp_path: Path) -> None:
    source = forged(
        shop,
        tmp_path,
        "DELETE FROM public.twokey_migrations; DELETE FROM public.schema_migrations WHERE id < 3;"
        "DELETE FROM public.user_audit; CREATE TABLE public.u ();",
    )
    said = refused(shop, source)
    assert said == (
        "development was not restored: what was loaded is not what was backed up: "
        "public.schema_migrations has 1 row instead of 3 rows; public.twokey_migrations has 0 rows instead of 3 rows; "
        f"public.u has 0 rows instead of no table; and 3 more. {AS_IT_WAS} Take another backup, or name another one."
    )


def test_a_history_and_a_schema_that_differ_are_named(shop: Database, tmp_path: Path) -> None:
    source = taken(shop, tmp_path)
    contents = manifest.read(source.backup).contents
    rewritten(source, lambda said: said["contents"].update(history="0" * 64, fingerprint="0" * 64))  # pyright: ignore[reportAttributeAccessIssue]
    assert refused(shop, source) == (
        "development was not restored: what was loaded is not what was backed up: its history ends at "
        f"{contents.head} and is not the one that was backed up, which ends at {contents.head}; its schema is "
        f"{contents.fingerprint[:12]} instead of 000000000000. {AS_IT_WAS} Take another backup, or name another one."
    )


def test_a_statement_that_fails_is_named_by_line_and_sqlstate_alone(shop: Database, tmp_path: Path) -> None:
    source = forged(shop, tmp_path, "SELECT 1/0;")
    last = len(source.backup.read_text().splitlines())
    assert refused(shop, source) == (
        f"development was not restored: line {last} of the backup failed with SQLSTATE 22012. {AS_IT_WAS} "
        f"Load {source.backup.name} by hand into an empty database to see why."
    )


@pytest.mark.parametrize(
    ("script", "why"), [("exit 1", "psql ended with code 1"), ("kill -9 $$", "psql was ended by signal 9")]
)
def test_a_program_that_ends_is_named(shop: Database, tmp_path: Path, script: str, why: str) -> None:
    source = replace(taken(shop, tmp_path), tools=programs(tmp_path, script))
    assert refused(shop, source).startswith(f"development was not restored: {why}. {AS_IT_WAS}")


def programs(folder: Path, script: str) -> tools.Tools:
    """A psql of ours beside the real pg_dump."""
    place = folder / "bin"
    place.mkdir()
    real = TOOLS.pg_dump(180000).path
    (place / "pg_dump").write_text(f'#!/bin/sh\nexec {real} "$@"\n')
    (place / "psql").write_text(f'#!/bin/sh\n[ "$1" = --version ] && echo "psql (PostgreSQL) 18.4" && exit\n{script}\n')
    for program in place.iterdir():
        program.chmod(0o700)
    return tools.find(str(place), "")


def test_a_missing_psql_is_named(shop: Database, tmp_path: Path) -> None:
    there = programs(tmp_path, "")
    (tmp_path / "bin" / "psql").unlink()
    with pytest.raises(ProgramMissing) as caught:
        restored(shop, replace(taken(shop, tmp_path), tools=there))
    assert str(caught.value) == (
        f"There is no psql beside the pg_dump in {tmp_path}/bin. "
        "Install PostgreSQL's client programs whole, or set PG_BIN to a folder that holds them all."
    )


def test_a_folder_that_pg_restore_cannot_read_is_named(shop: Database, tmp_path: Path) -> None:
    source = taken(shop, tmp_path, Form.CUSTOM)
    source.backup.write_bytes(b"PGDMP nonsense")
    env = {"PGDATABASE": "shop", "LC_ALL": "C"}
    found = manifest.read(source.backup)
    loaded = load.load(source.backup, found, tools=TOOLS, server=180000, parallel=1, env=env)
    assert loaded == load.Loaded("pg_restore ended with code 1", None)


def test_what_hangs_on_the_old_database_is_named(shop: Database, tmp_path: Path) -> None:
    source = taken(shop, tmp_path)
    ask(shop, "CREATE SUBSCRIPTION theirs CONNECTION 'dbname=x' PUBLICATION p WITH (connect = false)")
    try:
        assert refused(shop, source) == (
            "development was not restored: its database has the subscription theirs, which would stay "
            f"with the old one. {AS_IT_WAS} Drop or finish what is named, then ask again."
        )
    finally:
        ask(shop, "ALTER SUBSCRIPTION theirs SET (slot_name = NONE)")
        ask(shop, "DROP SUBSCRIPTION theirs")


def test_a_session_that_cannot_be_ended_is_named_and_nothing_is_swapped(
    shop: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = taken(shop, tmp_path)
    monkeypatch.setattr(swap, "_ended", lambda *_, **__: [1])
    with psycopg.connect(shop.dsn, application_name="shop's till") as other:
        pid, said = other.info.backend_pid, refused(shop, source)
        assert other.execute("SELECT 1").fetchone() == (1,)
    assert said.startswith("development was not touched: ")
    assert f"shop's till of postgres (pid {pid})" in said
    assert said.endswith(" is still in shop. End that session, or grant our role pg_signal_backend, then ask again.")


def test_a_protected_database_cannot_be_unprotected_by_a_local_file(shop: Database, tmp_path: Path) -> None:
    source = taken(shop, tmp_path)
    ask(shop, "UPDATE twokey_environment SET protected = true")
    with pytest.raises(WouldUnprotect):
        restored(shop, source)


def test_a_backup_of_a_protected_database_restores_no_protection_into_an_unprotected_one(
    shop: Database, tmp_path: Path
) -> None:
    ask(shop, "UPDATE twokey_environment SET protected = true")
    source = taken(shop, tmp_path)
    ask(shop, "UPDATE twokey_environment SET protected = false")
    assert refused(shop, source).startswith("development is protected, the database says so, but twokey.toml does not.")


def test_without_the_lock_nothing_is_restored(shop: Database, tmp_path: Path) -> None:
    source = taken(shop, tmp_path)
    with open_session(shop, purpose="twokey test") as session, pytest.raises(LockNotHeld):
        run(session, source, now=NOW, actor="ada", request=None)
    with psycopg.connect(shop.dsn.replace("/shop?", "/postgres?")) as other:
        other.execute("SELECT pg_advisory_lock(%s, hashtext('shop'))", (lock.CLASS,))
        with pytest.raises(EnvironmentBusy) as caught:
            restored(shop, source)
    assert str(caught.value).startswith("development is busy: another restore still holds it after 0 s.")


def test_a_role_that_may_not_create_databases_is_told_how(shop: Database, tmp_path: Path) -> None:
    source = taken(shop, tmp_path)
    ask(shop, "DROP ROLE IF EXISTS weak; CREATE ROLE weak LOGIN")
    ask(shop, "GRANT ALL ON ALL TABLES IN SCHEMA public TO weak")
    try:
        weak = replace(shop, dsn=shop.dsn.replace("postgres@", "weak@"))
        assert refused(weak, source) == (
            f"development was not restored: weak may not create a database like shop. {AS_IT_WAS} "
            "Make it that database's owner, and: ALTER ROLE weak CREATEDB."
        )
    finally:
        ask(shop, "DROP OWNED BY weak; DROP ROLE weak")
