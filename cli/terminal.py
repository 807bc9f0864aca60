"""Where words leave the program. Colour is for eyes: only a terminal gets it, and only then is rich imported."""

import json
import sys
from collections.abc import Iterable
from typing import TextIO

from cli.answer import Answer, Code, Line


def show(answer: Answer, *, as_json: bool) -> None:
    """The whole answer on standard output: one JSON object, or its lines (wrong usage: on standard error)."""
    if as_json:
        sys.stdout.write(json.dumps(answer.body, ensure_ascii=False) + "\n")
    else:
        say(answer.lines, to=sys.stderr if answer.code is Code.WRONG_USAGE else sys.stdout)


def say(lines: Iterable[Line], *, to: TextIO | None = None) -> None:
    """Lines on standard output, at once, so that what runs long is seen as it goes."""
    out = to or sys.stdout
    write = _coloured if out.isatty() else _plain
    write(lines, out)
    out.flush()


def note(sentence: str) -> None:
    """A sentence beside the answer, on standard error, so that JSON stays JSON."""
    sys.stderr.write(sentence + "\n")


def stopped() -> Code:
    """Says what became of what Ctrl-C stopped; the engine has cancelled it by then."""
    sys.stderr.write("Stopped. What was under way was cancelled; what is in stays: twokey status\n")
    return Code.STOPPED


def _plain(lines: Iterable[Line], out: TextIO) -> None:
    out.writelines("".join(span.text for span in line).rstrip() + "\n" for line in lines)


def _coloured(lines: Iterable[Line], out: TextIO) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(file=out, highlight=False)
    for line in lines:
        console.print(Text.assemble(*((span.text, str(span.tone)) for span in line)), soft_wrap=True)
