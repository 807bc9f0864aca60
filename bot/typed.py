"""One typed line and its words, before anybody knows what they mean; and the words that are typed in answer."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ledger.workflow import Environment, Workflow

#: The longest note and reason. A card has to be read on a phone.
LONGEST_NOTE = 300

#: What is said back of a word that was not understood.
LONGEST_WORD = 40

#: Phones and word processors put these where a person typed a plain quote.
QUOTES = "\"'`“”‘’„«»"
_UNSEEN = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\x00-\x08\x0e-\x1f]")


class Slip(Exception):
    """The words were not understood. `start` and `length` mark the place in `text`; `why` is a sentence."""

    def __init__(self, *, text: str, start: int, length: int, why: str) -> None:
        super().__init__(text, start, length, why)
        self.text, self.start, self.length, self.why = text, start, length, why

    def __str__(self) -> str:
        return self.why


@dataclass(frozen=True, slots=True)
class Word:
    """One word and where it stands in the text."""

    text: str
    start: int


@dataclass(frozen=True, slots=True)
class Said:
    """The whole line and its words; the first word is the command."""

    text: str
    words: tuple[Word, ...]
    workflow: Workflow

    @property
    def first(self) -> Word:
        """The command's own word."""
        return self.words[0]

    def slip(self, word: Word | None, why: str) -> Slip:
        """A Slip at `word`, or, where a word is wanting, just behind the line."""
        if word is None:
            return Slip(text=self.text + " ", start=len(self.text) + 1, length=1, why=why)
        return self.slip_along((word,), why)

    def slip_along(self, words: Sequence[Word], why: str) -> Slip:
        """A Slip from the first of these words to the last."""
        start, last = words[0].start, words[-1]
        return Slip(text=self.text, start=start, length=last.start + len(last.text) - start, why=why)


def clip(word: str) -> str:
    """A word as it is said back; of an endless one its beginning."""
    return word if len(word) <= LONGEST_WORD else word[: LONGEST_WORD - 1] + "…"


def short(environment: Environment) -> str:
    """What a person types for an environment: its first alias, or its name."""
    return environment.aliases[0] if environment.aliases else environment.name


def tidy(text: str) -> str:
    """The line without what cannot be seen, and with one space wherever there is any blank."""
    return " ".join(_UNSEEN.sub("", text).split())


def read(text: str, workflow: Workflow) -> Said:
    """The line as it was meant, in words without their quotes."""
    line = tidy(text)
    return Said(line, _words(line), workflow)


def _words(line: str) -> tuple[Word, ...]:
    found = []
    for match in re.finditer(r"\S+", line):
        bare = match.group().strip(QUOTES)
        if bare:
            found.append(Word(bare, match.start() + match.group().index(bare)))
    return tuple(found)
