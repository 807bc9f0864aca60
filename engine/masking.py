"""What of a server's message may be shown: its words and its names, never a value; of one about a value, no word."""

import re
from collections.abc import Collection
from unicodedata import category

import psycopg

#: What stands in a value's place.
MASK = "…"

#: SQLSTATE classes whose double-quoted words are names of things in the schema, never of values.
_NAMES_THINGS = ("23", "2B", "3D", "3F", "42")

#: Messages that other people's code wrote: PL/pgSQL's RAISE, external routines, and what a host program threw.
_WRITTEN_BY_OTHERS = ("P0", "38", "39")

#: Who hands on, with whatever SQLSTATE, what others wrote: RAISE, a foreign server's and dblink's answers, PL/Python,
#: PL/Perl, PL/Tcl. The server itself is written in C; what comes from a file of another language is an extension's.
_HANDS_ON = re.compile(r"exec_stmt_raise$|pgfdw_|dblink_|PLy_|plperl_|pltcl_|throw_tcl_")
_IN_C = re.compile(r"\.[cly]$")

WITHHELD = "the message was written by a function in the database and is withheld, since it may hold rows' values"

#: Classes of which the server's own messages quote their values, if they hold any. The rest are of extensions that name
#: no code of their own (XX), of servers behind a foreign table (HV), of what PL/pgSQL throws (P0), and codes that
#: somebody made up.
#: https://www.postgresql.org/docs/current/errcodes-appendix.html
_QUOTES_VALUES = re.compile("0[0-389ABFLPZ]|10|2[013-8BDF]|34|3[BDF]|4[024]|5[34578]")

UNKNOWN = "the message is of a kind that may hold rows' values and is withheld; the server's log has it"

_LONGEST = 300

#: How other languages quote, beside what Unicode calls an opening or a closing mark: what follows may be a value.
_FOREIGN = ("Pi", "Pf", "Ps", "Pe")
_MARKS = "`\u00b4\u2032\u2033\uff02\uff07"

#: What may be a name, or a value in a name's place: between quotes; or without them, before a bracket, with a dot or a
#: figure in it, behind a colon.
_QUOTED = re.compile(r'"(.*?)"')
_BARE = re.compile(r'"(.*?)"|([^\s"(]+)\([^"]*?\)|[^\s"(),:]*(?:\d|\w\.\w)[^\s"(),:]*|(?<=: )[^"]+|(?<=\uff1a)[^"]+')

#: Of SQL as the server prints it: a quoted name, which is kept, or a literal. One that never ends is masked to the end.
_LITERAL = re.compile(r"""("(?:[^"]|"")*")|'(?:[^']|'')*(?:'|$)""")


def of(error: psycopg.Error, *, text: str | None = None) -> str:
    """What a server answered, fit for a channel. `text` is what ran, where somebody wrote it in a file."""
    told = error.diag
    return mask(
        told.message_primary or str(error),
        sqlstate=error.sqlstate or "XX000",
        raised=bool(_HANDS_ON.match(told.source_function or "") or not _IN_C.search(told.source_file or ".c")),
        text=text,
        names={told.schema_name, told.table_name, told.column_name, told.datatype_name, told.constraint_name},
        read=bool(told.statement_position and not told.context),
    )


def mask(
    message: str,
    *,
    sqlstate: str,
    raised: bool = False,
    text: str | None = None,
    names: Collection[str | None] = (),
    read: bool = False,
) -> str:
    """A primary message in one line, values masked; withheld whole when a function `raised` it.

    A name that does not stand in the `text` that ran was put together from rows, unless it is one of the `names` that
    the server says are those of what was broken. What it found as it `read` the text, before a row, holds no row's.
    """
    if raised or sqlstate[:2] in _WRITTEN_BY_OTHERS:
        return WITHHELD
    if sqlstate.startswith("22"):
        return _condition(sqlstate)
    if not _QUOTES_VALUES.match(sqlstate):
        return UNKNOWN
    line = " ".join(message.split())
    if sqlstate == "42601":
        line = _token_masked(line)
    # From the first quote to the last: a literal may hold quotes itself, and too little shown is no harm.
    line = _foreign_masked(re.sub(r"'.*'|'.*", MASK, line))
    if sqlstate[:2] not in _NAMES_THINGS:
        line = re.sub(r'".*"|".*', MASK, line)
    if text is not None:
        line = _names_masked(line, text, names, bare=not read)
    return line if len(line) <= _LONGEST else line[:_LONGEST] + MASK


def _condition(sqlstate: str) -> str:
    """A data exception in the standard's own words, as the driver spells them: the server's are about a value.

    https://www.postgresql.org/docs/current/errcodes-appendix.html
    https://www.psycopg.org/psycopg3/docs/api/errors.html#sqlstate-exceptions
    """
    try:
        name = psycopg.errors.lookup(sqlstate).__name__
    except KeyError:
        name = psycopg.errors.DataException.__name__
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()


def _foreign_masked(line: str) -> str:
    marks = (n for n, sign in enumerate(line) if sign in _MARKS or (sign > "\x7f" and category(sign) in _FOREIGN))
    first = next(marks, None)
    return line if first is None else line[:first] + MASK


def _names_masked(line: str, text: str, names: Collection[str | None], *, bare: bool) -> str:
    def kept(found: re.Match[str]) -> str:
        name = next(one for one in (*found.groups(), found[0]) if one is not None)
        return found[0] if name in names or _stands_in(text, name) else MASK

    return (_BARE if bare else _QUOTED).sub(kept, line)


def _stands_in(text: str, name: str) -> bool:
    """Whether every part of a name does, whatever its case; the schema that every database has goes without saying."""
    return all(part == "public" or part in text.lower() for part in name.lower().split("."))


def literals(definition: str) -> str:
    """A definition as the server prints it, with what stands between quotes masked: a default, a check's list."""
    return _LITERAL.sub(lambda found: found[1] or f"'{MASK}'", definition)


def _token_masked(line: str) -> str:
    """Of a syntax error the token is kept when it is a plain word or a sign, and masked when it may be a literal."""
    return re.sub(
        r'(at or near )"(.*)"', lambda m: m[0] if re.fullmatch(r"[^\W\d]\w*|[^\w\s'\"$]+", m[2]) else m[1] + MASK, line
    )
