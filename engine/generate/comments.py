"""The statements that make the comments of one shape those of another. Pure."""

from collections.abc import Collection, Iterator

from engine.generate.shape import Shape


def phrase(kind: str, name: str, table: str) -> str:
    """What COMMENT ON calls a constraint or an index."""
    return f"CONSTRAINT {name} ON {table}" if kind == "CONSTRAINT" else f"INDEX {name}"


def between(old: Shape, new: Shape, *, again: Collection[str]) -> Iterator[str]:
    """`again` is what was made anew, and so has no comment any more."""
    for what, said in new.comments.items():
        if what in again or old.comments.get(what) != said:
            yield f"COMMENT ON {what} IS {said}"
    still = set(_phrases(new))
    for what in old.comments:
        if what not in new.comments and what in still and what not in again:
            yield f"COMMENT ON {what} IS NULL"


def _phrases(shape: Shape) -> Iterator[str]:
    yield from (f"TYPE {name}" for name in shape.enums)
    yield from (f"DOMAIN {name}" for name in shape.domains)
    yield from (f"SEQUENCE {name}" for name in shape.sequences)
    for name, table in shape.tables.items():
        yield f"TABLE {name}"
        yield from (f"COLUMN {name}.{column}" for column in table.columns)
        yield from (phrase("CONSTRAINT", key, name) for key in table.constraints)
        yield from (phrase("INDEX", key, name) for key in table.indexes)
