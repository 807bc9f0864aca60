"""All of Twokey on this machine, as in production: one process per part, each with only what it may hold."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from ledger import workflow_file
from playground import embedded
from playground.client import Workspace

#: What a process needs of the shell it was started from, and nothing else: no token, no DSN leaks in.
SHELL = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "VIRTUAL_ENV")
REPOSITORY = Path(__file__).parent.parent
STOP_WITHIN = 15.0  # seconds; a warm stop lets a running apply finish
TOO_SOON = 10.0  # seconds; who ends within them would only end again


class DidNotStart(Exception):
    """A part of Twokey ended when it should be running."""

    def __init__(self, name: str, log: Path) -> None:
        super().__init__(name, log)
        self.name, self.log = name, log

    def __str__(self) -> str:
        words = self.log.read_text() if self.log.exists() else "it wrote nothing"
        return f"{self.name} ended by itself; its log ({self.log}) says:\n{words[-2000:]}"


class SaidNo(Exception):
    """`twokey` did not do what it was asked to."""

    def __init__(self, words: str, said: str) -> None:
        super().__init__(words, said)
        self.words, self.said = words, said

    def __str__(self) -> str:
        return f"`twokey {self.words}` should have done it; it said:\n{self.said}"


def lay_out(folder: Path) -> Path:
    """The samples and a copy of the workflow file in `folder`, so that nothing of ours is changed; gives the copy.

    All of its databases are on one server here, the scratch ones too, and it says so.
    """
    put_samples(folder)
    ours, config = (REPOSITORY / "twokey.toml").read_text(), folder / "twokey.toml"
    config.write_text(on_one_server(ours.replace("[scratch]\n", "[scratch]\non_protected_server = true\n")))
    return config


def on_one_server(workflow: str) -> str:
    """The same workflow file, which says that what is not protected may reach what is: one superuser serves all."""
    addresses = re.compile(r"(?m)^database_url = .*(DEVELOPMENT|TEST)_DATABASE_URL.*$")
    return addresses.sub(r"\g<0>\non_protected_server = true", workflow)


def put_samples(folder: Path) -> None:
    """The sample migrations and models lie in `folder` as in the repository, with no backup and nothing else."""
    shutil.rmtree(folder / "migrations", ignore_errors=True)
    (folder / "migrations" / "schema-backups").mkdir(parents=True)
    for file in (REPOSITORY / "migrations").glob("*.sql"):
        shutil.copy(file, folder / "migrations")
    shutil.copy(REPOSITORY / "models.py", folder)


def _shell() -> dict[str, str]:
    return {name: os.environ[name] for name in SHELL if name in os.environ}


class Running(Protocol):
    """A process that runs, as `subprocess.Popen` tells of it."""

    pid: int

    def poll(self) -> int | None: ...
    def wait(self, timeout: float = ...) -> int: ...
    def send_signal(self, sig: int) -> None: ...
    def terminate(self) -> None: ...


class Spawn(Protocol):
    """Start `python -m words…` in a session of its own; what it says is appended to `log`."""

    def __call__(self, words: list[str], *, env: Mapping[str, str], cwd: Path, log: Path) -> Running: ...


def spawn(words: list[str], *, env: Mapping[str, str], cwd: Path, log: Path) -> "subprocess.Popen[bytes]":
    """Start `python -m words…` as a shell would. Ctrl-C reaches who started all, and it stops them in order."""
    with log.open("ab") as out:
        return subprocess.Popen(
            [sys.executable, "-m", *words],
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


@dataclass(frozen=True, slots=True)
class Launch:
    """How a process was started, and when, by the clock that only goes forward."""

    module: str
    words: tuple[str, ...]
    variables: Mapping[str, str]
    at: float


@dataclass(slots=True)
class Stack:
    """The running parts: real databases, a real queue, a stand-in for Slack, and Twokey's own processes."""

    folder: Path
    config: Path
    postgres: embedded.Postgres
    redis_url: str
    slack: Workspace
    dsn: Mapping[str, str]  # environment → its connection string
    ledger_url: str
    spawn: Spawn
    processes: dict[str, Running] = field(default_factory=dict)
    launches: dict[str, Launch] = field(default_factory=dict)

    def start(self, name: str, module: str, *words: str, **variables: str) -> Running:
        """Start `python -m module words…` with the given variables beside the shell's few; its log is a file."""
        log = self.log(name)
        log.parent.mkdir(parents=True, exist_ok=True)
        env = {**_shell(), "PYTHONUNBUFFERED": "1", "TWOKEY_CONFIG": str(self.config), **variables}
        started = self.processes[name] = self.spawn([module, *words], env=env, cwd=REPOSITORY, log=log)
        self.launches[name] = Launch(module, words, variables, time.monotonic())
        return started

    def start_workspace(self) -> None:
        """Start the stand-in for Slack; the app has exactly what slack-manifest.yaml asks for."""
        asks, port = REPOSITORY / "slack-manifest.yaml", self.slack.address.rpartition(":")[2]
        self.start("slack", "playground", "--port", port, "--manifest", str(asks))

    def wait_for_workspace(self) -> None:
        """Return once the stand-in for Slack answers; raises DidNotStart."""
        while not self.slack.answers():
            self.check()
            time.sleep(0.05)

    def start_bot(self, **more: str) -> None:
        """Start the listener and announcer: Slack's tokens, the ledger, the ring, and `more`; no DSN."""
        variables = {**self.slack.bot_variables(), **self.ledger_as("twokey_bot"), **more}
        self.start("bot", "bot", **variables, REDIS_URL=self.redis_url)

    def start_workers(self, *environments: str, **more: str) -> None:
        """Start the hands for some environments (default: all), with those environments' DSNs and `more` alone."""
        chosen = environments or tuple(self.dsn)
        variables = {f"{name.upper()}_DATABASE_URL": self.dsn[name] for name in chosen}
        name = "workers" if not environments else "workers-" + "-".join(environments)
        ledger = self.ledger_as("twokey_worker")
        self.start(name, "workers", *environments, **variables, **ledger, **more, REDIS_URL=self.redis_url)

    def start_sweep(self) -> None:
        """Start the one that rings again, expires and finds out about silent runs."""
        self.start("sweep", "workers", "sweep", **self.ledger_as("twokey_sweep"), REDIS_URL=self.redis_url)

    def twokey(self, *words: str) -> str:
        """What `twokey words…` says in an engineer's shell, which reaches the first environment and a scratch server.

        Raises SaidNo when it does not end with 0.
        """
        first, dsn = next(iter(self.dsn.items()))
        reached = {f"{first.upper()}_DATABASE_URL": dsn, "SCRATCH_DATABASE_URL": self.postgres.url()}
        ran = subprocess.run(
            [Path(sys.executable).with_name("twokey"), *words],
            env={**_shell(), "PYTHONPATH": str(REPOSITORY), **reached},
            cwd=self.config.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if ran.returncode:
            raise SaidNo(" ".join(words), ran.stdout)
        return ran.stdout

    def prepare(self) -> None:
        """Make the ledger's schema and roles; raises DidNotStart with the log when it cannot."""
        if self.start("prepare", "workers", "prepare", LEDGER_OWNER_URL=self.ledger_url).wait() != 0:
            raise DidNotStart("prepare", self.log("prepare"))
        del self.processes["prepare"]

    def ledger_as(self, role: str) -> dict[str, str]:
        """The ledger's address for one of its roles."""
        return {"LEDGER_DATABASE_URL": self.ledger_url.replace("//postgres@", f"//{role}@")}

    def log(self, name: str) -> Path:
        """Where a process's words go."""
        return self.folder / "logs" / f"{name}.log"

    def check(self) -> None:
        """Raise DidNotStart if one of the processes has ended."""
        for name, process in self.processes.items():
            if process.poll() is not None:
                raise DidNotStart(name, self.log(name))

    def start_again(self) -> tuple[str, ...]:
        """Start whichever part of Twokey has ended, as a supervisor would in production; gives their names.

        Raises DidNotStart for one that ended right after its start, and for the stand-in for Slack, which remembers
        nothing.
        """
        ended = tuple(name for name, process in self.processes.items() if process.poll() is not None)
        for name in ended:
            launch = self.launches[name]
            if name == "slack" or time.monotonic() - launch.at < TOO_SOON:
                raise DidNotStart(name, self.log(name))
            self.start(name, launch.module, *launch.words, **launch.variables)
        return ended

    def stop(self, name: str, *, sign: signal.Signals = signal.SIGTERM) -> None:
        """End one process and wait; one that does not end in time is killed with its group."""
        self.processes[name].send_signal(sign)
        self._see_off(name)

    def stop_all(self) -> None:
        """Ask every process of ours to end, then wait for each."""
        for process in self.processes.values():
            process.terminate()
        for name in list(self.processes):
            self._see_off(name)

    def _see_off(self, name: str) -> None:
        process = self.processes.pop(name)
        try:
            process.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextmanager
def running(
    folder: Path,
    *,
    config: Path,
    servers: "Servers | None" = None,
    port: int = 0,
    prefix: str = "",
    spawn: Spawn = spawn,
) -> Iterator[Stack]:
    """Start the databases, the queue, the workspace and a prepared ledger; the caller starts Twokey's processes.

    With `servers`, those running servers are used and the databases are made under `prefix`; they end with them.
    """
    with ExitStack() as ending:
        at = servers or ending.enter_context(own_servers(folder))
        names = [e.name for e in workflow_file.load(config).environments]
        dsn = {name: at.postgres.create(prefix + name) for name in names}
        ledger_url = at.postgres.create(prefix + "ledger")
        slack = Workspace(f"http://127.0.0.1:{port or embedded.free_port()}")
        stack = Stack(folder, config, at.postgres, at.redis_url, slack, dsn, ledger_url, spawn)
        ending.callback(stack.stop_all)
        stack.start_workspace()
        stack.prepare()
        stack.wait_for_workspace()
        yield stack


@dataclass(frozen=True, slots=True)
class Servers:
    """A PostgreSQL and a Valkey that are running."""

    postgres: embedded.Postgres
    redis_url: str


@contextmanager
def own_servers(folder: Path) -> Iterator[Servers]:
    """Start both servers with their files under `folder`."""
    with embedded.postgres(folder / "postgres") as postgres, embedded.valkey() as redis_url:
        yield Servers(postgres, redis_url)
