"""CREATE INDEX where an earlier attempt left an invalid index: it is kept up to date and answers nothing."""

from collections.abc import Iterator
from typing import Any

from postgast import pg_query_pb2 as pg

from engine.hazards.facts import Facts


def find(node: Any, facts: Facts) -> Iterator[str]:
    """One sentence per invalid index of the table that gets another."""
    if isinstance(node, pg.IndexStmt) and facts.catalog and (here := facts.relation(node.relation)):
        for index in facts.catalog.indexes:
            if index.table == here.oid and not index.valid:
                name = index.name if index.visible else f"{index.schema}.{index.name}"
                skips = ", and IF NOT EXISTS skips the statement" if node.if_not_exists else ", and the statement fails"
                yield (
                    f"meets {name}, an invalid index of {here} that an earlier attempt left: "
                    f"it slows down every write and answers no query{skips if index.name == node.idxname else ''}. "
                    f"Drop it first: DROP INDEX CONCURRENTLY {name}."
                )
