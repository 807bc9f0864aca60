"""Nothing that a repository names is run or believed, and no settings of its own change what is answered."""

from pathlib import Path

import pytest

from engine import checkout, files
from tests.support.git import GIT, A, commit, git, repository

#: What git would start if it were let.
PROGRAMS = (
    *(
        "core.fsmonitor",
        "core.pager",
        "pager.log",
        "gpg.program",
        "gpg.ssh.program",
        "diff.external",
        "core.sshCommand",
    ),
    *("core.askPass", "core.editor", "alias.log", "alias.cat-file", "core.alternateRefsCommand", "diff.evil.command"),
    *("diff.evil.textconv", "filter.evil.smudge", "filter.evil.process", "trailer.co-authored-by.command"),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inside = repository(tmp_path)
    commit(inside, "Eve", a="SELECT 1;")
    commit(inside, "Ada", a="SELECT 1; SELECT 2;")
    return inside


def names(folder: Path) -> set[str]:
    found = checkout.read(folder, files.read(folder), git=GIT)
    assert found is not None
    assert found.committed == {A}
    origin = found.origin([A])
    return {author.name for author in origin.authors} if origin else set()


def test_nothing_that_a_repository_names_is_run(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder.parent / ".gitattributes").write_text("*.sql filter=evil diff=evil merge=evil eol=crlf ident\n")
    commit(folder.parent, "Ada")
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path / 'sprung'}\n")
    trap.chmod(0o755)
    for key in PROGRAMS:
        git(folder, "config", key, str(trap))
    git(folder, "config", "log.showSignature", "true")
    git(folder, "config", "core.hooksPath", str(tmp_path))
    for name, value in {"DIR": "/nonexistent", "EXTERNAL_DIFF": trap, "PAGER": trap, "CONFIG_PARAMETERS": "x"}.items():
        monkeypatch.setenv(f"GIT_{name}", str(value))
    assert names(folder) == {"Eve", "Ada"}
    assert not (tmp_path / "sprung").exists()


def test_nothing_is_fetched_for_what_is_missing(folder: Path, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path / 'sprung'}\n")
    trap.chmod(0o755)
    settings = {"core.repositoryformatversion": "1", "extensions.partialClone": "origin", "core.sshCommand": str(trap)}
    for key, value in {**settings, "remote.origin.promisor": "true", "remote.origin.url": "ssh://x/y"}.items():
        git(folder, "config", key, value)
    blob = git(folder, "rev-parse", f"HEAD:./{A}.sql")
    (folder.parent / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    found = checkout.read(folder, files.read(folder), git=GIT)
    assert found is not None
    assert found.committed == frozenset()
    assert not (tmp_path / "sprung").exists()


def test_no_setting_of_its_own_changes_what_is_answered(folder: Path) -> None:
    for key, value in {
        "color.ui": "always",
        "core.abbrev": "4",
        "diff.noprefix": "true",
        "diff.orderFile": "/dev/zero",
        "diff.relative": "true",
        "diff.renames": "false",
        "format.pretty": "%s",
        "i18n.logOutputEncoding": "UTF-16",
        "log.diffMerges": "off",
        "log.follow": "true",
        "log.showRoot": "false",
    }.items():
        git(folder, "config", key, value)
    assert names(folder) == {"Eve", "Ada"}


@pytest.mark.parametrize("place", ["core.worktree", "core.bare", "diff.algorithm"])
def test_a_repository_that_points_elsewhere_has_nothing_committed(folder: Path, place: str) -> None:
    git(folder, "config", place, {"core.bare": "true"}.get(place, "/nonexistent"))
    found = checkout.read(folder, files.read(folder), git=GIT)
    assert found is not None
    assert found.trouble or not found.committed
