"""The servers that come with Twokey: each is its own, whoever starts others at the same moment."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import redis

from playground import embedded


def test_servers_started_at_once_are_not_one() -> None:
    with ExitStack() as ending, ThreadPoolExecutor(4) as pool:
        urls = list(pool.map(lambda _: ending.enter_context(embedded.valkey()), range(4)))
        seen = {redis.Redis.from_url(url).info("server")["process_id"] for url in urls}
    assert len(seen) == 4
