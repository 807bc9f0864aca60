"""RENAME: whoever still says the old name fails from the moment of the commit."""

from collections.abc import Iterator
from typing import Any

from postgast import pg_query_pb2 as pg

from engine.hazards.facts import Facts, name_of

#: What programs call by name; indexes, constraints and triggers they do not.
_TABLES = {
    pg.OBJECT_TABLE: "table",
    pg.OBJECT_VIEW: "view",
    pg.OBJECT_MATVIEW: "materialized view",
    pg.OBJECT_SEQUENCE: "sequence",
}


def find(node: Any, facts: Facts) -> Iterator[str]:
    """One sentence for a table, view, sequence, column or schema that was there before."""
    if not isinstance(node, pg.RenameStmt) or name_of(node.relation) in facts.created:
        return
    if node.rename_type in _TABLES:
        yield _sentence(f"the {_TABLES[node.rename_type]} {name_of(node.relation)}", node.newname)
    elif node.rename_type == pg.OBJECT_COLUMN:
        yield _sentence(f"{name_of(node.relation)}.{node.subname}", node.newname)
    elif node.rename_type == pg.OBJECT_SCHEMA:
        yield _sentence(f"the schema {node.subname}", node.newname)


def _sentence(what: str, new: str) -> str:
    return (
        f"renames {what} to {new}, and code that says the old name fails from then on. "
        "Release code that knows both first, or leave a view under the old name."
    )
