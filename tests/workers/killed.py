"""A worker that is killed by SIGKILL at a certain moment of a run, as a machine that loses its power does it."""

import os
import signal
from collections.abc import Callable
from typing import Any

from tests.support.waiting import wait_for
from tests.workers.row import Row
from workers import foreman


def killed(
    row: Row, request_id: int, *, when: Callable[[], bool], patch: tuple[Any, str, Callable[..., Any]] | None = None
) -> None:
    """Run the request in a child of ours, and kill that when the moment has come. `patch` holds in the child alone."""
    hands = row.hands(row.ledger.request(request_id).environment)
    child = os.fork()
    if child == 0:
        try:
            hands.book.after_fork()
            if patch:
                setattr(*patch)
            foreman.run(hands, request_id)
        finally:
            os._exit(0)
    try:
        wait_for(when, 30)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
