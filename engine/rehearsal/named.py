"""Which relations a plan names, and whether it reaches beyond its own database. Pure."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import postgast
from postgast import pg_query_pb2 as pg

from engine import sections, statements
from engine.plan import Planned
from engine.statements import Statement


@dataclass(frozen=True, slots=True)
class Names:
    """What the statements name: (schema, relation), the schema empty where none was said; and each search_path's."""

    relations: frozenset[tuple[str, str]]
    paths: frozenset[str]

    def has(self, schema: str, relation: str, *, visible: bool) -> bool:
        """Whether this relation is named. `visible`: it is found without a schema."""
        bare = ("", relation) in self.relations and (visible or schema in self.paths)
        return bare or (schema, relation) in self.relations


NONE = Names(frozenset(), frozenset())


def of(migrations: Iterable[Planned]) -> Names:
    """The names in both ways of the files."""
    found = tuple(one for migration in migrations for one in _both(migration))
    relations = frozenset(name for one in found for name in _relations(one))
    return Names(relations, frozenset(name for one in found for name in _paths(one)))


def shared(migrations: Iterable[Planned]) -> str | None:
    """The first statement that touches what a server's databases share, or another server: `file:line: what`."""
    for migration in migrations:
        for one in _both(migration):
            if what := _reaches(one):
                return f"{migration.id}.sql:{one.line}: {what}"
    return None


def _both(migration: Planned) -> Iterator[Statement]:
    ways = sections.cut(migration.text)
    for section in filter(None, (ways.up, ways.down)):
        yield from statements.split(f"{migration.id}.sql", section.text)


def _relations(one: Statement) -> Iterator[tuple[str, str]]:
    for name in postgast.find_nodes(one.node, pg.RangeVar):
        yield name.schemaname, name.relname
    if one.kind == "rename_stmt" and one.node.rename_type in _RELATIONS:
        yield one.node.relation.schemaname, one.node.newname
    if one.kind == "alter_object_schema_stmt":
        yield one.node.newschema, one.node.relation.relname
    if one.kind == "drop_stmt" and one.node.remove_type in _RELATIONS:
        for thing in one.node.objects:
            *home, name = (part.string.sval for part in thing.list.items)
            yield home[-1] if home else "", name


_RELATIONS = (pg.OBJECT_TABLE, pg.OBJECT_VIEW, pg.OBJECT_MATVIEW, pg.OBJECT_FOREIGN_TABLE)


def _paths(one: Statement) -> Iterator[str]:
    if one.kind == "variable_set_stmt" and one.node.name == "search_path":
        yield from (part.a_const.sval.sval for part in one.node.args)


_WORDS = re.compile(
    r"\b(?:dblink\w*|pg_(?:terminate|cancel)_backend|pg_reload_conf|pg_rotate_logfile|pg_promote|pg_switch_wal|lo_export"
    r"|lo_import|pg_file_\w+|pg_(?:create|drop|copy)_(?:physical|logical)_replication_slot|pg_replication_origin_\w+"
    r"|pg_logical_emit_message|alter\s+system"
    r"|(?:create|alter|drop)\s+(?:role|group|database|tablespace|subscription|user(?!\s+mapping)))\b"
    r"|\bcopy\b[^;]*\bprogram\b",
    re.IGNORECASE,
)

#: Objects of which there is one list for all databases of a server.
_SHARED: Mapping[int, str] = {
    pg.OBJECT_DATABASE: "a database",
    pg.OBJECT_ROLE: "a role",
    pg.OBJECT_TABLESPACE: "a tablespace",
    pg.OBJECT_PARAMETER_ACL: "the server's settings",
    pg.OBJECT_SUBSCRIPTION: "a subscription",
}


def _reaches(one: Statement) -> str | None:
    by_kind = _BY_KIND.get(one.kind)
    if isinstance(by_kind, str):
        return by_kind
    if by_kind and (what := _SHARED.get(by_kind(one.node))):
        return f"a statement about {what}"
    found = _WORDS.search(one.text)
    return " ".join(found[0].split()) if found else None


#: Kind → what it is, or where its tree says what it is about.
_BY_KIND: Mapping[str, str | Callable[[Any], int]] = {
    "create_role_stmt": "CREATE ROLE",
    "alter_role_stmt": "ALTER ROLE",
    "alter_role_set_stmt": "ALTER ROLE SET",
    "drop_role_stmt": "DROP ROLE",
    "grant_role_stmt": "GRANT of a role",
    "reassign_owned_stmt": "REASSIGN OWNED",
    "drop_owned_stmt": "DROP OWNED",
    "alter_database_stmt": "ALTER DATABASE",
    "alter_database_set_stmt": "ALTER DATABASE SET",
    "alter_database_refresh_coll_stmt": "ALTER DATABASE",
    "alter_table_space_options_stmt": "ALTER TABLESPACE",
    "alter_system_stmt": "ALTER SYSTEM",
    "load_stmt": "LOAD",
    "comment_stmt": lambda node: node.objtype,
    "sec_label_stmt": lambda node: node.objtype,
    "grant_stmt": lambda node: node.objtype,
    "rename_stmt": lambda node: node.rename_type,
    "alter_owner_stmt": lambda node: node.object_type,
}
