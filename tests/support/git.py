"""A folder of migrations in a git repository, and commits by whoever a test needs."""

import os
import shutil
import subprocess
from pathlib import Path

from engine import checkout, files
from engine.checkout import Checkout

GIT = Path(shutil.which("git") or "/usr/bin/git")
A, B = "20250101000000_a", "20250102000000_b"


def repository(folder: Path) -> Path:
    """A folder of migrations within a repository that has no commit yet."""
    inside = folder / "repo" / "migrations"
    inside.mkdir(parents=True)
    git(inside.parent, "init", "-q", "-b", "main")
    return inside


def git(folder: Path, *words: str, told: str | None = None) -> str:
    """What git answers, with no settings but the repository's own."""
    nobody = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1"}
    asked = [GIT, "-C", folder, *words]
    return subprocess.run(asked, check=True, capture_output=True, env=nobody, input=told, text=True).stdout.strip()


def commit(folder: Path, by: str, *, message: str = "m", **texts: str) -> None:
    """Write files and commit all there is, as somebody."""
    for name, text in texts.items():
        (folder / f"{A if name == 'a' else B}.sql").write_text(text)
    git(folder, "add", "--all", ".")
    git(
        folder,
        *("-c", f"user.name={by}", "-c", f"user.email={by.lower()}@example.com"),
        *("commit", "-q", "--allow-empty", "-m", message),
    )


def seen(folder: Path) -> Checkout:
    """What the engine reads of it."""
    found = checkout.read(folder, files.read(folder), git=GIT)
    assert found is not None
    return found


def authors(found: Checkout, *ids: str) -> set[str]:
    """Who wrote these migrations."""
    origin = found.origin(ids)
    return {author.name for author in origin.authors} if origin else set()
