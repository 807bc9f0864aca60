"""What a command says and how it ends, before anything is printed."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any

from engine.errors import EngineError


class Code(IntEnum):
    """What the shell is told."""

    DONE = 0
    REFUSED = 1  # or failed
    WRONG_USAGE = 2
    UNREACHABLE = 3
    STOPPED = 130  # by Ctrl-C, as shells say it


class Tone(StrEnum):
    """How words are meant; on a terminal it is rich's name of a style, elsewhere nothing."""

    PLAIN = ""
    STRONG = "bold"
    QUIET = "dim"
    GOOD = "green"
    BAD = "red"
    WARN = "yellow"


@dataclass(frozen=True, slots=True)
class Span:
    """A few words in one tone."""

    text: str
    tone: Tone = Tone.PLAIN


Line = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """A command's end: what a person reads, what a program reads (`body`, JSON's own kinds of value), the exit code."""

    code: Code
    lines: tuple[Line, ...]
    body: Mapping[str, Any]


def line(text: str = "", tone: Tone = Tone.PLAIN) -> Line:
    """A line in one tone."""
    return (Span(text, tone),)


def sentence(trouble: Exception) -> str:
    """What went wrong, and the command that helps, as it is typed here."""
    hint = trouble.hint if isinstance(trouble, EngineError) else None
    return f"{trouble} {hint.why}: twokey {hint.words}" if hint else str(trouble)


def no(code: Code, *sentences: str, environment: str | None = None) -> Answer:
    """An answer that is a refusal: its sentences, the first of them in red."""
    first, *more = sentences
    body = {"environment": environment, "refusal": " ".join(sentences)}
    return Answer(code, (line(first, Tone.BAD), *map(line, more)), body)
