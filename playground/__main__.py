"""`python -m playground`: the workspace alone, for a bot that runs elsewhere on this machine."""

import argparse
import sys
from pathlib import Path

from playground import granted
from playground.client import Workspace
from playground.server import NotLoopback, Server


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m playground", description="A Slack-like workspace on loopback.")
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8765, help="0 takes any free port (default: %(default)s)")
    parser.add_argument("--manifest", type=Path, help="grant what this slack-manifest.yaml asks for, and no more")
    return parser.parse_args()


def main() -> int:
    """Serve until interrupted. 1 when it cannot start, with one sentence why."""
    arguments = _arguments()
    try:
        grant = granted.read(arguments.manifest) if arguments.manifest else None
        server = Server(host=arguments.host, port=arguments.port, grant=grant)
    except (NotLoopback, OSError) as error:
        print(f"python -m playground: {error}", file=sys.stderr)
        return 1
    print(f"The workspace is at {server.address} (Ctrl-C ends it). Point a bot at it with:\n", flush=True)
    for name, value in Workspace(server.address).bot_variables().items():
        print(f"export {name}={value}", flush=True)
    server.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
