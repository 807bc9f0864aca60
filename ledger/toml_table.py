"""One table of a TOML file, read key by key; whatever is not as it should be becomes a WorkflowError."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final, TypeVar

from ledger.workflow import WorkflowError

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
    """Takes values out by key, so that what is left at the end was never asked for."""

    def __init__(self, values: dict[str, Any], *, at: str, secret: bool = False) -> None:
        """`at` is what a sentence calls this table; of a `secret` one no sentence shows a value."""
        self._left = dict(values)
        self._secret = secret
        self._known: list[str] = []
        self._at = at

    def text(self, key: str, *, like: str, matching: re.Pattern[str] = _ANYTHING, default: str | None = None) -> str:
        """A text that matches. Without a default it has to be there."""
        value = self._take(key)
        if value is _ABSENT:
            if default is None:
                raise self._wrong(key, f"is missing; write {key} = {like}")
            return default
        if not isinstance(value, str) or not matching.fullmatch(value):
            raise self._wrong(key, f"cannot be {self._shown(value)}; write {key} = {like}")
        return value

    def words(self, key: str, *, like: str) -> tuple[str, ...]:
        """A list of texts, as a command has them; empty when it is not there."""
        value = self._take(key)
        if value is _ABSENT:
            return ()
        if not isinstance(value, list) or not value or not all(isinstance(one, str) and one for one in value):
            raise self._wrong(key, f"cannot be {self._shown(value)}; write {key} = {like}")
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
            raise self._wrong(key, f"cannot be {self._shown(value)}; write {key} = {like}")
        if len(set(value)) < len(value):
            raise self._wrong(key, "names someone or something twice; write each once")
        return tuple(value)

    def truth(self, key: str) -> bool:
        """true or false; false when it is not there."""
        value = self._take(key)
        if value is _ABSENT:
            return False
        if not isinstance(value, bool):
            raise self._wrong(key, f"cannot be {self._shown(value)}; write {key} = true or {key} = false")
        return value

    def choice(self, key: str, among: Mapping[str, Given], *, default: Given | None) -> Given | None:
        """What one of some values stands for, each written as TOML has it: `true`, `"schema"`."""
        value = self._take(key)
        if value is _ABSENT:
            return default
        if (written := _written(value)) not in among:
            raise self._wrong(key, f"cannot be {self._shown(value)}; write one of {', '.join(among)}")
        return among[written]

    def size(self, key: str) -> int | None:
        """Bytes, from a text such as "50 GB"; None when it is not there."""
        value = self._take(key)
        if value is _ABSENT:
            return None
        found = _SIZE.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            raise self._wrong(key, f'cannot be {self._shown(value)}; write {key} = "500 MB", "50 GB" or "2 TB"')
        return int(found[1]) * _BYTES[found[2]]

    def number(self, key: str, *, default: Given) -> int | Given:
        """A whole number from 1 to 10,000."""
        value = self._take(key)
        if value is _ABSENT:
            return default
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= _MOST:
            raise self._wrong(key, f"cannot be {self._shown(value)}; write {key} = 10, or another number from 1")
        return value

    def duration(self, key: str, *, default: Given) -> timedelta | Given:
        """A text such as "15s", "30min" or "4h"."""
        value = self._take(key)
        if value is _ABSENT:
            return default
        found = _DURATION.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            raise self._wrong(key, f'cannot be {self._shown(value)}; write {key} = "15s", "30min" or "4h"')
        return int(found[1]) * _UNITS[found[2]]

    def secret_table(self, key: str, *, like: str, instead: str) -> "TomlTable":
        """A table within this one, where somebody may have put a secret: nothing that stands there is shown."""
        value = self._take(key)
        if value is _ABSENT:
            raise self._wrong(key, f"is missing; write {key} = {like}")
        if not isinstance(value, dict):
            raise self._wrong(key, f"{instead}; write {key} = {like}")
        return TomlTable(value, at=self._name(key), secret=True)

    def table(self, key: str, *, like: str | None = None, secret: bool = False) -> "TomlTable | None":
        """The table under [key], or None when it is not there; of a `secret` one no sentence shows a value."""
        value = self._take(key)
        if value is _ABSENT:
            return None
        if not isinstance(value, dict):
            raise self._wrong(key, f"is no table; write {f'{key} = {like}' if like else f'its keys under [{key}]'}")
        return TomlTable(value, at=self._name(key), secret=secret)

    def tables(self, key: str, *, needed: bool = True) -> tuple["TomlTable", ...]:
        """The tables under [[key]], at least one where it is needed or begun."""
        value = self._take(key)
        if value is _ABSENT and not needed:
            return ()
        if not isinstance(value, list) or not value or not all(isinstance(one, dict) for one in value):
            raise self._wrong(key, f"is missing; write a [[{key}]] table for each, in their order")
        return tuple(TomlTable(one, at=f"{key} {_label(one, place)}") for place, one in enumerate(value, start=1))

    def nothing_else(self) -> None:
        """Raise for a key that nobody asked for, since it was probably meant to do something."""
        for key in self._left:
            known = ", ".join(dict.fromkeys(self._known))
            raise self._wrong(key, f"is not a key that Twokey knows; write one of {known}")

    def _take(self, key: str) -> Any:
        self._known.append(key)
        return self._left.pop(key, _ABSENT)

    def _name(self, key: str) -> str:
        return f"{self._at}: {key}" if self._at else key

    def _shown(self, value: Any) -> str:
        """A value as TOML has it, near enough to be recognised."""
        return "that" if self._secret else _written(value)

    def _wrong(self, key: str, what: str) -> WorkflowError:
        return WorkflowError(self._name(key), what)


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


def _label(table: dict[str, Any], place: int) -> str:
    """What a person calls this table: its name, or its place while it has none."""
    name = table.get("name")
    return f'"{name}"' if isinstance(name, str) else f"number {place}"
