"""What git says of a folder of migrations: who wrote them, what is committed, and where it cannot say."""

from pathlib import Path

import pytest

from engine import amendment, checkout, commits, files, plan, reversal
from engine.amend import Edited
from engine.amendment import Amendment, Folder
from engine.checkout import Checkout, Origin
from engine.commits import Author, Commit
from engine.connection import Limits
from engine.plan import Advice, Plan, Planned
from engine.refusals import CheckoutUnread, NotCommitted
from engine.reversal import Reversal
from tests.engine.test_plan import FILES
from tests.support.engine import stands
from tests.support.git import GIT, A, B, authors, commit, git, repository, seen


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return repository(tmp_path)


def draw(folder: Path, *, protected: bool = True) -> Plan:
    found = files.read(folder)
    here = stands("production", found, applied=0, protected=protected)
    known = Advice(checkout=checkout.read(folder, found, git=GIT))
    return plan.draw(here, found, before=None, limits=Limits(), advice=known)


def test_authors_and_co_authors_of_the_files_that_are_meant(folder: Path) -> None:
    commit(folder, "Ada", a="SELECT 1;")
    commit(folder, "Bo", b="SELECT 2;", message="m\n\nCo-authored-by: Cy C <CY@example.com>\n\nand a last word")
    commit(folder, "Eve")  # touches no migration
    found = seen(folder)
    assert found.committed == {A, B}
    assert authors(found, A) == {"Ada"}
    assert authors(found, B) == {"Bo", "Cy C"}
    assert authors(found, A, B) == {"Ada", "Bo", "Cy C"}
    origin = found.origin([A])
    assert origin is not None
    assert origin.authors == (Author("Ada", commits.mark("ada@example.com")),)
    assert len(origin.commit) == 40
    assert found.origin(["20250103000000_c"]) is None
    assert "example.com" not in repr(found)


def test_what_is_not_committed_is_refused_where_it_is_protected(folder: Path) -> None:
    commit(folder, "Ada", a="SELECT 1;")
    assert draw(folder).origin is not None
    (folder / f"{A}.sql").write_text("SELECT 2;")
    git(folder, "update-index", "--assume-unchanged", f"{A}.sql")  # git status would see nothing
    (folder / f"{B}.sql").write_text("SELECT 3;")
    (folder / ".gitignore").write_text("*_b.sql\n")
    with pytest.raises(NotCommitted) as caught:
        draw(folder)
    assert str(caught.value) == (
        "production is protected and gets what is committed alone. Not in HEAD as in the folder: "
        f"{A}.sql, {B}.sql. Commit it, bring the workers that commit, then ask again."
    )
    assert draw(folder, protected=False).origin is not None


def test_other_line_ends_are_no_other_text(folder: Path) -> None:
    commit(folder, "Ada", a="SELECT 1;\nSELECT 2;\n")
    (folder / f"{A}.sql").write_bytes(b"SELECT 1;\r\nSELECT 2;\r\n")
    assert seen(folder).committed == {A}


def test_a_git_that_fails_without_a_word_is_told_too(folder: Path) -> None:
    assert checkout.read(folder, (), git=Path("/bin/false")) == Checkout(trouble="git gave no reason")
    gone = checkout.read(folder, (), git=folder / "git")
    assert gone == Checkout(trouble="git did not answer (FileNotFoundError)")


def test_a_folder_that_is_no_checkout_and_a_host_without_git(folder: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    assert checkout.read(plain, (), git=GIT) is None
    assert checkout.read(folder, (), git=None) is None


def test_a_folder_that_its_repository_ignores_is_none_unless_something_in_it_was_ever_committed(folder: Path) -> None:
    (folder.parent / ".gitignore").write_text("/migrations/\n")
    git(folder.parent, "add", ".gitignore")
    git(folder.parent, "-c", "user.name=A", "-c", "user.email=a@example.com", "commit", "-q", "-m", "m")
    (folder / f"{A}.sql").write_text("SELECT 1;")
    assert checkout.read(folder, files.read(folder), git=GIT) is None
    git(folder.parent, "add", "--force", "migrations")
    commit(folder.parent, "A")
    (folder / f"{A}.sql").write_text("SELECT 2;")
    assert seen(folder).committed == frozenset()


def test_a_checkout_that_cannot_be_read_is_no_missing_one(folder: Path) -> None:
    (folder / f"{A}.sql").write_text("SELECT 1;")
    assert seen(folder).trouble is not None  # no commit yet
    with pytest.raises(CheckoutUnread) as caught:
        draw(folder)
    sentence = str(caught.value)
    assert sentence.startswith("production is protected, its migrations are a git checkout, and that cannot be read: ")
    assert sentence.endswith("Put that right where the worker runs (`git log` there says the same), then ask again.")
    assert draw(folder, protected=False).origin is None


def test_a_shallow_checkout_does_not_know_its_authors(folder: Path) -> None:
    commit(folder, "Ada", a="SELECT 1;")
    commit(folder, "Bo", b="SELECT 2;")
    head = (folder.parent / ".git" / "refs" / "heads" / "main").read_text()
    (folder.parent / ".git" / "shallow").write_text(head)
    trouble = seen(folder).trouble
    assert trouble == "it is shallow, so its authors are not known; `git fetch --unshallow` completes it"


def test_the_digest_binds_commit_and_authors_where_git_knows_them(folder: Path) -> None:
    commit(folder, "Ada", a="SELECT 1;")
    drawn = draw(folder)
    assert Plan.from_json(drawn.as_json()) == drawn
    other = dict(drawn.as_json())
    other["origin"] = {"commit": "0" * 40, "authors": []}
    with pytest.raises(plan.PlanAltered):
        Plan.from_json(other)
    before = drawn.digest
    commit(folder, "Bo")  # another commit that touches no migration changes nothing
    assert draw(folder).digest == before
    (folder / f"{A}.sql").write_text("SELECT 2;")
    commit(folder, "Bo", a="SELECT 1; ")
    (folder / f"{A}.sql").write_text("SELECT 1;")
    commit(folder, "Bo")
    assert draw(folder).digest != before  # the same text, and one author more


def test_the_golden_vector_with_an_origin() -> None:
    """Worked out apart from the engine, with the JSON written out by hand."""
    known = Checkout(
        (Commit("c" * 40, (Author("Ada", "a" * 64),), frozenset({FILES[0].id})),),
        frozenset(file.id for file in FILES),
    )
    here = stands("production", FILES, applied=0, protected=True)
    drawn = plan.draw(here, FILES, before=None, limits=Limits(), advice=Advice(checkout=known))
    assert drawn.origin == Origin("c" * 40, (Author("Ada", "a" * 64),))
    assert drawn.digest == GOLDEN


def test_what_counts_without_running_is_committed_and_has_authors_too(folder: Path) -> None:
    commit(folder, "Ada", a="SELECT 1;")
    (folder / f"{B}.sql").write_text("SELECT 2;")
    found = files.read(folder)
    here, there = stands("production", found, applied=0, protected=True), Folder(found, seen(folder))
    with pytest.raises(NotCommitted):
        amendment.baseline(here, there, through=B, limits=Limits())
    drawn = amendment.baseline(here, there, through=A, limits=Limits())
    assert drawn.origin == seen(folder).origin([A])
    assert Amendment.from_json(drawn.as_json()) == drawn
    with pytest.raises(plan.PlanAltered):
        Amendment.from_json({**drawn.as_json(), "origin": None})
    edited = Edited(B, "c" * 64, found[1].checksum, None, looks_only=False)
    with pytest.raises(NotCommitted):
        amendment.repair(here, there, [edited], accept=[B], limits=Limits())


def test_the_authors_of_a_way_back_are_asked_by_its_name_whatever_the_folder_has(folder: Path) -> None:
    commit(folder, "Ada", a="SELECT 1;")
    (folder / f"{A}.sql").unlink()
    commit(folder, "Bo")
    ran = Planned(A, "a", "-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 2;\n", "c" * 64, lines=4, hazards=())
    here = stands("production", (), applied=0, protected=True)
    drawn = reversal.draw(here, (ran,), limits=Limits(), advice=Advice(checkout=checkout.read(folder, (), git=GIT)))
    assert drawn.origin is not None
    assert {author.name for author in drawn.origin.authors} == {"Ada", "Bo"}
    assert Reversal.from_json(drawn.as_json()) == drawn
    assert drawn.digest != reversal.draw(here, (ran,), limits=Limits()).digest
    unread = Advice(checkout=Checkout(trouble="it is shallow"))
    with pytest.raises(CheckoutUnread):
        reversal.draw(here, (ran,), limits=Limits(), advice=unread)
    reversal.draw(stands("test", (), applied=0), (ran,), limits=Limits(), advice=unread)


GOLDEN = "09f7318a1e8abf4ac7002fce710150a3605892d43cf0113c5dd0b3112521febf"
