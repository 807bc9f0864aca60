"""Where a folder of migrations is a git checkout: which commits brought its files, and who wrote them.

Nothing that a repository's own settings name is run: no hook, no pager, no signature program, no fetching. Names in git
are what their authors said, so this can bar an honest author, and cannot unmask a dishonest one.
"""

import hashlib
import re
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from engine import files
from engine.files import BadFile, Migration

_SECONDS = 20
_SAFE = ("--no-pager", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "core.quotePath=false")
_LOG = ("log", "--no-show-signature", "--no-ext-diff", "--no-textconv", "-c", "-M", "--name-status")
_FORMAT = "--format=%x01%H%x00%an%x00%ae%x00%B%x00"
_CO_AUTHOR = re.compile(r"(?im)^\s*co-authored-by:\s*(.*?)\s*<([^<>]+)>")


@dataclass(frozen=True, slots=True)
class Author:
    """Somebody by their name and by the hash of their e-mail address, which can be compared and not be read."""

    name: str
    mark: str


@dataclass(frozen=True, slots=True)
class Origin:
    """The newest commit that touched any file of a plan, and everybody who wrote or helped to write one of them."""

    commit: str
    authors: tuple[Author, ...]


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit and the migrations it touched, by the names they have today."""

    id: str
    authors: tuple[Author, ...]
    touched: frozenset[str]


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
        where = _ask(git, folder, "rev-parse", "--show-prefix", "--is-shallow-repository").decode()
        prefix, shallow, *_ = where.split("\n")
        if shallow != "false":
            return Checkout(trouble="it is shallow, so its authors are not known; `git fetch --unshallow` completes it")
        log = tuple(_commits(_ask(git, folder, *_LOG, _FORMAT, "--relative", "--", ".").decode(errors="replace")))
        if not log and _is_ignored(git, folder):
            return None
        return Checkout(log, frozenset(_committed(git, folder, prefix, migrations)))
    except subprocess.CalledProcessError as failed:
        return Checkout(trouble=_said(failed.stderr))
    except (OSError, subprocess.TimeoutExpired, ValueError) as failed:
        return Checkout(trouble=f"git did not answer ({type(failed).__name__})")


def mark(email: str) -> str:
    """SHA-256 in hex of an e-mail address, whatever its case."""
    return hashlib.sha256(email.strip().lower().encode()).hexdigest()


def _ask(git: Path, folder: Path, *words: str, told: bytes | None = None) -> bytes:
    asked = [git, *_SAFE, "-C", folder, *words]
    env = {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1", "GIT_OPTIONAL_LOCKS": "0"}
    return subprocess.run(asked, input=told, capture_output=True, timeout=_SECONDS, check=True, env=env).stdout


def _is_ignored(git: Path, folder: Path) -> bool:
    try:
        return bool(_ask(git, folder, "check-ignore", "."))
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
    said = _ask(git, folder, "cat-file", "--batch", told="".join(f"HEAD:{prefix}{n}\n" for _, n in wanted).encode())
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


def _commits(log: str) -> Iterator[Commit]:
    """The log's commits; a file that was renamed keeps its authors from before."""
    today: dict[str, str] = {}
    for record in log.split("\x01")[1:]:
        commit, name, email, body, changes = record.split("\0", 4)
        touched = set[str]()
        for status, *paths in (line.split("\t") for line in changes.split("\n") if "\t" in line):
            now = today.get(paths[-1], _id(paths[-1]))
            touched.add(now)
            if status.startswith("R"):
                today[paths[0]] = now
        people = [(name, email), *_CO_AUTHOR.findall(body)]
        yield Commit(commit, tuple(Author(who, mark(at)) for who, at in people), frozenset(touched))


def _id(path: str) -> str:
    place = PurePosixPath(path)
    return place.parent.name if place.name == "migration.sql" else place.name.removesuffix(".sql")
