"""A folder of SQL files as ordered Migrations with checksums."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from engine.errors import EngineError

_FILE_NAME = re.compile(r"(?P<stamp>[0-9]{14})_(?P<name>[A-Za-z0-9][A-Za-z0-9_-]*)\.sql")
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Migration:
    """One file. `id` is its stem, `stamp` the 14 digits, `name` what follows them.

    `text` has LF line ends and no byte order mark; `checksum` is SHA-256 in hex over exactly that text in
    UTF-8, `raw_checksum` over the file's bytes as they are.
    """

    id: str
    stamp: str
    name: str
    text: str
    checksum: str
    raw_checksum: str
    lines: int

    @property
    def file(self) -> str:
        """The file's name."""
        return f"{self.id}.sql"


class BadFile(EngineError):
    """A file in the folder cannot be a migration. The folder is read whole or not at all."""


@dataclass(eq=False)
class NoFolder(BadFile):
    """The migrations folder is not there or cannot be read."""

    folder: str

    def __str__(self) -> str:
        return f"The migrations folder {self.folder} cannot be read. Create it, or correct `migrations` in twokey.toml."


@dataclass(eq=False)
class BadName(BadFile):
    """A *.sql file is not named YYYYMMDDHHMMSS_name.sql."""

    file: str

    def __str__(self) -> str:
        return (
            f"{self.file} is not named like a migration. "
            "Rename it to YYYYMMDDHHMMSS_name.sql (a real date; letters, digits, _ and - in the name), "
            "or move it out of the folder."
        )


@dataclass(eq=False)
class SameTimestamp(BadFile):
    """Two files carry one timestamp, so their order is anybody's guess."""

    first: str
    second: str

    def __str__(self) -> str:
        return f"{self.first} and {self.second} have the same timestamp. Give the newer one a later timestamp."


@dataclass(eq=False)
class EmptyFile(BadFile):
    """A file holds no statement."""

    file: str

    def __str__(self) -> str:
        return f"{self.file} holds no SQL statement. Write one, or remove the file."


@dataclass(eq=False)
class NotText(BadFile):
    """A file is not UTF-8 text."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line} is not UTF-8 text. Save the file as UTF-8 and try again."


@dataclass(eq=False)
class HoldsNul(BadFile):
    """A file holds a NUL byte, at which the server would stop reading."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line} holds a NUL byte, at which PostgreSQL would stop reading. Remove it."


@dataclass(eq=False)
class Unreadable(BadFile):
    """The operating system would not let us read a file."""

    file: str

    def __str__(self) -> str:
        return f"{self.file} cannot be read. Check the file's permissions for the account that runs Twokey."


def read(folder: Path) -> tuple[Migration, ...]:
    """Every migration in the folder, oldest first. Sub-folders, hidden files and other kinds of file are not looked at.

    Raises a child of `BadFile` for the first file (in name order) that cannot be a migration.
    """
    try:
        paths = sorted(p for p in folder.iterdir() if _looks_like_sql(p))
    except OSError as cause:
        raise NoFolder(str(folder)) from cause
    migrations = tuple(_load(path) for path in paths)
    for older, newer in pairwise(migrations):
        if older.stamp == newer.stamp:
            raise SameTimestamp(older.file, newer.file)
    return migrations


def stamp_of(migration_id: str) -> str | None:
    """The 14 digits that a migration id begins with, or None."""
    found = re.match(r"[0-9]{14}(?![0-9])", migration_id)
    return found[0] if found else None


def _looks_like_sql(path: Path) -> bool:
    return path.suffix.lower() == ".sql" and not path.name.startswith(".") and not path.is_dir()


def _load(path: Path) -> Migration:
    named = _FILE_NAME.fullmatch(path.name)
    if not named or not _is_a_date(named["stamp"]):
        raise BadName(path.name)
    try:
        raw = path.read_bytes()
    except OSError as cause:
        raise Unreadable(path.name) from cause
    return parse(path.name, raw)


def parse(file: str, raw: bytes) -> Migration:
    """One well-named file's bytes as a Migration. Raises HoldsNul, NotText or EmptyFile."""
    normal = raw.removeprefix(_BOM).replace(b"\r\n", b"\n")
    text = _text(file, normal)
    if _says_nothing(text):
        raise EmptyFile(file)
    stem = file.removesuffix(".sql")
    return Migration(
        id=stem,
        stamp=stem[:14],
        name=stem[15:],
        text=text,
        checksum=hashlib.sha256(normal).hexdigest(),
        raw_checksum=hashlib.sha256(raw).hexdigest(),
        lines=len(text.splitlines()),
    )


def _is_a_date(stamp: str) -> bool:
    try:
        datetime.strptime(stamp, "%Y%m%d%H%M%S")  # noqa: DTZ007 - only asked whether it is one
    except ValueError:
        return False
    return True


def _text(file: str, normal: bytes) -> str:
    # The server would read a text only up to its first NUL, and so would run less than the file says.
    at = normal.find(b"\0")
    if at >= 0:
        raise HoldsNul(file, normal.count(b"\n", 0, at) + 1)
    try:
        return normal.decode("utf-8")
    except UnicodeDecodeError as cause:
        raise NotText(file, normal.count(b"\n", 0, cause.start) + 1) from cause


def _says_nothing(text: str) -> bool:
    """Whether only blanks, semicolons and comments (PostgreSQL's nest) are there. Reads no further than needed."""
    at, depth = 0, 0
    while at < len(text):
        pair = text[at : at + 2]
        if pair == "/*" or (depth and pair == "*/"):
            depth += 1 if pair == "/*" else -1
            at += 2
        elif depth or text[at].isspace() or text[at] == ";":
            at += 1
        elif pair == "--":
            at = text.find("\n", at) + 1 or len(text)
        else:
            return False
    return True
