"""The commits that touched a folder of migrations, and who wrote them, by whatever names and places the files came.

Names in git are what their authors said, so this can bar an honest author, and cannot unmask a dishonest one.
"""

import hashlib
import re
import secrets
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from engine import git as gits

# Each merge as what it changed by itself; every commit, where a merge dropped its change too; and of each all that it
# moved, so that a file which came from another folder is followed there.
_LOG = ("log", "--full-history", "--full-diff", "-c", "-M", "-l1000", "--raw", "--no-abbrev", "--no-relative", "-z")
_PLAIN = ("--no-show-signature", "--no-ext-diff", "--no-textconv", "--no-color")
_CO_AUTHORS = re.compile(r"(?im)^\s*co-(?:author|develop)ed-by\s*:(.*(?:\n[ \t]+.*)*)")
_PERSON = re.compile(r"\s*,?\s*([^<>]*?)\s*<([^<>]*)>")
#: How often files may have come from yet another folder.
_MOVES = 20


@dataclass(frozen=True, slots=True)
class Author:
    """Somebody by their name and by the hash of their e-mail address, which can be compared and not be read."""

    name: str
    mark: str


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit and the migrations it touched, by the names they have today, or whose text it brought elsewhere."""

    id: str
    authors: tuple[Author, ...]
    touched: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Change:
    """A file as a commit left it: `was` is where it stood before, `blob` its content."""

    path: str
    was: str
    blob: str


@dataclass(frozen=True, slots=True)
class _Entry:
    commit: Commit
    changes: tuple[_Change, ...]


def mark(email: str) -> str:
    """SHA-256 in hex of an e-mail address, whatever its case and however its letters are put together in Unicode."""
    return hashlib.sha256(unicodedata.normalize("NFKC", email.strip().lower()).encode()).hexdigest()


def read(git: Path, folder: Path, *, prefix: str) -> tuple[Commit, ...]:
    """Newest first. `prefix` is the folder's own path in its repository. Raises what `git.ask` does, and ValueError."""
    places = frozenset({prefix})
    for _ in range(_MOVES):
        entries = tuple(_entries(git, folder, places))
        names = _names(entries, prefix)
        if (more := places | {path for path in names if not path.startswith(prefix)}) == places:
            return tuple(_touching(entries, names))
        places = more
    raise ValueError


def _entries(git: Path, folder: Path, places: Iterable[str]) -> Iterator[_Entry]:
    """No commit can forge what tells one record from the next, and no name in it can hold a NUL."""
    between = secrets.token_hex(16)
    form = f"--format={between}%H%x00%an%x00%ae%x00%B%x00"
    said = gits.ask(git, folder, *_LOG, *_PLAIN, form, "--", *(f":(top,literal){one}" for one in sorted(places)))
    for record in said.decode(errors="replace").split(between)[1:]:
        commit, name, email, body, changes = record.split("\0", 4)
        yield _Entry(Commit(commit, tuple(_people(name, email, body)), frozenset()), tuple(_changes(changes)))


def _people(name: str, email: str, body: str) -> Iterator[Author]:
    """The author, and everybody whom the message names as one; whoever has no address goes by their name."""
    named = [(name, email)]
    for line in _CO_AUTHORS.findall(body):
        named += _PERSON.findall(line) or [(line.strip(), "")]
    for who, at in dict.fromkeys(named):
        yield Author(who or "somebody without a name", mark(at or who))


def _changes(said: str) -> Iterator[_Change]:
    """Of git's own form, https://git-scm.com/docs/git-diff#_raw_output_format: a line's head, then one path or two."""
    words = iter(said.strip("\n\0").split("\0"))
    for head in words:
        if not head.strip("\n"):
            continue
        *_, blob, status = head.split(" ")
        was = next(words)
        renamed = status.startswith("R") and head.lstrip("\n")[1] != ":"  # a merge tells the new name alone
        yield _Change(next(words) if renamed else was, was, blob)


def _names(entries: Iterable[_Entry], prefix: str) -> dict[str, set[str]]:
    """Which of today's migrations each path once was; a file that was renamed keeps its authors from before."""
    names: dict[str, set[str]] = {}
    for change in (change for entry in entries for change in entry.changes):
        if change.path.startswith(prefix):
            names.setdefault(change.path, set()).add(_id(change.path))
        if change.path in names:
            names.setdefault(change.was, set()).update(names[change.path])
    return names


def _touching(entries: Iterable[_Entry], names: dict[str, set[str]]) -> Iterator[Commit]:
    """By its names, and by the text that it has now: whoever copies one does not become its only author."""
    newest: dict[str, str] = {}
    for change in (change for entry in entries for change in entry.changes):
        for one in names.get(change.path, ()):
            if change.blob.strip("0"):
                newest.setdefault(one, change.blob)
    whose: dict[str, set[str]] = {}
    for one, blob in newest.items():
        whose.setdefault(blob, set()).add(one)
    for entry in entries:
        by_name = (one for change in entry.changes for one in names.get(change.path, ()))
        by_text = (one for change in entry.changes for one in whose.get(change.blob, ()))
        yield replace(entry.commit, touched=frozenset((*by_name, *by_text)))


def _id(path: str) -> str:
    place = PurePosixPath(path)
    return place.parent.name if place.name == "migration.sql" else place.name.removesuffix(".sql")
