"""`python -m playground`: the workspace alone, for a bot that runs elsewhere on this machine."""

import argparse
import signal
import sys
from pathlib import Path
from threading import Event

from playground import extra


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m playground", description="A Slack-like workspace on loopback.")
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8765, help="0 takes any free port (default: %(default)s)")
    parser.add_argument("--manifest", type=Path, help="grant what this slack-manifest.yaml asks for, and no more")
    return parser.parse_args()


def main() -> int:
    """Serve until SIGINT or SIGTERM. 1 when it cannot start, with one sentence why."""
    arguments = _arguments()
    if sentence := extra.missing():
        print(f"python -m playground: {sentence}", file=sys.stderr)
        return 1
    return _serve(arguments)


def _serve(arguments: argparse.Namespace) -> int:
    from playground import granted, workspace
    from playground.server import NotLoopback

    ended = _ending()
    try:
        grant = granted.read(arguments.manifest) if arguments.manifest else None
        with workspace.running(arguments.port, host=arguments.host, grant=grant) as slack:
            print(f"The workspace is at {slack.address} (Ctrl-C ends it). Point a bot at it with:\n", flush=True)
            for name, value in slack.bot_variables().items():
                print(f"export {name}={value}", flush=True)
            ended.wait()
    except (NotLoopback, OSError) as error:
        print(f"python -m playground: {error}", file=sys.stderr)
        return 1
    return 0


def _ending() -> Event:
    """Set once somebody asks this program to end."""
    ended = Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, lambda *_: ended.set())
    return ended


if __name__ == "__main__":
    sys.exit(main())
