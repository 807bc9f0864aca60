"""Run psql or pg_restore: a backup's text into an empty database."""

import re
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from engine.manifest import Form, Manifest
from engine.tools import Tools

_AT = re.compile(r":(\d+): ERROR:  (\w{5})")


def load(backup: Path, manifest: Manifest, *, tools: Tools, server: int, parallel: int, env: Mapping[str, str]) -> str:
    """The backup is in the database that `env` leads to; else why it is not, a phrase. Whatever stops us stops it."""
    name = "psql" if manifest.form is Form.PLAIN else "pg_restore"
    tool = tools.beside_pg_dump(name, server=server, tool=manifest.tool_version)
    ours = _psql(backup) if manifest.form is Form.PLAIN else _pg_restore(backup, env["PGDATABASE"], parallel=parallel)
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(
            [tool.path, *ours], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said, env=env
        ) as program,
    ):
        try:
            code = program.wait()
        except BaseException:
            program.kill()
            program.wait()
            raise
        said.seek(0)
        return "" if code == 0 else _reason(name, code, said.read().decode(errors="replace"))


def _psql(backup: Path) -> list[str]:
    # One transaction: faster than one per statement, and the sqlstate alone, because a message may hold values.
    quiet = ["--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1", "--set=VERBOSITY=sqlstate"]
    return [*quiet, "--single-transaction", f"--file={backup}"]


def _pg_restore(backup: Path, database: str, *, parallel: int) -> list[str]:
    together = [f"--jobs={parallel}"] if parallel > 1 else ["--single-transaction"]
    return ["--exit-on-error", "--no-password", *together, f"--dbname={database}", str(backup)]


def _reason(name: str, code: int, said: str) -> str:
    if found := _AT.search(said):
        return f"line {found[1]} of the backup failed with SQLSTATE {found[2]}"
    ended = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
    return f"{name} {ended}"
