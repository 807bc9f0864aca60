"""Real servers for every test: one PostgreSQL and one Valkey for the whole session."""

import gc
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import redis

from playground import embedded
from tests.support import kept
from tests.support.nursery import Nursery

pytest_plugins = ["tests.support.ledger"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--postgres-bin /usr/lib/postgresql/15/bin` runs the tests on that server in place of the wheel's."""
    parser.addoption("--postgres-bin", type=Path, help="folder of another PostgreSQL's programs to run the tests on")


#: The files that take longest, since they wait for real processes. Begun first, they end with the others.
FIRST = ("flows/test_second_key", "flows/test_trouble", "flows/test_main_job", "workers/test_processes", "browser/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whoever waits longest begins first; all else keeps its order."""
    items.sort(key=lambda item: next((n for n, name in enumerate(FIRST) if f"tests/{name}" in str(item.path)), 99))


def pytest_collection_finish() -> None:
    """What was collected lives as long as the session: the collector of garbage need not look at it each time."""
    gc.collect()
    gc.freeze()


#: Where Linux keeps files in memory, and how much of it a server of the tests may come to need.
MEMORY, ENOUGH = Path("/dev/shm"), 3 * 2**30


def _folder_for_servers() -> Path | None:
    """Memory where there is room in it, else None: to make a database on a disk takes ten times as long."""
    return MEMORY if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ENOUGH else None


@pytest.fixture(scope="session")
def postgres(request: pytest.FixtureRequest) -> Iterator[embedded.Postgres]:
    """An embedded PostgreSQL. Off are durability, since nothing here outlives the session, and what writes by itself.

    Its memory is small, since each of some thousand sessions ends by giving back the pages of it that it looked at.
    Not below pytest's own folder: root's server runs as somebody else, whom a second session would shut out.
    """
    programs: Path | None = request.config.getoption("--postgres-bin")
    with tempfile.TemporaryDirectory(dir=_folder_for_servers()) as folder:
        files = Path(folder) / "files"
        with embedded.postgres(files, programs=programs) as server:
            server.set(fsync="off", synchronous_commit="off", full_page_writes="off", autovacuum="off")
            server.set(shared_buffers="16MB")  # which takes a start
        with embedded.postgres(files, programs=programs) as server:
            yield server
            kept.end()


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """Where the processes of the tests come from."""
    with closing(Nursery()) as open_one:
        yield open_one


@pytest.fixture
def fresh_database(postgres: embedded.Postgres) -> Iterator[Callable[[str], str]]:
    """Create empty databases by name during one test: `fresh_database("shop")` gives its connection string."""
    made: list[str] = []

    def create(name: str) -> str:
        made.append(name)
        return postgres.create(name)

    yield create
    for name in made:
        postgres.drop(name)


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    """An embedded Valkey for the session."""
    with embedded.valkey() as url:
        yield url


@pytest.fixture
def redis_url(valkey_url: str) -> str:
    """The session's Valkey, emptied."""
    with redis.Redis.from_url(valkey_url) as server:
        server.flushall()
    return valkey_url
