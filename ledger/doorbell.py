"""The only place where Redis and RQ are met from this side. A ring carries one number and is worth nothing alone.

Rings come after the commit. A lost ring is rung again by whoever watches the clock, a second ring finds the work
claimed; so RQ is asked for neither retries nor uniqueness (both act behind the ledger's back), and Redis being
down is an answer, not an error.
"""

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue
from rq.serializers import JSONSerializer

from ledger.errors import MalformedUrl
from ledger.request import Request

# RQ would otherwise stop a migration after three minutes. The engine's own timeouts are the ones that bind.
_RUN_SECONDS = 24 * 60 * 60
_LOOK_SECONDS = 60
# A watch that nobody heard is rung for again after ten minutes.
_WATCH_KEPT = 10 * 60
# What became of a ring is written in the ledger; Redis need not remember it.
_KEEP_SUCCESS_SECONDS = 0
_KEEP_FAILURE_SECONDS = 60 * 60
# The person who asked is waiting for the ack, and a clock rings again.
_PATIENCE_SECONDS = 0.2


class Doorbell:
    """Rings the queues `run.<environment>` and `look.<environment>`. Every ring says whether it went out."""

    def __init__(self, redis_url: str) -> None:
        """Connects at the first ring. Raises MalformedUrl."""
        try:
            self._redis = Redis.from_url(
                redis_url,
                socket_connect_timeout=_PATIENCE_SECONDS,
                socket_timeout=_PATIENCE_SECONDS,
                retry=Retry(NoBackoff(), 0),
            )
        except ValueError:
            # redis-py's own sentence can quote the URL, and with it the password.
            raise MalformedUrl("REDIS_URL", "redis://host:6379/0") from None

    def __repr__(self) -> str:
        return "<Doorbell>"

    def ring(self, request: Request | int, environment: str) -> bool:
        """Ask the environment's worker to take up a request. False when Redis does not answer."""
        request_id = request if isinstance(request, int) else request.id
        return self._enqueue(f"run.{environment}", "run", number=request_id, seconds=_RUN_SECONDS)

    def ring_look(self, observation_id: int, environment: str) -> bool:
        """Ask the environment's worker to fill an observation."""
        return self._enqueue(f"look.{environment}", "look", number=observation_id, seconds=_LOOK_SECONDS)

    def ring_answer(self, inquiry_id: int, environment: str) -> bool:
        """Ask any one environment's worker to answer with what was observed by now."""
        return self._enqueue(f"look.{environment}", "answer", number=inquiry_id, seconds=_LOOK_SECONDS)

    def ring_inspect(self, request_id: int, environment: str) -> bool:
        """Ask the environment's worker what became of a run that fell silent."""
        return self._enqueue(f"look.{environment}", "inspect_run", number=request_id, seconds=_LOOK_SECONDS)

    def ring_watch(self, watch_id: int, environment: str) -> bool:
        """Ask the environment's worker what was done at a terminal. Not heard for long, the ring is no more."""
        return self._enqueue(f"look.{environment}", "watch", number=watch_id, seconds=_LOOK_SECONDS, ttl=_WATCH_KEPT)

    def close(self) -> None:
        """Give back every connection."""
        self._redis.close()

    def _enqueue(self, queue: str, function: str, *, number: int, seconds: int, ttl: int | None = None) -> bool:
        try:
            Queue(queue, connection=self._redis, serializer=JSONSerializer).enqueue(
                f"workers.tasks.{function}",
                args=(number,),
                job_timeout=seconds,
                ttl=ttl,
                result_ttl=_KEEP_SUCCESS_SECONDS,
                failure_ttl=_KEEP_FAILURE_SECONDS,
            )
        except RedisError:
            return False
        return True
