"""The folder of backups: which there are, which may go, and what a killed dump left there."""

import fcntl
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from engine import manifest as manifests
from engine.contents import Contents
from engine.form import Form, backups
from engine.manifest import BackupDoubtful, Manifest

_UNFINISHED = ".part"


@dataclass(frozen=True, slots=True)
class Keep:
    """Which backups stay: the newest `count`, and all younger than `span`. With neither, all of them."""

    count: int | None = None
    span: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """One backup of the folder: its manifest, or why it has none that can be believed (`problem`, a sentence)."""

    path: Path
    manifest: Manifest | None
    problem: str | None


def listed(folder: Path, environment: str) -> tuple[Kept, ...]:
    """Every backup of the environment, newest first, by its manifest alone; a manifest without a backup is one too."""
    return tuple(_look(path, manifests.read) for path in backups(folder, environment))


def verified(folder: Path, environment: str) -> Iterator[Kept]:
    """The same, each read to its last byte."""
    return (_look(path, manifests.verify) for path in backups(folder, environment))


def before(folder: Path, environment: str, older: Sequence[str]) -> str | None:
    """The newest backup whose history is empty or ends with one of the `older` migrations; None where there is none.

    None counts that was taken while a migration had stopped part way: what had run of that is in it.
    """
    ends = {None, *older}
    known = ((one.path.name, one.manifest.contents) for one in listed(folder, environment) if one.manifest)
    return next((name for name, holds in known if holds.head in ends and not _part_way(holds)), None)


def _part_way(holds: Contents) -> bool:
    return any(count and table.endswith(".twokey_progress") for table, count in holds.rows.items())


@contextmanager
def unfinished(folder: Path, environment: str, form: Form) -> Iterator[tuple[Path, int]]:
    """An empty file or folder that only its owner may read, and the descriptor whose lock says that it is in use.

    A program that inherits the descriptor holds the lock too. When the block ends nothing of it is left, unless it
    was given a name of its own.
    """
    path = folder / f".{environment}-{secrets.token_hex(4)}{_UNFINISHED}"
    if form is Form.DIRECTORY:
        path.mkdir(mode=0o700)
        descriptor = os.open(path, os.O_RDONLY)
    else:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield path, descriptor
    finally:
        os.close(descriptor)
        _remove(path)


def clear(folder: Path, environment: str) -> None:
    """What killed dumps of the environment left is gone; what a dump still writes to stays. Under its lock."""
    moment = r"(?:backup-[\d-]{10}T[\d-]{8}\.)?"  # as they were called before there were manifests
    pattern = re.compile(rf"\.{re.escape(environment)}-{moment}[0-9a-f]{{8}}{re.escape(_UNFINISHED)}")
    for path in folder.iterdir():
        if pattern.fullmatch(path.name) and _is_abandoned(path):
            _remove(path)
    for path in backups(folder, environment):
        if not path.exists():  # killed between the two, or when both were about to go
            manifests.beside(path).unlink(missing_ok=True)


def name(found: Path, *, into: Path, manifest: Manifest) -> bool:
    """The backup has its name, and its manifest stands beside it; False, and nothing done, when the name is taken."""
    if into.exists():
        return False
    try:
        # First, so that nothing ever bears a backup's name without one; a manifest alone is cleared by the next dump.
        manifests.write(manifest, manifests.beside(into))
    except FileExistsError:
        return False
    try:
        found.rename(into) if found.is_dir() else into.hardlink_to(found)
    except OSError:
        manifests.beside(into).unlink()
        raise
    sync(into.parent)
    return True


def sync(folder: Path) -> None:
    """The names in a folder are on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def retire(folder: Path, environment: str, *, keep: Keep, now: datetime) -> None:
    """Remove what `keep` does not keep. The newest backup with a manifest always stays, as does all without one.

    Called when the newest has just been verified.
    """
    if keep == Keep():
        return
    known = [(one.path, one.manifest) for one in listed(folder, environment) if one.manifest]
    for place, (path, manifest) in enumerate(known):
        counted = keep.count is not None and place < keep.count
        young = keep.span is not None and now - datetime.fromisoformat(manifest.at) < keep.span
        if place and not counted and not young:
            _take_down(path)


def _take_down(path: Path) -> None:
    gone = path.with_name(f".{path.name.rsplit('-backup-', 1)[0]}-{secrets.token_hex(4)}{_UNFINISHED}")
    with suppress(OSError):  # one that cannot be removed is no reason to fail a run; it is still listed
        path.rename(gone)
        manifests.beside(path).unlink()
        _remove(gone)


def _look(path: Path, ask: Callable[[Path], Manifest]) -> Kept:
    if not path.exists():
        return Kept(path, None, str(BackupDoubtful(path.name, "there is only its manifest")))
    try:
        return Kept(path, ask(path), None)
    except BackupDoubtful as doubtful:
        return Kept(path, None, str(doubtful))


def _is_abandoned(path: Path) -> bool:
    """Whether no living program holds it open."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):  # gone already when all went well
            path.unlink()
