"""kill -9 at each step of a restore: the old database is in place and works, and the next run clears what was left."""

import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from engine import restore
from engine.connection import Database
from tests.support.restore import KEPT, ask, databases, restored, sign, taken

#: A restore that kills itself: at a step it tells of, between the two renames, or as soon as both are committed.
PROGRAM = """
import os, signal, sys, threading
from pathlib import Path
from engine import lock, restore, swap, twin
from engine.connection import Database, open_session
from tests.support.restore import NOW, TOOLS, Source

dsn, backup, step = sys.argv[1:]

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

def tell(said):
    if type(said).__name__ == step:
        die()
    if type(said).__name__ == "Loading" and step == "middle of loading":
        threading.Timer(0.15, die).start()

rename, create = swap._rename, twin.create
if step == "created":
    twin.create = lambda *a, **k: (create(*a, **k), die())
if step == "between the renames":
    swap._rename = lambda m, old, new: die() if new == "shop" else rename(m, old, new)
if step == "sessions ended":
    swap._rename = lambda m, old, new: (rename(m, old, new), die())
whole = swap.swap
if step == "swapped":
    swap.swap = lambda *a, **k: (whole(*a, **k), die())

with open_session(Database("development", False, dsn), purpose="killed") as session, lock.only_one(session):
    restore.run(session, Source(Path(backup), TOOLS), now=NOW, actor="ada", request=None, tell=tell)
"""


def killed(shop: Database, backup: Path, step: str) -> None:
    program = [sys.executable, "-c", PROGRAM, shop.dsn, str(backup), step]
    ended = subprocess.run(program, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr


@pytest.mark.parametrize(
    "step",
    ["created", "Loading", "middle of loading", "Comparing", "Swapping", "sessions ended", "between the renames"],
)
def test_killed_before_the_swap_the_old_database_works_and_the_next_run_clears(
    shop: Database, tmp_path: Path, postmaster: psycopg.Connection, step: str
) -> None:
    source = taken(shop, tmp_path)
    if step == "middle of loading":
        with source.backup.open("a") as file:  # what holds it there; the manifest no longer fits, so it is rewritten
            file.write("SELECT pg_sleep(1.5);\n")
        sign(source.backup)
    ask(shop, "DELETE FROM users WHERE id = 1")
    killed(shop, source.backup, step)
    assert ask(shop, "SELECT count(*) FROM users") == [(1,)]
    ask(shop, "INSERT INTO users (email) VALUES ('still@here')")
    assert databases(postmaster) == ["shop", "shop_twokey_restoring"]
    _, told = restored(shop, source)
    assert told[0] == restore.LeftoverCleared("shop_twokey_restoring")
    assert ask(shop, "SELECT count(*) FROM users") == [(2,)]
    assert databases(postmaster) == ["shop", KEPT]


def test_killed_after_the_swap_everything_is_done(
    shop: Database, tmp_path: Path, postmaster: psycopg.Connection
) -> None:
    source = taken(shop, tmp_path)
    ask(shop, "DELETE FROM users")
    killed(shop, source.backup, "swapped")
    assert ask(shop, "SELECT count(*) FROM users") == [(2,)]
    assert databases(postmaster) == ["shop", KEPT]
