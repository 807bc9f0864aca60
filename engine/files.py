"""A folder of SQL files as ordered Migrations with checksums."""

import hashlib
import re
from dataclasses import dataclass
from datetime import date, time
from itertools import pairwise
from pathlib import Path

from engine import sections
from engine.errors import EngineError
from engine.sections import Misplaced

_FILE_NAME = re.compile(r"(?P<stamp>[0-9]{14})_(?P<name>[A-Za-z0-9][A-Za-z0-9_-]*)\.sql")
#: Drizzle's own default.
_NUMBERED = re.compile(r"[0-9]{4}_\w+\.sql")
#: What turns the direction of reading, https://trojansource.codes, what is not seen (joiners are, in some scripts), and
#: ends of lines that many viewers do not show.
_DISGUISES = re.compile(
    "[\x01-\x08\x0b\x0d-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0"
    "\U000e0000-\U000e007f]"
)
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Migration:
    """One file. `id` is its stem, `stamp` the 14 digits, `name` what follows them, `lines` how many its way up has.

    `text` is all of it, has LF line ends and no byte order mark; `checksum` is SHA-256 in hex over exactly that text in
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
class BadSection(BadFile):
    """A file's marks of a way up and a way down make no sense. `why` is a sentence's half."""

    file: str
    line: int
    why: str

    def __str__(self) -> str:
        return (
            f"{self.file}:{self.line}: {self.why}. "
            "Write `-- migrate:up`, the statements, and if there is a way back `-- migrate:down` and its statements."
        )


@dataclass(eq=False)
class NumberedFile(BadFile):
    """A file is numbered as Drizzle numbers by default, and numbers of two branches collide."""

    file: str

    def __str__(self) -> str:
        return (
            f"{self.file} is numbered, and two branches number alike. Have Drizzle write timestamps: "
            'migrations: { prefix: "timestamp" } in drizzle.config.ts; '
            "and rename this file to YYYYMMDDHHMMSS_name.sql, in the old order."
        )


@dataclass(eq=False)
class HoldsNul(BadFile):
    """A file holds a NUL byte, at which the server would stop reading."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line} holds a NUL byte, at which PostgreSQL would stop reading. Remove it."


@dataclass(eq=False)
class Disguised(BadFile):
    """A file holds a character for which a person reads another text than the server does."""

    file: str
    line: int
    character: str

    def __str__(self) -> str:
        return (
            f"{self.file}:{self.line} holds {self.character}, so that people would read it otherwise than PostgreSQL "
            "does. Remove it; in a text that needs it write it as an escape, E'\\u…' or E'\\r'."
        )


@dataclass(eq=False)
class NoSuchFile(BadFile):
    """A file that somebody named is not there. `near` is one of its folder whose name is like it."""

    file: str
    near: str | None

    def __str__(self) -> str:
        return f"There is no file {self.file}. {f'Did you mean {self.near}?' if self.near else 'Check its path.'}"


@dataclass(eq=False)
class Unreadable(BadFile):
    """The operating system would not let us read a file."""

    file: str

    def __str__(self) -> str:
        return f"{self.file} cannot be read. Check the file's permissions for the account that runs Twokey."


def read(folder: Path) -> tuple[Migration, ...]:
    """Every migration in the folder, oldest first.

    One is a file YYYYMMDDHHMMSS_name.sql, or, as Drizzle writes them, a folder of such a name with a migration.sql in
    it. Other folders, hidden files and other kinds of file are not looked at. Raises a child of `BadFile` for the first
    (in name order) that cannot be a migration.
    """
    try:
        paths = sorted(filter(None, map(_sql, folder.iterdir())), key=_named)
    except OSError as cause:
        raise NoFolder(str(folder)) from cause
    migrations = tuple(_load(path) for path in paths)
    for older, newer in pairwise(migrations):
        if older.stamp == newer.stamp:
            raise SameTimestamp(older.file, newer.file)
    return migrations


def attempt(folder: Path) -> tuple[Migration, ...] | BadFile:
    """The same, or why it cannot be: for who shows what can be known without the folder."""
    try:
        return read(folder)
    except BadFile as bad:
        return bad


def ids(folder: Path) -> list[str]:
    """The ids of what is named like a migration in the folder, oldest first; nothing is read. Raises OSError."""
    named = (_named(path) for path in map(_sql, folder.iterdir()) if path)
    return sorted(name.removesuffix(".sql") for name in named if well_named(name))


def stamp_of(migration_id: str) -> str | None:
    """The 14 digits that a migration id begins with, or None."""
    found = re.match(r"[0-9]{14}(?![0-9])", migration_id)
    return found[0] if found else None


def _sql(path: Path) -> Path | None:
    """The path whose text is the migration, or None where the path is none of our concern."""
    if path.name.startswith("."):
        return None
    if path.suffix.lower() == ".sql" and not path.is_dir():
        return path
    inside = path / "migration.sql"
    return inside if _FILE_NAME.fullmatch(f"{path.name}.sql") and inside.is_file() else None


def _named(path: Path) -> str:
    """The file's name, or the one that a file of its folder's name would have."""
    return f"{path.parent.name}.sql" if path.name == "migration.sql" else path.name


def _load(path: Path) -> Migration:
    name = _named(path)
    if not well_named(name):
        raise NumberedFile(name) if _NUMBERED.fullmatch(name) else BadName(name)
    try:
        raw = path.read_bytes()
    except OSError as cause:
        raise Unreadable(name) from cause
    return parse(name, raw)


def well_named(file: str) -> bool:
    """Whether a file's name is YYYYMMDDHHMMSS_name.sql with a real date."""
    named = _FILE_NAME.fullmatch(file)
    return bool(named and _is_a_date(named["stamp"]))


def parse(file: str, raw: bytes) -> Migration:
    """One well-named file's bytes as a Migration. Raises HoldsNul, NotText, BadSection, EmptyFile."""
    normal = raw.removeprefix(_BOM).replace(b"\r\n", b"\n")
    text = _text(file, normal)
    try:
        found = sections.cut(text)
    except Misplaced as cause:
        raise BadSection(file, cause.line, cause.why) from cause
    if sections.says_nothing(found.up.text):
        raise EmptyFile(file)
    stem, checksum = file.removesuffix(".sql"), hashlib.sha256(normal).hexdigest()
    return Migration(
        id=stem,
        stamp=stem[:14],
        name=stem[15:],
        text=text,
        checksum=checksum,
        raw_checksum=checksum if raw == normal else hashlib.sha256(raw).hexdigest(),
        lines=found.up.lines if found.up.text is not text else len(text.splitlines()),
    )


def _is_a_date(stamp: str) -> bool:
    try:  # not by strptime, which takes longer than reading the file
        date(int(stamp[:4]), int(stamp[4:6]), int(stamp[6:8]))
        time(int(stamp[8:10]), int(stamp[10:12]), int(stamp[12:14]))
    except ValueError:
        return False
    return True


def _text(file: str, normal: bytes) -> str:
    try:
        text = normal.decode("utf-8")
    except UnicodeDecodeError as cause:
        raise NotText(file, normal.count(b"\n", 0, cause.start) + 1) from cause
    # The server would read a text only up to its first NUL, and so would run less than the file says.
    if (at := text.find("\0")) >= 0:
        raise HoldsNul(file, text.count("\n", 0, at) + 1)
    if found := _DISGUISES.search(text):
        raise Disguised(file, text.count("\n", 0, found.start()) + 1, f"U+{ord(found[0]):04X}")
    return text
