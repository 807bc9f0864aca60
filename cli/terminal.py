"""Where words leave the program. Colour is for eyes: only a terminal gets it, and only then is rich imported."""

import json
import sys
from collections.abc import Iterable

from cli.answer import Answer, Line


def show(answer: Answer, *, as_json: bool) -> None:
    """The whole answer on standard output: its lines, or its body as one JSON object."""
    if as_json:
        sys.stdout.write(json.dumps(answer.body, ensure_ascii=False) + "\n")
    else:
        say(answer.lines)


def say(lines: Iterable[Line]) -> None:
    """Lines on standard output, at once, so that what runs long is seen as it goes."""
    write = _coloured if sys.stdout.isatty() else _plain
    write(lines)
    sys.stdout.flush()


def _plain(lines: Iterable[Line]) -> None:
    sys.stdout.writelines("".join(span.text for span in line).rstrip() + "\n" for line in lines)


def _coloured(lines: Iterable[Line]) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(file=sys.stdout, highlight=False)
    for line in lines:
        console.print(Text.assemble(*((span.text, str(span.tone)) for span in line)), soft_wrap=True)
