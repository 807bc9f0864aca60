"""That no process of ours is left behind when the one it belongs to is killed."""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15


def die_with(parent: int, sign: signal.Signals) -> None:
    """Have the kernel send `sign` to this process when `parent`, who forked it, ends, even by SIGKILL.

    Linux only. Elsewhere a parent that is killed leaves its children to be ended by hand; one that ends
    in any other way takes them along itself.
    """
    if sys.platform == "linux":
        _prctl(_PR_SET_PDEATHSIG, int(sign))
    if os.getppid() != parent:  # it died before we could ask
        os.kill(os.getpid(), sign)


def go_by(name: str) -> None:
    """Show the first 15 letters of `name` as this process's name in `ps -o comm` and `top`; Linux only."""
    if sys.platform == "linux":
        _prctl(_PR_SET_NAME, name.encode())


def _prctl(option: int, value: int | bytes) -> None:
    ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
