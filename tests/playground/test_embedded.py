"""The servers that come with Twokey: each is its own, whoever starts others at the same moment."""

import errno
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
import redis

from playground import embedded


def test_where_nobody_may_listen_that_is_said_instead_of_tried_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[object] = []

    def taken_then_forbidden(address: object) -> None:
        tried.append(address)
        raise OSError(errno.EADDRINUSE if len(tried) == 1 else errno.EPERM, "no")

    monkeypatch.setattr(embedded.socket, "create_server", taken_then_forbidden)
    with pytest.raises(PermissionError):
        embedded.free_port()
    assert len(tried) == 2


def test_servers_started_at_once_are_not_one() -> None:
    with ExitStack() as ending, ThreadPoolExecutor(4) as pool:
        urls = list(pool.map(lambda _: ending.enter_context(embedded.valkey()), range(4)))
        seen = {redis.Redis.from_url(url).info("server")["process_id"] for url in urls}
    assert len(seen) == 4
