"""Run pg_dump inside a snapshot, and read what it writes while it writes it."""

import hashlib
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from engine import manifest, tools
from engine.connection import Connection, Session, milliseconds
from engine.errors import EngineError
from engine.form import Form
from engine.tools import Tool

_COMPLETE = b"-- PostgreSQL database dump complete"
#: Newer dumps end with a line after the one that says they are complete.
_TAIL = 4096
_CHUNK = 1 << 20
_NAP = 0.02

Found = TypeVar("Found")


@dataclass(eq=False)
class AddressUnknown(EngineError):
    """A program of libpq's could come to another server than the session did."""

    host: str

    def __str__(self) -> str:
        return (
            f"Which of {self.host}'s addresses this session came to cannot be told, so pg_dump could come to another "
            "server. Nothing was run. Give the address of one server."
        )


@dataclass(frozen=True, slots=True)
class Order:
    """What pg_dump shall write, where, and from which snapshot. `descriptor` is of `path` and is inherited."""

    tool: Tool
    form: Form
    parallel: int
    snapshot: str
    path: Path
    descriptor: int


@dataclass(frozen=True, slots=True)
class Ended:
    """How pg_dump ended, what it said, and what stands in the file or folder: size and SHA-256."""

    code: int
    said: str
    bytes: int
    sha256: str


def run(session: Session, order: Order, meanwhile: Callable[[], Found]) -> tuple[Ended, Found]:
    """pg_dump ran to its end, and `meanwhile` was called once while it did. Whatever stops us stops it too."""
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(
            _command(session, order),
            stdin=subprocess.DEVNULL,
            stdout=order.descriptor if order.form is Form.PLAIN else subprocess.DEVNULL,
            stderr=said,
            env=surroundings(session.conn),
            pass_fds=(order.descriptor,),
        ) as program,
    ):
        try:
            found = meanwhile()
            size, sha256 = _follow(program, order)
        except BaseException:
            tools.end(program)
            raise
        said.seek(0)
        return Ended(program.returncode, said.read().decode(errors="replace"), size, sha256), found


def _command(session: Session, order: Order) -> list[str | Path]:
    wait = milliseconds(session.limits.lock_timeout)
    command = [order.tool.path, f"--format={order.form}", "--no-password", f"--lock-wait-timeout={wait}"]
    command.append(f"--snapshot={order.snapshot}")
    if order.form is not Form.PLAIN:
        # zstd where this pg_dump has it; gzip at its fastest costs the least elsewhere.
        command += [f"--file={order.path}", f"--compress={'zstd:1' if order.tool.knows_zstd() else '1'}"]
    if order.form is Form.DIRECTORY:
        command.append(f"--jobs={order.parallel}")
    return command


def surroundings(conn: Connection, *, purpose: str = "twokey backup") -> Mapping[str, str]:
    """What leads libpq's programs to where `conn` is, as environment variables made from nothing else.

    The password travels only here: a command line can be read by every account of the machine.
    """
    env = {o.envvar.decode(): o.val.decode() for o in conn.pgconn.info if o.envvar and o.val}
    # Of several hosts, of a name with several addresses and of a password file, what this very session came to use.
    env |= {"PGHOST": conn.info.host, "PGPORT": str(conn.info.port), "PGDATABASE": conn.info.dbname}
    env |= _pinned(conn)
    env |= {"PGPASSWORD": conn.info.password} if conn.info.password else {}
    return env | {"PGAPPNAME": purpose, "LC_ALL": "C"}


def _pinned(conn: Connection) -> Mapping[str, str]:
    """The server's address itself. PGHOST stays beside it: TLS compares the certificate with that name."""
    if conn.info.host.startswith(("/", "@")):
        return {"PGHOSTADDR": ""}  # a local socket, a file's or an abstract one, leads to one server
    if not conn.info.hostaddr:
        raise AddressUnknown(conn.info.host)
    return {"PGHOSTADDR": conn.info.hostaddr}


def is_complete(order: Order) -> bool:
    """Whether the dump says of itself that it is: its last line, or a table of contents that can be read."""
    if order.form is not Form.PLAIN:
        listing = [order.tool.path.with_name("pg_restore"), "--list", order.path]
        return subprocess.run(listing, capture_output=True, env={"LC_ALL": "C"}, check=False).returncode == 0
    with order.path.open("rb") as file:
        file.seek(max(order.path.stat().st_size - _TAIL, 0))
        return _COMPLETE in file.read().splitlines()


class _Reader:
    """One file that grows, and the sum of what was read of it so far."""

    def __init__(self, path: Path) -> None:
        self._path, self._sum, self._bytes = path, hashlib.sha256(), 0

    def catch_up(self) -> tuple[int, str]:
        """Bytes and SHA-256 up to the file's end as it is now."""
        with self._path.open("rb") as file:
            file.seek(self._bytes)
            while chunk := file.read(_CHUNK):
                self._sum.update(chunk)
                self._bytes += len(chunk)
        return self._bytes, self._sum.hexdigest()


def _follow(program: subprocess.Popen[bytes], order: Order) -> tuple[int, str]:
    """Size and SHA-256 of all that pg_dump wrote, known nearly as soon as it ends."""
    readers: dict[Path, _Reader] = {}
    while program.poll() is None:
        for reader in _opened(readers, _growing(order)):
            reader.catch_up()
        _nap(program)
    _opened(readers, _whole(order))
    sums = {path.name: reader.catch_up() for path, reader in readers.items()}
    if order.form is Form.DIRECTORY:
        return manifest.sum_of_folder((name, *one) for name, one in sums.items())
    return sums[order.path.name]


def _opened(readers: dict[Path, _Reader], paths: Iterable[Path]) -> Iterable[_Reader]:
    for path in paths:
        if path not in readers:
            readers[path] = _Reader(path)
    return readers.values()


def _growing(order: Order) -> list[Path]:
    """Files that are only ever added to; pg_dump goes back and rewrites the head of a custom one."""
    match order.form:
        case Form.PLAIN:
            return [order.path]
        case Form.CUSTOM:
            return []
        case Form.DIRECTORY:
            return [path for path in order.path.iterdir() if path.name[0].isdigit()]


def _whole(order: Order) -> list[Path]:
    return list(order.path.iterdir()) if order.form is Form.DIRECTORY else [order.path]


def _nap(program: subprocess.Popen[bytes]) -> None:
    try:
        program.wait(_NAP)
    except subprocess.TimeoutExpired:
        return
