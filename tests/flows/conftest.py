"""The whole corridor: real PostgreSQL, Valkey, RQ workers and the playground, as separate processes.

One start of the processes serves all tests of a file, one after the other. Each test begins with empty databases,
an empty ledger, an empty workspace and the repository's own folder, and with workers that know the right addresses.
"""

import itertools
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from engine import files
from engine.connection import Database, open_session
from playground import embedded, people, stack
from playground.transcript import Transcript
from tests.support.empty import EMPTY_ENVIRONMENT
from tests.support.engine import bring
from tests.support.ledger import EMPTY
from tests.support.nursery import Nursery
from tests.support.waiting import wait_for

ADA, BO, CY, DEE, GIL = "U0ENGINEER", "U0APPROVER", "U0OBSERVER", "U0SECOND", "U0GUEST"
CHANNEL = "C0MIGRATE"
#: Long enough to take a key back in, short enough to wait for.
START_DELAY = "3s"
SERVING = "Serving development, test, production."

_numbers = itertools.count(1)


class Corridor:
    """A running Twokey and the people in its channel."""

    def __init__(self, parts: stack.Stack, *, port: int | None = None) -> None:
        """With `port`, the bot hears Slack there over HTTP; else on a websocket."""
        self.parts, self.slack, self.port = parts, parts.slack, port
        self.channel = Transcript(parts.slack, CHANNEL, people.names())
        self._dsn = parts.dsn

    @property
    def migrations(self) -> Path:
        """The folder the workers read."""
        return self.parts.config.parent / "migrations"

    def bring_to_test(self) -> None:
        """Everything in the folder is on development and on test, by the engine alone, and test is certified by #3."""
        for name in ("development", "test"):
            database = Database(name, protected=False, dsn=self.parts.dsn[name])
            with open_session(database, purpose="twokey test") as session:
                assert bring(session, files.read(self.migrations)).failure is None
        self.ledger("SELECT setval(pg_get_serial_sequence('requests', 'id'), 2)")
        self.channel.types(ADA, "certify test")
        self.channel.shows("*test* · certify", "certified")

    def ask_for_production(self, reason: str = "the release needs it") -> dict[str, object]:
        """Ada asks for production; gives the card that waits for the second key."""
        self.channel.types(ADA, "apply prod")
        self.channel.fills_in(ADA, {"environment": "production", "reason": reason})
        return self.channel.shows("production", reason)

    def applied(self, environment: str) -> list[str]:
        """The migrations that an environment's own history names, oldest first."""
        with psycopg.connect(self.parts.dsn[environment]) as conn:
            if conn.execute("SELECT to_regclass('schema_migrations')").fetchone() == (None,):
                return []
            return [row[0] for row in conn.execute("SELECT migration_id FROM schema_migrations ORDER BY 1")]

    def ledger(self, query: str) -> list[tuple[object, ...]]:
        """Ask the ledger's database directly, as its owner."""
        with psycopg.connect(self.parts.ledger_url) as conn:
            return conn.execute(query.encode()).fetchall()

    def skip_the_delay(self) -> None:
        """What is approved starts now, and not when its start delay is over."""
        now = "UPDATE requests SET starts_at = now(), rung_at = NULL WHERE state = 'approved' RETURNING id"
        self.slack.wait_for(lambda: self.ledger(now), timeout=20)

    def start_bot(self) -> None:
        """The bot is about to hear Slack."""
        over_http = {"SLACK_APP_TOKEN": "", "PORT": str(self.port)}
        self.parts.start_bot(**over_http if self.port else {})

    def listen(self) -> None:
        """Slack delivers where the bot hears it."""
        if self.port:
            wait_for(lambda: listens(self.port))
            self.slack.settings(request_url=f"http://127.0.0.1:{self.port}/slack/events")
        self.slack.wait_for_bot(timeout=20)

    def start_workers(self, **more: str) -> None:
        """The workers of all environments serve, with the environments' addresses and `more`."""
        log = self.parts.log("workers")
        before = log.read_text().count(SERVING) if log.exists() else 0
        self.parts.start_workers(**more)
        wait_for(lambda: log.read_text().count(SERVING) > before)

    def configure(self, workflow: str) -> None:
        """Bot and workers read this twokey.toml."""
        for name in ("bot", "workers"):
            self.parts.stop(name)
        self.parts.config.write_text(workflow)
        self.start_bot()
        self.start_workers()
        self.listen()

    def start_anew(self) -> None:
        """Nothing was ever asked, applied or said, and whoever a test had stopped or led astray works again."""
        wait_for(lambda: not self.ledger("SELECT FROM requests WHERE announced_version < version"))
        if "sweep" in self.parts.processes:
            self.parts.stop("sweep")
        astray = self.parts.dsn != self._dsn or "workers" not in self.parts.processes
        if astray and "workers" in self.parts.processes:
            self.parts.stop("workers")
        for dsn in self._dsn.values():
            with psycopg.connect(dsn, autocommit=True) as conn:
                conn.execute(EMPTY_ENVIRONMENT)
        with psycopg.connect(self.parts.ledger_url) as conn:
            conn.execute(EMPTY)
        stack.put_samples(self.migrations.parent)
        self.slack.reset()
        self.listen()
        self.channel = Transcript(self.slack, CHANNEL, people.names())
        if astray:
            self.parts.dsn = self._dsn
            self.start_workers()


def listens(port: int | None) -> bool:
    """Whether somebody does."""
    with socket.socket() as line:
        return line.connect_ex(("127.0.0.1", port or 0)) == 0


@dataclass(frozen=True, slots=True)
class Manner:
    """How a file's corridor is otherwise: what its workflow file says, and that its bot hears Slack over HTTP."""

    edited: Callable[[str], str] = str
    over_http: bool = False


@contextmanager
def corridor(
    postgres: embedded.Postgres, redis_url: str, folder: Path, nursery: Nursery, manner: Manner = Manner()
) -> Iterator[Corridor]:
    """A bot and workers for all environments, between servers that run."""
    folder.mkdir(exist_ok=True)
    config = stack.lay_out(folder)
    config.write_text(manner.edited(f'start_delay = "{START_DELAY}"\n{config.read_text()}'))
    servers, prefix = stack.Servers(postgres, redis_url), f"flow{next(_numbers)}_"
    with stack.running(folder, config=config, servers=servers, prefix=prefix, spawn=nursery.spawn) as parts:
        begun = Corridor(parts, port=embedded.free_port() if manner.over_http else None)
        begun.start_bot()
        begun.start_workers()
        begun.listen()
        yield begun


@pytest.fixture(scope="module")
def shared(
    request: pytest.FixtureRequest,
    postgres: embedded.Postgres,
    nursery: Nursery,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[], Corridor]]:
    """The file's corridor, in the file's MANNER, made when it is first asked for, with a Valkey of its own."""
    manner = getattr(request.module, "MANNER", Manner())
    running: list[Corridor] = []
    with ExitStack() as ending:

        def one() -> Corridor:
            if running:
                running[0].start_anew()
            else:
                folder, redis_url = tmp_path_factory.mktemp("corridor"), ending.enter_context(embedded.valkey())
                running.append(ending.enter_context(corridor(postgres, redis_url, folder, nursery, manner)))
            return running[0]

        yield one


@pytest.fixture
def begin(
    shared: Callable[[], Corridor], postgres: embedded.Postgres, nursery: Nursery, tmp_path: Path
) -> Iterator[Callable[..., Corridor]]:
    """A corridor: `begin()`, or with a sweep, or all of its own `at` another Redis."""
    with ExitStack() as ending:

        def start(*, at: str | None = None, sweep: bool = False) -> Corridor:
            one = ending.enter_context(corridor(postgres, at, tmp_path, nursery)) if at else shared()
            if sweep:
                one.parts.start_sweep()
            return one

        yield start
