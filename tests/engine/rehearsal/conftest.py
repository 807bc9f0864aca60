"""A small shop with rows, and a bench on the session's server; each plan is rehearsed on a backup of the shop."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from engine import backup, rehearsal
from engine.backup import Into
from engine.connection import Database, Limits, Session, open_session
from engine.plan import Plan
from engine.rehearsal import Bench, Rehearsed
from engine.restore import Source
from engine.scratch import Server
from playground.embedded import Postgres
from tests.support.engine import TOOLS, bring, draw, migration
from tests.support.waiting import wait_for

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
BASE = """
CREATE TABLE users (id int PRIMARY KEY, email text, age text);
CREATE TABLE orders (id int PRIMARY KEY, owner int REFERENCES users, note text);
CREATE TABLE audit (id int GENERATED ALWAYS AS IDENTITY, what text);
CREATE TABLE loose (owner int);
INSERT INTO users SELECT i, 'a' || i, i FROM generate_series(1, 10) i;
INSERT INTO orders SELECT i, i FROM generate_series(1, 5) i;
INSERT INTO loose VALUES (1), (99);
UPDATE users SET email = NULL WHERE id = 7; UPDATE users SET age = 'old' WHERE id = 8;
"""


@dataclass(frozen=True)
class Shop:
    """An environment whose plans are rehearsed on the server it lives on."""

    session: Session
    backup: Path
    server: Server

    def plan(self, *texts: str) -> Plan:
        """Files of these texts, drawn on the shop."""
        first = migration("20250101000000_base", BASE)
        files = [migration(f"2025020{place}000000_m{place}", text) for place, text in enumerate(texts, 1)]
        return draw(self.session, [first, *files])

    def rehearse(self, *texts: str, tell: Callable[[object], None] = lambda _: None) -> Rehearsed:
        """What a rehearsal of these files saw."""
        bench = Bench(self.server, rehearsal.likeness(self.session))
        drawn = self.plan(*texts)
        source = Source(self.backup, TOOLS)
        return rehearsal.rehearse(drawn, source, bench, limits=Limits(), now=NOW, tell=tell)


@pytest.fixture(scope="module")
def shop(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """One shop for all tests of a file: no rehearsal changes it, which `untouched` holds."""
    dsn = postgres.create("rehearsed_shop")
    there = Database("production", protected=False, dsn=dsn)
    with open_session(there, purpose="twokey test") as session:
        bring(session, [migration("20250101000000_base", BASE)])
        taken = backup.take(session, into=Into(tmp_path_factory.mktemp("backups"), TOOLS), now=NOW)
        pid = session.conn.info.backend_pid
    with open_session(there, purpose="twokey test") as session:  # the first, when it is gone, has counted what it wrote
        wait_for(lambda: not session.conn.execute("SELECT FROM pg_stat_activity WHERE pid = %s", (pid,)).fetchone())
        yield Shop(session, Path(taken.path), Server(postgres.url(), on_protected_server=True))
    postgres.drop("rehearsed_shop")


@pytest.fixture
def untouched(shop: Shop) -> Iterator[None]:
    """Not a row of the shop was written, nor a scratch database left, when the test is over."""
    before = _written(shop.session)
    yield
    assert _written(shop.session) == before
    left = shop.session.conn.execute("SELECT datname FROM pg_database WHERE datname LIKE 'twokey_scratch_rehearsal%'")
    assert left.fetchall() == []


def _written(session: Session) -> object:
    with psycopg.connect(session.database.dsn) as conn:
        return conn.execute(
            "SELECT tup_inserted, tup_updated, tup_deleted FROM pg_stat_database WHERE datname = current_database()"
        ).fetchone()
