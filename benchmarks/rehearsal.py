"""A rehearsal beside bare pg_dump, psql and the same plan by psql: ratios from one run, taken in turns; and memory.

`python -m benchmarks.rehearsal [MB] [rounds] [plain|directory]`; durable settings; figures are of this machine.
The bare way restores without checking, locks nothing down, measures nothing, tries no way back, and leaves its copy;
the second ratio is beside one that drops it, as a rehearsal does. What a rehearsal's `restore` takes more is that every
byte of the backup is read again, that rows are counted, and that the tables which the plan names are analyzed.
`looking` is all else: what stood there before each file and afterwards, all rows once more, and the drop.
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

    def ours(self, drawn: Plan) -> dict[str, float]:
        """Seconds of the backup, and of each part of the rehearsal."""
        with open_session(self.there, purpose="bench") as session, lock.only_one(session):
            into = Into(self.folder, TOOLS, self.form, PARALLEL[self.form])
            path: list[Path] = []
            dump = timed(lambda: path.append(Path(backup.take(session, into=into, now=datetime.now(UTC)).path)))
            bench = Bench(Server(self.server.url()), rehearsal.likeness(session))
        done: list[Rehearsed] = []
        source, now = Source(path[0], TOOLS, PARALLEL[self.form]), datetime.now(UTC)
        whole = timed(lambda: done.append(rehearsal.rehearse(drawn, source, bench, limits=LIMITS, now=now)))
        seen = done[0].receipt
        parts = {"backup": dump, "restore": seen.proof.seconds, "plan": seen.seconds, "way back": seen.undo_seconds}
        return parts | {"looking": dump + whole - sum(parts.values())}

    def bare(self, text: str) -> dict[str, float]:
        """Seconds of pg_dump, of createdb and psql or pg_restore, of psql with the plan, and of dropping the copy."""
        plain = self.folder / "bare"
        plan = ("-X", "-q", "-1", "-c", text, self.server.url("bare"))
        took = {
            "backup": timed(lambda: bare_dump(self.server, self.form, PARALLEL[self.form], plain)),
            "restore": timed(lambda: bare_restore(self.server, self.form, PARALLEL[self.form], plain)),
            "plan": timed(lambda: run(self.server, "psql", *plan)),
        }
        return took | {"drop": timed(lambda: self.server.drop("bare"))}


def compare(place: Place, name: str, rounds: int) -> None:
    """Print one plan's figures."""
    drawn, bare, ours = place.draw(PLANS[name]), list[dict[str, float]](), list[dict[str, float]]()
    for _ in range(rounds):
        bare.append(place.bare(PLANS[name]))
        ours.append(place.ours(drawn))
        subprocess.run(["rm", "-rf", *place.folder.iterdir()], check=True)
    pairs = [(sum(a.values()), a["drop"], sum(b.values())) for a, b in zip(bare, ours, strict=True)]
    ratio = statistics.median(took / (whole - drop) for whole, drop, took in pairs)
    dropped = statistics.median(took / whole for whole, _, took in pairs)
    print(f"{name}, {place.form}: ratio {ratio:.2f}, {dropped:.2f} beside one that drops its copy")
    print(f"  rehearsal {_said(ours)}\n  bare {_said(bare)}", flush=True)


def _said(took: list[dict[str, float]]) -> str:
    """Medians, the whole first."""
    parts = (f"{part} {statistics.median(one[part] for one in took):.2f}" for part in took[0])
    return f"{statistics.median(sum(one.values()) for one in took):.2f} s ({', '.join(parts)})"


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
