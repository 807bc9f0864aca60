"""A ring is one number on the right queue, and Redis being down costs nobody their ack."""

import socket
import time
from collections.abc import Callable, Iterator

import pytest
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from ledger.book import Book
from ledger.doorbell import Doorbell
from ledger.errors import MalformedUrl
from ledger.states import State
from tests.support.ledger import a_request_in

Ring = Callable[[Doorbell], bool]

RINGS: list[tuple[Ring, str, str, int]] = [
    (lambda bell: bell.ring(7, "production"), "run.production", "workers.tasks.run", 24 * 60 * 60),
    (lambda bell: bell.ring_look(7, "test"), "look.test", "workers.tasks.look", 60),
    (lambda bell: bell.ring_answer(7, "test"), "look.test", "workers.tasks.answer", 60),
    (lambda bell: bell.ring_inspect(7, "test"), "look.test", "workers.tasks.inspect_run", 60),
]


@pytest.fixture
def doorbell(redis_url: str) -> Iterator[Doorbell]:
    bell = Doorbell(redis_url)
    yield bell
    bell.close()


@pytest.fixture
def queue(redis_url: str) -> Iterator[Callable[[str], Queue]]:
    with Redis.from_url(redis_url) as redis:
        yield lambda name: Queue(name, connection=redis, serializer=JSONSerializer)


@pytest.mark.parametrize(("ring", "name", "function", "seconds"), RINGS)
def test_a_ring_is_one_number_on_its_queue(
    doorbell: Doorbell, queue: Callable[[str], Queue], ring: Ring, name: str, function: str, seconds: int
) -> None:
    assert ring(doorbell)
    (rung,) = queue(name).jobs
    assert (rung.func_name, tuple(rung.args), rung.kwargs) == (function, (7,), {})
    assert (rung.timeout, rung.result_ttl, rung.failure_ttl, rung.retries_left) == (seconds, 0, 3600, None)
    assert rung.data.startswith(b"[")


def test_ringing_twice_rings_twice(doorbell: Doorbell, queue: Callable[[str], Queue]) -> None:
    assert doorbell.ring(7, "test")
    assert doorbell.ring(7, "test")
    assert len(queue("run.test").jobs) == 2


def test_a_request_rings_by_its_number(doorbell: Doorbell, queue: Callable[[str], Queue], ledger: Book) -> None:
    request = a_request_in(ledger, State.ASKED)
    assert doorbell.ring(request, "development")
    assert tuple(queue("run.development").jobs[0].args) == (request.id,)


@pytest.mark.parametrize("ring", [ring for ring, *_ in RINGS])
def test_redis_being_down_is_an_answer_at_once(ring: Ring) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: refused
        bell = Doorbell(f"redis://:hunter2@127.0.0.1:{taken.getsockname()[1]}/0")
        began = time.monotonic()
        assert not ring(bell)
        assert time.monotonic() - began < 0.3


def test_redis_being_mute_is_an_answer_soon() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        began = time.monotonic()
        assert not Doorbell(f"redis://127.0.0.1:{mute.getsockname()[1]}/0").ring(7, "test")
        assert time.monotonic() - began < 0.3


@pytest.mark.parametrize("url", ["", "hunter2", "http://:hunter2@host/0", "redis://host:hunter2/0"])
def test_a_malformed_url_is_named_and_not_shown(url: str) -> None:
    with pytest.raises(MalformedUrl) as caught:
        Doorbell(url)
    assert str(caught.value) == "REDIS_URL is not a URL that Twokey understands. Write it like redis://host:6379/0."
    assert caught.value.__suppress_context__


def test_a_doorbell_keeps_its_address_to_itself(redis_url: str) -> None:
    assert repr(Doorbell(redis_url)) == "<Doorbell>"
