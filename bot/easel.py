"""Where pictures are drawn: one at a time, by a program of its own that is given a timeline and nothing else.

It has no token and no address, and takes its memory with it when it ends. Nobody waits for it: whoever asks is told
that it is not done yet, and one that fails or hangs is given up.
"""

import json
import logging
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

from bot.timeline import Timeline

#: Seconds that one picture may take.
WITHIN = 60.0

BRUSH = (sys.executable, "-m", "bot.brush")

log = logging.getLogger("twokey.easel")


class NotDrawn(Exception):
    """A picture could not be drawn. `why` is a phrase."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Easel:
    """Holds one picture for each request until it hangs somewhere."""

    def __init__(self, brush: Sequence[str] = BRUSH, *, within: float = WITHIN) -> None:
        self._brush, self._within = brush, within
        self._hand = ThreadPoolExecutor(max_workers=1, thread_name_prefix="easel")
        self._sheets: dict[int, Future[bytes]] = {}
        self._drawing: subprocess.Popen[bytes] | None = None

    def picture(self, request_id: int, timeline: Timeline) -> bytes | None:
        """The PNG, or None while it is drawn; it begins with the first call. Raises NotDrawn."""
        if request_id not in self._sheets:
            self._sheets[request_id] = self._hand.submit(self._draw, timeline)
        sheet = self._sheets[request_id]
        return sheet.result() if sheet.done() else None

    def take_down(self, request_id: int) -> None:
        """The picture of this request hangs where it should, or is not wanted any more."""
        self._sheets.pop(request_id, None)

    def close(self) -> None:
        """Give up what is drawn now; it is drawn anew by whoever comes after."""
        self._within = 0.0  # of one that is about to begin
        if self._drawing is not None:
            self._drawing.kill()
        self._hand.shutdown(wait=True, cancel_futures=True)

    def _draw(self, timeline: Timeline) -> bytes:
        try:
            with tempfile.TemporaryDirectory(prefix="twokey-easel-") as folder:
                return self._drawn(timeline, folder)
        except OSError as cause:
            raise NotDrawn(f"nothing could be started for it: {cause.strerror}") from cause

    def _drawn(self, timeline: Timeline, folder: str) -> bytes:
        with subprocess.Popen(
            self._brush,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=Path(__file__).parents[1],
            env={"MPLCONFIGDIR": folder, "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"},
        ) as drawing:
            self._drawing = drawing
            try:
                out, said = drawing.communicate(json.dumps(asdict(timeline)).encode(), timeout=self._within)
            except subprocess.TimeoutExpired:
                drawing.kill()
                raise NotDrawn(f"it took more than {self._within:.0f} s") from None
        if drawing.returncode or not out:
            last = said.decode(errors="replace").strip().rpartition("\n")[2][:200]
            log.warning("A picture was not drawn: %s", last or f"it ended with {drawing.returncode}")
            raise NotDrawn("the program that draws it failed")
        return out
