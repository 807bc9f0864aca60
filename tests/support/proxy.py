"""A long wire to a PostgreSQL: what goes through arrives later, and each answer that was waited for is counted."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from queue import SimpleQueue
from typing import Any

from psycopg.conninfo import conninfo_to_dict, make_conninfo


class Wire:
    """A proxy that runs until `cut`. `dsn` leads through it.

    `trips` is how often the client spoke after the server had answered all that had reached it. An answer that meets
    what is still on its way there was waited for by nobody; without a delay nothing is.
    """

    def __init__(self, dsn: str, delay: float) -> None:
        self._server, self._delay = conninfo_to_dict(dsn), delay
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = [self._listener]
        self._threads: list[threading.Thread] = []
        self._answered = True
        self._arrives = 0.0
        self.trips = 0
        self.dsn = make_conninfo(dsn, host="127.0.0.1", port=self._listener.getsockname()[1], sslmode="disable")
        self._go(self._accept)

    def cut(self) -> None:
        """End all that goes through."""
        for one in self._sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for one in self._sockets:
            one.close()

    def _go(self, work: Any, *its: Any) -> None:
        self._threads.append(threading.Thread(target=work, args=its, daemon=True))
        self._threads[-1].start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, server = self._listener.accept()[0], _connected(self._server)
                self._sockets += [client, server]
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for source, sink in ((client, server), (server, client)):
                    line: SimpleQueue[tuple[float, bytes]] = SimpleQueue()
                    self._go(self._take, source, line, source is client)
                    self._go(_give, sink, line)

    def _take(self, source: socket.socket, line: SimpleQueue[tuple[float, bytes]], client: bool) -> None:
        piece = b"-"
        while piece:
            try:
                piece = source.recv(1 << 16)
            except OSError:
                piece = b""
            now = time.monotonic()
            if piece and client:
                self.trips += self._answered
                self._answered, self._arrives = False, now + self._delay
            elif piece and now >= self._arrives:
                self._answered = True
            line.put((now + self._delay, piece))


def _give(sink: socket.socket, line: SimpleQueue[tuple[float, bytes]]) -> None:
    with suppress(OSError):
        while (arrived := line.get())[1]:
            time.sleep(max(0.0, arrived[0] - time.monotonic()))
            sink.sendall(arrived[1])
        sink.shutdown(socket.SHUT_RDWR)


def _connected(parts: dict[str, Any]) -> socket.socket:
    host, port = str(parts.get("host", "127.0.0.1")), int(parts.get("port") or 5432)
    if not host.startswith("/"):
        return socket.create_connection((host, port))
    server = socket.socket(socket.AF_UNIX)
    server.connect(f"{host}/.s.PGSQL.{port}")
    return server


@contextmanager
def wire(dsn: str, *, there_and_back: float = 0.0) -> Iterator[Wire]:
    """A proxy before the server of `dsn`, on loopback, for the length of the block. Delays are in seconds."""
    found = Wire(dsn, there_and_back / 2)
    try:
        yield found
    finally:
        found.cut()
