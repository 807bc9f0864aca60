"""What is in the database that a migration meets: values that the rules read. engine/catalog.py gathers it.

Rows and bytes are the server's own estimates: nothing is counted and nothing is waited for.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from postgast import pg_query_pb2 as pg


@dataclass(frozen=True, slots=True)
class Relation:
    """A table ("r", partitioned "p", foreign "f"), view ("v"), materialized view ("m") or sequence ("S").

    `rows` is None where nobody has counted yet; `bytes` takes in indexes and TOAST. `columns` is name → type.
    """

    oid: int
    schema: str
    name: str
    kind: str
    visible: bool
    rows: int | None = None
    bytes: int = 0
    columns: Mapping[str, str] = field(default_factory=dict[str, str])

    def __str__(self) -> str:
        return self.name if self.visible else f"{self.schema}.{self.name}"

    @property
    def figures(self) -> str:
        """ "about 12,000 rows, 3 MB"; "not counted yet" for a table that was never analyzed."""
        if self.rows is None:
            return "not counted yet"
        rows = "1 row" if self.rows == 1 else f"{self.rows:,} rows"
        return f"about {rows}, {size(self.bytes)}"


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """`child` (an oid) refers to `parent` with these columns."""

    name: str
    child: int
    parent: int
    columns: tuple[str, ...]
    parent_columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Index:
    """One index of `table` (an oid). `scans` counts since the statistics began; `last_scan` is a date (server 16 on).

    `recent`: it was scanned in the last thirty days, or nobody can say when.
    """

    schema: str
    name: str
    table: int
    valid: bool
    visible: bool
    bytes: int
    scans: int
    recent: bool
    last_scan: str | None = None


@dataclass(frozen=True, slots=True)
class Read:
    """The view `reader` (an oid) reads these columns of `read`."""

    read: int
    reader: int
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Key:
    """A four-byte column that a sequence fills, and the last number it gave."""

    table: int
    column: str
    last: int


@dataclass(frozen=True, slots=True)
class Catalog:
    """The relations by oid, and what ties them together. `inherits` are pairs (parent, child).

    `names` has each as (schema, name), and as ("", name) where the search_path finds it.
    """

    relations: Mapping[int, Relation] = field(default_factory=dict[int, Relation])
    names: Mapping[tuple[str, str], Relation] = field(default_factory=dict[tuple[str, str], Relation])
    foreign_keys: tuple[ForeignKey, ...] = ()
    indexes: tuple[Index, ...] = ()
    keys: tuple[Key, ...] = ()
    inherits: tuple[tuple[int, int], ...] = ()
    reads: tuple[Read, ...] = ()
    schemas: frozenset[str] = frozenset()
    current_schema: str | None = None

    def relation(self, schema: str, name: str) -> Relation | None:
        """The relation a statement means; without a schema the one that the search_path finds."""
        return self.names.get((schema, name))

    def meant(self, relation: pg.RangeVar) -> Relation | None:
        """The same, of a name in a syntax tree."""
        return self.relation(relation.schemaname, relation.relname)

    def index(self, schema: str, name: str) -> Index | None:
        """The index a statement means."""
        found = (i for i in self.indexes if i.name == name and (i.schema == schema if schema else i.visible))
        return next(found, None)

    def below(self, oid: int) -> Iterator[Relation]:
        """Partitions and inheriting tables of one, and theirs."""
        yield from self._follow(oid, self.inherits)

    def readers(self, oid: int) -> Iterator[Relation]:
        """Views that read it, and views that read those."""
        yield from self._follow(oid, tuple((one.read, one.reader) for one in self.reads))

    def referrers(self, oid: int) -> Iterator[Relation]:
        """Tables that refer to it by a foreign key, and those that refer to them."""
        yield from self._follow(oid, tuple((key.parent, key.child) for key in self.foreign_keys))

    def _follow(self, oid: int, ties: tuple[tuple[int, int], ...]) -> Iterator[Relation]:
        seen, waiting = {oid}, [oid]
        while waiting:
            here = waiting.pop(0)
            for upper, lower in ties:
                if upper == here and lower not in seen and lower in self.relations:
                    seen.add(lower)
                    waiting.append(lower)
                    yield self.relations[lower]


def size(count: int) -> str:
    """3145728 → "3 MB"."""
    amount, unit = float(count), "bytes"
    for bigger in ("kB", "MB", "GB", "TB"):
        if amount < 1024:
            break
        amount, unit = amount / 1024, bigger
    return f"{amount:.0f} {unit}"
