"""What a hazard rule may know besides the statement: what this migration itself made, and what is in the database."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from postgast import pg_query_pb2 as pg

from engine.hazards.catalog import Catalog, Relation


@dataclass(frozen=True, slots=True)
class Facts:
    """Tables that earlier statements of the same migration created, so nobody uses them; and the live catalog.

    Without a catalog (a file looked at without a database) every table that the file did not make counts as there.
    """

    created: frozenset[str] = frozenset()
    catalog: Catalog | None = None

    def after(self, table: str | None) -> "Facts":
        """The facts once `table`, if any, is created too."""
        return replace(self, created=self.created | {table}) if table else self

    def relation(self, relation: pg.RangeVar) -> Relation | None:
        """What the statement names, when it is there and this migration did not make it."""
        if self.catalog is None or name_of(relation) in self.created:
            return None
        return self.catalog.meant(relation)

    def figures(self, name: str) -> str:
        """ " (about 12,000 rows, 3 MB)" of a table as the statement writes it; empty when unknown."""
        found = self.catalog and self.catalog.relation(*split(name))
        return f" ({found.figures})" if found else ""


def name_of(relation: pg.RangeVar) -> str:
    """A table's name as the statement writes it."""
    return f"{relation.schemaname}.{relation.relname}" if relation.schemaname else relation.relname


def split(name: str) -> tuple[str, str]:
    """ "shop.t" → ("shop", "t"); "t" → ("", "t")."""
    schema, _, last = name.rpartition(".")
    return schema, last


def created_by(node: Any) -> str | None:
    """The table a statement creates, or None. `IF NOT EXISTS` may meet one that is there, so it does not count."""
    if isinstance(node, pg.CreateStmt) and not node.if_not_exists:
        return name_of(node.relation)
    if isinstance(node, pg.CreateTableAsStmt) and not node.if_not_exists:
        return name_of(node.into.rel)
    return None


def dropped_names(node: pg.DropStmt) -> list[str]:
    """The names a DROP statement lists."""
    return [".".join(part.string.sval for part in thing.list.items) for thing in node.objects]


def alterations(node: Any, kind: int) -> list[Any]:
    """The commands of one kind (pg.AT_…) in an ALTER TABLE; empty for any other statement."""
    if not isinstance(node, pg.AlterTableStmt) or node.objtype != pg.OBJECT_TABLE:
        return []
    return [command.alter_table_cmd for command in node.cmds if command.alter_table_cmd.subtype == kind]


def type_of(column: Any) -> str:
    """A column's type as PostgreSQL spells it out: `varchar(20)` → "character varying(20)"."""
    name: str = column.type_name.names[-1].string.sval
    sizes = ",".join(str(size.a_const.ival.ival) for size in column.type_name.typmods if size.a_const.HasField("ival"))
    spelled = _SPELLED.get(name, name)
    array = "[]" * len(column.type_name.array_bounds)
    if sizes and spelled.startswith("time"):  # timestamp(3) with time zone
        kind, _, zone = spelled.partition(" ")
        return f"{kind}({sizes}) {zone}{array}"
    return f"{spelled}({sizes}){array}" if sizes else f"{spelled}{array}"


_SPELLED = {
    "int2": "smallint",
    "int4": "integer",
    "int8": "bigint",
    "float4": "real",
    "float8": "double precision",
    "bool": "boolean",
    "varchar": "character varying",
    "bpchar": "character",
    "timestamp": "timestamp without time zone",
    "timestamptz": "timestamp with time zone",
    "time": "time without time zone",
    "timetz": "time with time zone",
    "varbit": "bit varying",
}


def constraints_of(command: Any) -> Iterator[Any]:
    """The constraints that one ALTER TABLE command writes: its own, or those of the column it adds."""
    definition = getattr(command, "def")
    if definition.HasField("constraint"):
        yield definition.constraint
    elif definition.HasField("column_def"):
        yield from (one.constraint for one in definition.column_def.constraints)


def changes(node: Any, kind: type) -> list[Any]:
    """The statements of one kind (pg.DeleteStmt, …): the statement itself and those in its WITH."""
    own = [node] if isinstance(node, kind) else []
    if not isinstance(node, pg.SelectStmt | pg.InsertStmt | pg.UpdateStmt | pg.DeleteStmt | pg.MergeStmt):
        return own
    queries = (one.common_table_expr.ctequery for one in node.with_clause.ctes)
    inner = (getattr(query, query.WhichOneof("node")) for query in queries)
    return own + [one for one in inner if isinstance(one, kind)]
