"""What changing a column from one type to another does to the rows that are there; names as format_type() says."""

import re
from dataclasses import dataclass

_INTEGERS = {"smallint": 1, "integer": 2, "bigint": 3}
_FLOATS = {"real": 1, "double precision": 2}


@dataclass(frozen=True, slots=True)
class Type:
    """A type's name without its sizes, and the sizes."""

    name: str
    sizes: tuple[int, ...]


def read(spelled: str) -> Type:
    """ "character varying(20)" → Type("character varying", (20,))."""
    found = re.search(r"\((\d+(?:,\d+)?)\)", spelled)
    sizes = tuple(int(size) for size in found[1].split(",")) if found else ()
    return Type(re.sub(r"\([\d,]+\)", "", spelled), sizes)


def rewrites(old: str, new: str) -> bool:
    """Whether PostgreSQL writes the table anew. Only what it is known to leave alone counts as left alone."""
    before, after = read(old), read(new)
    if before == after:
        return False
    match before.name, after.name:
        case ("character varying" | "bit varying", same) if same == before.name:
            return not _holds(after.sizes, before.sizes)
        case ("character varying", "text") | ("cidr", "inet"):
            return False
        case ("text", "character varying"):
            return bool(after.sizes)
        case ("numeric", "numeric"):
            return not (not after.sizes or _roomier(before.sizes, after.sizes))
        case (one, other) if one == other and one.startswith(("timestamp", "time ", "interval")):
            return not _holds(after.sizes, before.sizes)
    return True


def _holds(after: tuple[int, ...], before: tuple[int, ...]) -> bool:
    return not after or (bool(before) and after >= before)


def _roomier(before: tuple[int, ...], after: tuple[int, ...]) -> bool:
    """numeric(p,s): more digits in front of the point will do, another number of them behind it will not."""
    (p, s), (q, t) = (*before, 0)[:2] or (0, 0), (*after, 0)[:2]
    return bool(before) and s == t and q >= p


def narrows(old: str, new: str) -> str | None:
    """What happens to values that the new type has no room for: half a sentence, or None when there is room for all."""
    before, after = read(old), read(new)
    b, a = before.name, after.name
    if a in _INTEGERS and (b == "numeric" or b in _FLOATS):
        return "fractions are rounded away, and a value that is too large fails the migration"
    if _INTEGERS.get(b, 0) > _INTEGERS.get(a, 9):
        return "a value that is too large fails the migration"
    if b == "double precision" and a == "real":
        return "digits are rounded away"
    if a == "numeric" and after.sizes and (b == "numeric" or b in _FLOATS or b in _INTEGERS):
        return _numeric(before, after)
    return _texts(before, after) or _moments(before, after)


def _numeric(before: Type, after: Type) -> str | None:
    (q, t), known = (*after.sizes, 0)[:2], before.sizes and (*before.sizes, 0)[:2]
    digits = {"smallint": 5, "integer": 10, "bigint": 19}.get(before.name, known[0] - known[1] if known else 10**6)
    behind = 0 if before.name in _INTEGERS else known[1] if known else 10**6
    if t < behind:
        return "digits behind the point are rounded away, and a value that is too large fails the migration"
    return "a value that is too large fails the migration" if q - t < digits else None


def _texts(before: Type, after: Type) -> str | None:
    texts = {"text", "character varying", "character"}
    if before.name not in texts or after.name not in texts or not after.sizes:
        return None
    if before.sizes and before.sizes <= after.sizes:
        return None
    return "a longer value fails the migration, or is cut off where USING casts it"


def _moments(before: Type, after: Type) -> str | None:
    if not before.name.startswith("timestamp"):
        return None
    if after.name == "date":
        return "the time of day is gone"
    if after.name.startswith("time "):
        return "the date is gone"
    return None
