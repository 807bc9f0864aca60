"""CREATE INDEX without CONCURRENTLY: writes to the table wait until it is built."""

from collections.abc import Iterator
from typing import Any

from postgast import pg_query_pb2 as pg

from engine.hazards.facts import Facts, name_of


def find(node: Any, facts: Facts) -> Iterator[str]:
    """One sentence when the indexed table was there before."""
    if isinstance(node, pg.IndexStmt) and not node.concurrent and name_of(node.relation) not in facts.created:
        yield (
            f"builds an index on {name_of(node.relation)}, and writes to it wait until that is done. "
            "Run it while the table is quiet."
        )
