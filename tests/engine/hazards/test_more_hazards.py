"""Data that would be lost and colleagues who would wait: what an approver should know, and what worries nobody."""

import pytest

from tests.engine.hazards.test_hazards import found

CASCADE = (
    "and, by CASCADE, whatever depends on it, which may be columns with their values. "
    "Drop it without CASCADE: PostgreSQL then names what depends on it."
)
BY_NAME = "Drop what you mean by its own name, a release later."
OWNED = "with every row. Give it to another role with REASSIGN OWNED, and drop what you mean by its own name."
OLD_NAME = (
    "and code that says the old name fails from then on. "
    "Release code that knows both first, or leave a view under the old name."
)
NOT_VALID = "Add it NOT VALID, and VALIDATE CONSTRAINT in a later migration."
UNREAD = (
    "no hazard is looked for inside. Read it as you would a program, or write its statements into the file themselves."
)
LOCKS = "Leave it out; each statement takes the lock it needs."


@pytest.mark.parametrize(
    ("sql", "name", "sentence"),
    [
        (
            "DELETE FROM shop.t",
            "deletes_every_row",
            "deletes every row of shop.t. Say with WHERE which rows you mean.",
        ),
        (
            "WITH gone AS (DELETE FROM t RETURNING a) INSERT INTO u SELECT a FROM gone",
            "deletes_every_row",
            "deletes every row of t. Say with WHERE which rows you mean.",
        ),
        (
            "UPDATE t SET a = 1",
            "updates_every_row",
            (
                "changes every row of t, and holds each of them until the migration ends. "
                "Say with WHERE which rows you mean, and change a large table in batches."
            ),
        ),
        (
            "DROP SCHEMA shop CASCADE",
            "drops_schema",
            f"drops the schema shop with every table and row in it. {BY_NAME}",
        ),
        ("DROP SCHEMA shop", "drops_schema", f"drops the schema shop. {BY_NAME}"),
        (
            "DROP OWNED BY CURRENT_USER",
            "drops_owned",
            f"drops everything in this database that belongs to the current role, {OWNED}",
        ),
        (
            "DROP OWNED BY ada CASCADE",
            "drops_owned",
            f"drops everything in this database that belongs to ada, {OWNED}",
        ),
        ("DROP TYPE mood CASCADE", "drops_by_cascade", f"drops a type {CASCADE}"),
        ("DROP FUNCTION f(int) CASCADE", "drops_by_cascade", f"drops a function {CASCADE}"),
        ("DROP MATERIALIZED VIEW v CASCADE", "drops_by_cascade", f"drops a materialized view {CASCADE}"),
        ("ALTER TABLE t DROP CONSTRAINT t_a_key CASCADE", "drops_by_cascade", f"drops t_a_key of t {CASCADE}"),
        ("DO $$ BEGIN DROP TABLE t; END $$", "runs_unread_code", f"is a DO block: {UNREAD}"),
        (
            "DO $$ BEGIN EXECUTE 'DROP TABLE ' || 't'; END $$",
            "runs_unread_code",
            f"is a DO block and runs statements that it puts together itself: {UNREAD}",
        ),
        (
            "LOCK TABLE t",
            "locks_table",
            f"locks t until the migration ends: whoever reads it or writes to it must wait as long. {LOCKS}",
        ),
        (
            "LOCK TABLE t IN SHARE MODE",
            "locks_table",
            f"locks t until the migration ends: whoever writes to it must wait as long. {LOCKS}",
        ),
        (
            "ALTER TABLE t ALTER c SET NOT NULL",
            "requires_value",
            (
                "requires t.c, so every row is checked while nobody can read or write the table, and one without a "
                "value fails it. First ADD CHECK (c IS NOT NULL) NOT VALID and VALIDATE it in a later migration; "
                "then this takes no time."
            ),
        ),
        (
            "ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES u",
            "checks_every_row",
            "adds a foreign key to t, and while every row of it is checked writes to it and to u wait. " + NOT_VALID,
        ),
        (
            "ALTER TABLE t ADD CHECK (a > 0)",
            "checks_every_row",
            f"adds a check to t, and while every row of it is checked nobody can read or write it. {NOT_VALID}",
        ),
        ("ALTER TABLE t RENAME TO u", "renames", f"renames the table t to u, {OLD_NAME}"),
        ("ALTER TABLE t RENAME a TO b", "renames", f"renames t.a to b, {OLD_NAME}"),
        ("ALTER VIEW v RENAME TO w", "renames", f"renames the view v to w, {OLD_NAME}"),
        ("ALTER SCHEMA s RENAME TO r", "renames", f"renames the schema s to r, {OLD_NAME}"),
    ],
)
def test_a_hazard_is_named_with_its_line_and_its_way_out(sql: str, name: str, sentence: str) -> None:
    assert found(f"SELECT 1;\n{sql}") == [(name, 2, sentence)]


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE t (a int); DELETE FROM t; UPDATE t SET a = 1; LOCK TABLE t; ALTER TABLE t RENAME a TO b",
        "CREATE TABLE t (); ALTER TABLE t ALTER a SET NOT NULL, ADD CHECK (a > 0), ADD FOREIGN KEY (a) REFERENCES u",
        "DELETE FROM t WHERE a = 1; UPDATE t SET a = 1 WHERE a = 2; SELECT * FROM t; DROP TYPE mood; DROP FUNCTION f",
        "ALTER TABLE t ADD CHECK (a > 0) NOT VALID, ADD FOREIGN KEY (a) REFERENCES u NOT VALID, VALIDATE CONSTRAINT c",
        "ALTER INDEX i RENAME TO j; ALTER TABLE t RENAME CONSTRAINT a TO b; ALTER TABLE t DROP CONSTRAINT c",
        "LOCK TABLE t IN ACCESS SHARE MODE; ALTER TABLE t ADD UNIQUE (a)",
        "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'x'; END $$",
    ],
)
def test_what_harms_nobody_is_not_named(sql: str) -> None:
    assert found(sql) == []


def test_a_column_dropped_by_cascade_is_named_twice() -> None:
    assert [name for name, *_ in found("ALTER TABLE t DROP COLUMN c CASCADE")] == ["drops_by_cascade", "drops_column"]
