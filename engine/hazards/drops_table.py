"""DROP TABLE: the rows are gone, and so is whatever still reads them."""

from collections.abc import Iterator
from typing import Any

from postgast import pg_query_pb2 as pg

from engine.hazards.facts import Facts, dropped_names


def find(node: Any, facts: Facts) -> Iterator[str]:
    """One sentence per table that is dropped and was there before this migration."""
    if isinstance(node, pg.DropStmt) and node.remove_type == pg.OBJECT_TABLE:
        more = " and, by CASCADE, what depends on it" if node.behavior == pg.DROP_CASCADE else ""
        for table in dropped_names(node):
            if table not in facts.created:
                yield (
                    f"drops the table {table} with every row{more}. "
                    "Rename it first and drop it a release later, when nothing reads it."
                )
