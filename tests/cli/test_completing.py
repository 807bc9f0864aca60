"""What the Tab key offers, asked as a shell asks: by a program that is started with the words in its surroundings."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from cli import manual
from tests.cli.conftest import COLUMNS, USERS
from tests.support.workflow import OURS

ROOT = Path(__file__).parents[2]
TWOKEY = "from cli.main import main; main()"
#: Asks for each line in turn, in one program: starting it is what costs.
ASK = """
import contextlib, os, sys
from cli.main import main
for words in sys.argv[1:]:
    begun = words.rsplit(" ", 1)[1]
    fish = os.environ["_TWOKEY_COMPLETE"].startswith("fish")
    os.environ |= {"COMP_WORDS": words, "COMP_CWORD": begun if fish else str(words.count(" "))}
    with contextlib.suppress(SystemExit):
        main()
    print("--", flush=True)
"""
BACKUPS = ("test-backup-2025-08-18T16-00-00.sql", "test-backup-2025-08-19T16-00-00.dump")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A workflow file, two migrations, two backups of test and what lies about beside them. No address is known."""
    backups = tmp_path / "migrations" / "schema-backups"
    backups.mkdir(parents=True)
    (tmp_path / "twokey.toml").write_text(OURS)
    for name in (f"{USERS}.sql", f"{COLUMNS}.sql", "notes.sql", ".20250818150001_hidden.sql", "20250818160001_page.md"):
        (tmp_path / "migrations" / name).write_text("not even read")
    for name in (*BACKUPS, f"{BACKUPS[0]}.json", "development-backup-2025-08-18T16-00-00.sql", ".test-0a1b2c3d.part"):
        (backups / name).touch()
    (backups / "test-backup-2025-08-20T16-00-00.sql.json").touch()  # its backup was removed by hand
    return tmp_path


def surroundings(folder: Path, **more: str) -> Mapping[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.endswith("_DATABASE_URL")}
    return {**kept, "PYTHONPATH": str(ROOT), "TWOKEY_CONFIG": str(folder / "twokey.toml"), **more}


def offered(folder: Path, *lines: str, shell: str = "bash", ending: str = "") -> list[list[str]]:
    """What is offered for the last word of each `twokey line`, as the shell's own script reads it."""
    ended = subprocess.run(
        [sys.executable, "-c", ASK + ending, *(f"twokey {line}" for line in lines)],
        env=surroundings(folder, _TWOKEY_COMPLETE=f"{shell}_complete"),
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stderr == ""
    return [answer.split() for answer in ended.stdout.split("--\n")]


@pytest.mark.parametrize("text", [None, "migrations = 7\n", "not [ toml"])
def test_where_the_workflow_file_is_missing_or_wrong_nothing_is_offered_and_nothing_said(
    folder: Path, text: str | None
) -> None:
    path = folder / "twokey.toml"
    path.write_text(text) if text else path.unlink()
    assert offered(folder, "plan ", "baseline test ", "restore test ") == [[], [], [], []]


def test_where_the_folder_of_migrations_is_missing_nothing_is_offered(folder: Path) -> None:
    shutil.rmtree(folder / "migrations")
    assert offered(folder, "baseline test ", "restore test ") == [[], [], []]


def test_commands_environments_migrations_and_backups_are_offered_and_no_driver_is_loaded(folder: Path) -> None:
    expected = {
        "ba": ["backup", "backups", "baseline"],
        "apply ": ["development", "dev", "test", "production", "prod"],
        "status prod": ["production", "prod"],
        "baseline test ": [USERS, COLUMNS],
        "repair test --accept 202508181400": [COLUMNS],
        "rollback test ": ["to", "last"],
        "rollback test to ": [USERS, COLUMNS],
        "rollback test last ": [],
        "restore TEST ": [*reversed(BACKUPS)],
        "restore nowhere ": [],
    }
    heavy = "{'psycopg', 'sqlalchemy', 'rich', 'postgast'}"
    *answers, loaded = offered(folder, *expected, ending=f"print({heavy} & set(sys.modules))")
    assert answers == [[f"plain,{name}" for name in names] for names in expected.values()]
    assert loaded == ["set()"]


def test_a_file_to_lint_is_the_shells_own_to_offer(folder: Path) -> None:
    assert offered(folder, "lint migr") == [["file,migr"], []]


def test_zsh_and_fish_are_offered_the_same(folder: Path) -> None:
    assert offered(folder, "plan te", shell="zsh") == [["plain", "test", "_"], []]
    assert offered(folder, "plan te", shell="fish") == [["plain,test"], []]


def test_the_readme_and_the_runbook_have_the_line_for_each_shell_that_the_help_has() -> None:
    lines = [[one.split()[0], one.split("  ")[-1].strip()] for one in manual.EXAMPLES.splitlines() if "_source" in one]
    assert lines == [
        ["bash", 'eval "$(_TWOKEY_COMPLETE=bash_source twokey)"'],
        ["zsh", 'eval "$(_TWOKEY_COMPLETE=zsh_source twokey)"'],
        ["fish", "env _TWOKEY_COMPLETE=fish_source twokey | source"],
    ]
    for page in (ROOT / "README.md", ROOT / "docs" / "runbook.md"):
        assert all(line in page.read_text(encoding="utf-8") for _, line in lines)


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
def test_bash_itself_takes_the_line_and_offers(folder: Path) -> None:
    program = folder / "twokey"
    program.write_text(f"#!/bin/sh\nexec {shlex.quote(sys.executable)} -c {shlex.quote(TWOKEY)}\n")
    program.chmod(0o755)
    script = (
        'eval "$(_TWOKEY_COMPLETE=bash_source twokey)"; complete -p twokey; '
        "COMP_WORDS=(twokey restore test ''); COMP_CWORD=3; _twokey_completion twokey; "
        "printf '%s\\n' \"${COMPREPLY[@]}\""
    )
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    ended = subprocess.run(
        ["bash", "-c", script], env=surroundings(folder, PATH=path), capture_output=True, text=True, check=True
    )
    assert ended.stderr == ""
    assert ended.stdout.splitlines() == ["complete -o nosort -F _twokey_completion twokey", *reversed(BACKUPS)]
