"""What rehearsals foretell beside what their runs do to others, for kinds of change, while pgbench loads the server.

`python -m benchmarks.forecast [scale] [clients] [rounds]`; durable settings; figures are of this machine and this hour.
A scale of 1 is 100,000 accounts, some 15 MB. Each change is rehearsed and then run, both under the load; the figures
are those that the ledger keeps of a run (the event `Foretold`). Who waits for less than 0.05 s may not be seen.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from engine import apply, backup, files, lock, plan, rehearsal, standing, tools
from engine.backup import Into
from engine.connection import Database, Limits, Session, open_session
from engine.files import Migration
from engine.plan import Plan
from engine.rehearsal import Bench, forecast, traffic, watch
from engine.restore import Source
from engine.scratch import Server
from ledger.events import Foretold
from playground import embedded
from playground.embedded import Postgres
from workers import promises, rehearsing

TOOLS = tools.find(None, "")
LIMITS = Limits()
TABLE = "pgbench_accounts"
#: Kinds of change, each a plan of one file or more, in the order in which they are brought.
CHANGES: dict[str, tuple[str, ...]] = {
    "add a column": (f"ALTER TABLE {TABLE} ADD note text;",),
    "add a column, volatile default (rewrite)": (f"ALTER TABLE {TABLE} ADD token uuid DEFAULT gen_random_uuid();",),
    "create an index": (f"CREATE INDEX by_balance ON {TABLE} (abalance);",),
    "create an index concurrently": (
        f"-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY by_branch ON {TABLE} (bid);",
    ),
    "add a check, validated at once": (f"ALTER TABLE {TABLE} ADD CONSTRAINT at_once CHECK (abalance IS NOT NULL);",),
    "add a check not valid, then validate": (
        f"ALTER TABLE {TABLE} ADD CONSTRAINT later CHECK (bid IS NOT NULL) NOT VALID;",
        f"ALTER TABLE {TABLE} VALIDATE CONSTRAINT later;",
    ),
    "set not null": (f"ALTER TABLE {TABLE} ALTER bid SET NOT NULL;",),
    "change a type (rewrite)": (f"ALTER TABLE {TABLE} ALTER abalance TYPE bigint;",),
}
#: For how long the load runs before anything is looked at.
WARM = 3


@contextmanager
def load(server: Postgres, clients: int) -> Iterator[None]:
    """As many clients as that transact as fast as they are answered, until the block ends."""
    words = ["-n", "-c", str(clients), "-j", "2", "-T", "86400", server.url("bank")]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([server.programs / "pgbench", *words], **quiet) as program:
        time.sleep(WARM)
        assert program.poll() is None, "pgbench ended"
        try:
            yield
            assert program.poll() is None, "pgbench ended"
        finally:
            program.terminate()


def draw(session: Session, found: list[Migration]) -> Plan:
    """What of the files is pending."""
    return plan.draw(standing.look(session, found), found, before=None, limits=LIMITS)


def bring(session: Session, found: list[Migration], *, server: Postgres, folder: Path) -> tuple[Foretold, float]:
    """The pending files are rehearsed and then run; gives what the ledger would keep of that, and the longest wait."""
    drawn, into, first = draw(session, found), Into(folder, TOOLS), traffic.read(session)
    taken = backup.take(session, into=into, now=datetime.now(UTC))
    bench = Bench(Server(server.url()), rehearsal.likeness(session))
    done = rehearsal.rehearse(drawn, Source(Path(taken.path), TOOLS), bench, limits=LIMITS, now=datetime.now(UTC))
    said = forecast.of(done.receipt, first, traffic.read(session))
    with watch.during(session) as seen:
        report = apply.run(session, drawn, backup=into, actor="bench", request=None)
    assert report.failure is None, report.failure
    return promises.foretold(rehearsing.shown(done.receipt, said), report, seen.actual), said.longest


def compare(server: Postgres, dsn: str, clients: int, folder: Path) -> None:
    """Print each change's figures."""
    there, found = Database("development", protected=False, dsn=dsn), list[Migration]()
    print(f"{'':42}{'foretold':>24}{'came':>24}")
    print(f"{'':42}{'seconds':>8}{'wait':>8}{'longest':>8}{'seconds':>8}{'waited':>8}{'longest':>8}", flush=True)
    with open_session(there, purpose="bench", limits=LIMITS) as session, load(server, clients), lock.only_one(session):
        for name, texts in CHANGES.items():
            for text in texts:
                found.append(files.parse(f"202501{len(found) + 1:02}000000_bench.sql", text.encode()))
            one, longest = bring(session, found, server=server, folder=folder)
            foretold = f"{one.seconds:8.2f}{one.queries:8}{longest:8.2f}"
            print(f"{name:42}{foretold}{one.took:8.2f}{one.waited:8}{one.longest:8.2f}", flush=True)


def main() -> None:
    """Print the figures."""
    scale, clients, rounds = (int(one) for one in [*sys.argv[1:], *["10", "8", "1"][len(sys.argv) - 1 :]])
    with tempfile.TemporaryDirectory() as place, embedded.postgres(Path(place) / "files") as server:
        for number in range(1, rounds + 1):
            dsn = server.create("bank")
            filling = [server.programs / "pgbench", "-i", "-q", "-s", str(scale), dsn]
            subprocess.run(filling, check=True, stderr=subprocess.DEVNULL)
            print(f"round {number}: scale {scale}, {clients} clients; load of the machine {os.getloadavg()[0]:.1f}")
            compare(server, dsn, clients, Path(place) / "backups")
            server.drop("bank")


if __name__ == "__main__":
    main()
