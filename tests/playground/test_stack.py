"""What a supervisor would do for the parts, the demo does: who ends is started again, and who cannot stay is not."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from playground import embedded, stack
from playground.client import Workspace
from playground.stack import DidNotStart, Running, Stack


def asleep(words: list[str], *, env: Mapping[str, str], cwd: Path, log: Path) -> Running:
    """A process that stays; what it was to do and with what stands in its log."""
    with log.open("a") as out:
        out.write(f"{' '.join(words)} with {env['REDIS_URL']}\n")
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)


@pytest.fixture
def parts(tmp_path: Path, postgres: embedded.Postgres) -> Iterator[Stack]:
    nowhere = Workspace("http://127.0.0.1:1")
    made = Stack(
        tmp_path, tmp_path / "twokey.toml", postgres, "redis://here", nowhere, {}, "postgresql://there", asleep
    )
    yield made
    made.stop_all()


def test_who_ends_is_started_again_as_it_was(parts: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack, "TOO_SOON", 0.0)
    parts.start_workers()
    parts.start_sweep()
    assert parts.start_again() == ()
    first = parts.processes["workers"]
    _kill(first)
    assert parts.start_again() == ("workers",)
    assert parts.processes["workers"].pid != first.pid
    assert parts.log("workers").read_text() == "workers with redis://here\n" * 2
    assert parts.start_again() == ()


def test_who_ends_right_after_its_start_is_not_started_again_and_again(parts: Stack) -> None:
    parts.start_sweep()
    _kill(parts.processes["sweep"])
    with pytest.raises(DidNotStart, match=r"sweep ended by itself; its log .* says:\nworkers sweep with redis://here"):
        parts.start_again()


def test_a_workspace_that_ended_has_forgotten_what_was_said(parts: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack, "TOO_SOON", 0.0)
    parts.start("slack", "playground", REDIS_URL="redis://here")
    _kill(parts.processes["slack"])
    with pytest.raises(DidNotStart, match="slack ended by itself"):
        parts.start_again()


def _kill(process: Running) -> None:
    process.send_signal(9)
    process.wait(10)
