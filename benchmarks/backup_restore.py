"""Backup and restore with all safeties beside bare pg_dump, psql and pg_restore: ratios from one run, taken in turns.

`python -m benchmarks.backup_restore [MB] [rounds]`; durable settings; figures are of this machine and this hour.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from engine import backup, lock, restore, tools
from engine.backup import Into
from engine.connection import Database, open_session
from engine.form import Form
from engine.restore import Source
from playground import embedded
from playground.embedded import Postgres

TOOLS = tools.find(None, "")
FORMS = ((Form.PLAIN, 1), (Form.CUSTOM, 1), (Form.DIRECTORY, 2))
PAIRS = (("backup", "pg_dump"), ("restore", "bare restore"), ("restore", "bare restore, ANALYZE"))
#: Eight tables of moderately compressible rows, each with a primary key and one more index: 150 bytes a row.
FILL = """
CREATE TABLE part_{0} AS SELECT i AS id, i % 1000 AS kind, md5(i::text) || md5((i * 7)::text) AS words, now() AS at
  FROM generate_series(1, {1}) i;
ALTER TABLE part_{0} ADD PRIMARY KEY (id); CREATE INDEX ON part_{0} (kind)
"""


def fill(server: Postgres, megabytes: int) -> None:
    """A database called shop, of about that size."""
    with psycopg.connect(server.create("shop"), autocommit=True) as conn:
        for number in range(8):
            conn.execute(FILL.format(number, megabytes * 1_000_000 // 8 // 150).encode())
        conn.execute("CHECKPOINT")


def timed(act: Callable[[], object]) -> float:
    """Seconds that it took."""
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def bare_dump(server: Postgres, form: Form, parallel: int, path: Path) -> None:
    """pg_dump as a person would run it for this form."""
    more = [] if form is Form.PLAIN else ["--compress=1"]
    more += [f"--jobs={parallel}"] if form is Form.DIRECTORY else []
    run(server, "pg_dump", f"--format={form}", f"--file={path}", *more, server.url("shop"))


def bare_restore(server: Postgres, form: Form, parallel: int, path: Path) -> None:
    """createdb, then psql or pg_restore, as a person would."""
    into = server.create("bare")
    if form is Form.PLAIN:
        run(server, "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", path, into)
    else:
        run(server, "pg_restore", f"--jobs={parallel}", "-d", into, path)


def bare_analyze(server: Postgres) -> None:
    """What PostgreSQL's manual tells a person to do after every restore ("SQL Dump", 25.1.1), and ours does itself."""
    run(server, "psql", "-X", "-q", "-c", "ANALYZE", server.url("bare"))


def run(server: Postgres, program: str, *words: object) -> None:
    """One of PostgreSQL's programs, which must end well."""
    subprocess.run([server.programs / program, *map(str, words)], check=True, stdout=subprocess.DEVNULL)


def ours(there: Database, form: Form, parallel: int, folder: Path) -> Path:
    """A backup with its manifest."""
    with open_session(there, purpose="bench") as session:
        into = Into(folder, TOOLS, form, parallel)
        return Path(backup.take(session, into=into, now=datetime.now(UTC)).path)


def back(there: Database, path: Path, parallel: int) -> str | None:
    """A restore, compared and swapped; gives the old database's name."""
    with open_session(there, purpose="bench") as session, lock.only_one(session):
        return restore.run(
            session, Source(path, TOOLS, parallel), now=datetime.now(UTC), actor="bench", request=None
        ).kept


def compare(server: Postgres, form: Form, parallel: int, folder: Path) -> dict[str, float]:
    """One round: each beside the other, and nothing left of either."""
    there, plain = Database("development", protected=False, dsn=server.url("shop")), folder / "bare"
    took = {"pg_dump": timed(lambda: bare_dump(server, form, parallel, plain))}
    paths: list[Path] = []
    took["backup"] = timed(lambda: paths.append(ours(there, form, parallel, folder)))
    took["bare restore"] = timed(lambda: bare_restore(server, form, parallel, plain))
    took["bare restore, ANALYZE"] = took["bare restore"] + timed(lambda: bare_analyze(server))
    server.drop("bare")
    kept: list[str | None] = []
    took["restore"] = timed(lambda: kept.append(back(there, paths[0], parallel)))
    server.drop(kept[0] or "")
    subprocess.run(["rm", "-rf", *folder.iterdir()], check=True)
    return took


def main() -> None:
    """Print the figures."""
    megabytes, rounds = ([int(word) for word in sys.argv[1:]] + [400, 3][len(sys.argv) - 1 :])[:2]
    with tempfile.TemporaryDirectory() as place, embedded.postgres(Path(place) / "files") as server:
        fill(server, megabytes)
        folder = Path(place) / "backups"
        folder.mkdir()
        for form, parallel in FORMS:
            seen = [compare(server, form, parallel, folder) for _ in range(rounds)]
            took = {what: statistics.median(one[what] for one in seen) for what in seen[0]}
            print(f"{form} (jobs {parallel}), {megabytes} MB, medians of {rounds}:")
            for what, bare in PAIRS:
                ratio = statistics.median(one[what] / one[bare] for one in seen)
                print(f"  {what} {took[what]:.2f} s, {bare} {took[bare]:.2f} s, ratio {ratio:.2f}", flush=True)


if __name__ == "__main__":
    main()
