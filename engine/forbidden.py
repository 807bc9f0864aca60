"""Statements that are refused by name, because a migration runs inside our transaction and under our lock."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import postgast
from postgast import pg_query_pb2 as pg


@dataclass(frozen=True, slots=True)
class Refusal:
    """`statement` by its name; `because` completes the sentence "X …"; `way_out` is a sentence.

    `apart`: refused only in a transaction.
    """

    statement: str
    because: str
    way_out: str
    apart: bool = False


Judge = Callable[[Any], Refusal | None]


def judge(kind: str, node: Any, *, together: bool = True) -> Refusal | None:
    """Why a statement (the parser's name for it, and its tree) is not run, or None when it may.

    `together`: its file runs in one transaction, else statement by statement.
    """
    by_kind = _BY_KIND.get(kind)
    refusal = (by_kind(node) if by_kind else None) or _call(node)
    return None if refusal and refusal.apart and not together else refusal


def is_apart(kind: str, node: Any) -> bool:
    """Whether a statement cannot run in a transaction."""
    refusal = judge(kind, node)
    return refusal is not None and refusal.apart


_OPTION = "Begin the file with `-- migrate:up transaction:false`, with nothing else in it"


def _alone(statement: str, instead: str = "") -> Refusal:
    way_out = f"{_OPTION}, or {instead}." if instead else f"{_OPTION}."
    return Refusal(statement, "cannot run inside a transaction", way_out, apart=True)


def _by_hand(statement: str) -> Refusal:
    way_out = "It is the server's affair and not this database's: run it by hand, outside a migration."
    return Refusal(statement, "cannot run inside a transaction", way_out)


def _index(node: pg.IndexStmt) -> Refusal | None:
    instead = "build it without CONCURRENTLY while the table is quiet"
    return _alone("CREATE INDEX CONCURRENTLY", instead) if node.concurrent else None


def _drop(node: pg.DropStmt) -> Refusal | None:
    return _alone("DROP INDEX CONCURRENTLY", "drop it without CONCURRENTLY") if node.concurrent else None


def _reindex(node: pg.ReindexStmt) -> Refusal | None:
    if any(option.def_elem.defname == "concurrently" for option in node.params):
        return _alone("REINDEX CONCURRENTLY")
    whole = {
        pg.REINDEX_OBJECT_SCHEMA: "REINDEX SCHEMA",
        pg.REINDEX_OBJECT_SYSTEM: "REINDEX SYSTEM",
        pg.REINDEX_OBJECT_DATABASE: "REINDEX DATABASE",
    }
    return _alone(whole[node.kind]) if node.kind in whole else None


def _alter_table(node: pg.AlterTableStmt) -> Refusal | None:
    detached = (c.alter_table_cmd for c in node.cmds if c.alter_table_cmd.subtype == pg.AT_DetachPartition)
    if any(getattr(command, "def").partition_cmd.concurrent for command in detached):
        return _alone("DETACH PARTITION CONCURRENTLY", "detach it without CONCURRENTLY")
    return None


def _cluster(node: pg.ClusterStmt) -> Refusal | None:
    return None if node.relation.relname else _alone("CLUSTER of all tables", "name one table")


def _alter_database(node: pg.AlterDatabaseStmt) -> Refusal | None:
    moves = any(option.def_elem.defname == "tablespace" for option in node.options)
    return _by_hand("ALTER DATABASE SET TABLESPACE") if moves else None


def _vacuum(node: pg.VacuumStmt) -> Refusal | None:
    return _alone("VACUUM") if node.is_vacuumcmd else None


_TRANSACTION_WORDS = {
    pg.TRANS_STMT_BEGIN: "BEGIN",
    pg.TRANS_STMT_START: "START TRANSACTION",
    pg.TRANS_STMT_COMMIT: "COMMIT",
    pg.TRANS_STMT_ROLLBACK: "ROLLBACK",
    pg.TRANS_STMT_SAVEPOINT: "SAVEPOINT",
    pg.TRANS_STMT_RELEASE: "RELEASE SAVEPOINT",
    pg.TRANS_STMT_ROLLBACK_TO: "ROLLBACK TO SAVEPOINT",
    pg.TRANS_STMT_PREPARE: "PREPARE TRANSACTION",
    pg.TRANS_STMT_COMMIT_PREPARED: "COMMIT PREPARED",
    pg.TRANS_STMT_ROLLBACK_PREPARED: "ROLLBACK PREPARED",
}


def _controls(statement: str) -> Refusal:
    return Refusal(
        statement, "would end or change the transaction that the migration and its history row share", "Remove it."
    )


def _transaction(node: pg.TransactionStmt) -> Refusal | None:
    return _controls(_TRANSACTION_WORDS.get(node.kind, "transaction control"))


def _changes_role(statement: str) -> Refusal:
    return Refusal(
        statement,
        "would run the rest, and our bookkeeping, as somebody else",
        "Remove it; give objects away with ALTER … OWNER TO.",
    )


#: How the server reads a text, and the values with which it reads as it was read here; pg_dump writes those down.
_READ_BY: Mapping[str, frozenset[str]] = {
    "client_encoding": frozenset({"utf8", "utf-8"}),
    "standard_conforming_strings": frozenset({"on", "true"}),
    "backslash_quote": frozenset(),
}


def _reads_otherwise(statement: str) -> Refusal:
    because = "could have the server read the rest otherwise than people and these checks do"
    return Refusal(statement, because, "Remove it: a migration is UTF-8, and a backslash escapes in E'…' alone.")


def _as_read_here(node: pg.VariableSetStmt) -> bool:
    said = [argument.a_const.sval.sval.lower() for argument in node.args]
    return node.kind == pg.VAR_SET_VALUE and all(one in _READ_BY[node.name.lower()] for one in said)


def _set(node: pg.VariableSetStmt) -> Refusal | None:
    verb = "RESET" if node.kind in (pg.VAR_RESET, pg.VAR_RESET_ALL) else "SET"
    if node.kind == pg.VAR_RESET_ALL:
        return Refusal("RESET ALL", "would lift the timeouts that the plan shows", "Reset the one setting you mean.")
    if node.name.lower() in _READ_BY and not _as_read_here(node):
        return _reads_otherwise(f"{verb} {node.name.lower()}")
    match node.name:
        case "role":
            return _changes_role(f"{verb} ROLE")
        case "session_authorization":
            return _changes_role(f"{verb} SESSION AUTHORIZATION")
        case "TRANSACTION" | "TRANSACTION SNAPSHOT" | "SESSION CHARACTERISTICS":
            return _controls(f"SET {node.name}")
    return None


def _discard(_: pg.DiscardStmt) -> Refusal:
    return Refusal("DISCARD", "would let go of the lock that keeps other runs out", "Remove it.")


def _copy(node: pg.CopyStmt) -> Refusal | None:
    if node.is_program:
        because = "would run a program on the database's server, which no backup undoes"
        return Refusal(f"COPY {'FROM' if node.is_from else 'TO'} PROGRAM", because, "Remove it.")
    if node.filename:
        return None
    if node.is_from:
        return Refusal("COPY FROM stdin", "has nothing to read from here", "Write the rows as INSERT statements.")
    return Refusal("COPY TO stdout", "has nobody to write to here", "Remove it.")


def _call(node: Any) -> Refusal | None:
    # Printing a tree is quick in C, walking it in Python is not; few statements call such functions.
    printed = str(node)
    if "advisory" not in printed and "set_config" not in printed:
        return None
    return next(filter(None, map(_called, postgast.find_nodes(node, pg.FuncCall))), None)


def _called(call: pg.FuncCall) -> Refusal | None:
    name = call.funcname[-1].string.sval
    if "_advisory_" in name and "_xact_" not in name:
        return Refusal(
            f"{name}()",
            "takes or frees locks that outlive the migration, ours among them",
            "Use pg_advisory_xact_lock(), which ends with the transaction.",
        )
    setting = call.args[0].a_const.sval.sval.lower() if name == "set_config" else None
    if setting in {"lock_timeout", "statement_timeout"}:
        return Refusal("set_config()", "could lift the timeouts that the plan shows", "Say SET, which is read.")
    return _reads_otherwise("set_config()") if setting in _READ_BY else None


def _named(statement: str) -> Judge:
    return lambda _: _by_hand(statement)


_BY_KIND: Mapping[str, Judge] = {
    "alter_database_stmt": _alter_database,
    "alter_subscription_stmt": _named("ALTER SUBSCRIPTION"),
    "alter_system_stmt": _named("ALTER SYSTEM"),
    "alter_table_stmt": _alter_table,
    "cluster_stmt": _cluster,
    "copy_stmt": _copy,
    "create_subscription_stmt": _named("CREATE SUBSCRIPTION"),
    "create_table_space_stmt": _named("CREATE TABLESPACE"),
    "createdb_stmt": _named("CREATE DATABASE"),
    "discard_stmt": _discard,
    "drop_stmt": _drop,
    "drop_subscription_stmt": _named("DROP SUBSCRIPTION"),
    "drop_table_space_stmt": _named("DROP TABLESPACE"),
    "dropdb_stmt": _named("DROP DATABASE"),
    "index_stmt": _index,
    "reindex_stmt": _reindex,
    "transaction_stmt": _transaction,
    "vacuum_stmt": _vacuum,
    "variable_set_stmt": _set,
}
