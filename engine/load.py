"""Run psql or pg_restore: a backup's text into an empty database."""

import json
import re
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from engine import contents
from engine.manifest import Form, Manifest
from engine.tools import Tools

#: Counts every table's rows before the transaction that wrote them ends, while that still leaves no mark on their
#: pages: the first to read them afterwards writes them all again. psql runs what the query gives.
_COUNT = f"""
SELECT pg_catalog.format(
  'SELECT pg_catalog.json_build_array(''twokey counts'', %L, pg_catalog.count(*)) FROM ONLY %I.%I', n || '.' || t, n, t)
FROM ({contents.TABLES}) each_table(n, t) \\gexec
"""  # noqa: S608  both parts are our own, and psql needs them as one text
_COUNTED = re.compile(r'^\["twokey counts", .*\]$', re.MULTILINE)

_AT = re.compile(r":(\d+): ERROR:  (\w{5})")


@dataclass(frozen=True, slots=True)
class Loaded:
    """`why` not, a phrase, or nothing; and the rows of each table where the program counted them."""

    why: str
    rows: Mapping[str, int] | None


def load(
    backup: Path, manifest: Manifest, *, tools: Tools, server: int, parallel: int, env: Mapping[str, str]
) -> Loaded:
    """The backup is in the database that `env` leads to, or why it is not. Whatever stops us stops the program."""
    name = "psql" if manifest.form is Form.PLAIN else "pg_restore"
    tool = tools.beside_pg_dump(name, server=server, tool=manifest.tool_version)
    ours = _psql(backup) if manifest.form is Form.PLAIN else _pg_restore(backup, env["PGDATABASE"], parallel=parallel)
    with tempfile.TemporaryFile() as count, tempfile.TemporaryFile() as counted, tempfile.TemporaryFile() as said:
        count.write(_COUNT.encode())
        count.seek(0)
        with subprocess.Popen([tool.path, *ours], stdin=count, stdout=counted, stderr=said, env=env) as program:
            try:
                code = program.wait()
            except BaseException:
                program.kill()
                program.wait()
                raise
        if code != 0:
            return Loaded(_reason(name, code, _text(said)), None)
        return Loaded("", _rows(_text(counted)) if name == "psql" else None)


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")


def _rows(said: str) -> dict[str, int]:
    each = (json.loads(line) for line in _COUNTED.findall(said))
    return {table: count for _, table, count in each}


def _psql(backup: Path) -> list[str]:
    # One transaction: faster than one per statement, and the sqlstate alone, because a message may hold values.
    quiet = ["--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1", "--set=VERBOSITY=sqlstate"]
    shown = ["--tuples-only", "--no-align"]
    return [*quiet, *shown, "--single-transaction", f"--file={backup}", "--file=-"]


def _pg_restore(backup: Path, database: str, *, parallel: int) -> list[str]:
    together = [f"--jobs={parallel}"] if parallel > 1 else ["--single-transaction"]
    return ["--exit-on-error", "--no-password", *together, f"--dbname={database}", str(backup)]


def _reason(name: str, code: int, said: str) -> str:
    if found := _AT.search(said):
        return f"line {found[1]} of the backup failed with SQLSTATE {found[2]}"
    ended = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
    return f"{name} {ended}"
