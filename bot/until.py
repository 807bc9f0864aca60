"""How long, or until when: `2h`, `2026-12-01 09:00`. Pure."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import takewhile

Until = datetime | timedelta

_FOR = re.compile(r"([1-9]\d{0,3})(min|m|h|d)")
_NEARLY = re.compile(
    r"\d+[a-z][a-z\d]*|yesterday|today|tonight|tomorrow|noon|midnight|(mon|tues|wednes|thurs|fri|satur|sun)day"
)
_UNIT = {"m": "minutes", "min": "minutes", "h": "hours", "d": "days"}
_DAY, _MOMENT = re.compile(r"\d{4}-\d\d-\d\d"), re.compile(r"(\d{4}-\d\d-\d\d)[tT ](\d\d:\d\d)")


class NoSuchMoment(Exception):
    """A word poses as a moment and is none. `str` is what to write, as the tail of a sentence."""


def read(words: Sequence[str]) -> tuple[Until | None, int]:
    """A moment in UTC or a span at the beginning of the words, and how many of them say it; 0 where none does.

    `for` and `until` may stand before it. Raises NoSuchMoment, of the word behind these.
    """
    lead = leads(words)
    until, count = _read(words[lead:])
    return until, lead + count if count else 0


def leads(words: Sequence[str]) -> int:
    """How many words stand before the one that says when."""
    return len(list(takewhile(lambda word: word.casefold() in {"for", "until"}, words)))


def _read(words: Sequence[str]) -> tuple[Until | None, int]:
    span = _FOR.fullmatch(words[0].casefold()) if words else None
    if span:
        return timedelta(**{_UNIT[span[2]]: int(span[1])}), 1
    for count in (1, 2):
        if moment := _MOMENT.fullmatch(" ".join(words[:count])):
            return _moment(f"{moment[1]} {moment[2]}"), count
    if words and _DAY.match(words[0]):
        raise NoSuchMoment(f"write it like {words[0][:10]} 09:00, in UTC")
    if words and _NEARLY.fullmatch(words[0].casefold()):
        raise NoSuchMoment("write a span like 30min, 2h or 3d, or a moment like 2026-12-01 09:00, in UTC")
    return None, 0


def _moment(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=UTC)
    except ValueError as error:
        raise NoSuchMoment("there is no such moment; write it like 2026-12-01 09:00, in UTC") from error
