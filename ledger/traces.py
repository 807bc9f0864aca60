"""What a log says of an error: where it came from and of which kind, and never what a driver or a library says in it.

Their texts hold rows' values (DETAIL), statements' parameters and pieces of addresses. Ours were made to be read.
"""

import logging
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import TextIO

_LED_TO = "\nand that led to\n"


class Discreet(logging.Formatter):
    """Formats as its parent does, but an error by its trace alone; one of `ours` with its sentence."""

    def __init__(self, form: str, ours: tuple[type[BaseException], ...], *, datefmt: str | None = None) -> None:
        super().__init__(form, datefmt=datefmt)
        self._ours = ours

    def formatException(  # noqa: N802  logging's own name
        self, ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
    ) -> str:
        """The lines of code that it came through, and its kind; likewise what it came from, oldest first."""
        return "" if ei[1] is None else _LED_TO.join(reversed([*_each(ei[1], self._ours)]))


def to(stream: TextIO, formatter: Discreet) -> logging.Handler:
    """A handler that writes each record as a line."""
    lines = logging.StreamHandler(stream)
    lines.setFormatter(formatter)
    return lines


def _each(error: BaseException, ours: tuple[type[BaseException], ...]) -> Iterator[str]:
    one: BaseException | None = error
    while one is not None:
        yield "".join(traceback.format_tb(one.__traceback__)) + _kind(one, ours)
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)


def _kind(error: BaseException, ours: tuple[type[BaseException], ...]) -> str:
    name = f"{type(error).__module__}.{type(error).__qualname__}"
    if isinstance(error, ours):
        return f"{name}: {error}"
    sqlstate = getattr(error, "sqlstate", None)
    return f"{name} ({sqlstate})" if sqlstate else name
