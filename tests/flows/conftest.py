"""The whole corridor: real PostgreSQL, Valkey, RQ workers and the playground, as separate processes."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from playground import embedded, people, stack
from playground.transcript import Transcript

ADA, BO, CY, DEE, GIL = "U0ENGINEER", "U0APPROVER", "U0OBSERVER", "U0SECOND", "U0GUEST"
CHANNEL = "C0MIGRATE"

_numbers = itertools.count(1)


class Corridor:
    """A running Twokey and the people in its channel."""

    def __init__(self, parts: stack.Stack) -> None:
        self.parts, self.slack = parts, parts.slack
        self.channel = Transcript(parts.slack, CHANNEL, people.names())

    @property
    def migrations(self) -> Path:
        """The folder the workers read."""
        return self.parts.config.parent / "migrations"

    def bring_to_test(self) -> None:
        """Everything in the folder is on development and on test, and test is certified."""
        for text, environment in (("apply dev", "development"), ("promote test", "test")):
            self.channel.types(ADA, text)
            self.channel.shows(f"*{environment}* · apply", "Applied")
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


def folder_with(tmp_path: Path, *, delay: str) -> Path:
    """A workflow file beside a copy of the repository's migrations; gives the workflow file."""
    config = stack.lay_out(tmp_path)
    config.write_text(f'start_delay = "{delay}"\n{config.read_text()}')
    return config


@pytest.fixture
def begin(postgres: embedded.Postgres, redis_url: str, tmp_path: Path) -> Iterator[Callable[..., Corridor]]:
    """Start a corridor: `begin()`, or with another start `delay`, another Redis, or with a sweep."""
    with ExitStack() as ending:

        def start(*, delay: str = "1s", at: str = redis_url, sweep: bool = False) -> Corridor:
            config = folder_with(tmp_path, delay=delay)
            servers = stack.Servers(postgres, at)
            prefix = f"flow{next(_numbers)}_"
            parts = ending.enter_context(stack.running(tmp_path, config=config, servers=servers, prefix=prefix))
            parts.start_bot()
            parts.start_workers()
            if sweep:
                parts.start_sweep()
            parts.slack.wait_for_bot(timeout=20)
            return Corridor(parts)

        yield start
