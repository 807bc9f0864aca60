"""A generator of others: any command that prints a migration's SQL."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from engine.generate.errors import CommandFailed

_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Command:
    """Its words, the folder it runs in, and the few variables it sees: no address, no password."""

    words: tuple[str, ...]
    folder: Path
    surroundings: Mapping[str, str] = field(repr=False)

    @property
    def name(self) -> str:
        """The first of its words."""
        return self.words[0]


def run(command: Command) -> str:
    """What it printed. Raises CommandFailed."""
    try:
        ended = subprocess.run(
            command.words,
            cwd=command.folder,
            env=dict(command.surroundings),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=True,
        )
        return ended.stdout.decode()
    except subprocess.CalledProcessError as cause:
        raise CommandFailed(command.name, f"ended with code {cause.returncode}") from cause
    except subprocess.TimeoutExpired as cause:
        raise CommandFailed(command.name, f"took longer than {_SECONDS} s") from cause
    except UnicodeDecodeError as cause:
        raise CommandFailed(command.name, "printed what is not UTF-8") from cause
    except OSError as cause:
        raise CommandFailed(command.name, "could not be started") from cause
