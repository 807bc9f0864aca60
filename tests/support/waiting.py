"""Waiting for what other threads and processes do: for the fact itself, and never for a guessed time."""

import time
from collections.abc import Callable
from pathlib import Path


def wait_for(fact: Callable[[], object], seconds: float = 20) -> None:
    """Return once it is so; fails when it is not within the seconds."""
    until = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < until, f"not so within {seconds:g} s"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not buried yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
