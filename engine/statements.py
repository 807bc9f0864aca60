"""One text as Statements with line numbers, by PostgreSQL's own parser; never a split at semicolons."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import postgast

from engine import forbidden, masking, sections
from engine.errors import EngineError
from engine.files import Migration
from engine.sections import Section


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement: `kind` is the parser's name for it ("create_stmt"), `node` its tree, `line` counts from 1.

    `text` is the statement alone; it stands `start` characters into the file's.
    """

    kind: str
    node: Any
    line: int
    start: int
    text: str


class BadStatement(EngineError):
    """A file holds something that will not be run. Carries `file` and `line`."""

    file: str
    line: int


@dataclass(eq=False)
class SyntaxFault(BadStatement):
    """The parser does not understand a file. `message` is PostgreSQL's, with literals masked."""

    file: str
    line: int
    column: int
    message: str
    sqlstate: str = "42601"

    def __str__(self) -> str:
        return (
            f"{self.file}:{self.line}:{self.column} is not SQL that PostgreSQL understands "
            f"({self.sqlstate}): {self.message}. Correct the file; nothing was run."
        )


@dataclass(eq=False)
class Forbidden(BadStatement):
    """A statement is refused by name. `because` and `way_out` are sentences' halves from engine/forbidden.py."""

    file: str
    line: int
    statement: str
    because: str
    way_out: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.statement} {self.because}. {self.way_out}"


def parse(migration: Migration) -> tuple[Statement, ...]:
    """The statements of the file's way up, in order, each fit to run as its section runs; its way down is read as well.

    Raises SyntaxFault, Forbidden.
    """
    found = sections.cut(migration.text)
    up = fit(migration.file, found.up)
    if found.down:
        fit(migration.file, found.down)
    return up


def fit(file: str, section: Section) -> tuple[Statement, ...]:
    """The section's statements, each fit to run as the section runs. Raises SyntaxFault, Forbidden."""
    found = split(file, section.text)
    for one in found:
        refusal = forbidden.judge(one.kind, one.node, together=section.together)
        if refusal:
            raise Forbidden(file, one.line, refusal.statement, refusal.because, refusal.way_out)
    return found


def split(file: str, text: str) -> tuple[Statement, ...]:
    """The text's statements in order, whatever they are. Raises SyntaxFault naming `file`."""
    body = text.encode()
    try:
        tree = postgast.parse(text)
    except postgast.PgQueryError as cause:
        raise _fault(file, body, cause) from None  # the parser's own text may repeat a literal
    return tuple(_statements(body, tree))


def _statements(body: bytes, tree: postgast.ParseResult) -> Iterator[Statement]:
    line, start, at = 1, 0, 0  # the parser counts bytes, people count lines, and the server characters
    for raw in tree.stmts:
        kind = raw.stmt.WhichOneof("node") or ""
        before, at = body[at : raw.stmt_location], raw.stmt_location
        line, start = line + before.count(b"\n"), start + len(before.decode())
        text = body[at : at + raw.stmt_len] if raw.stmt_len else body[at:]
        yield Statement(kind, getattr(raw.stmt, kind), line, start, text.decode())


def _fault(file: str, body: bytes, cause: postgast.PgQueryError) -> SyntaxFault:
    before = body[: max(cause.cursorpos - 1, 0)]
    line_start = before.rfind(b"\n") + 1
    return SyntaxFault(
        file,
        line=before.count(b"\n") + 1,
        column=len(before[line_start:].decode(errors="replace")) + 1,
        message=masking.mask(cause.message, sqlstate="42601"),
    )
