"""One table of a TOML file, read key by key; whatever is not as it should be is noted, and the reading goes on."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final, TypeVar

from ledger.workflow import Trouble

_ANYTHING = re.compile(r"(?s).+")
_DURATION = re.compile(r"([1-9][0-9]{0,5}) ?(ms|s|min|h|d)")
_UNITS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}
_SIZE = re.compile(r"([1-9][0-9]{0,5}) ?(MB|GB|TB)")
_BYTES = {"MB": 10**6, "GB": 10**9, "TB": 10**12}
_MOST = 10_000
_ABSENT: Final = object()

Given = TypeVar("Given")


class TomlTable:
    """Takes values out by key, so that what is left at the end was never asked for.

    What is wrong is noted in `troubles`, and something of the right kind stands in for it: nothing that is read may be
    used before they are looked at.
    """

    def __init__(self, values: dict[str, Any], *, at: str, troubles: list[Trouble], secret: bool = False) -> None:
        """`at` is what a sentence calls this table; of a `secret` one no sentence shows a value."""
        self._troubles = troubles
        self.fine = True
        self._left = dict(values)
        self._secret = secret
        self._known: list[str] = []
        self._at = at

    def text(self, key: str, *, like: str, matching: re.Pattern[str] = _ANYTHING, default: str | None = None) -> str:
        """A text that matches. Without a default it has to be there."""
        value = self._take(key)
        if value is _ABSENT:
            if default is None:
                self.wrong(key, f"is missing; write {key} = {like}")
            return default or ""
        if not isinstance(value, str) or not matching.fullmatch(value):
            self.wrong(key, f"cannot be {self._shown(value)}; write {key} = {like}")
            return default or ""
        return value

    def words(self, key: str, *, like: str) -> tuple[str, ...]:
        """A list of texts, as a command has them; empty when it is not there."""
        value = self._take(key)
        if value is _ABSENT:
            return ()
        if not isinstance(value, list) or not value or not all(isinstance(one, str) and one for one in value):
            self.wrong(key, f"cannot be {self._shown(value)}; write {key} = {like}")
            return ()
        return tuple(value)

    def has(self, key: str) -> bool:
        """Whether the key is there."""
        self._known.append(key)
        return key in self._left

    def texts(self, key: str, *, like: str, matching: re.Pattern[str]) -> tuple[str, ...]:
        """A list of texts that match and differ; empty when it is not there."""
        value = self._take(key)
        if value is _ABSENT:
            return ()
        if not isinstance(value, list) or not all(isinstance(one, str) and matching.fullmatch(one) for one in value):
            self.wrong(key, f"cannot be {self._shown(value)}; write {key} = {like}")
            return ()
        if len(set(value)) < len(value):
            self.wrong(key, "names someone or something twice; write each once")
        return tuple(dict.fromkeys(value))

    def truth(self, key: str) -> bool:
        """true or false; false when it is not there."""
        value = self._take(key)
        if value is _ABSENT:
            return False
        if not isinstance(value, bool):
            self.wrong(key, f"cannot be {self._shown(value)}; write {key} = true or {key} = false")
        return value is True

    def choice(self, key: str, among: Mapping[str, Given], *, default: Given | None) -> Given | None:
        """What one of some values stands for, each written as TOML has it: `true`, `"schema"`."""
        value = self._take(key)
        if value is _ABSENT:
            return default
        if (written := _written(value)) not in among:
            self.wrong(key, f"cannot be {self._shown(value)}; write one of {', '.join(among)}")
            return default
        return among[written]

    def size(self, key: str) -> int | None:
        """Bytes, from a text such as "50 GB"; None when it is not there."""
        value = self._take(key)
        if value is _ABSENT:
            return None
        found = _SIZE.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            self.wrong(key, f'cannot be {self._shown(value)}; write {key} = "500 MB", "50 GB" or "2 TB"')
            return None
        return int(found[1]) * _BYTES[found[2]]

    def number(self, key: str, *, default: Given) -> int | Given:
        """A whole number from 1 to 10,000."""
        value = self._take(key)
        if value is _ABSENT:
            return default
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= _MOST:
            self.wrong(key, f"cannot be {self._shown(value)}; write {key} = 10, or another number from 1")
            return default
        return value

    def duration(self, key: str, *, default: Given) -> timedelta | Given:
        """A text such as "15s", "30min" or "4h"."""
        value = self._take(key)
        if value is _ABSENT:
            return default
        found = _DURATION.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            self.wrong(key, f'cannot be {self._shown(value)}; write {key} = "15s", "30min" or "4h"')
            return default
        return int(found[1]) * _UNITS[found[2]]

    def secret_table(self, key: str, *, like: str, instead: str) -> "TomlTable | None":
        """A table within this one, where somebody may have put a secret: nothing that stands there is shown.

        None, and noted, when it is none.
        """
        value = self._take(key)
        if isinstance(value, dict):
            return self._inner(value, at=self._name(key), secret=True)
        self.wrong(key, f"{'is missing' if value is _ABSENT else instead}; write {key} = {like}")
        return None

    def table(self, key: str, *, like: str | None = None, secret: bool = False) -> "TomlTable | None":
        """The table under [key], or None when it is not there; of a `secret` one no sentence shows a value."""
        value = self._take(key)
        if isinstance(value, dict):
            return self._inner(value, at=self._name(key), secret=secret)
        if value is not _ABSENT:
            self.wrong(key, f"is no table; write {f'{key} = {like}' if like else f'its keys under [{key}]'}")
        return None

    def tables(self, key: str, *, needed: bool = True) -> tuple["TomlTable", ...]:
        """The tables under [[key]], at least one where it is needed or begun."""
        value = self._take(key)
        if value is _ABSENT and not needed:
            return ()
        if not isinstance(value, list) or not value or not all(isinstance(one, dict) for one in value):
            self.wrong(key, f"is missing; write a [[{key}]] table for each, in their order")
            return ()
        return tuple(self._inner(one, at=f"{key} {_label(one, place)}") for place, one in enumerate(value, start=1))

    def nothing_else(self) -> None:
        """Note each key that nobody asked for, since it was probably meant to do something."""
        known = ", ".join(dict.fromkeys(self._known))
        for key in self._left:
            self.wrong(key, f"is not a key that Twokey knows; write one of {known}")

    def wrong(self, key: str, what: str) -> None:
        """Note what is wrong with a key of this table, which is not `fine` then."""
        self.fine = False
        self._troubles.append(Trouble(self._name(key), what))

    def _inner(self, values: dict[str, Any], *, at: str, secret: bool = False) -> "TomlTable":
        return TomlTable(values, at=at, troubles=self._troubles, secret=secret)

    def _take(self, key: str) -> Any:
        self._known.append(key)
        return self._left.pop(key, _ABSENT)

    def _name(self, key: str) -> str:
        return f"{self._at}: {key}" if self._at else key

    def _shown(self, value: Any) -> str:
        """A value as TOML has it, near enough to be recognised."""
        return "that" if self._secret else _written(value)


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(_written, value))}]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def _label(table: dict[str, Any], place: int) -> str:
    """What a person calls this table: its name, or its place while it has none."""
    name = table.get("name")
    return f'"{name}"' if isinstance(name, str) else f"number {place}"
