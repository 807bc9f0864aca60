"""Apply beside psql, on one server in one run: 10, 200 and 1,000 migrations, and 50 over a wire of 20 ms.

Run with `python -m benchmarks.apply`. Only ratios count: psql, then Twokey, then psql again …; medians of the rounds.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from engine import apply, files, lock, plan, standing
from engine.backup import NothingToLose
from engine.connection import Database, open_session
from playground import embedded
from tests.support.proxy import wire

ROUNDS = 5
WIRE_SECONDS = 0.02
_TEXTS = (
    "CREATE TABLE t{n} (id bigint PRIMARY KEY, a text NOT NULL, b int, c timestamptz DEFAULT now(), d jsonb, e bool);",
    "ALTER TABLE t{m} ADD COLUMN f text;",
    "CREATE INDEX i{n} ON t{k} (a);",
)
_HISTORY = (
    "CREATE TABLE schema_migrations (id SERIAL PRIMARY KEY, migration_id VARCHAR(255) UNIQUE NOT NULL, name"
    " VARCHAR(255) NOT NULL, applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, checksum VARCHAR(64) NOT NULL,"
    " environment VARCHAR(50) NOT NULL);"
)


def write(folder: Path, count: int) -> None:
    """So many migrations: CREATE TABLE, ALTER TABLE ADD COLUMN and CREATE INDEX in rotation."""
    for n in range(count):
        text = _TEXTS[n % 3].format(n=n, m=n - 1, k=n - 2)
        stamp = f"2025{n // 86400 + 1:02d}01{n // 3600 % 24:02d}{n // 60 % 60:02d}{n % 60:02d}"
        (folder / f"{stamp}_m{n}.sql").write_text(text + "\n")


def by_psql(programs: Path, dsn: str, folder: Path) -> float:
    """Seconds of psql over one file: BEGIN, the text, its history row, COMMIT for each."""
    row = "INSERT INTO schema_migrations (migration_id, name, checksum, environment) VALUES ('{id}','x','{sum}','dev');"
    script = folder / "all.psql"
    parts = [f"BEGIN;\n{m.text}{row.format(id=m.id, sum=m.checksum)}\nCOMMIT;" for m in files.read(folder)]
    script.write_text(_HISTORY + "\n".join(parts))
    command = [programs / "psql", "-q", "-X", "-v", "ON_ERROR_STOP=1", "-f", script, dsn]
    began = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - began


def by_twokey(dsn: str, folder: Path) -> float:
    """Seconds from reading the folder to the last commit; all but the backup, since the database is empty."""
    began = time.perf_counter()
    with open_session(Database("dev", protected=False, dsn=dsn), purpose="bench") as session, lock.only_one(session):
        found = files.read(folder)
        drawn = plan.draw(standing.look(session, found), found, before=None, limits=session.limits)
        ended = apply.run(session, drawn, backup=NothingToLose(), actor="bench", request=None)
    assert not ended.failure
    return time.perf_counter() - began


def medians(server: embedded.Postgres, one: Callable[[str], float], other: Callable[[str], float]) -> list[float]:
    """Medians of the two, taken in turns, each time on a new database."""
    taken: list[list[float]] = [[], []]
    for _ in range(ROUNDS):
        for place, each in enumerate((one, other)):
            taken[place].append(each(server.create("bench")))
            server.drop("bench")
    return [statistics.median(seconds) for seconds in taken]


def across(delay: float, each: Callable[[str], float]) -> Callable[[str], float]:
    """The same over a wire that is so long."""

    def over(dsn: str) -> float:
        with wire(dsn, there_and_back=delay) as through:
            return each(through.dsn)

    return over


def trips(server: embedded.Postgres, folder: Path) -> int:
    """How many round trips Twokey needs in all, from connecting to the end."""
    with wire(server.create("bench"), there_and_back=WIRE_SECONDS) as through:
        by_twokey(through.dsn, folder)
    server.drop("bench")
    return through.trips


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as place, embedded.postgres(Path(place) / "server") as server:
        for count, delay in ((10, 0.0), (200, 0.0), (1000, 0.0), (50, WIRE_SECONDS)):
            folder = Path(place) / f"m{count}"
            folder.mkdir()
            write(folder, count)

            def psql(dsn: str, folder: Path = folder) -> float:
                return by_psql(server.programs, dsn, folder)

            def twokey(dsn: str, folder: Path = folder) -> float:
                return by_twokey(dsn, folder)

            theirs, ours = (
                medians(server, across(delay, psql), across(delay, twokey)) if delay else medians(server, psql, twokey)
            )
            print(
                f"{count:>5} migrations, {delay * 1000:>2.0f} ms: psql {theirs:6.2f} s   twokey {ours:6.2f} s"
                f"   ratio {ours / theirs:5.2f}   {trips(server, folder)} round trips in all"
            )
            sys.stdout.flush()


if __name__ == "__main__":
    main()
