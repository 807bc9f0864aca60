"""A rehearsal beside bare pg_dump, psql and the same plan by psql: ratios from one run, taken in turns; and memory.

`python -m benchmarks.rehearsal [MB] [rounds] [plain|directory]`; durable settings; figures are of this machine.
The bare way restores without checking, locks nothing down, measures nothing, and tries no way back.
"""

import resource
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.backup_restore import TOOLS, bare_dump, bare_restore, fill, run, timed
from engine import backup, files, lock, plan, rehearsal, standing
from engine.backup import Into
from engine.connection import Database, Limits, open_session
from engine.form import Form
from engine.plan import Plan
from engine.rehearsal import Bench, Rehearsed
from engine.restore import Source
from engine.scratch import Server
from playground import embedded
from playground.embedded import Postgres

LIMITS = Limits()
#: One that touches a table of eight lightly, and one that writes it anew.
PLANS = {
    "light": "ALTER TABLE part_1 ADD note text; CREATE INDEX part_1_words ON part_1 (words);",
    "rewrite": "ALTER TABLE part_1 ALTER kind TYPE bigint; UPDATE part_2 SET kind = kind + 1 WHERE id % 10 = 0;",
}
PARALLEL = {Form.PLAIN: 1, Form.DIRECTORY: 2}


@dataclass(frozen=True)
class Place:
    """A server with a filled database, where files go, and how it is backed up."""

    server: Postgres
    there: Database
    folder: Path
    form: Form

    def draw(self, text: str) -> Plan:
        """A plan of one file."""
        with open_session(self.there, purpose="bench") as session:
            found = [files.parse("20250101000000_bench.sql", text.encode())]
            return plan.draw(standing.look(session, found), found, before=None, limits=LIMITS)

    def ours(self, drawn: Plan) -> tuple[float, Rehearsed]:
        """Backup and rehearsal, and what they saw."""
        with open_session(self.there, purpose="bench") as session, lock.only_one(session):
            into = Into(self.folder, TOOLS, self.form, PARALLEL[self.form])
            path: list[Path] = []
            took = timed(lambda: path.append(Path(backup.take(session, into=into, now=datetime.now(UTC)).path)))
            bench = Bench(Server(self.server.url()), rehearsal.likeness(session))
        done: list[Rehearsed] = []
        source, now = Source(path[0], TOOLS, PARALLEL[self.form]), datetime.now(UTC)
        took += timed(lambda: done.append(rehearsal.rehearse(drawn, source, bench, limits=LIMITS, now=now)))
        return took, done[0]

    def bare(self, text: str) -> float:
        """pg_dump, createdb and psql or pg_restore, then psql with the plan."""
        plain = self.folder / "bare"
        took = timed(lambda: bare_dump(self.server, self.form, PARALLEL[self.form], plain))
        took += timed(lambda: bare_restore(self.server, self.form, PARALLEL[self.form], plain))
        took += timed(lambda: run(self.server, "psql", "-X", "-q", "-1", "-c", text, self.server.url("bare")))
        self.server.drop("bare")
        return took


def compare(place: Place, name: str, rounds: int) -> None:
    """Print one plan's figures."""
    drawn, took = place.draw(PLANS[name]), list[tuple[float, float]]()
    for _ in range(rounds):
        bare = place.bare(PLANS[name])
        ours, seen = place.ours(drawn)
        took.append((bare, ours))
        subprocess.run(["rm", "-rf", *place.folder.iterdir()], check=True)
    bare, ours = (statistics.median(column) for column in zip(*took, strict=True))
    ratio = statistics.median(b / a for a, b in took)
    last = seen.receipt
    print(
        f"{name}, {place.form}: rehearsal {ours:.2f} s, bare {bare:.2f} s, ratio {ratio:.2f}"
        f" (last: restore {last.proof.seconds:.2f}, run {last.seconds:.2f}, way back {last.undo_seconds:.2f} s)",
        flush=True,
    )


def main() -> None:
    """Print the figures."""
    given = [*sys.argv[1:], *["400", "3", "plain"][len(sys.argv) - 1 :]]
    megabytes, rounds, form = int(given[0]), int(given[1]), Form(given[2])
    with tempfile.TemporaryDirectory() as place, embedded.postgres(Path(place) / "files") as server:
        fill(server, megabytes)
        folder = Path(place) / "backups"
        folder.mkdir()
        there = Database("development", protected=False, dsn=server.url("shop"))
        for name in PLANS:
            compare(Place(server, there, folder, form), name, rounds)
    print(f"peak of this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
