"""Who wrote a file, however a history hides it: renames, copies, merges, messages, what stands beside the commits."""

from pathlib import Path

import pytest

from engine import commits
from tests.support.git import A, B, authors, commit, git, repository, seen

TEXT = "".join(f"SELECT {n};\n" for n in range(30))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return repository(tmp_path)


def names(folder: Path, *ids: str) -> set[str]:
    return authors(seen(folder), *ids)


@pytest.mark.parametrize(
    ("message", "also"),
    [
        ("Co-authored-by: Eve <eve@example.com>", {"Eve"}),
        ("  CO-AUTHORED-BY :\tEve <eve@example.com>\n\nand a last word", {"Eve"}),
        ("Co-authored-by: Eve\n <eve@example.com>", {"Eve"}),
        ("Co-authored-by: Eve <eve@example.com>, Bo <bo@example.com>", {"Eve", "Bo"}),
        ("Co-developed-by: Eve <eve@example.com>", {"Eve"}),
        # Nobody can tell who that is, and that is said.
        ("Co-authored-by: Eve", {"Eve"}),
        ("Co-authored-by: Eve <>", {"Eve"}),
        ("Co-authored-by: <eve@example.com>", {"somebody without a name"}),
        # Who signs off or reviews did not write.
        ("Signed-off-by: Eve <eve@example.com>\nReviewed-by: Eve <eve@example.com>", set()),
        # No message poses as another commit.
        ("\x01" + "0" * 40, set()),
    ],
)
def test_a_co_author_is_one_however_the_line_is_written(folder: Path, message: str, also: set[str]) -> None:
    commit(folder, "Ada", a="SELECT 1;", message=f"m\n\n{message}")
    assert names(folder, A) == {"Ada", *also}


def test_an_address_is_one_in_every_case_and_a_name_alone_is_another() -> None:
    assert commits.mark(" EVE@Example.com ") == commits.mark("eve@example.com")
    assert commits.mark("zoe\u0308@example.com") == commits.mark("ZO\u00cb@example.com")
    assert commits.mark("eve+sql@example.com") != commits.mark("eve@example.com") != commits.mark("Eve")


def test_a_mailmap_makes_nobody_else_of_an_author(folder: Path) -> None:
    (folder.parent / ".mailmap").write_text("Bo <bo@example.com> <eve@example.com>\n")
    git(folder, "config", "log.mailmap", "true")
    commit(folder.parent, "Eve")
    commit(folder, "Eve", a="SELECT 1;")
    assert names(folder, A) == {"Eve"}


def test_whoever_renames_a_file_does_not_take_its_authors_away(folder: Path) -> None:
    commit(folder, "Ada", a=TEXT)
    (folder / f"{A}.sql").rename(folder / f"{B}.sql")
    commit(folder, "Bo")
    assert names(folder, B) == {"Ada", "Bo"}


def test_a_change_made_in_a_merge_has_an_author_too(folder: Path) -> None:
    commit(folder, "Ada", a="SELECT 1;")
    git(folder, "checkout", "-q", "-b", "side")
    commit(folder, "Bo", b="SELECT 2;")
    git(folder, "checkout", "-q", "main")
    commit(folder, "Cy", a="SELECT 3;")
    git(folder, *("-c", "user.name=Eve", "-c", "user.email=eve@e"), "merge", "-q", "--no-commit", "--no-ff", "side")
    commit(folder, "Eve", a="SELECT 4; SELECT 'evil';")
    assert "Eve" in names(folder, A)
    assert "Eve" not in names(folder, B)


@pytest.mark.parametrize(
    "way", ["renamed", "copied", "removed and put back", "moved from elsewhere", "names exchanged"]
)
def test_whoever_brings_a_text_under_another_name_is_not_its_only_author(folder: Path, way: str) -> None:
    git(folder, "config", "diff.renames", "false")
    old, new, drafts = folder / f"{A}.sql", folder / f"{B}.sql", folder.parent / "drafts"
    drafts.mkdir()
    if way == "moved from elsewhere":
        old = drafts / "idea.sql"
    old.write_text(TEXT)
    commit(folder.parent, "Eve")
    if way == "removed and put back":
        old.unlink()
        commit(folder, "Bo")
    if way in {"copied", "removed and put back"}:
        new.write_text(TEXT)
    else:
        old.rename(new)
    if way == "names exchanged":
        old.write_text("SELECT 'another';")
    commit(folder.parent, "Bo")
    assert names(folder, B) == {"Eve", "Bo"}


def test_whose_change_a_merge_leaves_out_wrote_it_too(folder: Path) -> None:
    commit(folder, "Ada", a="SELECT 1;")
    git(folder, "checkout", "-q", "-b", "side")
    commit(folder, "Eve", a="SELECT 2;")
    git(folder, "checkout", "-q", "main")
    commit(folder, "Cy", a="SELECT 2;")
    git(folder, *("-c", "user.name=Bo", "-c", "user.email=bo@e"), "merge", "-q", "--no-ff", "-m", "m", "side")
    assert names(folder, A) == {"Ada", "Cy", "Eve"}


def test_neither_a_replaced_commit_nor_a_graft_hides_an_author(folder: Path) -> None:
    commit(folder, "Eve", a="SELECT 1;")
    true = git(folder, "cat-file", "commit", "HEAD")
    forged = git(folder, "hash-object", "-w", "-t", "commit", "--stdin", told=true.replace("Eve", "Bo") + "\n")
    git(folder, "replace", "HEAD", forged)
    assert names(folder, A) == {"Eve"}
    commit(folder, "Ada", a="SELECT 2;")
    info = folder.parent / ".git" / "info"
    info.mkdir(exist_ok=True)
    (info / "grafts").write_text(git(folder, "rev-parse", "HEAD") + "\n")
    assert names(folder, A) == {"Eve", "Ada"}


def test_a_replaced_text_is_not_a_committed_one(folder: Path) -> None:
    commit(folder, "Ada", a="SELECT 1;")
    evil = git(folder, "hash-object", "-w", "--stdin", told="SELECT 'evil';")
    git(folder, "replace", git(folder, "rev-parse", f"HEAD:./{A}.sql"), evil)
    (folder / f"{A}.sql").write_text("SELECT 'evil';")
    assert seen(folder).committed == frozenset()


@pytest.mark.parametrize("text", ["SELECT 1;", "SELECT 2;"])
def test_a_link_is_not_the_text_that_it_leads_to(folder: Path, text: str) -> None:
    (folder.parent / "elsewhere.sql").write_text("SELECT 1;")
    (folder / f"{A}.sql").symlink_to("../elsewhere.sql")
    commit(folder.parent, "Ada")
    (folder.parent / "elsewhere.sql").write_text(text)
    assert seen(folder).committed == frozenset()
