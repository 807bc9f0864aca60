"""A workspace for the length of a block, inside this very program."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

from playground.client import Workspace
from playground.granted import Grant
from playground.server import Server


@contextmanager
def running(port: int = 0, *, host: str = "127.0.0.1", grant: Grant | None = None) -> Iterator[Workspace]:
    """Serve on a free port, unless one is given, until the block ends. Raises what `Server` raises."""
    server = Server(host=host, port=port, grant=grant)
    thread = Thread(target=server.run, name="playground", daemon=True)
    thread.start()
    try:
        yield Workspace(server.address)
    finally:
        server.stop()
        thread.join()
