"""`make demo`: everything Twokey is made of on this machine, and the main job played from start to end.

With a terminal it stays open afterwards, for a person to go on; without one it ends with 0, or with 1 when
the story went otherwise.
"""

import fcntl
import shutil
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from playground import people, stack, story
from playground.transcript import Transcript, WentOtherwise

FOLDER = stack.REPOSITORY / ".playground"
#: Long enough to take a key back in.
START_DELAY = "5s"


def main() -> int:
    """Play the story; gives the exit code."""
    for sign in (signal.SIGTERM, signal.SIGINT):  # also where whoever started it lets SIGINT be ignored
        signal.signal(sign, _interrupt)
    try:
        return _demo()
    except KeyboardInterrupt:
        print("\nStopped; nothing is left running.")
        return 0
    except (AlreadyOpen, NotWritable) as why_not:
        print(why_not, file=sys.stderr)
        return 1
    except (WentOtherwise, stack.DidNotStart, stack.SaidNo, TimeoutError) as trouble:
        print(f"\nThe story went otherwise. {trouble}\nThe logs are in {FOLDER / 'logs'}.", file=sys.stderr)
        return 1


class AlreadyOpen(Exception):
    """Another demo of this checkout is running, and its files are its own."""

    def __str__(self) -> str:
        return f"A demo is open already; its files are in {FOLDER}. End it with Ctrl-C where it runs, then start again."


class NotWritable(Exception):
    """The demo cannot have files of its own in this checkout."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why

    def __str__(self) -> str:
        return (
            f"The demo cannot write into {FOLDER.parent} ({self.why}). Clone into a folder of yours, then start there."
        )


@contextmanager
def writing() -> Iterator[None]:
    """What cannot be written in the block is said in a sentence. Raises NotWritable."""
    try:
        yield
    except OSError as cause:
        raise NotWritable(cause.strerror or type(cause).__name__) from cause


@contextmanager
def only_one() -> Iterator[None]:
    """Nobody else plays in this checkout's folder for the length of the block. Raises AlreadyOpen, NotWritable."""
    with writing():
        lock = FOLDER.with_name(".playground.lock").open("w")
    with lock as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as taken:
            raise AlreadyOpen from taken
        yield


@contextmanager
def one_interrupt_is_enough() -> Iterator[None]:
    """Ctrl-C ends the block; further ones, while everything stops in order, change nothing."""
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("\nStopping everything …", flush=True)


def _demo() -> int:
    with only_one():
        return _play()


def _play() -> int:
    config = fresh_folder()
    print("Starting PostgreSQL, Valkey, a stand-in for Slack, and Twokey's own processes …", flush=True)
    with stack.running(FOLDER, config=config) as parts, one_interrupt_is_enough():
        parts.postgres.set(fsync="off")  # a scratch database comes and goes with a checkpoint; nothing here has to last
        parts.start_bot()
        parts.start_workers(SCRATCH_DATABASE_URL=parts.postgres.url())  # where plans are rehearsed
        parts.start_sweep()
        parts.slack.wait_for_bot(timeout=30)
        print(f"The channel is at {parts.slack.page_url}")
        story.play(Transcript(parts.slack, story.CHANNEL, people.names()), parts)
        print(f"\nThe channel is at {parts.slack.page_url}; the files are in {FOLDER}")
        stay(parts.start_again)
    return 0


def fresh_folder() -> Path:
    """The sample files in a folder of the demo's own, as if it were played for the first time."""
    with writing():
        shutil.rmtree(FOLDER, ignore_errors=True)
        config = stack.lay_out(FOLDER)
        config.write_text(f'start_delay = "{START_DELAY}"\n{config.read_text()}')
        return config


def stay(start_again: Callable[[], Iterable[str]]) -> None:
    """Until Ctrl-C, where there is a terminal on which somebody can go on. Raises what `start_again` does."""
    if not sys.stdin.isatty():
        print("It ends here: standard input is no terminal, so nobody is there to go on.")
        return
    print(
        "It stays open: on the page, choose at the top who you act as, and type /migrate help below the channel. "
        "Add files to its migrations folder. Ctrl-C ends it all."
    )
    while True:
        for name in start_again():
            print(f"{name} ended and was started again. What was asked for is in the ledger and goes on.", flush=True)
        signal.sigtimedwait({signal.SIGCHLD}, 5)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
