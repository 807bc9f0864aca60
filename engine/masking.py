"""What of a server's message may be shown: its words and its identifiers, never a value."""

import re

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

#: Classes of which the server's own messages quote their values. The rest are of extensions that name no code of their
#: own (XX), of servers behind a foreign table (HV), of what PL/pgSQL throws (P0), and codes that somebody made up.
#: https://www.postgresql.org/docs/current/errcodes-appendix.html
_QUOTES_VALUES = re.compile("0[0-389ABFLPZ]|10|2[0-8BDF]|34|3[BDF]|4[024]|5[34578]")

UNKNOWN = "the message is of a kind that may hold rows' values and is withheld; the server's log has it"

_LONGEST = 300

#: In messages about values, a number is one; but in brackets stands what a type or a sequence allows.
_NUMBER = re.compile(r"(?<![(.\w])(?:0x[0-9a-f]+|\d+)")

#: How other languages quote, each in its own order, and every bracket of theirs: what follows the first may be a value.
_FOREIGN = re.compile(
    r"[\u00ab\u00bb\u2018-\u201f\u2039\u203a\u2e42\u3008-\u3011\u3014-\u301f\ufe41-\ufe44\uff02\uff07\uff62\uff63].*"
)

#: In messages about values, what stands behind a colon is one, though it be without quotes, as a doubled JSON key is.
_BEHIND_A_COLON = re.compile(r"(\s\S+:\s|\uff1a).*")

#: Of SQL as the server prints it: a quoted name, which is kept, or a literal. One that never ends is masked to the end.
_LITERAL = re.compile(r"""("(?:[^"]|"")*")|'(?:[^']|'')*(?:'|$)""")


def of(error: psycopg.Error, *, text: str | None = None) -> str:
    """The message of an error, as `mask` has it; its class where the driver has no other word for it."""
    diagnosis = error.diag
    if diagnosis.message_primary is None:
        return type(error).__name__
    raised = bool(_HANDS_ON.match(diagnosis.source_function or "") or not _IN_C.search(diagnosis.source_file or ".c"))
    return mask(diagnosis.message_primary, sqlstate=error.sqlstate or "", raised=raised, text=text)


def mask(message: str, *, sqlstate: str, raised: bool = False, text: str | None = None) -> str:
    """A primary message fit for a channel: one line, values masked; withheld whole when a function `raised` it.

    A name that does not stand in the `text` that ran was put together from rows, unless the server found it itself, as
    it does the name of a constraint that rows break.
    """
    if raised or sqlstate[:2] in _WRITTEN_BY_OTHERS:
        return WITHHELD
    if not _QUOTES_VALUES.match(sqlstate):
        return UNKNOWN
    line = " ".join(message.split())
    if sqlstate == "42601":
        line = _token_masked(line)
    # From the first quote to the last: a literal may hold quotes itself, and too little shown is no harm.
    line = _FOREIGN.sub(MASK, re.sub(r"'.*'|'.*", MASK, line))
    if sqlstate[:2] not in _NAMES_THINGS:
        line = re.sub(r'".*"|".*', MASK, line)
    elif text is not None and not sqlstate.startswith("23"):
        line = re.sub(r'"(.*?)"', lambda name: name[0] if _stands_in(text, name[1]) else MASK, line)
    if sqlstate.startswith("22"):
        line = _NUMBER.sub(MASK, _BEHIND_A_COLON.sub(rf"\g<1>{MASK}", line))
    return line if len(line) <= _LONGEST else line[:_LONGEST] + MASK


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
