"""DROP SCHEMA: with CASCADE everything in it is gone, tables and rows among it."""

from collections.abc import Iterator
from typing import Any

from postgast import pg_query_pb2 as pg

from engine.hazards.facts import Facts


def find(node: Any, _: Facts) -> Iterator[str]:
    """One sentence per schema."""
    if isinstance(node, pg.DropStmt) and node.remove_type == pg.OBJECT_SCHEMA:
        more = " with every table and row in it" if node.behavior == pg.DROP_CASCADE else ""
        for schema in node.objects:
            yield f"drops the schema {schema.string.sval}{more}. Drop what you mean by its own name, a release later."
