"""Backups and restores from a terminal: what is said, what is printed as JSON, and where it is refused."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from cli import restore_words, restoring
from cli.terminal import say
from engine import lock, manifest, restore
from playground.embedded import Postgres
from tests.cli.conftest import COLUMNS, USERS, Shell
from tests.support.workflow import OURS

MOMENT = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC"
NOT_HERE = (
    "Nothing protected is restored or dropped from a terminal. Ask in Slack: /migrate restore, or /migrate discard.\n"
)


@pytest.fixture(autouse=True)
def _nothing_kept(postgres: Postgres) -> Iterator[None]:
    """What restores kept and made beside is dropped again."""
    yield
    with psycopg.connect(postgres.url(), autocommit=True) as conn:
        rows = conn.execute("SELECT datname FROM pg_database WHERE datname LIKE 'cli\\_%\\_%'").fetchall()
    for (name,) in rows:
        postgres.drop(name)


def folder(shell: Shell) -> Path:
    return shell.folder / "migrations" / "schema-backups"


def backed_up(shell: Shell) -> str:
    shell.bring("dev")
    shell.sql("development", "INSERT INTO users VALUES (1, 'a')")
    return shell("backup", "dev", "--json").body["backup"]["file"]


def test_a_backup_says_where_it_is_and_what_it_holds(shell: Shell) -> None:
    shell.bring("dev")
    said = shell("backup", "dev")
    assert said.code == 0
    first, second, third = said.out.splitlines()
    assert first == "Backing up …"
    kept = re.fullmatch(r"Backed up to (.+) \([\d,]+ bytes in \d+\.\d s, read back\)\.", second)
    assert kept
    assert Path(kept[1]).parent == folder(shell)
    assert re.fullmatch(
        rf"It holds 8 rows in 8 tables, history up to {COLUMNS}, as of {MOMENT}, LSN [\dA-F/]+\.", third
    )


def test_a_backup_as_json_is_its_manifest(shell: Shell) -> None:
    said = shell("backup", "dev", "--json")
    path = Path(said.body["backup"]["path"])
    assert said.code == 0
    assert said.body["environment"] == "development"
    assert {"file": path.name, "path": str(path), **manifest.read(path).as_json()} == said.body["backup"]


def test_production_can_be_backed_up_from_here_since_it_stays_as_it_is(shell: Shell) -> None:
    assert shell("backup", "prod").code == 0


def test_backups_are_listed_newest_first_and_verified(shell: Shell) -> None:
    shell("backup", "dev")
    name = backed_up(shell)
    said = shell("backups", "dev")
    assert said.code == 0
    first, second, last = said.out.splitlines()
    assert re.fullmatch(
        rf"{re.escape(name)}  [\d,]+ bytes, 9 rows in 8 tables, history up to {COLUMNS}, as of {MOMENT}, LSN .+",
        first,
    )
    assert "0 rows" not in second
    assert " tables, no migration yet, as of " in second
    assert last == "2 backups of development, each read and as its manifest says."
    body = shell("backups", "dev", "--json").body
    assert (body["environment"], body["folder"]) == ("development", str(folder(shell)))
    assert [(one["file"] == name, one["verified"], one["problem"]) for one in body["backups"]] == [
        (True, True, None),
        (False, True, None),
    ]


def test_a_backup_that_cannot_be_trusted_is_named_and_exits_1(shell: Shell) -> None:
    name = shell("backup", "dev", "--json").body["backup"]["file"]
    (folder(shell) / f"{name}.json").unlink()
    said = shell("backups", "dev")
    problem = f"{name} cannot be trusted: there is no {name}.json beside it. Take another backup, or name another one."
    assert (said.code, said.out) == (1, f"! {problem}\n1 backup of development, 1 of them not to be trusted.\n")
    (one,) = shell("backups", "dev", "--json").body["backups"]
    assert one == {"file": name, "verified": False, "problem": problem}


def test_no_backup_is_no_failure(shell: Shell) -> None:
    said = shell("backups", "dev")
    assert (said.code, said.out) == (0, f"{folder(shell)} holds no backup of development.\n")


def test_the_workflow_file_says_how_and_how_many(shell: Shell) -> None:
    shell.workflow(OURS.replace('aliases = ["dev"]', 'aliases = ["dev"]\nbackup_format = "custom"\nkeep_backups = 2'))
    names = [shell("backup", "dev", "--json").body["backup"]["file"] for _ in range(3)]
    assert names[0].endswith(".dump")
    assert [one["file"] for one in shell("backups", "dev", "--json").body["backups"]] == names[:0:-1]


def test_nobody_alone_pushes_out_the_backups_of_production(shell: Shell) -> None:
    shell.workflow(OURS.replace('aliases = ["prod"]', 'aliases = ["prod"]\nkeep_backups = 1'))
    names = [shell("backup", "prod", "--json").body["backup"]["file"] for _ in range(2)]
    assert [one["file"] for one in shell("backups", "prod", "--json").body["backups"]] == names[::-1]


def test_a_restore_tells_each_step_and_where_the_old_database_is(shell: Shell) -> None:
    name = backed_up(shell)
    shell.sql("development", "DELETE FROM users")
    said = shell("restore", "dev", name)
    lines = said.out.splitlines()
    kept = lines[-1].split()[-1]
    assert said.code == 0
    assert re.fullmatch(r"cli_development_before_\d{8}_\d{6}", kept)
    assert re.fullmatch(
        r"The backup is as its manifest says\. Loading [\d,]+ bytes into cli_development_twokey_restoring …", lines[0]
    )
    assert lines[1] == "Comparing: schema, history, and the rows of 8 tables …"
    assert lines[2] == f"Swapping: sessions are ended, and the old database becomes {kept} …"
    assert re.fullmatch(rf"development is the backup of {MOMENT} \(history up to {COLUMNS}\), in \d+\.\d s\.", lines[3])
    assert lines[4:] == [
        f"What was written since is in {kept} alone.",
        f"When nothing of it is needed: twokey discard development {kept}",
    ]
    assert shell.sql("development", "SELECT id FROM users") == [(1,)]
    assert "2 applied, 0 pending" in shell("status", "dev").out
    assert shell("apply", "dev").code == 0


def test_what_was_kept_is_listed_and_dropped_by_name(shell: Shell) -> None:
    assert shell("discard", "dev").out == "No restore of development kept a database.\n"
    kept = shell("restore", "dev", backed_up(shell), "--json").body["kept"]
    listed = shell("discard", "dev")
    assert re.fullmatch(rf"{kept}  [\d,]+ bytes\nDrop one: twokey discard development {kept}\n", listed.out)
    assert [one["database"] for one in shell("discard", "dev", "--json").body["kept"]] == [kept]
    assert re.fullmatch(rf"{kept} is gone, [\d,]+ bytes\.\n", shell("discard", "dev", kept).out)
    again = shell("discard", "dev", kept, "--json")
    assert (again.code, again.body["refusal"]) == (
        1,
        f"{kept} is not a database that a restore of development kept. It kept none.",
    )


def test_beside_the_environment_is_not_touched(shell: Shell) -> None:
    name = backed_up(shell)
    shell.sql("development", "DELETE FROM users")
    said = shell("restore", "dev", str(folder(shell) / name), "--into", "cli_development_monday")
    assert re.fullmatch(
        rf"Database cli_development_monday is the backup of {MOMENT} \(history up to {COLUMNS}\), in \d+\.\d s\.",
        said.out.splitlines()[-2],
    )
    assert said.out.splitlines()[-1] == "development itself was not touched."
    assert shell.sql("development", "SELECT count(*) FROM users") == [(0,)]


def test_a_restore_as_json_is_all_that_is_printed(shell: Shell) -> None:
    body = shell("restore", "dev", backed_up(shell), "--json").body
    assert body.keys() == {"environment", "outcome", "database", "kept", "head", "as_of", "seconds", "further_on"}
    assert (body["environment"], body["outcome"], body["database"], body["head"]) == (
        "development",
        "restored",
        "cli_development",
        COLUMNS,
    )


def test_what_an_environment_further_on_keeps_is_said(shell: Shell) -> None:
    shell("apply", "dev")
    shell.bring("test")
    first = shell("backups", "dev", "--json").body["backups"][-1]["file"]
    said = shell("restore", "dev", first)
    assert said.code == 0
    assert f"test keeps {USERS}, {COLUMNS}. Apply development again." in said.out.splitlines()
    assert shell("apply", "dev").code == 0


def test_a_backup_that_is_not_there_is_answered_with_the_newest(shell: Shell) -> None:
    said = shell("restore", "dev", "monday.sql")
    assert said.code == 2
    assert said.err == (
        f"{folder(shell)} holds no backup monday.sql. There is none of development.\n"
        "See them all: twokey backups development\n"
    )
    name = backed_up(shell)
    assert f"The newest is {name}." in shell("restore", "dev", "monday.sql").err
    assert f"Did you mean {name}?\n" in shell("restore", "dev", name.removesuffix("l")).err


@pytest.mark.parametrize("words", [("restore", "prod", "x.sql"), ("discard", "prod", "shop_before_20250818_161500")])
def test_nothing_protected_is_restored_or_dropped_from_here(shell: Shell, words: tuple[str, ...]) -> None:
    shell.unset("PRODUCTION_DATABASE_URL")  # it is not even looked at
    said = shell(*words)
    assert (said.code, said.out) == (1, f"production is protected.\n{NOT_HERE}")


def test_nor_when_a_local_file_says_that_it_is_not_protected(shell: Shell) -> None:
    name = shell("backup", "prod", "--json").body["backup"]["file"]
    shell.workflow(OURS.replace("protected = true", "protected = false"))
    for words in (("restore", "prod", name), ("restore", "prod", name, "--into", "x"), ("discard", "prod", "x")):
        said = shell(*words)
        assert said.code == 1
        assert said.out.startswith("production is protected, the database says so, but twokey.toml does not.")
        assert said.out.endswith(NOT_HERE)


def test_who_waits_is_told_who_holds_the_lock(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    name = backed_up(shell)
    monkeypatch.setattr(restoring, "WAIT", timedelta(milliseconds=50))
    with psycopg.connect(shell.dsn["development"], application_name="twokey apply #7") as other:
        other.execute("SELECT pg_advisory_lock(%s, %s)", (lock.CLASS, lock.OBJECT))
        said = shell("restore", "dev", name)
    assert said.code == 1
    assert said.out.startswith("Waiting: twokey apply #7 (")


def test_what_an_interrupted_restore_left_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    say(restore_words.step(restore.LeftoverCleared("shop_twokey_restoring")))
    assert capsys.readouterr().out == "Dropped shop_twokey_restoring, which an interrupted restore had left.\n"
