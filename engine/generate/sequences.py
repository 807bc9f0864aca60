"""The statements that make one sequence of another, and an identity column's options. Pure."""

import re
from collections.abc import Collection, Iterator, Mapping

from engine.generate.shape import Sequence

_OPTION = re.compile(r"(INCREMENT BY|MINVALUE|MAXVALUE|START WITH|CACHE) (-?\d+)|(CYCLE)")
_USUAL = {
    "INCREMENT BY": "INCREMENT BY 1",
    "MINVALUE": "NO MINVALUE",
    "MAXVALUE": "NO MAXVALUE",
    "START WITH": "START WITH 1",
    "CACHE": "CACHE 1",
    "CYCLE": "NO CYCLE",
}


def before_tables(old: Mapping[str, Sequence], new: Mapping[str, Sequence], *, made: Collection[str]) -> Iterator[str]:
    """New ones and changed ones; not those that a serial column makes by itself."""
    for name, wanted in new.items():
        if name not in old and name not in made:
            yield f"CREATE SEQUENCE {name} AS {wanted.type} {wanted.options}".rstrip()
        elif name in old and (old[name].type, old[name].options) != (wanted.type, wanted.options):
            yield " ".join([f"ALTER SEQUENCE {name} AS {wanted.type}", *whole(wanted.options)])


def after_tables(old: Mapping[str, Sequence], new: Mapping[str, Sequence], *, made: Collection[str]) -> Iterator[str]:
    """Whose they are, where that is new; and a new one goes on after what its column holds already."""
    for name, wanted in new.items():
        owner = old[name].owner if name in old else None
        if owner != wanted.owner and name not in made:
            yield f"ALTER SEQUENCE {name} OWNED BY {'.'.join(wanted.owner) if wanted.owner else 'NONE'}"
            if wanted.owner and name not in old:
                yield from catching_up(_literal(name), *wanted.owner, options=wanted.options)


def catching_up(sequence: str, table: str, column: str, *, options: str) -> Iterator[str]:
    """Without it the next row would get a number that is taken. Only for one that counts upwards without an end."""
    if "-" not in options and "MAXVALUE" not in options and "CYCLE" not in options:
        start = next((found[2] for found in _OPTION.finditer(options) if found[1] == "START WITH"), "1")
        yield f"SELECT setval({sequence}, greatest(max({column}) + 1, {start}), false) FROM {table}"  # noqa: S608  names are quoted by the server


def of_identity(table: str, column: str) -> str:
    """The sequence of an identity column, as SQL."""
    inside = column[1:-1].replace('""', '"') if column.startswith('"') else column
    return f"pg_get_serial_sequence({_literal(table)}, {_literal(inside)})"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def whole(options: str) -> list[str]:
    """All there is to say of a sequence, also what is usual."""
    said = {found[1] or found[3]: found[0] for found in _OPTION.finditer(options)}
    return [said.get(option, usual) for option, usual in _USUAL.items()]
