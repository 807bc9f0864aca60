"""IF NOT EXISTS over something that is there: the statement does nothing, whatever it says of columns and types."""

from collections.abc import Iterator
from typing import Any

from postgast import pg_query_pb2 as pg

from engine.hazards.catalog import Catalog
from engine.hazards.facts import Facts, alterations, name_of


def find(node: Any, facts: Facts) -> Iterator[str]:
    """One sentence per thing that is there already."""
    if facts.catalog:
        for what in _skipped(node, facts, facts.catalog):
            yield (
                f"skips {what}, which is there already, perhaps not as written here. "
                "Compare the two, and leave IF NOT EXISTS out so that the next surprise is an error."
            )


def _skipped(node: Any, facts: Facts, catalog: Catalog) -> Iterator[str]:
    for command in alterations(node, pg.AT_AddColumn):
        here = facts.relation(node.relation)
        column = getattr(command, "def").column_def.colname
        if command.missing_ok and here and column in here.columns:
            yield f"the column {column} of {here}"
    match node:
        case pg.CreateStmt() if node.if_not_exists and _there(node.relation, facts, catalog):
            yield f"the table {name_of(node.relation)}"
        case pg.CreateTableAsStmt() if node.if_not_exists and _there(node.into.rel, facts, catalog):
            yield f"the relation {name_of(node.into.rel)}"
        case pg.CreateSeqStmt() if node.if_not_exists and _there(node.sequence, facts, catalog):
            yield f"the sequence {name_of(node.sequence)}"
        case pg.CreateSchemaStmt() if node.if_not_exists and node.schemaname in catalog.schemas:
            yield f"the schema {node.schemaname}"
        case pg.IndexStmt() if node.if_not_exists and (here := facts.relation(node.relation)):
            index = catalog.index(here.schema, node.idxname)
            if index and index.valid:
                yield f"the index {node.idxname}"
        case _:
            pass


def _there(relation: pg.RangeVar, facts: Facts, catalog: Catalog) -> bool:
    """Whether the schema in which it would be made has one of that name."""
    schema = relation.schemaname or catalog.current_schema or ""
    return name_of(relation) not in facts.created and catalog.relation(schema, relation.relname) is not None
