"""How long people wait: a command to its ack, `/migrate apply dev` to the last word, and what each process weighs.

Run with `make bench`. Everything is real but Slack; figures are of this machine and this hour.
"""

import shutil
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import psycopg

from playground import stack
from playground.client import Workspace
from playground.stack import REPOSITORY

ADA = "U0ENGINEER"
CHANNEL = "C0MIGRATE"
TOGETHER = 50


def acks(slack: Workspace) -> list[float]:
    """Seconds from a command to its ack, as the workspace measured them, for 50 people who type at once."""
    before = len(slack.deliveries("slash_commands"))
    person = slack.as_person(ADA)
    with ThreadPoolExecutor(TOGETHER) as crowd:
        list(crowd.map(lambda _: person.slash("/migrate", "requests", channel=CHANNEL), range(TOGETHER)))
    return [one["attempts"][0]["seconds"] for one in slack.deliveries("slash_commands")[before:]]


def apply_once(parts: stack.Stack, number: int) -> tuple[float, float]:
    """Seconds from `/migrate apply dev`, one small file pending, to the final message; and pg_dump's share."""
    file = parts.folder / "migrations" / f"20260101{number:06d}_bench.sql"
    file.write_text(f"CREATE TABLE bench_{number} (id bigint PRIMARY KEY);\n")
    began = time.perf_counter()
    parts.slack.as_person(ADA).slash("/migrate", "apply dev", channel=CHANNEL)
    parts.slack.wait_for(lambda: _finished(parts.slack, number), timeout=60)
    return time.perf_counter() - began, _dump_seconds(parts)


def _finished(slack: Workspace, number: int) -> bool:
    return any(f"{number:06d}_bench" in str(m) and "Applied" in str(m) for m in slack.messages(CHANNEL)[-1:])


def _dump_seconds(parts: stack.Stack) -> float:
    with psycopg.connect(parts.ledger_url) as conn:
        row = conn.execute("SELECT body ->> 'seconds' FROM events WHERE kind = 'BackedUp' ORDER BY at DESC LIMIT 1")
        return float((row.fetchone() or (0,))[0])


def weights(parts: stack.Stack) -> dict[str, list[float]]:
    """Resident MiB of each process and its children."""
    found = {}
    for name, started in parts.processes.items():
        family = [psutil.Process(started.pid), *psutil.Process(started.pid).children(recursive=True)]
        found[name] = [round(one.memory_info().rss / 2**20, 1) for one in family]
    return found


def main() -> None:
    """Print the figures."""
    folder = Path(tempfile.mkdtemp(prefix="twokey-bench-"))
    shutil.copytree(REPOSITORY / "migrations", folder / "migrations")
    config = folder / "twokey.toml"
    config.write_text(stack.on_one_server((REPOSITORY / "twokey.toml").read_text()))
    with stack.running(folder, config=config) as parts:
        parts.start_bot()
        parts.start_workers()
        parts.start_sweep()
        parts.slack.wait_for_bot(timeout=30)
        apply_once(parts, 1)
        seconds = acks(parts.slack)
        print(f"ack, {TOGETHER} at once: median {statistics.median(seconds):.3f} s, worst {max(seconds):.3f} s")
        runs = [apply_once(parts, number) for number in range(2, 9)]
        total, dump = statistics.median(r[0] for r in runs), statistics.median(r[1] for r in runs)
        print(f"apply dev, one file: {total:.2f} s to the final message, of which pg_dump {dump:.2f} s")
        for name, sizes in weights(parts).items():
            print(f"resident MiB, {name}: {sizes}")
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
