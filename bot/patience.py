"""Who has to wait before the next try, and how long: twice as long after each failure, or as long as Slack says."""

import logging
import time
from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

from ledger.errors import LedgerUnreachable

LONGEST = 60.0

One = TypeVar("One")

log = logging.getLogger("twokey.patience")


class Patience:
    """Waiting times by what failed: a channel, an inquiry, a whole step."""

    def __init__(
        self, *, first: float = 0.5, longest: float = LONGEST, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._first, self._longest, self._clock = first, longest, clock
        self._waits: dict[Hashable, tuple[float, float]] = {}

    def may(self, what: Hashable) -> bool:
        """Whether the time for the next try has come."""
        until, _ = self._waits.get(what, (0.0, 0.0))
        return self._clock() >= until

    def failed(self, what: Hashable, *, retry_after: float | None = None) -> None:
        """Wait as long as was asked for, or twice as long as the last time."""
        _, last = self._waits.get(what, (0.0, self._first / 2))
        wait = min(self._longest, last * 2)
        self._waits[what] = (self._clock() + (wait if retry_after is None else retry_after), wait)

    def worked(self, what: Hashable) -> None:
        """Start anew."""
        self._waits.pop(what, None)


def one_by_one(
    many: Iterable[One], deed: Callable[[One], None], *, key: Callable[[One], Hashable], by: Patience
) -> None:
    """Do a deed for each. What meets a fault of ours is logged and waits, so that it does not silence the others."""
    for one in many:
        if not by.may(key(one)):
            continue
        try:
            deed(one)
        except LedgerUnreachable:
            raise
        except Exception:
            log.exception("%s %s met an error that nobody expected", getattr(deed, "__qualname__", deed), key(one))
            by.failed(key(one))
