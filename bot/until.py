"""How long, or until when: `2h`, `2026-12-01 09:00`. Pure."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import takewhile

from bot import calendar_words

Until = datetime | timedelta

#: These may stand before a moment or a span.
_LEADS = frozenset({"for", "until", "till", "til"})

_FOR = re.compile(r"([1-9]\d{0,3})(min|m|h|d)")
_UNIT = {"m": "minutes", "min": "minutes", "h": "hours", "d": "days"}
_DAY, _MOMENT = re.compile(r"\d{4}-\d\d-\d\d"), re.compile(r"(\d{4}-\d\d-\d\d)[tT ](\d\d:\d\d)")

_EXAMPLES = (
    "write a span like 30min, 2h or 3d, or a moment like 2026-12-01 09:00, in UTC; "
    "a freeze without an end begins with its reason"
)


class NoSuchMoment(Exception):
    """Words pose as a moment and are none: `count` of them from the one at `first`.

    `str` is what to write, as the tail of a sentence.
    """

    def __init__(self, why: str, *, first: int, count: int) -> None:
        super().__init__(why)
        self.first, self.count = first, count


def read(words: Sequence[str]) -> tuple[Until | None, int]:
    """A moment in UTC or a span at the beginning of the words, and how many of them say it; 0 where none does.

    `for` and `until` may stand before it. Raises NoSuchMoment for what could mean a time and is not read.
    """
    lead = len(list(takewhile(lambda word: word.casefold() in _LEADS, words)))
    until, count = _read(words, lead)
    if count and calendar_words.go_on(words[lead + count :], clock=isinstance(until, datetime)):
        raise NoSuchMoment(_EXAMPLES, first=lead, count=count + 1)
    if count:
        return until, lead + count
    if lead and lead == len(words):
        raise NoSuchMoment(_EXAMPLES, first=0, count=lead)
    if poses := calendar_words.poses(words[lead:], led=lead > 0):
        raise NoSuchMoment(_EXAMPLES, first=lead, count=poses)
    return None, 0


def _read(words: Sequence[str], lead: int) -> tuple[Until | None, int]:
    rest = words[lead:]
    span = _FOR.fullmatch(rest[0].casefold()) if rest else None
    if span:
        return timedelta(**{_UNIT[span[2]]: int(span[1])}), 1
    for count in (1, 2):
        if moment := _MOMENT.fullmatch(" ".join(rest[:count])):
            said_so = [word.casefold() for word in rest[count : count + 1]] == ["utc"]
            return _moment(f"{moment[1]} {moment[2]}", first=lead), count + said_so
    if rest and _DAY.match(rest[0]):
        raise NoSuchMoment(f"write it like {rest[0][:10]} 09:00, in UTC", first=lead, count=1)
    return None, 0


def _moment(text: str, *, first: int) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=UTC)
    except ValueError as error:
        why = "there is no such moment; write it like 2026-12-01 09:00, in UTC"
        raise NoSuchMoment(why, first=first, count=1) from error
