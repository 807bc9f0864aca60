"""RQ's doorway: what a ring may call, each with one number. Nothing else can be reached through Redis."""

from collections.abc import Callable, Mapping
from datetime import timedelta

from workers import foreman, inspector, observer, watching
from workers.hands import Hands


def run(hands: Hands, request_id: int) -> None:
    """Bring one request as far as it may go now."""
    foreman.run(hands, request_id)


def look(hands: Hands, observation_id: int) -> None:
    """Write down what this environment is now."""
    observer.look(hands, observation_id)


def answer(hands: Hands, inquiry_id: int) -> None:
    """Answer a question with what has been observed by now."""
    observer.answer(hands, inquiry_id)


def watch(hands: Hands, watch_id: int) -> None:
    """Find out what was done at a terminal."""
    watching.watch(hands, watch_id)


def inspect_run(hands: Hands, request_id: int) -> None:
    """Find out what became of a run that fell silent."""
    inspector.inspect(hands, request_id)


#: By the name that the doorbell writes. The time limits are ours: what Redis says about them is not read.
#: A run's limit is the last of several (each statement has its own), so it is far away.
TASKS: Mapping[str, tuple[Callable[[Hands, int], None], timedelta]] = {
    "workers.tasks.run": (run, timedelta(hours=24)),
    "workers.tasks.look": (look, timedelta(seconds=6)),
    "workers.tasks.answer": (answer, timedelta(seconds=6)),
    "workers.tasks.watch": (watch, timedelta(seconds=6)),
    "workers.tasks.inspect_run": (inspect_run, timedelta(seconds=30)),
}
