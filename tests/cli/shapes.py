"""Whatever a test has a command write as JSON has no key that docs/json.md does not name."""

import functools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_PAGE = Path(__file__).parents[2] / "docs" / "json.md"
_ENTRY = re.compile(r"^- ((?:`[a-z -]+`(?:, )?)+): (.*?)(?=^- |\Z)", re.MULTILINE | re.DOTALL)
#: These are told to be the same as the entry before, and more.
_SAME = {"plan --rehearse": "plan", "rollback": "apply", "backups": "backup"}


@functools.cache
def documented() -> dict[str, frozenset[str]]:
    """Command → the keys that the page names for it."""
    found: dict[str, frozenset[str]] = {}
    for commands, text in _ENTRY.findall(_PAGE.read_text()):
        for command in re.findall(r"`([^`]+)`", commands):
            found[command] = frozenset(re.findall(r"`([a-z0-9_]+)`", text)) | found.get(
                _SAME.get(command, ""), frozenset()
            )
    return found


def check(words: Sequence[str], body: dict[str, Any]) -> None:
    """The object's keys, and those of the objects in it, are on the page."""
    option = next((word for word in words if word in ("--rehearse", "--round-trip")), "")
    command = f"{words[0]} {option}".rstrip()
    keys = {*body, *(key for value in body.values() for key in _within(value))}
    unknown = keys - documented()[command] - {"environment", "refusal"}
    assert not unknown, f"docs/json.md does not name {sorted(unknown)} of `{command}`"


def _within(value: Any) -> set[str]:
    objects = value if isinstance(value, list) else [value]
    return {key for one in objects if isinstance(one, dict) for key in one}
