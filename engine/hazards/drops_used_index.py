"""DROP INDEX of one that queries used lately: they read the whole table afterwards."""

from collections.abc import Iterator
from typing import Any

from postgast import pg_query_pb2 as pg

from engine.hazards.catalog import size
from engine.hazards.facts import Facts, dropped_names, split


def find(node: Any, facts: Facts) -> Iterator[str]:
    """One sentence per index that is in use."""
    if isinstance(node, pg.DropStmt) and node.remove_type == pg.OBJECT_INDEX and facts.catalog:
        for name in dropped_names(node):
            index = facts.catalog.index(*split(name))
            if index and index.recent:
                last = f", the last on {index.last_scan}" if index.last_scan else ""
                yield (
                    f"drops the index {name} ({size(index.bytes)}), which answered {index.scans:,} scans "
                    f"since the statistics began{last}. Find out which queries use it and what they would use instead."
                )
