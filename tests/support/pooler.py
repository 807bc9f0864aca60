"""A pooler in transaction mode, as PgBouncer is one: each transaction gets whichever backend is free."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from psycopg.conninfo import conninfo_to_dict


@dataclass
class Pooler:
    """Listens on 127.0.0.1 and speaks to the server's local socket."""

    socket_path: str
    startup: bytes
    free: list[socket.socket] = field(default_factory=list)
    greeting: bytes = b""

    def backend(self) -> socket.socket:
        """The backend that was used last, or a new one."""
        if self.free:
            return self.free.pop()
        made = socket.socket(socket.AF_UNIX)
        made.connect(self.socket_path)
        made.sendall(self.startup)
        self.greeting = _until_ready(made)
        return made

    def serve(self, client: socket.socket) -> None:
        """One client's session: its transactions one after the other, each on a backend of its own."""
        with client, suppress(ConnectionError, struct.error):
            (length,) = struct.unpack("!i", _exactly(client, 4))
            _exactly(client, length - 4)
            self.free.append(self.backend())
            client.sendall(self.greeting)
            held: socket.socket | None = None
            while (request := _request(client)) is not None:
                held = held or self.backend()
                held.sendall(request)
                answer = _until_ready(held)
                if answer.endswith(b"I"):  # free before the client knows it, who may come back at once
                    self.free.append(held)
                    held = None
                client.sendall(answer)


@contextmanager
def pooled(dsn: str) -> Iterator[str]:
    """An address that leads to the same database through such a pooler."""
    parts = conninfo_to_dict(dsn)
    words = b"".join(f"{k}\0{v}\0".encode() for k, v in (("user", parts["user"]), ("database", parts["dbname"])))
    body = struct.pack("!i", 196608) + words + b"\0"
    pool = Pooler(f"{parts['host']}/.s.PGSQL.{parts.get('port') or 5432}", struct.pack("!i", len(body) + 4) + body)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_accept, args=(listener, pool), daemon=True).start()
        yield f"postgresql://{parts['user']}@127.0.0.1:{listener.getsockname()[1]}/{parts['dbname']}?sslmode=disable&gssencmode=disable"
        listener.shutdown(socket.SHUT_RDWR)
    for backend in pool.free:
        backend.close()


def _accept(listener: socket.socket, pool: Pooler) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            threading.Thread(target=pool.serve, args=(client,), daemon=True).start()


def _request(client: socket.socket) -> bytes | None:
    """Messages up to one that asks for an answer; None when the client leaves."""
    said = b""
    while True:
        kind, length = struct.unpack("!ci", _exactly(client, 5))
        if kind == b"X":
            return None
        said += kind + struct.pack("!i", length) + _exactly(client, length - 4)
        if kind in (b"Q", b"S"):
            return said


def _until_ready(backend: socket.socket) -> bytes:
    said = b""
    while True:
        head = _exactly(backend, 5)
        said += head + _exactly(backend, struct.unpack("!i", head[1:])[0] - 4)
        if head[:1] == b"Z":
            return said


def _exactly(of: socket.socket, count: int) -> bytes:
    said = b""
    while len(said) < count:
        if not (more := of.recv(count - len(said))):
            raise ConnectionError
        said += more
    return said
