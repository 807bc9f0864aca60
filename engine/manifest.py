"""What stands beside a backup: a manifest, by which anyone can tell later what the file is and that it is unchanged."""

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from engine.contents import Contents
from engine.errors import EngineError
from engine.form import Form

_VERSION = 1
_PIECE = 1 << 20

Beat = Callable[[], object]


@dataclass(eq=False)
class BackupDoubtful(EngineError):
    """A backup that cannot be trusted. `why` is a phrase."""

    backup: str
    why: str

    def __str__(self) -> str:
        return f"{self.backup} cannot be trusted: {self.why}. Take another backup, or name another one."


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup is. `at` (ISO 8601, UTC) and `lsn` are of its snapshot; `sha256` is as `sum_of` gives it."""

    environment: str
    database: str
    form: Form
    bytes: int
    sha256: str
    server_version: str
    tool_version: str
    at: str
    lsn: str
    contents: Contents

    def as_json(self) -> dict[str, Any]:
        """The same in JSON's own kinds of value."""
        return {"manifest": _VERSION, **asdict(self)}

    @classmethod
    def from_json(cls, said: dict[str, Any]) -> "Manifest":
        """The manifest that `as_json` described; raises KeyError, TypeError or ValueError."""
        parts = {**said, "form": Form(said["form"]), "contents": Contents(**said["contents"])}
        if parts.pop("manifest") != _VERSION:
            raise ValueError
        return cls(**parts)


def beside(backup: Path) -> Path:
    """Where a backup's manifest stands."""
    return backup.with_name(f"{backup.name}.json")


def write(manifest: Manifest, path: Path) -> None:
    """The manifest is on disk, mode 0600. Raises FileExistsError rather than write over anything."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(manifest.as_json(), file, ensure_ascii=False, indent=1)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())


def read(backup: Path) -> Manifest:
    """The manifest beside a backup. Raises BackupDoubtful when there is none or it cannot be read as one."""
    path = beside(backup)
    try:
        return Manifest.from_json(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise BackupDoubtful(backup.name, f"there is no {path.name} beside it") from None
    except OSError as cause:
        raise BackupDoubtful(backup.name, f"{path.name} cannot be read ({cause.strerror})") from cause
    except (ValueError, KeyError, TypeError, AttributeError) as cause:
        raise BackupDoubtful(backup.name, f"{path.name} is not a manifest") from cause


def verify(backup: Path, *, beat: Beat = lambda: None) -> Manifest:
    """The backup's manifest, after every byte of it was read and is as the manifest says. Raises BackupDoubtful.

    `beat` is called again and again meanwhile, so that others may know that it goes on.
    """
    manifest = read(backup)
    try:
        size, sha256 = sum_of(backup, beat=beat)
    except OSError as cause:
        raise BackupDoubtful(backup.name, f"it cannot be read ({cause.strerror})") from cause
    if size != manifest.bytes:
        raise BackupDoubtful(backup.name, f"it has {size:,} bytes and its manifest says {manifest.bytes:,}")
    if sha256 != manifest.sha256:
        raise BackupDoubtful(
            backup.name, f"its SHA-256 is {sha256[:12]}… and its manifest says {manifest.sha256[:12]}…"
        )
    return manifest


def sum_of(backup: Path, *, beat: Beat = lambda: None) -> tuple[int, str]:
    """Size and SHA-256 of a file; of a folder, what `sum_of_folder` gives for the files in it."""
    if not backup.is_dir():
        return _sum(backup, beat)
    sums = {path.name: _sum(path, beat) for path in backup.iterdir()}
    return sum_of_folder((name, *one) for name, one in sums.items())


def sum_of_folder(files: Iterable[tuple[str, int, str]]) -> tuple[int, str]:
    """All bytes, and one SHA-256 for (name, bytes, sha256) of each file: as `sha256sum * | sha256sum` in it gives."""
    each = sorted(files)
    lines = "".join(f"{sha256}  {name}\n" for name, _, sha256 in each)
    return sum(size for _, size, _ in each), hashlib.sha256(lines.encode()).hexdigest()


def _sum(path: Path, beat: Beat) -> tuple[int, str]:
    found, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            found.update(piece)
            size += len(piece)
            beat()
    return size, found.hexdigest()
