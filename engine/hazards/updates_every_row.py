"""UPDATE without WHERE: what stood in the columns is gone for every row, also where it stands in a WITH."""

from collections.abc import Iterator
from typing import Any

from postgast import pg_query_pb2 as pg

from engine.hazards.facts import Facts, changes, name_of


def find(node: Any, facts: Facts) -> Iterator[str]:
    """One sentence per table that was there before and of which every row is written anew."""
    for update in changes(node, pg.UpdateStmt):
        if not update.HasField("where_clause") and (table := name_of(update.relation)) not in facts.created:
            yield (
                f"changes every row of {table}, and holds each of them until the migration ends. "
                "Say with WHERE which rows you mean, and change a large table in batches."
            )
