"""Where RQ meets Twokey: what a ring in Redis may ask for, and how it is taken up.

Whoever can write Redis can ring, and RQ alone would run any function by name, import any callback and obey
`kill-horse`. Here a ring is a name out of a short list and one number; the rest of what Redis says is not read.
"""

import logging
import os
import signal
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from secrets import token_hex
from types import FrameType
from typing import ClassVar

from redis import Redis, RedisError
from rq import Queue, SimpleWorker, Worker
from rq.exceptions import NoSuchJobError, StopRequested
from rq.executions import Execution
from rq.job import Job
from rq.worker import BaseWorker

from workers import mortality

log = logging.getLogger("twokey.ring")

#: What is believed of a ring. Callbacks, webhooks, retries, repeats, dependencies, limits and meta are not.
BELIEVED = frozenset(
    {b"data", b"origin", b"created_at", b"enqueued_at", b"started_at", b"last_heartbeat", b"status", b"worker_name"}
)
BIGGEST_ID = 2**63 - 1
#: How long RQ waits for a ring before it looks around, and after how much longer a silent Redis counts as gone.
LISTENS_FOR = timedelta(seconds=20)
WAITS_AT_MOST = 5.0  # seconds between two tries to reach Redis

Tasks = Mapping[str, tuple[Callable[[int], None], timedelta]]


class Ring(Job):
    """One ring, checked while it is read. One that is refused does not exist for RQ, so nothing of it is run."""

    tasks: ClassVar[Tasks]

    def restore(self, raw_data: Mapping[bytes, bytes]) -> None:
        """Take over what is believed; raises NoSuchJobError, after taking it out of Redis, for anything else."""
        try:
            super().restore({key: value for key, value in raw_data.items() if key in BELIEVED})
            _, limit = self.tasks[self._checked_name()]
        except Exception as wrong:
            log.warning("Refused a ring that asks for something else than one of ours: %s", self.id)
            self.connection.delete(self.key)
            raise NoSuchJobError(self.id) from wrong
        self.timeout = int(limit.total_seconds())
        self.result_ttl = 0
        self.failure_ttl = 3600

    def _checked_name(self) -> str:
        name, instance, args, kwargs = self.func_name, self.instance, self.args, self.kwargs
        match args:
            case [int(number)] if not isinstance(number, bool) and 0 < number <= BIGGEST_ID:
                if isinstance(name, str) and instance is None and not kwargs:
                    return name
        raise ValueError(name, args)

    @property
    def func(self) -> Callable[[int], None]:
        """The task out of the list; RQ's own would import whatever is named, and store a traceback in Redis."""
        task, _ = self.tasks[self._checked_name()]

        def told(number: int) -> None:
            try:
                task(number)
            except Exception:
                log.exception("%s(%s) ended with an error that nobody expected", self.func_name, number)

        return told


class Listener(BaseWorker):
    """What our two kinds of worker have in common: deaf to orders by Redis, and calm when it is away."""

    job_class = Ring
    max_connection_wait_time = WAITS_AT_MOST
    stopping = False

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """The first signal: finish what is in hand, then end."""
        self.stopping = True
        super().request_stop(signum, frame)

    def _shutdown(self) -> None:
        """With nothing in hand, leave by SystemExit: an `except Exception` of redis-py can lose RQ's StopRequested."""
        try:
            super()._shutdown()
        except StopRequested:
            raise SystemExit from None

    def subscribe(self) -> None:
        """Take no orders by pub/sub: RQ's are `shutdown`, `kill-horse` and `stop-job`."""

    def set_shutdown_requested_date(self) -> None:
        """Write no date for dashboards: without Redis that would raise in the middle of a run."""


class RunListener(Listener, Worker):
    """Takes up each run in a process of its own, so that a run that dies takes nobody with it."""

    after_fork: Callable[[], None]

    def maintain_heartbeats(self, job: Job, execution: Execution) -> None:
        """Tell Redis that the run goes on. A Redis that went away is no reason to leave a run alone."""
        try:
            super().maintain_heartbeats(job, execution)
        except RedisError:
            log.warning("Redis does not answer while a run goes on. The run is not touched by that.")

    def setup_work_horse_signals(self) -> None:
        """In the run's process: only SIGKILL ends it, and it does not outlive its listener.

        A service manager may signal the whole group, and a run that has begun is finished. Without its
        listener nobody would see a run's end, so then it dies, and pg_dump with it (they are one group);
        PostgreSQL rolls back, and the sweep has somebody find out what is in.
        """
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, lambda *_: os.killpg(0, signal.SIGKILL))
        mortality.die_with(self.pid or 0, signal.SIGHUP)
        mortality.go_by("twokey run")
        self.after_fork()


class LookListener(Listener, SimpleWorker):
    """Looks in its own process: a fork and new connections would cost more than the look itself.

    The time limit still holds, since RQ's alarm interrupts psycopg's waiting; what hangs in C beyond that
    delays other looks at this one environment, and no run.
    """


def listen(queue: str, *, redis_url: str, tasks: Tasks, after_fork: Callable[[], None] | None = None) -> None:
    """Answer the rings of one queue until SIGTERM or SIGINT; with `after_fork`, each in a process of its own.

    A Redis that is away is said and waited for: what was asked stands in the ledger.
    """
    wait = 1.0
    while True:
        try:
            if _serve(queue, redis_url=redis_url, tasks=tasks, after_fork=after_fork):
                return
            wait = 1.0
        except RedisError as away:
            log.warning(
                "Redis does not answer (%s). What was asked is safe in the ledger; the next try is in %.0f s.",
                type(away).__name__,
                wait,
            )
        time.sleep(wait)
        wait = min(wait * 2, WAITS_AT_MOST)


def _serve(queue: str, *, redis_url: str, tasks: Tasks, after_fork: Callable[[], None] | None) -> bool:
    """Listen until asked to stop (True) or until RQ gives up (False); raises RedisError when Redis is away."""
    rings = type("Ring", (Ring,), {"tasks": tasks})
    with Redis.from_url(redis_url, socket_connect_timeout=5, socket_keepalive=True) as connection:
        at = Queue(queue, connection=connection, job_class=rings, serializer="json")
        kind = LookListener if after_fork is None else RunListener
        listener = kind(
            [at],
            name=f"{queue}.{token_hex(4)}",
            connection=connection,
            job_class=rings,
            serializer="json",
            worker_ttl=int(LISTENS_FOR.total_seconds()) + 15,
        )
        if isinstance(listener, RunListener) and after_fork:
            listener.after_fork = after_fork
        return _work(listener)


def _work(listener: Listener) -> bool:
    try:
        listener.work(logging_level="WARNING")
    except (RedisError, SystemExit):
        if not listener.stopping:
            raise
    finally:
        for sign in (signal.SIGTERM, signal.SIGINT):
            signal.signal(sign, signal.SIG_DFL)  # between two listeners nothing is in hand
    return listener.stopping
