"""What a hazard rule may know besides the statement: which tables this migration itself made, so nobody uses them."""

from dataclasses import dataclass, replace
from typing import Any

from postgast import pg_query_pb2 as pg


@dataclass(frozen=True, slots=True)
class Facts:
    """Names of the tables that earlier statements of the same migration created."""

    created: frozenset[str] = frozenset()

    def after(self, table: str | None) -> "Facts":
        """The facts once `table`, if any, is created too."""
        return replace(self, created=self.created | {table}) if table else self


def name_of(relation: pg.RangeVar) -> str:
    """A table's name as the statement writes it."""
    return f"{relation.schemaname}.{relation.relname}" if relation.schemaname else relation.relname


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


def changes(node: Any, kind: type) -> list[Any]:
    """The statements of one kind (pg.DeleteStmt, …): the statement itself and those in its WITH."""
    own = [node] if isinstance(node, kind) else []
    if not isinstance(node, pg.SelectStmt | pg.InsertStmt | pg.UpdateStmt | pg.DeleteStmt | pg.MergeStmt):
        return own
    queries = (one.common_table_expr.ctequery for one in node.with_clause.ctes)
    inner = (getattr(query, query.WhichOneof("node")) for query in queries)
    return own + [one for one in inner if isinstance(one, kind)]
