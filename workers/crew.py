"""The supervisor: one child per post, started again when it dies, ended together.

Children are forked, not started afresh: they share the memory of what is imported and are ready in
milliseconds. The supervisor itself holds no connection and no thread, so there is nothing a fork could break.
"""

import logging
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import connection, get_context
from multiprocessing.context import ForkProcess
from types import FrameType

from workers import mortality

log = logging.getLogger("twokey.workers")

STEADY_AFTER = 10.0  # seconds; a child that lived this long did not fail at its start
LONGEST_PAUSE = 30.0
#: The same signal twice within this time is one wish: a terminal and a service manager both signal everybody.
ONE_WISH = 1.0

_STOPS = (signal.SIGTERM, signal.SIGINT)


@dataclass(frozen=True, slots=True)
class Post:
    """What one child does for as long as it lives."""

    name: str
    serve: Callable[[], None]


@dataclass(slots=True)
class _Watch:
    """A post and whoever stands there now."""

    post: Post
    child: ForkProcess | None = None
    started: float = 0.0
    pause: float = 0.5
    not_before: float = 0.0


@dataclass(slots=True)
class Crew:
    """All posts of this process."""

    posts: Sequence[Post]
    _stopping: float | None = None
    _watches: list[_Watch] = field(default_factory=list)

    def keep(self) -> None:
        """Keep every post manned until SIGTERM or SIGINT, then until the last child has finished its work.

        The first signal lets a running apply finish, a second one ends it at once; PostgreSQL then rolls back.
        """
        self._watches = [_Watch(post) for post in self.posts]
        with _wakeups() as awake:
            for sign in _STOPS:
                signal.signal(sign, self._on_signal)
            while self._man() or self._stopping is None:
                connection.wait([*(w.child.sentinel for w in self._watches if w.child), awake], self._nap())
                _drain(awake)
        log.info("All workers have ended.")

    def _man(self) -> int:
        """Bury the dead, fill the empty posts unless we are stopping, and count who lives."""
        for watch in self._watches:
            if watch.child and not watch.child.is_alive():
                self._bury(watch)
            if watch.child is None and self._stopping is None and time.monotonic() >= watch.not_before:
                self._start(watch)
        return sum(watch.child is not None for watch in self._watches)

    def _start(self, watch: _Watch) -> None:
        supervisor = os.getpid()
        watch.child = get_context("fork").Process(target=_stand, args=(watch.post, supervisor), name=watch.post.name)
        watch.started = time.monotonic()
        # A signal that came before the child has left our handlers behind would run them there.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)
        watch.child.start()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _bury(self, watch: _Watch) -> None:
        assert watch.child
        code = watch.child.exitcode
        watch.child.close()
        watch.child = None
        if self._stopping is not None:
            return
        steady = time.monotonic() - watch.started > STEADY_AFTER
        watch.pause = 1.0 if steady else min(watch.pause * 2, LONGEST_PAUSE)
        watch.not_before = time.monotonic() + watch.pause
        log.warning("%s ended (%s) and is started again in %.0f s.", watch.post.name, _how(code), watch.pause)

    def _nap(self) -> float | None:
        """Seconds until the next empty post may be filled; None when only an event can change anything."""
        if self._stopping is not None:
            return None
        waits = [w.not_before - time.monotonic() for w in self._watches if w.child is None]
        return max(0.0, min(waits)) if waits else None

    def _on_signal(self, _sign: int, _frame: FrameType | None) -> None:
        if self._stopping is None:
            self._stopping = time.monotonic()
            log.info("Ending: a run in hand is finished first. A second signal ends it now.")
            self._tell(signal.SIGTERM)
        elif time.monotonic() - self._stopping >= ONE_WISH:
            log.warning("Ending now: a run in hand is cut off, and PostgreSQL rolls back its migration.")
            self._tell(signal.SIGTERM)  # for a listener that is RQ's cold stop: it kills the run

    def _tell(self, sign: signal.Signals) -> None:
        for watch in self._watches:
            if watch.child and watch.child.pid:
                with suppress(ProcessLookupError):
                    os.kill(watch.child.pid, sign)


def _stand(post: Post, supervisor: int) -> None:
    """In the child: a group of its own, so that a terminal's Ctrl-C reaches it once and through the supervisor."""
    signal.set_wakeup_fd(-1)
    for sign in _STOPS:
        signal.signal(sign, signal.SIG_DFL)
    os.setpgid(0, 0)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)
    mortality.die_with(supervisor, signal.SIGTERM)
    mortality.go_by(post.name)
    post.serve()


def _how(code: int | None) -> str:
    return f"killed by {signal.Signals(-code).name}" if code is not None and code < 0 else f"exit code {code}"


@contextmanager
def _wakeups() -> Iterator[socket.socket]:
    """A socket that becomes readable when a signal arrives, for the length of the block."""
    here, there = socket.socketpair()
    with here, there:
        here.settimeout(0)
        there.settimeout(0)
        signal.set_wakeup_fd(there.fileno(), warn_on_full_buffer=False)
        try:
            yield here
        finally:
            signal.set_wakeup_fd(-1)


def _drain(awake: socket.socket) -> None:
    with suppress(BlockingIOError):
        while awake.recv(64):
            pass
