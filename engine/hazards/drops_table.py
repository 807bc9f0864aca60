"""DROP TABLE: the rows are gone, and so is whatever still reads them."""

from collections.abc import Iterator
from typing import Any

from postgast import pg_query_pb2 as pg

from engine.hazards.catalog import Catalog, Relation
from engine.hazards.facts import Facts, dropped_names, split


def find(node: Any, facts: Facts) -> Iterator[str]:
    """One sentence per table that is dropped and was there before this migration."""
    if isinstance(node, pg.DropStmt) and node.remove_type == pg.OBJECT_TABLE:
        for table in dropped_names(node):
            if table not in facts.created:
                more = _reach(table, facts) if node.behavior == pg.DROP_CASCADE else ""
                yield (
                    f"drops the table {table} with every row{facts.figures(table)}{more}. "
                    "Rename it first and drop it a release later, when nothing reads it."
                )


def _reach(table: str, facts: Facts) -> str:
    """What CASCADE takes along, by name where the catalog is known."""
    here = facts.catalog and facts.catalog.relation(*split(table))
    if facts.catalog is None or here is None:
        return " and, by CASCADE, what depends on it"
    reached = _reached(here, facts.catalog)
    return f" and, by CASCADE, {', '.join(reached)}" if reached else ""


def _reached(here: Relation, catalog: Catalog) -> list[str]:
    views = [f"the view {one}" for one in catalog.readers(here.oid)]
    tables = [f"the table {one} ({one.figures})" for one in catalog.below(here.oid)]
    keys = [
        f"the foreign key {key.name} of {catalog.relations[key.child]}"
        for key in catalog.foreign_keys
        if key.parent == here.oid and key.child != here.oid and key.child in catalog.relations
    ]
    return [*tables, *views, *keys]
