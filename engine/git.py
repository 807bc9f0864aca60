"""git, asked so that nothing which a repository's own settings name is run, and nothing but its commits is believed.

No hook, no pager, no signature program, no fetching; no replaced objects and no grafts, by which a repository can show
another history than its commits tell. What of its settings changes an answer's form is set here.
"""

import subprocess
from pathlib import Path

_SECONDS = 20
_SETTINGS = {
    "core.fsmonitor": "false",
    "core.hooksPath": "/dev/null",
    "diff.orderFile": "/dev/null",
    "i18n.logOutputEncoding": "UTF-8",
    "log.follow": "false",
    "log.showRoot": "true",
}
_SURROUNDINGS = {
    "LC_ALL": "C",
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_GRAFT_FILE": "/dev/null",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
}


def ask(git: Path, folder: Path, *words: str, told: bytes | None = None) -> bytes:
    """What git answers, asked in this folder. Raises subprocess's errors, and OSError."""
    settings = [word for name, value in _SETTINGS.items() for word in ("-c", f"{name}={value}")]
    asked = [git, "--no-pager", *settings, "-C", folder, *words]
    run = subprocess.run(asked, input=told, capture_output=True, timeout=_SECONDS, check=True, env=_SURROUNDINGS)
    return run.stdout
