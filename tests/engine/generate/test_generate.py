"""From models to a proven migration, whole: the models in an interpreter of their own, the proof on a real server."""

from pathlib import Path

import psycopg
import pytest

from engine import generate
from engine.connection import server_name
from engine.errors import Hint
from engine.generate import Proving, Reading, Replaying
from engine.generate.command import Command
from engine.generate.declared import Models
from engine.generate.errors import CannotGenerate, CommandFailed, NoSource, NotLevel, NotProven
from tests.engine.generate.conftest import Desk
from tests.support.engine import bring, migration, real_files

ROOT = Path(__file__).parents[3]

AWKWARD = """
from sqlalchemy import *
from sqlalchemy.dialects.postgresql import ARRAY, CITEXT, ENUM, JSONB, TSTZRANGE, ExcludeConstraint

metadata = MetaData()
mood = Enum("sad", "it's 50% ok", name="mood", metadata=metadata)
numbers = Sequence("invoice_numbers", start=1000, increment=5, metadata=metadata)
people = Table(
    "people", metadata,
    Column("id", Integer, primary_key=True),
    Column("serial", BigInteger, Identity(always=True, start=100), comment="it's 100% unique"),
    Column("feels", mood, nullable=False, server_default="it's 50% ok"),
    Column("felt", ARRAY(mood)),
    Column("share", Numeric(5, 2), CheckConstraint("share % 10 = 0"), server_default=text("10")),
    Column("format", Text, server_default="%d %% of {x} :y \\\\"),
    Column("twice", Numeric, Computed("share * 2", persisted=True)),
    Column("Select", JSONB, server_default=text("'{}'::jsonb")),
    Column("invoice", BigInteger, numbers, server_default=numbers.next_value()),
    Column("boss", ForeignKey("people.id", ondelete="SET NULL", deferrable=True, initially="DEFERRED")),
    Column("during", TSTZRANGE),
    ExcludeConstraint(("during", "&&"), using="gist", name="once"),
    comment="everybody",
)
Index("by_format", func.lower(people.c.format), people.c.boss.desc(), postgresql_where=people.c.boss.isnot(None))
Index("by_select", people.c.Select, postgresql_using="gin", postgresql_ops={"Select": "jsonb_path_ops"})
Index("live", people.c.share, postgresql_concurrently=True, postgresql_include=["boss"])
Table(
    "Bill", metadata, Column("No", Integer, primary_key=True, autoincrement=False),
    Column("of", ForeignKey("people.id")), schema="Billing", postgresql_with={"fillfactor": 70}
)
"""


def test_the_sentence_without_a_source() -> None:
    assert str(NoSource()) == (
        "twokey.toml does not say what migrations are generated from. Write there: "
        '[generate] models = "models:Base", a module and its MetaData or declarative base; '
        'or command = ["…"], a command that prints SQL.'
    )


def test_the_models_of_this_repository_are_what_its_migrations_make(desk: Desk) -> None:
    bring(desk.session, real_files())
    told: list[generate.Progress] = []
    assert desk.draft(Models("models:Base", ROOT), real_files(), told=told) is None
    assert told == [Reading("models:Base"), Replaying(3)]


def test_a_new_column_is_a_migration_with_a_way_back(desk: Desk) -> None:
    bring(desk.session, real_files())
    models = (
        (ROOT / "models.py").read_text().replace("    last_seen_at:", "    city: Mapped[str | None]\n    last_seen_at:")
    )
    desk.write(models)
    told: list[generate.Progress] = []
    drawn = desk.draft(Models("shop:Base", desk.folder), real_files(), "Add the city!", told)
    assert drawn
    assert drawn.migration.file == "20261123090001_add_the_city.sql"
    up, down = "ALTER TABLE users ADD COLUMN city text;", "ALTER TABLE users DROP COLUMN city;"
    assert drawn.migration.text == f"-- migrate:up\n{up}\n\n-- migrate:down\n{down}\n"
    assert (drawn.down, drawn.reordered, drawn.hazards) == (True, (), ())
    assert told[-1] == Proving("20261123090001_add_the_city.sql")


def test_what_is_awkward_is_rendered_right_and_found_again(desk: Desk) -> None:
    drawn = desk.draft(desk.write(AWKWARD), ())
    assert drawn
    text = drawn.migration.text
    for said in (
        "CREATE TYPE mood AS ENUM ('sad', 'it''s 50% ok');",
        "CREATE SEQUENCE invoice_numbers AS bigint INCREMENT BY 5 START WITH 1000;",
        "id serial,",
        "serial bigint GENERATED ALWAYS AS IDENTITY (START WITH 100),",
        "feels mood DEFAULT 'it''s 50% ok'::mood NOT NULL,",
        "felt mood[],",
        "twice numeric GENERATED ALWAYS AS (share * 2::numeric) STORED,",
        "format text DEFAULT '%d %% of {x} :y \\'::text,",
        "\"Select\" jsonb DEFAULT '{}'::jsonb,",
        "invoice bigint DEFAULT nextval('invoice_numbers'::regclass),",
        "CONSTRAINT people_share_check CHECK ((share % 10::numeric) = 0::numeric)",
        "CONSTRAINT once EXCLUDE USING gist (during WITH &&)",
        'CREATE TABLE "Billing"."Bill" (',
        ") WITH (fillfactor=70);",
        "FOREIGN KEY (boss) REFERENCES people(id) ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED;",
        "CREATE INDEX by_format ON people USING btree (lower(format), boss DESC) WHERE boss IS NOT NULL;",
        'CREATE INDEX by_select ON people USING gin ("Select" jsonb_path_ops);',
        "CREATE INDEX live ON people USING btree (share) INCLUDE (boss);",
        "COMMENT ON TABLE people IS 'everybody';",
        "COMMENT ON COLUMN people.serial IS 'it''s 100% unique';",
    ):
        assert said in text
    bring(desk.session, [drawn.migration])
    assert desk.draft(desk.write(AWKWARD), [drawn.migration]) is None
    changed = AWKWARD.replace('"sad", ', '"sad", "so so", ').replace("share * 2", "share * 3").replace("% 10", "% 5")
    second = desk.draft(desk.write(changed), [drawn.migration], "second")
    assert second
    assert "ALTER TYPE mood ADD VALUE 'so so' AFTER 'sad';" in second.migration.text
    assert "schema_migrations" not in text + second.migration.text


def test_what_models_do_not_know_is_left_alone(desk: Desk) -> None:
    by_hand = migration(
        "20250819090000_by_hand",
        "CREATE TABLE t (a int); CREATE VIEW v AS SELECT a FROM t; CREATE SCHEMA shop; CREATE TABLE shop.t (a int);"
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
        "CREATE TRIGGER g AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION f(); ALTER TABLE t ENABLE ROW LEVEL SECURITY;"
        "CREATE POLICY p ON t USING (a > 1); CREATE RULE r AS ON DELETE TO t DO INSTEAD NOTHING",
    )
    bring(desk.session, [by_hand])
    models = "from sqlalchemy import *\nmetadata = MetaData()\nTable('t', metadata, Column('a', Integer))"
    assert desk.draft(desk.write(models), [by_hand]) is None
    with pytest.raises(NotProven) as caught:
        desk.draft(desk.write(models.replace("'a', Integer", "'b', Integer")), [by_hand])
    assert str(caught.value).startswith(
        "What was generated could not be proven, so nothing was written. "
        "20261123090001_a_change.sql:3 failed on scratch (2BP01): cannot drop column a of table t because "
        "other objects depend on it."
    )
    # Else what was read first would be what is read, where both were written within one second.
    assert list(desk.folder.rglob("__pycache__")) == []


def test_a_column_that_went_from_the_middle_comes_back_at_the_end_and_that_is_said(desk: Desk) -> None:
    made = migration("20250819090000_t", "CREATE TABLE t (a int, b int, c int)")
    bring(desk.session, [made])
    models = (
        "from sqlalchemy import *\nmetadata = MetaData()\nTable('t', metadata, *(Column(n, Integer) for n in 'ac'))"
    )
    drawn = desk.draft(desk.write(models), [made])
    assert drawn
    assert drawn.reordered == ("t",)
    assert [hazard.name for hazard in drawn.hazards] == ["drops_column"]


@pytest.mark.parametrize(
    ("before", "models", "sentence"),
    [
        (
            "CREATE TYPE mood AS ENUM ('sad'); CREATE TABLE t (m mood)",
            "Table('t', metadata, Column('m', Enum('sad', 'ok', name='mood'), server_default='ok'))",
            (
                "What was generated could not be proven, so nothing was written. "
                "20261123090001_a_change.sql:3 failed on scratch (55P04): unsafe use of new value … of enum type mood. "
                "It was rolled back whole."
            ),
        ),
        (
            "CREATE UNLOGGED TABLE t (a int)",
            "Table('t', metadata, Column('a', Integer))",
            (
                "This cannot be generated: table t is stored UNLOGGED and would be as usual. "
                "Write a migration for it by hand, apply it, then generate again."
            ),
        ),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(desk: Desk, before: str, models: str, sentence: str) -> None:
    made = migration("20250819090000_t", before)
    bring(desk.session, [made])
    with pytest.raises((NotProven, CannotGenerate)) as caught:
        desk.draft(desk.write(f"from sqlalchemy import *\nmetadata = MetaData()\n{models}"), [made])
    assert str(caught.value) == sentence


def test_nothing_is_generated_while_the_first_environment_is_not_level(desk: Desk) -> None:
    bring(desk.session, real_files()[:1])
    models = Models("models:Base", ROOT)
    with pytest.raises(NotLevel) as caught:
        desk.draft(models, real_files())
    assert str(caught.value) == (
        "Nothing is generated while development is not as the folder makes it. It has not run "
        "20250818140001_add_user_columns.sql, 20250818150001_create_audit_table.sql yet."
    )
    assert caught.value.hint == Hint("Run it first", "apply development")
    edited = migration(real_files()[0].id, "SELECT 1")
    with pytest.raises(NotLevel, match=f"{edited.file} changed after development applied it") as changed:
        desk.draft(models, [edited])
    assert changed.value.hint == Hint("See what changed", "repair development")
    desk.session.conn.execute("CREATE INDEX by_hand ON users (created_at)")
    with pytest.raises(NotLevel) as caught:
        desk.draft(models, real_files()[:1])
    assert str(caught.value) == (
        "Nothing is generated while development is not as the folder makes it. It has drifted: its schema is another "
        "than its migrations make."
    )
    assert caught.value.hint == Hint("See what differs", "validate")


def test_a_history_elsewhere_cannot_be_compared(desk: Desk) -> None:
    desk.session.conn.execute("CREATE SCHEMA shop; SET search_path = shop")
    with pytest.raises(NotLevel) as caught:
        desk.draft(Models("models:Base", ROOT), ())
    server = server_name(desk.session.server)
    assert str(caught.value) == (
        "Nothing is generated while development is not as the folder makes it. Whether it is cannot be told: it is "
        f"PostgreSQL {server} with its history in shop, the scratch server PostgreSQL {server} with it in public."
    )


def says(desk: Desk, script: str) -> Command:
    return Command(("/bin/sh", "-c", script), desk.folder, {"PATH": "/usr/bin:/bin"})


def test_any_command_that_prints_sql_may_generate(desk: Desk) -> None:
    bring(desk.session, real_files())
    drawn = desk.draft(says(desk, "echo 'CREATE TABLE towns (id int);'"), real_files())
    assert drawn
    assert (drawn.migration.text, drawn.down) == ("CREATE TABLE towns (id int);\n", False)
    both = "printf -- '-- migrate:up\\nCREATE TABLE towns (id int);\\n-- migrate:down\\nDROP TABLE towns;\\n'"
    drawn = desk.draft(says(desk, both), real_files())
    assert drawn
    assert drawn.down
    assert desk.draft(says(desk, "echo '-- no change'"), real_files()) is None


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        (
            "exit 3",
            "The command /bin/sh, from [generate] in twokey.toml, ended with code 3. Run it by hand to see why.",
        ),
        (
            "printf '\\377'",
            (
                "The command /bin/sh, from [generate] in twokey.toml, printed what is not UTF-8. "
                "Run it by hand to see why."
            ),
        ),
        (
            "printf -- '-- migrate:up\\nCREATE TABLE a ();\\n-- migrate:down\\nSELECT 1;\\n'",
            (
                "What was generated could not be proven, so nothing was written. "
                "Its way down does not lead back to the schema that was: DROP TABLE a."
            ),
        ),
        (
            "echo 'CREATE TABLE users ();'",
            (
                "What was generated could not be proven, so nothing was written. "
                '20261123090001_a_change.sql:1 failed on scratch (42P07): relation "users" already exists. '
                "It was rolled back whole."
            ),
        ),
    ],
)
def test_a_command_that_fails_is_named(desk: Desk, script: str, sentence: str) -> None:
    bring(desk.session, real_files())
    with pytest.raises((CommandFailed, NotProven)) as caught:
        desk.draft(says(desk, script), real_files())
    assert str(caught.value) == sentence


def test_a_command_that_is_not_there_is_named(desk: Desk) -> None:
    with pytest.raises(CommandFailed) as caught:
        desk.draft(Command(("nowhere",), desk.folder, {"PATH": ""}), ())
    assert str(caught.value) == (
        "The command nowhere, from [generate] in twokey.toml, could not be started. Run it by hand to see why."
    )


def test_no_scratch_database_stays(desk: Desk, postmaster: psycopg.Connection) -> None:
    desk.draft(says(desk, "echo 'SELECT 1;'"), ())
    assert postmaster.execute("SELECT FROM pg_database WHERE datname LIKE 'twokey_scratch%'").fetchall() == []
