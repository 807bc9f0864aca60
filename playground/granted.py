"""What the app was given when it was installed: the scopes, events and commands of a slack-manifest.yaml."""

from dataclasses import dataclass
from pathlib import Path

_SCOPES = (
    "commands",
    "chat:write",
    "reactions:read",
    "users:read",
    "channels:read",
    "groups:read",
    "channels:history",
    "groups:history",
    "files:write",
    "usergroups:read",
)


@dataclass(frozen=True, slots=True)
class Grant:
    """The installed app's rights; `home`: it has a tab of its own."""

    scopes: frozenset[str] = frozenset(_SCOPES)
    events: frozenset[str] = frozenset({"reaction_added", "reaction_removed", "app_home_opened"})
    commands: frozenset[str] = frozenset({"/migrate"})
    home: bool = True


def read(path: Path) -> Grant:
    """The rights that a manifest asks for. Reads only the lists it needs, which are one entry a line."""
    lines = [_text(line) for line in path.read_text(encoding="utf-8").splitlines()]
    commands = [line.split("command:", 1)[1] for line in lines if line.lstrip("- ").startswith("command:")]
    return Grant(
        frozenset(_list_under("bot:", lines)),
        frozenset(_list_under("bot_events:", lines)),
        frozenset(_bare(command) for command in commands),
        home="home_tab_enabled: true" in lines,
    )


def _text(line: str) -> str:
    return line.split("#", 1)[0].strip()


def _bare(scalar: str) -> str:
    return scalar.strip(" \"'")


def _list_under(key: str, lines: list[str]) -> list[str]:
    entries: list[str] = []
    inside = False
    for line in lines:
        if inside and line.startswith("- "):
            entries.append(_bare(line[2:]))
        elif line:
            inside = line == key
    return entries
