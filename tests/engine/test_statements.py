"""What a file may hold is judged by PostgreSQL's own parser before anything runs."""

import pickle

import pytest

from engine import statements
from engine.statements import Forbidden, SyntaxFault
from tests.support.engine import migration, real_files

X = "20250818130001_x"
ALONE = "cannot run inside a transaction"
OPTION = "Begin the file with `-- migrate:up transaction:false`, with nothing else in it"
SHARED = "would end or change the transaction that the migration and its history row share. Remove it."
BY_HAND = "It is the server's affair and not this database's: run it by hand, outside a migration."


@pytest.mark.parametrize(
    ("sql", "sentence"),
    [
        (
            "CREATE INDEX CONCURRENTLY i ON t (a)",
            (
                f"CREATE INDEX CONCURRENTLY {ALONE}. "
                f"{OPTION}, or build it without CONCURRENTLY while the table is quiet."
            ),
        ),
        ("DROP INDEX CONCURRENTLY i", f"DROP INDEX CONCURRENTLY {ALONE}. {OPTION}, or drop it without CONCURRENTLY."),
        ("REINDEX INDEX CONCURRENTLY i", f"REINDEX CONCURRENTLY {ALONE}. {OPTION}."),
        ("REINDEX (CONCURRENTLY) TABLE t", f"REINDEX CONCURRENTLY {ALONE}. {OPTION}."),
        ("REINDEX SCHEMA public", f"REINDEX SCHEMA {ALONE}. {OPTION}."),
        ("REINDEX DATABASE shop", f"REINDEX DATABASE {ALONE}. {OPTION}."),
        ("REINDEX SYSTEM shop", f"REINDEX SYSTEM {ALONE}. {OPTION}."),
        ("VACUUM t", f"VACUUM {ALONE}. {OPTION}."),
        ("CREATE DATABASE d", f"CREATE DATABASE {ALONE}. {BY_HAND}"),
        ("DROP DATABASE d", f"DROP DATABASE {ALONE}. {BY_HAND}"),
        ("ALTER DATABASE d SET TABLESPACE s", f"ALTER DATABASE SET TABLESPACE {ALONE}. {BY_HAND}"),
        ("ALTER SYSTEM SET work_mem = '1GB'", f"ALTER SYSTEM {ALONE}. {BY_HAND}"),
        ("CREATE TABLESPACE s LOCATION '/s'", f"CREATE TABLESPACE {ALONE}. {BY_HAND}"),
        ("DROP TABLESPACE s", f"DROP TABLESPACE {ALONE}. {BY_HAND}"),
        ("CREATE SUBSCRIPTION s CONNECTION '' PUBLICATION p", f"CREATE SUBSCRIPTION {ALONE}. {BY_HAND}"),
        ("ALTER SUBSCRIPTION s REFRESH PUBLICATION", f"ALTER SUBSCRIPTION {ALONE}. {BY_HAND}"),
        ("DROP SUBSCRIPTION s", f"DROP SUBSCRIPTION {ALONE}. {BY_HAND}"),
        ("CLUSTER", f"CLUSTER of all tables {ALONE}. {OPTION}, or name one table."),
        (
            "ALTER TABLE t DETACH PARTITION p CONCURRENTLY",
            f"DETACH PARTITION CONCURRENTLY {ALONE}. {OPTION}, or detach it without CONCURRENTLY.",
        ),
        *(
            (words, f"{words.split(' x')[0]} {SHARED}")
            for words in (
                "BEGIN",
                "START TRANSACTION",
                "COMMIT",
                "ROLLBACK",
                "SAVEPOINT x",
                "RELEASE SAVEPOINT x",
                "ROLLBACK TO SAVEPOINT x",
            )
        ),
        ("PREPARE TRANSACTION 'x'", f"PREPARE TRANSACTION {SHARED}"),
        ("COMMIT PREPARED 'x'", f"COMMIT PREPARED {SHARED}"),
        ("ROLLBACK PREPARED 'x'", f"ROLLBACK PREPARED {SHARED}"),
        ("SET TRANSACTION READ ONLY", f"SET TRANSACTION {SHARED}"),
        ("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", f"SET SESSION CHARACTERISTICS {SHARED}"),
        *(
            (
                words,
                (
                    f"{words.removesuffix(' x').replace('LOCAL ', '')} would run the rest, "
                    "and our bookkeeping, as somebody else. Remove it; give objects away with ALTER … OWNER TO."
                ),
            )
            for words in ("SET ROLE x", "SET LOCAL ROLE x", "RESET ROLE", "SET SESSION AUTHORIZATION x")
        ),
        ("RESET ALL", "RESET ALL would lift the timeouts that the plan shows. Reset the one setting you mean."),
        ("DISCARD ALL", "DISCARD would let go of the lock that keeps other runs out. Remove it."),
        ("COPY t FROM stdin", "COPY FROM stdin has nothing to read from here. Write the rows as INSERT statements."),
        ("COPY t TO stdout", "COPY TO stdout has nobody to write to here. Remove it."),
        (
            "COPY t TO PROGRAM 'curl x'",
            "COPY TO PROGRAM would run a program on the database's server, which no backup undoes. Remove it.",
        ),
        (
            "COPY t FROM PROGRAM 'curl x'",
            "COPY FROM PROGRAM would run a program on the database's server, which no backup undoes. Remove it.",
        ),
        *(
            (
                words,
                (
                    f"{named} could have the server read the rest otherwise than people and these checks do. "
                    "Remove it: a migration is UTF-8, and a backslash escapes in E'…' alone."
                ),
            )
            for words, named in (
                ("SET client_encoding = 'SJIS'", "SET client_encoding"),
                ("SET LOCAL Client_Encoding TO sjis", "SET client_encoding"),
                ("SET NAMES 'GBK'", "SET client_encoding"),
                ("RESET client_encoding", "RESET client_encoding"),
                ("SET standard_conforming_strings = off", "SET standard_conforming_strings"),
                ("SET standard_conforming_strings TO DEFAULT", "SET standard_conforming_strings"),
                ("SET backslash_quote = on", "SET backslash_quote"),
                ("SELECT set_config('Client_Encoding', 'SJIS', true)", "set_config()"),
            )
        ),
        (
            "SELECT set_config('lock_timeout', '0', false)",
            "set_config() could lift the timeouts that the plan shows. Say SET, which is read.",
        ),
        (
            "SELECT 1 WHERE pg_catalog.pg_advisory_unlock(1)",
            (
                "pg_advisory_unlock() takes or frees locks that outlive the migration, ours among them. "
                "Use pg_advisory_xact_lock(), which ends with the transaction."
            ),
        ),
    ],
)
def test_what_cannot_run_under_our_transaction_and_lock_is_refused_by_name(sql: str, sentence: str) -> None:
    with pytest.raises(Forbidden) as caught:
        statements.parse(migration(X, f"SELECT 1;\n-- é\n\n{sql};"))
    assert str(caught.value) == f"{X}.sql:4: {sentence}"
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_what_pg_dump_says_of_how_it_is_read_is_no_harm() -> None:
    said = "SET client_encoding = 'UTF8';\nSET standard_conforming_strings = on;\nSET client_encoding TO utf8;"
    statements.parse(migration(X, said))


@pytest.mark.parametrize(
    ("sql", "line", "column", "message"),
    [
        ("SELECT 1;\n  é SELEC 2", 2, 3, 'syntax error at or near "é"'),
        ("SELECT 'é' FRM t, u", 1, 15, 'syntax error at or near "t"'),
        ("SELECT 'secret' 'x'", 1, 17, "syntax error at or near …"),
        ("SELECT 'secret", 1, 8, "unterminated quoted string at or near …"),
        ("SELECT $$secret", 1, 8, "unterminated dollar-quoted string at or near …"),
        ("CREATE TABLE t (a int, 4711 int)", 1, 24, "syntax error at or near …"),
        ("CREATE TABLE t (", 1, 17, "syntax error at end of input"),
        ("\\set x 1", 1, 1, 'syntax error at or near "\\"'),
    ],
)
def test_a_syntax_error_is_placed_and_its_literals_are_masked(sql: str, line: int, column: int, message: str) -> None:
    with pytest.raises(SyntaxFault) as caught:
        statements.parse(migration(X, sql))
    assert str(caught.value) == (
        f"{X}.sql:{line}:{column} is not SQL that PostgreSQL understands (42601): {message}. "
        "Correct the file; nothing was run."
    )
    assert caught.value.__suppress_context__


def test_the_parser_and_no_semicolon_divides_a_text() -> None:
    text = """
CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END;
/* a; /* b; */ c; */ DO $body$ BEGIN PERFORM ';'; END $body$;

SELECT ';' -- ;
;
ALTER TYPE mood ADD VALUE 'fine'; SELECT pg_advisory_xact_lock(1); SET search_path = x; COPY t TO '/tmp/t'
"""
    found = statements.parse(migration(X, text))
    assert [(one.kind, one.line) for one in found] == [
        ("create_function_stmt", 2),
        ("do_stmt", 3),
        ("select_stmt", 5),
        ("alter_enum_stmt", 7),
        ("select_stmt", 7),
        ("variable_set_stmt", 7),
        ("copy_stmt", 7),
    ]


def test_the_files_of_this_repository_may_run() -> None:
    assert [len(statements.parse(file)) for file in real_files()] == [1, 1, 4]
