"""Words that could mean a time: `fri`, `eod`, `next week`, `2 hours`. Who begins with one means an end. Pure."""

import re
from collections.abc import Sequence
from difflib import get_close_matches
from itertools import takewhile


def _each(*rows: str) -> frozenset[str]:
    return frozenset(" ".join(rows).split())


#: These may be mistyped, too: `tomorow`, `wensday`.
_LONG = _each(
    "monday tuesday wednesday thursday friday saturday sunday",
    "january february march april june july august september october november december",
    "yesterday tonight tomorrow midnight afternoon evening morning weekend forever",
)
_MISTYPED_FROM, _LIKE = 6, 0.87

#: What people say of the calendar and of the clock. `may` is left out: what may break is a reason.
_TIMES = _LONG | _each(
    "mon tue tues wed weds thu thur thurs fri sat sun jan feb mar apr jun jul aug sep sept oct nov dec q1 q2 q3 q4",
    "mondays tuesdays wednesdays thursdays fridays saturdays sundays weekends mornings evenings nights holidays",
    "today tonite tmrw tmr overnight night noon midday lunch lunchtime eod eow eom eoq eoy cob eob now soon later",
    "minute minutes mins hour hours hr hrs day days week weeks month months year years fortnight holiday",
    "christmas xmas easter thanksgiving ever never always indefinitely permanently endlessly eternity ∞",
)
#: These mean a time behind `for`, `until` or one of the words below alone: `a while`, `five pm`.
_BEHIND = _each("while bit moment second min am pm o'clock o’clock quarter good notice")

#: What makes a time of a number before it.
_UNITS = _each("minute minutes min mins m hour hours hr hrs h day days d week weeks w month months years s secs am pm")

#: What stands before such a word. A number behind one of the first of these is one of a clock, and counts no things.
_BEFORE_A_CLOCK = _each("at by before in to thru through up from around about next")
_BEFORE = _BEFORE_A_CLOCK | _each(
    "a an the this that coming following further end of on over during after since starting just only early late mid",
    "half all whole entire rest another some few couple several one two three four five six seven eight nine ten",
    "twelve fifteen twenty thirty forty sixty",
)

#: What stands behind a moment that is none of UTC.
_ZONES = _each("cet cest eet eest wet west bst ist est edt cst cdt mst mdt pst pdt jst aest msk local am pm")
_OFFSET, _SPAN = re.compile(r"[+-]\d\d:?\d\d"), re.compile(r"\d+([a-z]+)")

_MARKS = re.compile(r"[-/,.;:!?+~<>=()–—…]+")
_ISO_SPAN = re.compile(r"p\d+[dwmy]|pt\d+[hms]\w*")


def poses(words: Sequence[str], *, led: bool) -> int:
    """How many words at the beginning could mean a time, 0 where none could. `led`: `for` or `until` stands before."""
    parts = [(place, part) for place, word in enumerate(words) for part in _MARKS.split(word.casefold()) if part]
    before = list(takewhile(lambda one: one[1] in _BEFORE, parts))
    named = [part for _, part in parts[len(before) :]]
    if not named:
        return 0
    number = named[0][0].isnumeric() and (not before or before[-1][1] in _BEFORE_A_CLOCK)
    ends = len(before) + (number and bool(_UNITS.intersection(named[1:2])))
    behind = (led or before) and named[0] in _BEHIND
    return parts[ends][0] + 1 if number or behind or _is_time(named[0]) else 0


def go_on(words: Sequence[str], *, clock: bool) -> bool:
    """Whether these, behind a moment (`clock`) or a span, would say more of it: `2h 30min`, `2026-12-01 09:00 CET`."""
    first, unit = (*(word.casefold() for word in words[:2]), "", "")[:2]
    span = _SPAN.fullmatch(first)
    more = (span[1] if span else unit if first.isdecimal() else None) in _UNITS
    return more or (clock and bool(first in _ZONES or _OFFSET.fullmatch(first)))


def _is_time(word: str) -> bool:
    mistyped = len(word) >= _MISTYPED_FROM and get_close_matches(word, _LONG, n=1, cutoff=_LIKE)
    return bool(word in _TIMES or mistyped or _ISO_SPAN.fullmatch(word))
