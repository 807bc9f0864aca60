"""Which relations a statement locks so that reads or writes of them wait, and in which mode. Proven on pg_locks."""

from collections.abc import Iterator
from enum import IntEnum
from typing import Any

from postgast import pg_query_pb2 as pg

from engine.hazards.catalog import Catalog, Relation
from engine.hazards.facts import Facts, constraints_of


class Mode(IntEnum):
    """The modes of PostgreSQL that keep others' reads or writes waiting, by its own numbers."""

    SHARE = 5
    SHARE_ROW_EXCLUSIVE = 6
    EXCLUSIVE = 7
    ACCESS_EXCLUSIVE = 8

    def __str__(self) -> str:
        return self.name.replace("_", " ")


Taken = Iterator[tuple[Relation, Mode]]

_ALL = Mode.ACCESS_EXCLUSIVE

#: ALTER TABLE's commands that are content with less than ACCESS EXCLUSIVE; 0 where nobody's reads or writes wait.
_LESS = {
    pg.AT_SetStatistics: 0,
    pg.AT_ClusterOn: 0,
    pg.AT_DropCluster: 0,
    pg.AT_SetOptions: 0,
    pg.AT_ResetOptions: 0,
    pg.AT_SetRelOptions: 0,
    pg.AT_ResetRelOptions: 0,
    pg.AT_ValidateConstraint: 0,
    pg.AT_AttachPartition: 0,
    pg.AT_EnableTrig: Mode.SHARE_ROW_EXCLUSIVE,
    pg.AT_EnableTrigAll: Mode.SHARE_ROW_EXCLUSIVE,
    pg.AT_EnableTrigUser: Mode.SHARE_ROW_EXCLUSIVE,
    pg.AT_EnableAlwaysTrig: Mode.SHARE_ROW_EXCLUSIVE,
    pg.AT_EnableReplicaTrig: Mode.SHARE_ROW_EXCLUSIVE,
    pg.AT_DisableTrig: Mode.SHARE_ROW_EXCLUSIVE,
    pg.AT_DisableTrigAll: Mode.SHARE_ROW_EXCLUSIVE,
    pg.AT_DisableTrigUser: Mode.SHARE_ROW_EXCLUSIVE,
}


def taken(node: Any, facts: Facts) -> Taken:
    """Every relation that was there before and is locked, with the mode; one relation may come more than once."""
    look = _BY_KIND.get(type(node).__name__)
    if look and facts.catalog:
        yield from look(node, facts, facts.catalog)


def _alter_table(node: Any, facts: Facts, catalog: Catalog) -> Taken:
    commands = [one.alter_table_cmd for one in node.cmds]
    if node.objtype == pg.OBJECT_INDEX:
        return
    here = facts.relation(node.relation)
    if here:
        mode = max((_mode(command) for command in commands), default=0)
        if mode:
            yield here, Mode(mode)
            yield from ((one, Mode(mode)) for one in catalog.below(here.oid) if node.relation.inh)
    for command in commands:
        yield from _referred(command, facts)
        yield from _partition(command, facts, catalog)
        yield from _untied(command, here, catalog) if here else ()


def _mode(command: Any) -> int:
    if command.subtype == pg.AT_AddConstraint:
        foreign = getattr(command, "def").constraint.contype == pg.CONSTR_FOREIGN
        return Mode.SHARE_ROW_EXCLUSIVE if foreign else _ALL
    if command.subtype == pg.AT_DetachPartition and getattr(command, "def").partition_cmd.concurrent:
        return 0
    return _LESS.get(command.subtype, _ALL)


def _referred(command: Any, facts: Facts) -> Taken:
    """The tables that new foreign keys point at."""
    for constraint in constraints_of(command):
        if constraint.contype == pg.CONSTR_FOREIGN and (parent := facts.relation(constraint.pktable)):
            yield parent, Mode.SHARE_ROW_EXCLUSIVE


def _partition(command: Any, facts: Facts, catalog: Catalog) -> Taken:
    if command.subtype in (pg.AT_AttachPartition, pg.AT_DetachPartition):
        definition = getattr(command, "def").partition_cmd
        if not definition.concurrent and (part := facts.relation(definition.name)):
            yield part, _ALL
            yield from ((one, _ALL) for one in catalog.below(part.oid))


def _untied(command: Any, here: Relation, catalog: Catalog) -> Taken:
    """The other end of each foreign key that the command takes away or makes anew."""
    for key in catalog.foreign_keys:
        ours = key.child == here.oid and (
            (command.subtype == pg.AT_DropConstraint and command.name == key.name)
            or (command.subtype in (pg.AT_DropColumn, pg.AT_AlterColumnType) and command.name in key.columns)
        )
        theirs = key.parent == here.oid and (
            (command.subtype == pg.AT_AlterColumnType and command.name in key.parent_columns)
            or (
                command.subtype == pg.AT_DropColumn
                and command.behavior == pg.DROP_CASCADE
                and command.name in key.parent_columns
            )
        )
        if ours and key.parent in catalog.relations:
            yield catalog.relations[key.parent], _ALL
        if theirs and key.child in catalog.relations:
            yield catalog.relations[key.child], _ALL
    if command.subtype == pg.AT_DropColumn and command.behavior == pg.DROP_CASCADE:
        for one in catalog.reads:
            if one.read == here.oid and command.name in one.columns and one.reader in catalog.relations:
                yield from dropping(catalog.relations[one.reader], catalog, cascade=True)


def _create_table(node: Any, facts: Facts, _: Catalog) -> Taken:
    for element in node.table_elts:
        single = [element.constraint] if element.HasField("constraint") else []
        for constraint in single or [one.constraint for one in element.column_def.constraints]:
            if constraint.contype == pg.CONSTR_FOREIGN and (parent := facts.relation(constraint.pktable)):
                yield parent, Mode.SHARE_ROW_EXCLUSIVE
    if node.HasField("partbound"):
        for above in node.inh_relations:
            if parent := facts.relation(above.range_var):
                yield parent, _ALL


def _drop(node: Any, facts: Facts, catalog: Catalog) -> Taken:
    cascade = node.behavior == pg.DROP_CASCADE
    for thing in node.objects:
        names = [part.string.sval for part in thing.list.items] or [thing.string.sval]
        match node.remove_type:
            case pg.OBJECT_TABLE | pg.OBJECT_VIEW | pg.OBJECT_MATVIEW | pg.OBJECT_FOREIGN_TABLE:
                if here := _named(names, facts, catalog):
                    yield from dropping(here, catalog, cascade=cascade)
            case pg.OBJECT_INDEX:
                index = catalog.index("".join(names[:-1]), names[-1])
                if index and not node.concurrent and index.table in catalog.relations:
                    yield catalog.relations[index.table], _ALL
            case pg.OBJECT_TRIGGER | pg.OBJECT_RULE | pg.OBJECT_POLICY:
                if here := _named(names[:-1], facts, catalog):
                    yield here, _ALL
            case pg.OBJECT_SCHEMA if cascade:
                inside = [one for one in catalog.relations.values() if one.schema == names[-1] and one.kind != "S"]
                yield from (pair for one in inside for pair in dropping(one, catalog, cascade=True))
            case _:
                pass


def _named(names: list[str], facts: Facts, catalog: Catalog) -> Relation | None:
    return None if ".".join(names) in facts.created else catalog.relation("".join(names[:-1]), names[-1])


def dropping(here: Relation, catalog: Catalog, *, cascade: bool) -> Taken:
    """What DROP of one relation locks: it, its partitions, its foreign keys' other ends, what CASCADE reaches."""
    gone = [here, *catalog.below(here.oid)]
    if cascade:
        gone += [reader for one in tuple(gone) for reader in catalog.readers(one.oid)]
    yield from ((one, _ALL) for one in gone)
    oids = {one.oid for one in gone}
    for key in catalog.foreign_keys:
        if key.child in oids and key.parent in catalog.relations:
            yield catalog.relations[key.parent], _ALL
        if cascade and key.parent in oids and key.child in catalog.relations:
            yield catalog.relations[key.child], _ALL
    for upper, lower in catalog.inherits:
        if lower == here.oid and upper in catalog.relations and catalog.relations[upper].kind == "p":
            yield catalog.relations[upper], _ALL


def _truncate(node: Any, facts: Facts, catalog: Catalog) -> Taken:
    for one in node.relations:
        if here := facts.relation(one.range_var):
            reached = [here, *catalog.below(here.oid)]
            if node.behavior == pg.DROP_CASCADE:
                reached += [more for part in tuple(reached) for more in catalog.referrers(part.oid)]
            yield from ((relation, _ALL) for relation in reached)


def _index(node: Any, facts: Facts, catalog: Catalog) -> Taken:
    if not node.concurrent and (here := facts.relation(node.relation)):
        yield here, Mode.SHARE
        yield from ((one, Mode.SHARE) for one in catalog.below(here.oid) if node.relation.inh)


def _reindex(node: Any, facts: Facts, catalog: Catalog) -> Taken:
    if any(option.def_elem.defname == "concurrently" for option in node.params):
        return
    if node.kind == pg.REINDEX_OBJECT_TABLE and (here := facts.relation(node.relation)):
        yield here, Mode.SHARE
    if node.kind == pg.REINDEX_OBJECT_INDEX:
        index = catalog.index(node.relation.schemaname, node.relation.relname)
        if index and index.table in catalog.relations:
            yield catalog.relations[index.table], Mode.SHARE


def _rename(node: Any, facts: Facts, catalog: Catalog) -> Taken:
    here = facts.relation(node.relation)
    if here and node.rename_type != pg.OBJECT_INDEX:
        yield here, _ALL
        if node.rename_type == pg.OBJECT_COLUMN:
            yield from ((one, _ALL) for one in catalog.below(here.oid))


def _refresh(node: Any, facts: Facts, _: Catalog) -> Taken:
    if here := facts.relation(node.relation):
        yield here, Mode.EXCLUSIVE if node.concurrent else _ALL


def _lock(node: Any, facts: Facts, catalog: Catalog) -> Taken:
    if node.mode >= Mode.SHARE:
        for one in node.relations:
            if here := facts.relation(one.range_var):
                yield from ((each, Mode(node.mode)) for each in (here, *catalog.below(here.oid)))


def _view(node: Any, facts: Facts, _: Catalog) -> Taken:
    if node.replace and (here := facts.relation(node.view)):
        yield here, _ALL


def _on(field: str, mode: Mode) -> Any:
    def look(node: Any, facts: Facts, _: Catalog) -> Taken:
        if here := facts.relation(getattr(node, field)):
            yield here, mode

    return look


_BY_KIND = {
    "AlterTableStmt": _alter_table,
    "AlterObjectSchemaStmt": _on("relation", _ALL),
    "AlterPolicyStmt": _on("table", _ALL),
    "ClusterStmt": _on("relation", _ALL),
    "CreatePolicyStmt": _on("table", _ALL),
    "CreateStmt": _create_table,
    "CreateTrigStmt": _on("relation", Mode.SHARE_ROW_EXCLUSIVE),
    "DropStmt": _drop,
    "IndexStmt": _index,
    "LockStmt": _lock,
    "RefreshMatViewStmt": _refresh,
    "ReindexStmt": _reindex,
    "RenameStmt": _rename,
    "RuleStmt": _on("relation", _ALL),
    "TruncateStmt": _truncate,
    "ViewStmt": _view,
}


def strongest(pairs: Taken) -> list[tuple[Relation, Mode]]:
    """Each relation once with its strongest mode, in the order of first mention."""
    found: dict[int, tuple[Relation, Mode]] = {}
    for relation, mode in pairs:
        known = found.get(relation.oid, (relation, mode))
        found[relation.oid] = (relation, max(mode, known[1]))
    return list(found.values())
