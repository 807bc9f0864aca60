"""DELETE without WHERE: every row is gone, also where it stands in a WITH."""

from collections.abc import Iterator
from typing import Any

from postgast import pg_query_pb2 as pg

from engine.hazards.facts import Facts, changes, name_of


def find(node: Any, facts: Facts) -> Iterator[str]:
    """One sentence per table that was there before and of which no row is said to stay."""
    for delete in changes(node, pg.DeleteStmt):
        if not delete.HasField("where_clause") and (table := name_of(delete.relation)) not in facts.created:
            yield f"deletes every row of {table}. Say with WHERE which rows you mean."
