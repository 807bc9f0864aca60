"""Run psql or pg_restore: a backup's text into an empty database."""

import json
import math
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from engine import contents
from engine import tools as programs
from engine.form import Form
from engine.history import ALL_TABLES
from engine.manifest import Manifest
from engine.tools import Tool, Tools

#: Counts every table's rows before the transaction that wrote them ends, while that still leaves no mark on their
#: pages: the first to read them afterwards writes them all again. psql runs what the query gives.
_COUNT = f"""
SELECT pg_catalog.format(
  'SELECT pg_catalog.json_build_array(''twokey counts'', %L, pg_catalog.count(*)) FROM ONLY %I.%I', n || '.' || t, n, t)
FROM ({contents.TABLES}) each_table(n, t) \\gexec
"""  # noqa: S608  both parts are our own, and psql needs them as one text
_COUNTED = re.compile(r'^\["twokey counts", .*\]$', re.MULTILINE)

#: From this major on a dump's head sets what older servers do not have, wherever the rows came from.
_SETS_MORE, _TOO_NEW = 17, b"SET transaction_timeout = 0;"
_HEAD = 65536
#: What a dump writes before a table's rows, which end with a line of their own.
_COPY = re.compile(rb"COPY (.+?) \(.*\) FROM stdin;\n")

_AT = re.compile(r":(\d+): ERROR:  (\w{5})")


@dataclass(frozen=True, slots=True)
class Loaded:
    """`why` not, a phrase, or nothing; and the rows of each table where the program counted them."""

    why: str
    rows: Mapping[str, int] | None


@dataclass(frozen=True, slots=True)
class Sample:
    """Of each table the first so many rows; none of those in `without`, named as SQL does; all of Twokey's own."""

    rows: int
    without: frozenset[str]

    def of(self, table: str) -> float:
        """How many rows of the table are loaded."""
        if table.rpartition(".")[2] in ALL_TABLES:
            return math.inf
        return 0 if table in self.without else self.rows


def load(
    backup: Path,
    manifest: Manifest,
    *,
    tools: Tools,
    server: int,
    parallel: int,
    env: Mapping[str, str],
    sample: Sample | None = None,
) -> Loaded:
    """The backup is in the database that `env` leads to, or why it is not. Whatever stops us stops the program.

    With a `sample` it is the schema and that of the rows.
    """
    foreign = int(manifest.tool_version.split(".")[0]) >= _SETS_MORE > server // 10000
    piped = foreign or sample is not None
    name = "psql" if piped or manifest.form is Form.PLAIN else "pg_restore"
    tool = tools.beside_pg_dump(name, server=server, tool=manifest.tool_version)
    if piped:
        ours = _psql("-")
    elif manifest.form is Form.PLAIN:
        ours = _psql(str(backup), "-")
    else:
        ours = _pg_restore(backup, env["PGDATABASE"], parallel=parallel)
    with tempfile.TemporaryFile() as counted, tempfile.TemporaryFile() as said:
        with _running([tool.path, *ours], env, stdout=counted, stderr=said) as program:
            assert program.stdin is not None
            with suppress(BrokenPipeError), program.stdin as told:  # one that ends early says why itself
                if piped:
                    _translate(backup, manifest, tool, told, sample=sample)
                told.write(_COUNT.encode())
            code = program.wait()
        if code != 0:
            return Loaded(_reason(name, code, _text(said)), None)
        return Loaded("", _rows(_text(counted)) if name == "psql" else None)


@contextmanager
def _running(
    command: Sequence[str | Path], env: Mapping[str, str], *, stdout: IO[bytes], stderr: IO[bytes]
) -> Iterator[subprocess.Popen[bytes]]:
    """The program, which can be told more until the block ends. Whatever stops the block stops it."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=stdout, stderr=stderr, env=env) as program:
        try:
            yield program
        except BaseException:
            programs.end(program)
            raise


def _translate(backup: Path, manifest: Manifest, psql: Tool, told: IO[bytes], *, sample: Sample | None) -> None:
    """The backup's SQL without what an older server does not know; an archive that breaks off is found by comparing."""
    with _script(backup, manifest, psql) as script:
        if sample:
            told.writelines(_sampled(script, sample))
        else:
            told.write(script.read(_HEAD).replace(_TOO_NEW, b"", 1))
        shutil.copyfileobj(script, told)


def _sampled(script: IO[bytes], sample: Sample) -> Iterator[bytes]:
    """The lines of a dump without the rows that the sample leaves out, and without what older servers do not know."""
    left: float | None = None  # so many more rows of the table that is being read
    for line in script:
        if left is None:
            yield b"" if line.rstrip() == _TOO_NEW else line
            if found := _COPY.match(line):
                left = sample.of(found[1].decode())
        elif line == b"\\.\n":
            left = None
            yield line
        elif left > 0:
            left -= 1
            yield line


@contextmanager
def _script(backup: Path, manifest: Manifest, psql: Tool) -> Iterator[IO[bytes]]:
    if manifest.form is Form.PLAIN:
        with backup.open("rb") as file:
            yield file
        return
    command = [psql.path.with_name("pg_restore"), "--file=-", backup]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env={"LC_ALL": "C"}) as program:
        assert program.stdout is not None
        yield program.stdout


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")


def _rows(said: str) -> dict[str, int]:
    each = (json.loads(line) for line in _COUNTED.findall(said))
    return {table: count for _, table, count in each}


def _psql(*files: str) -> list[str]:
    # One transaction: faster than one per statement, and the sqlstate alone, because a message may hold values.
    quiet = ["--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1", "--set=VERBOSITY=sqlstate"]
    shown = ["--tuples-only", "--no-align"]
    return [*quiet, *shown, "--single-transaction", *(f"--file={file}" for file in files)]


def _pg_restore(backup: Path, database: str, *, parallel: int) -> list[str]:
    together = [f"--jobs={parallel}"] if parallel > 1 else ["--single-transaction"]
    return ["--exit-on-error", "--no-password", *together, f"--dbname={database}", str(backup)]


def _reason(name: str, code: int, said: str) -> str:
    if found := _AT.search(said):
        return f"line {found[1]} of the backup failed with SQLSTATE {found[2]}"
    ended = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
    return f"{name} {ended}"
