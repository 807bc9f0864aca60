"""`make demo`: everything Twokey is made of on this machine, and the main job played from start to end.

With a terminal it stays open afterwards, for a person to go on; without one it ends with 0, or with 1 when
the story went otherwise.
"""

import shutil
import signal
import sys
from pathlib import Path
from types import FrameType

from playground import people, stack, story
from playground.transcript import Transcript, WentOtherwise

REPOSITORY = Path(__file__).parent.parent
FOLDER = REPOSITORY / ".playground"


def main() -> int:
    """Play the story; gives the exit code."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return _demo()
    except KeyboardInterrupt:
        print("\nStopped; nothing is left running.")
        return 0
    except (WentOtherwise, stack.DidNotStart, TimeoutError) as trouble:
        print(f"\nThe story went otherwise. {trouble}\nThe logs are in {FOLDER / 'logs'}.", file=sys.stderr)
        return 1


def _demo() -> int:
    config = fresh_folder()
    print("Starting PostgreSQL, Valkey, a stand-in for Slack, and Twokey's own processes …", flush=True)
    with stack.running(FOLDER, config=config) as parts:
        parts.start_bot()
        parts.start_workers()
        parts.start_sweep()
        parts.slack.wait_for_bot(timeout=30)
        print(f"The channel is at {parts.slack.page_url}")
        story.play(Transcript(parts.slack, story.CHANNEL, people.names()), parts)
        print(f"\nThe channel is at {parts.slack.page_url}; the files are in {FOLDER}")
        if sys.stdin.isatty():
            _stay(parts)
    return 0


def fresh_folder() -> Path:
    """A copy of the workflow file and the migrations, so that the story changes nothing of the repository."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    (FOLDER / "migrations" / "schema-backups").mkdir(parents=True)
    for file in (REPOSITORY / "migrations").glob("*.sql"):
        shutil.copy(file, FOLDER / "migrations")
    return Path(shutil.copy(REPOSITORY / "twokey.toml", FOLDER))


def _stay(parts: stack.Stack) -> None:
    print("It stays open: act as anyone on the page, add files to its migrations folder. Ctrl-C ends it all.")
    while True:
        signal.sigtimedwait({signal.SIGCHLD}, 5)
        parts.check()


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
