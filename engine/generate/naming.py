"""What a generated file is called, and how it gets into the folder without ever replacing another."""

import os
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from engine.errors import EngineError, Hint
from engine.files import Migration

_STAMP = "%Y%m%d%H%M%S"
_LONGEST = 100


@dataclass(eq=False)
class NoName(EngineError):
    """Nothing of what was said can be a file's name."""

    said: str

    def __str__(self) -> str:
        return (
            f"{self.said!r} cannot name a migration. "
            f"Say what it does in letters, digits and _, at most {_LONGEST} of them."
        )

    @property
    def hint(self) -> Hint:
        """A name as it may be."""
        return Hint("For example", "generate add_cities")


@dataclass(eq=False)
class NotWritten(EngineError):
    """The file could not be put into the folder, and none of its parts was left there."""

    path: str
    why: str

    def __str__(self) -> str:
        return f"{self.path} was not written: {self.why}. Nothing was left behind. Put that right, then generate again."


def stem(said: str, files: Sequence[Migration], now: datetime) -> str:
    """YYYYMMDDHHMMSS_name, later than every file there is. Raises NoName."""
    name = fitting(said)
    if not name or len(name) > _LONGEST:
        raise NoName(said)
    last = datetime.strptime(files[-1].stamp, _STAMP).replace(tzinfo=UTC) if files else now
    after = last + timedelta(seconds=1) if files else now
    return f"{max(now.astimezone(UTC), after).strftime(_STAMP)}_{name}"


def fitting(said: str) -> str:
    """What was said as a name may be written: small letters, digits and _."""
    return re.sub(r"[^a-z0-9]+", "_", said.strip().removesuffix(".sql").lower()).strip("_")


def changed(said: str) -> str | None:
    """A sentence where a name is not written as it was said."""
    name = fitting(said)
    if name == said.removesuffix(".sql"):
        return None
    return f"It is called {name}: a name has small letters, digits and _ alone."


def write(folder: Path, file: str, text: str) -> Path:
    """The whole text is in the folder under that name, or nothing is. Raises NotWritten, also when there is one."""
    path = folder / file
    try:
        with tempfile.NamedTemporaryFile("w", dir=folder, prefix=".generated-", encoding="utf-8") as whole:
            whole.write(text)
            whole.flush()
            os.fchmod(whole.fileno(), 0o644)
            os.fsync(whole.fileno())
            os.link(whole.name, path)  # unlike a renaming, it never replaces what is there
    except OSError as cause:
        raise NotWritten(str(path), cause.strerror or type(cause).__name__) from cause
    return path
