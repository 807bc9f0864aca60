"""The way up and the way down in one text, as dbmate writes them. Pure.

    -- migrate:up transaction:false
    CREATE INDEX CONCURRENTLY …;

    -- migrate:down
    DROP INDEX …;

A text without such lines is up only. Of a section everything else is blanked and not cut off, so that a character
stands where it stands in the file.
"""

import re
from dataclasses import dataclass
from itertools import pairwise

_MARK = re.compile(r"^--[ \t]*migrate:(?P<word>\S*)(?P<options>.*)$", re.MULTILINE)
_OPTIONS = {"transaction:true": True, "transaction:false": False}


@dataclass(frozen=True, slots=True)
class Section:
    """One way. `together`: in one transaction with its history row; else statement by statement."""

    text: str
    together: bool = True

    @property
    def lines(self) -> int:
        """How many lines it has, without the blank ones around it."""
        return len(self.text.strip().splitlines())


@dataclass(frozen=True, slots=True)
class Sections:
    """Both ways of one text; None where it says nothing of a way down."""

    up: Section
    down: Section | None


class Misplaced(Exception):
    """The marks make no sense. `why` is a sentence."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(line, why)
        self.line, self.why = line, why


def cut(text: str) -> Sections:
    """The text's sections. Raises Misplaced."""
    marks = list(_MARK.finditer(text)) if "migrate:" in text else []
    if not marks:
        return Sections(Section(text), None)
    _in_order(text, marks)
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    found = [_section(text, mark, end) for mark, end in zip(marks, ends, strict=True)]
    down = found[1] if len(found) > 1 and not says_nothing(found[1].text) else None
    return Sections(found[0], down)


def no_way_back(text: str) -> str | None:
    """Why the text cannot be taken back by its way down, as a phrase; None where it can. Raises Misplaced."""
    down = cut(text).down
    if down is None:
        return "has no `-- migrate:down` section"
    return None if down.together else "has a way down that is not one transaction"


def says_nothing(text: str) -> bool:
    """Whether only blanks, semicolons and comments (PostgreSQL's nest) are there. Reads no further than needed."""
    at, depth = 0, 0
    while at < len(text):
        pair = text[at : at + 2]
        if pair == "/*" or (depth and pair == "*/"):
            depth += 1 if pair == "/*" else -1
            at += 2
        elif depth or text[at].isspace() or text[at] == ";":
            at += 1
        elif pair == "--":
            at = text.find("\n", at) + 1 or len(text)
        else:
            return False
    return True


def _in_order(text: str, marks: list[re.Match[str]]) -> None:
    words = [mark["word"] for mark in marks]
    for mark in marks:
        if mark["word"] not in ("up", "down"):
            raise Misplaced(_line(text, mark), f"there is no section migrate:{mark['word']}, only up and down")
    for earlier, later in pairwise(marks):
        if later["word"] == "up" or earlier["word"] == "down":
            raise Misplaced(_line(text, later), "there is one migrate:up, and after it at most one migrate:down")
    if words[0] != "up":
        raise Misplaced(_line(text, marks[0]), "migrate:down stands before any migrate:up")
    if not says_nothing(text[: marks[0].start()]):
        raise Misplaced(_line(text, marks[0]), "statements stand before migrate:up")


def _section(text: str, mark: re.Match[str], end: int) -> Section:
    together = True
    for option in mark["options"].split():
        if option not in _OPTIONS:
            raise Misplaced(_line(text, mark), f"{option} is no option of a section; transaction:false is")
        together = _OPTIONS[option]
    return Section(re.sub(r"[^\n]", " ", text[: mark.end()]) + text[mark.end() : end], together)


def _line(text: str, mark: re.Match[str]) -> int:
    return text.count("\n", 0, mark.start()) + 1
