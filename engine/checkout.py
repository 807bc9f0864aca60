"""Where a folder of migrations is a git checkout: which commits brought its files, and who wrote them."""

import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine import commits, files
from engine import git as gits
from engine.commits import Author, Commit
from engine.files import BadFile, Migration


@dataclass(frozen=True, slots=True)
class Origin:
    """The newest commit that touched any file of a plan, and everybody who wrote or helped to write one of them."""

    commit: str
    authors: tuple[Author, ...]


@dataclass(frozen=True, slots=True)
class Checkout:
    """What git says of a folder: `log` newest first, `committed` the ids whose text is the one in HEAD.

    `trouble` is why nothing is known, where there is a checkout that cannot be read.
    """

    log: tuple[Commit, ...] = ()
    committed: frozenset[str] = frozenset()
    trouble: str | None = None

    def origin(self, ids: Iterable[str]) -> Origin | None:
        """Of these migrations; None where no commit touched them."""
        wanted = frozenset(ids)
        ours = [commit for commit in self.log if commit.touched & wanted]
        authors = {author.mark: author for commit in reversed(ours) for author in commit.authors}
        return Origin(ours[0].id, tuple(authors[mark] for mark in sorted(authors))) if ours else None


def read(folder: Path, migrations: Sequence[Migration], *, git: Path | None) -> Checkout | None:
    """What git says of the folder; None where it is no checkout, or there is no git to ask.

    Nor is it one where the repository around it ignores it, and no commit ever touched anything in it.
    """
    inside = (folder.resolve(), *folder.resolve().parents)
    if git is None or not any((one / ".git").exists() for one in inside):
        return None
    try:
        where = gits.ask(git, folder, "rev-parse", "--is-shallow-repository", "--show-prefix").decode()
        shallow, prefix = where.removesuffix("\n").split("\n")  # a line's end in a folder's name is a ValueError
        if shallow != "false":
            return Checkout(trouble="it is shallow, so its authors are not known; `git fetch --unshallow` completes it")
        log = commits.read(git, folder, prefix=prefix)
        if not log and _is_ignored(git, folder):
            return None
        return Checkout(log, frozenset(_committed(git, folder, prefix, migrations)))
    except subprocess.CalledProcessError as failed:
        return Checkout(trouble=_said(failed.stderr))
    except (OSError, subprocess.TimeoutExpired, ValueError) as failed:
        return Checkout(trouble=f"git did not answer ({type(failed).__name__})")


def _is_ignored(git: Path, folder: Path) -> bool:
    try:
        return bool(gits.ask(git, folder, "check-ignore", "."))
    except subprocess.CalledProcessError as failed:
        if failed.returncode == 1:  # git's word for no
            return False
        raise


def _said(stderr: bytes) -> str:
    """git's first line, without the folder's owner and whatever else follows."""
    first = stderr.decode(errors="replace").strip().split("\n")[0].removeprefix("fatal: ")
    return first or "git gave no reason"


def _committed(git: Path, folder: Path, prefix: str, migrations: Sequence[Migration]) -> Iterator[str]:
    """Whose text in HEAD is the text in the folder: neither an index nor the time of a file is believed."""
    wanted = [(one, name) for one in migrations for name in (one.file, f"{one.id}/migration.sql")]
    said = gits.ask(git, folder, "cat-file", "--batch", told="".join(f"HEAD:{prefix}{n}\n" for _, n in wanted).encode())
    at = 0
    for one, _ in wanted:
        head, at = said[at : (end := said.index(b"\n", at))], end + 1
        if head.endswith(b" missing"):
            continue
        size = int(head.rsplit(b" ", 1)[1])
        raw, at = said[at : at + size], at + size + 1
        if _is_text_of(one, raw):
            yield one.id


def _is_text_of(migration: Migration, raw: bytes) -> bool:
    try:
        return files.parse(migration.file, raw).checksum == migration.checksum
    except BadFile:
        return False
