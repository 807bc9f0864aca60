"""The supervisor: posts stay manned, ends are clean, and nobody is left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.waiting import is_alive, wait_for

CREW = """
import logging, os, signal, sys, time
from pathlib import Path
from workers.crew import Crew, Post

logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
stopping = 0

def on_term(*_):
    global stopping
    stopping += 1

def stand(name, linger):
    signal.signal(signal.SIGTERM, on_term)
    Path(sys.argv[1], f"{name}.{os.getpid()}").touch()
    while not stopping:
        time.sleep(0.02)
    until = time.monotonic() + linger
    while time.monotonic() < until and stopping < 2:
        time.sleep(0.02)
    Path(sys.argv[1], f"{name}.ended after {stopping}").touch()

Crew([Post("run.test", lambda: stand("run", 30 if "slow" in sys.argv else 0)),
      Post("look.test", lambda: stand("look", 0))]).keep()
"""


class Trial:
    """A crew with two posts, each of which leaves a file with its pid in `folder`."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.folder = folder
        self.log = folder.parent / "log"
        with self.log.open("wb") as out:
            self.crew = subprocess.Popen(
                [sys.executable, "-c", CREW, str(folder), *words], stdout=out, stderr=out, cwd=Path.cwd()
            )

    def pids(self, name: str) -> set[int]:
        return {int(f.suffix[1:]) for f in self.folder.glob(f"{name}.*") if f.suffix[1:].isdigit()}

    def one(self, name: str) -> int:
        wait_for(lambda: bool(self.pids(name)))
        return min(self.pids(name))

    def everyone(self) -> set[int]:
        return self.pids("run") | self.pids("look") | {self.crew.pid}


@pytest.fixture
def trial(tmp_path: Path) -> Iterator[Callable[..., Trial]]:
    trials: list[Trial] = []

    def start(*words: str) -> Trial:
        (tmp_path / "posts").mkdir()
        trials.append(Trial(tmp_path / "posts", *words))
        return trials[-1]

    yield start
    for one in trials:
        for pid in one.everyone():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        one.crew.wait()


def test_a_child_that_died_is_replaced_and_the_others_are_left_alone(trial: Callable[..., Trial]) -> None:
    crew = trial()
    run, look = crew.one("run"), crew.one("look")
    os.kill(run, signal.SIGKILL)
    wait_for(lambda: len(crew.pids("run")) == 2)
    assert crew.pids("look") == {look}
    assert is_alive(look)
    assert "run.test ended (killed by SIGKILL) and is started again in 1 s." in crew.log.read_text()


def test_the_first_signal_lets_work_in_hand_finish_and_is_told_once(trial: Callable[..., Trial]) -> None:
    crew = trial()
    crew.one("run"), crew.one("look")
    crew.crew.send_signal(signal.SIGINT)
    assert crew.crew.wait(8) == 0
    assert {f.name for f in crew.folder.glob("*.ended*")} == {"run.ended after 1", "look.ended after 1"}
    assert crew.log.read_text().splitlines() == [
        "Ending: a run in hand is finished first. A second signal ends it now.",
        "All workers have ended.",
    ]
    assert not any(map(is_alive, crew.everyone()))


def test_a_second_signal_ends_it_now_but_the_same_wish_twice_does_not(trial: Callable[..., Trial]) -> None:
    crew = trial("slow")
    crew.one("run"), crew.one("look")
    crew.crew.send_signal(signal.SIGTERM)
    time.sleep(0.2)
    crew.crew.send_signal(signal.SIGTERM)  # as when a terminal and a service manager both signal
    time.sleep(1)
    assert crew.crew.poll() is None
    crew.crew.send_signal(signal.SIGTERM)
    assert crew.crew.wait(8) == 0
    assert (crew.folder / "run.ended after 2").exists()
    assert "Ending now: a run in hand is cut off, and PostgreSQL rolls back its migration." in crew.log.read_text()


def test_children_do_not_outlive_a_supervisor_that_is_killed(trial: Callable[..., Trial]) -> None:
    crew = trial()
    run, look = crew.one("run"), crew.one("look")
    crew.crew.kill()
    crew.crew.wait()
    wait_for(lambda: not is_alive(run) and not is_alive(look))


def test_a_process_shows_which_post_it_stands_on(trial: Callable[..., Trial]) -> None:
    assert Path(f"/proc/{trial().one('run')}/comm").read_text() == "run.test\n"
