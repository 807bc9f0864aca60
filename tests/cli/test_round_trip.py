"""lint --round-trip, and what check says of it."""

import pytest

from tests.cli.conftest import COLUMNS, OURS, USERS, Shell

WAYS = "-- migrate:up\n{}\n-- migrate:down\n{}\n"


@pytest.fixture
def scratched(shell: Shell) -> Shell:
    """A shell with a scratch server."""
    shell.workflow(OURS.replace("[scratch]\n", "[scratch]\non_protected_server = true\n"))
    shell.export("SCRATCH_DATABASE_URL", shell.dsn["development"])
    return shell


def test_each_migration_is_told_by_its_class(scratched: Shell) -> None:
    scratched.write(COLUMNS, WAYS.format("ALTER TABLE users ADD email text;", "ALTER TABLE users DROP email;"))
    scratched.write("20250818150000_indexed", WAYS.format("CREATE INDEX i ON users (id);", "DROP INDEX i;"))
    said = scratched("lint", "--round-trip")
    assert (said.code, said.out) == (
        0,
        (
            f"{USERS}.sql: irreversible: it has no `-- migrate:down` section\n"
            f"{COLUMNS}.sql: its way back loses the values of public.users.email\n"
            "20250818150000_indexed.sql: lossless\n"
            "3 migrations: 1 lossless, 1 loses, 1 irreversible, 0 broken.\n"
        ),
    )
    assert scratched("lint", "--round-trip", "--strict").code == 1


def test_a_broken_way_back_exits_1_and_names_the_objects(scratched: Shell) -> None:
    scratched.write(
        COLUMNS, WAYS.format("ALTER TABLE users ADD email text, ADD age int;", "ALTER TABLE users DROP email;")
    )
    scratched.write("20250818150000_odd", WAYS.format("CREATE TABLE t (a text NOT NULL CHECK (a = 'x'));", "SELECT 1;"))
    said = scratched("lint", "--round-trip")
    assert said.code == 1
    assert (
        f'{COLUMNS}.sql: its way back is none\n  {COLUMNS}.sql failed on its way up (42701): column "age"' in said.out
    )
    assert "public.t took no row (23514), so what a way back does to its rows is not known.\n" in said.out
    scratched.write(COLUMNS, WAYS.format("ALTER TABLE users ALTER id TYPE int;", "SELECT 1;"))
    said = scratched("lint", "--round-trip")
    assert (
        f"{COLUMNS}.sql: its way back is none\n"
        "  column public.users.id is integer not null, there it is bigint not null\n"
        "  After up and down the schema is not what it was (there).\n"
    ) in said.out
    body = scratched("lint", "--round-trip", "--json").body
    assert body["question"] == "round trip"
    assert [one["verdict"] for one in body["migrations"]] == ["irreversible", "broken", "broken"]
    assert body["migrations"][1].keys() == {"id", "verdict", "loses", "why", "differences"}
    assert body["unfilled"] == [{"table": "public.t", "sqlstate": "23514"}]


def test_a_way_down_that_no_rollback_runs_is_said_to_be_none(scratched: Shell) -> None:
    scratched.write(COLUMNS, "-- migrate:up\nSELECT 1;\n-- migrate:down transaction:false\nSELECT 1;\n")
    assert (
        f"{COLUMNS}.sql: irreversible\n  It has a way down that is not one transaction, which no rollback runs.\n"
    ) in scratched("lint", "--round-trip").out


def test_a_broken_way_back_that_loses_says_so(scratched: Shell) -> None:
    down = "TRUNCATE users; ALTER TABLE users ALTER id TYPE int;"
    scratched.write(COLUMNS, WAYS.format("ALTER TABLE users ALTER id TYPE bigint;", down))
    assert "its way back is none; it loses the rows of public.users\n" in scratched("lint", "--round-trip").out


def test_files_cannot_be_named_and_a_server_must_be(shell: Shell) -> None:
    said = shell("lint", "--round-trip", "a.sql")
    sentence = "A round trip is of the whole folder, since each migration stands on those before it. Name no file."
    assert (said.code, said.out) == (2, sentence + "\n") or (said.code, said.err) == (2, sentence + "\n")
    assert shell("lint", "--round-trip").code == 2
    shell.workflow(OURS.replace('[scratch]\ndatabase_url = { env = "SCRATCH_DATABASE_URL" }\n', ""))
    assert shell("lint", "--round-trip").code == 1


def test_check_says_whether_it_is_possible(scratched: Shell) -> None:
    assert "ok          twokey scratch: A scratch database was made and dropped again.\n" in scratched("check").out
    scratched.unset("SCRATCH_DATABASE_URL")
    said = scratched("check")
    assert said.code == 0
    assert (
        "skipped     twokey scratch: Without a scratch server there is no generate, no round trip (twokey lint "
        "--round-trip), no rehearsal (twokey plan --rehearse), and no replay of a history (twokey validate). "
        "SCRATCH_DATABASE_URL is not set; it holds the address of the scratch server."
    ) in said.out
    scratched.export("SCRATCH_DATABASE_URL", "postgresql://ada@127.0.0.1:1/nowhere")
    assert (
        "unreachable twokey scratch: scratch (127.0.0.1, database nowhere) cannot be reached" in scratched("check").out
    )
    scratched.export("SCRATCH_DATABASE_URL", scratched.dsn["development"])
    scratched.workflow(OURS)
    assert (
        "wrong       twokey scratch: No scratch database was made: its server is also that of production"
        in scratched("check").out
    )
