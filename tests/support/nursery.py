"""Processes of ours that need not import SQLAlchemy and all the rest once more, which is most of what a start takes.

A process of the nursery is a real one, with its own environment, folder, session and log, and runs `python -m module`
from that module's first line. Only the libraries of others are there already, imported by the one it is forked from.
What must be seen to start as it does in production is started so: bot/test_process.py, flows/test_main_job.py.
"""

import gc
import importlib
import json
import os
import runpy
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

LIBRARIES = (
    "psycopg", "redis.asyncio", "rq", "slack_bolt.adapter.socket_mode", "sqlalchemy.dialects.postgresql",
    "starlette.applications", "uvicorn", "websockets",
)  # fmt: skip


class Nursery:
    """Forks processes until it is closed."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", __name__]
        self._mother = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def spawn(self, words: list[str], *, env: Mapping[str, str], cwd: Path, log: Path) -> "Child":
        """Start `python -m words…`; what it says is appended to `log`."""
        log.touch()
        return Child(self, self.ask(start=words, env=dict(env), cwd=str(cwd), log=str(log)))

    def ask(self, **wish: Any) -> Any:
        """Send one line and read the one that answers it."""
        to, answer = self._mother.stdin, self._mother.stdout
        assert to
        assert answer
        to.write(json.dumps(wish) + "\n")
        to.flush()
        return json.loads(answer.readline())

    def close(self) -> None:
        """End the mother; whoever of her children still runs lives on."""
        self._mother.communicate()


class Child:
    """A process of the nursery, as `subprocess.Popen` tells of one."""

    def __init__(self, nursery: Nursery, pid: int) -> None:
        self.pid, self._nursery = pid, nursery
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """How it ended (minus the signal that ended it), or None while it runs."""
        if self.returncode is None:
            self.returncode = self._nursery.ask(ended=self.pid)
        return self.returncode

    def wait(self, timeout: float = 60) -> int:
        """How it ended; raises TimeoutExpired when it still runs after `timeout` seconds."""
        until = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() > until:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout)
            time.sleep(0.01)
        return code

    def send_signal(self, sig: int) -> None:
        """Send it a signal, if it still runs."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, sig)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


def _bear() -> dict[str, Any] | None:
    """Answer every line; each that starts a process is returned in that process, and None when there are no more."""
    for line in sys.stdin:
        wish = json.loads(line)
        if "start" in wish:
            pid = os.fork()
            if not pid:
                return wish
            answer: int | None = pid
        else:
            pid, status = os.waitpid(wish["ended"], os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if pid else None
        print(json.dumps(answer), flush=True)  # to the pipe
    return None


def _become(wish: dict[str, Any]) -> None:
    """What a shell does between fork and exec, and then the module."""
    os.setsid()
    os.chdir(wish["cwd"])
    os.environ.clear()
    os.environ.update(wish["env"])
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    log = os.open(wish["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(write_through=True)  # pyright: ignore[reportAttributeAccessIssue]
    sys.argv = wish["start"]
    runpy.run_module(wish["start"][0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    for name in LIBRARIES:
        importlib.import_module(name)
    gc.freeze()
    if child := _bear():
        _become(child)
