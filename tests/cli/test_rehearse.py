"""plan --rehearse, in words and as JSON."""

import re
from dataclasses import replace

import pytest

from cli import rehearsal_words
from engine.rehearsal.forecast import Forecast
from engine.rehearsal.receipt import Lock, Receipt
from engine.rehearsal.traffic import Hindrance, Replica
from engine.roundtrip import Trip
from tests.cli.conftest import COLUMNS, OURS, USERS, Shell
from tests.engine.rehearsal.test_receipt import seen

WAYS = "-- migrate:up\n{}\n-- migrate:down\n{}\n"


@pytest.fixture
def scratched(shell: Shell) -> Shell:
    """A shell with a scratch server, and with the first migration and two rows on development."""
    shell.workflow(OURS.replace("[scratch]\n", "[scratch]\non_protected_server = true\n"))
    shell.export("SCRATCH_DATABASE_URL", shell.dsn["development"])
    (shell.folder / "migrations" / f"{COLUMNS}.sql").unlink()
    shell.bring("development")
    shell.sql("development", "INSERT INTO users VALUES (1), (2); CREATE TABLE other (a) AS SELECT 1")
    return shell


def figures_gone(said: str) -> str:
    """The same with every duration and size as a letter."""
    said = re.sub(r"[\d.,]+ s\b", "N s", said)
    return re.sub(r"[\d.,]+ (bytes|MB)", "SIZE", said)


def test_what_an_approver_reads_first_stands_in_five_lines(scratched: Shell) -> None:
    up = "ALTER TABLE users ALTER id TYPE int, ADD email text;\nUPDATE users SET email = 'x';"
    scratched.write(COLUMNS, WAYS.format(up, "ALTER TABLE users ALTER id TYPE bigint, DROP email;"))
    said = scratched("plan", "development", "--rehearse")
    assert said.code == 0
    told = figures_gone(said.out)
    assert f"[1/1] {COLUMNS}.sql ran on the copy in N s\nTrying the way back on the copy …\n" in told
    assert re.sub(
        r"development-backup-\S+\.sql", "BACKUP", told.partition("Run it: twokey apply development\n")[2]
    ) == (
        "Rehearsed on a copy from BACKUP:\n"
        "  works   1 migration, 2 statements; the backup restores\n"
        "  takes   N s, SIZE of WAL; a restore N s for SIZE\n"
        "  locks   public.users ACCESS EXCLUSIVE for N s, public.users_pkey ACCESS EXCLUSIVE for N s\n"
        "  changes public.users 2 rows, public.users written anew\n"
        "  undo    loses the values of public.users.email, in N s\n"
        "It ran as it would on development, which was not touched. The copy is gone.\n"
        "With the traffic of the last N s about 0 queries would wait, N s at most.\n"
        f"  {COLUMNS}.sql, N s\n"
        "    line 2: ALTER TABLE, N s, SIZE of WAL, writes public.users anew\n"
        "    line 3: UPDATE, N s, 2 rows, SIZE of WAL\n"
    )
    assert scratched.sql("development", "SELECT count(*) FROM users") == [(2,)]


def test_rows_that_change_unnamed_and_what_is_left_unsound_are_noted(scratched: Shell) -> None:
    scratched.write(COLUMNS, "DO $$BEGIN DELETE FROM other; END$$; ALTER TABLE users ADD CHECK (id > 0) NOT VALID;")
    said = scratched("plan", "development", "--rehearse")
    assert "  NOTE    rows of public.other change, and the plan does not name them\n" in said.out
    assert "  NOTE    the constraint users_id_check on public.users is left not validated\n" in said.out
    assert f"  undo    irreversible: {COLUMNS}.sql has no way down\n" in said.out
    body = scratched("plan", "development", "--rehearse", "--json").body
    assert body.keys() == {"question", "environment", "plan", "refusal", "receipt", "hash", "undo", "forecast"}
    assert (body["plan"]["receipt"], body["undo"]) == (body["hash"], "irreversible")


def test_a_plan_that_fails_exits_1_and_says_where(scratched: Shell) -> None:
    scratched.write(COLUMNS, "SELECT 1;\nALTER TABLE users ADD email text NOT NULL;\n")
    said = scratched("plan", "development", "--rehearse", "--json")
    assert said.code == 1
    assert said.body["refusal"].startswith(f"{COLUMNS}.sql:2, statement 2 of 2, failed in rehearsal on a copy of dev")
    scratched.unset("SCRATCH_DATABASE_URL")
    assert scratched("plan", "development", "--rehearse").code == 2


def test_a_plan_that_fails_names_the_way_back_where_its_file_has_run(scratched: Shell) -> None:
    scratched.write(COLUMNS, "ALTER TABLE users ADD email text NOT NULL;\n")
    scratched.sql("development", "DELETE FROM users")
    assert scratched("apply", "dev").code == 0
    newest = scratched("backups", "dev", "--json").body["backups"][0]["file"]
    scratched.sql("test", "CREATE TABLE users (id bigint PRIMARY KEY); INSERT INTO users VALUES (1)")
    assert scratched("baseline", "test", USERS).code == 0
    said = scratched("plan", "test", "--rehearse")
    assert said.code == 1
    assert said.out.endswith(f"that the two differ. To type: twokey restore development {newest}\n")


def test_nothing_to_plan_is_nothing_to_rehearse(scratched: Shell) -> None:
    assert scratched("plan", "development", "--rehearse").code == 0


def test_who_is_in_the_way_and_which_replica_is_behind_is_said() -> None:
    dump = Hindrance("dump", 7, "backup", 90.0, ("public.users",))
    silent, behind = Replica("north", None, None), Replica("south", 12_300_000, None)
    shown = rehearsal_words._forecast(Forecast(1, 2.5, 30.0, (), (dump,), (silent, behind)))
    assert ["".join(span.text for span in line) for line in shown] == [
        "With the traffic of the last 30 s about 1 query would wait, 2.50 s at most.",
        "  in the way: dump (pid 7, role backup for 90 s, holds public.users)",
        "  the replica north does not say how far it is behind",
        "  the replica south is 12.3 MB behind",
    ]


def short(receipt: Receipt) -> list[str]:
    return ["".join(span.text for span in line) for line in rehearsal_words._short(receipt)]


def test_what_is_wanting_and_what_is_left_stands_in_the_same_lines() -> None:
    assert short(seen())[3:] == [
        "  locks   nothing that bars reads or writes",
        "  changes public.users 3 rows, public.users written anew",
        "  undo    loses the rows of public.users, in 0.10 s",
        "  NOTE    the index public.i is left invalid",
        "It ran as it would on production, which was not touched. The copy is gone.",
    ]
    sample = short(seen(extent="schema", files=(), trips=(), undo_seconds=12.0, invalid=()))
    assert sample[0] == "Rehearsed on a copy from production-backup.sql, schema and a sample of the rows:"
    assert sample[3:6] == [
        "  locks   nothing that bars reads or writes",
        "  changes no rows",
        "  undo    lossless, in 12 s",
    ]
    broken = Trip("20250818130001_x", "broken", why="20250818130001_x.sql:9 is refused.")
    assert short(seen(trips=(broken,)))[5] == "  undo    broken: 20250818130001_x.sql:9 is refused."


def test_of_many_locks_the_longest_of_each_relation_are_named() -> None:
    one = seen().files[0]
    locks = tuple(Lock(f"public.t{n}", "SHARE", 1, 0.0, n / 10) for n in range(7))
    many = seen(files=(replace(one, locks=(*locks, Lock("public.t6", "ACCESS EXCLUSIVE", 1, 0.0, 0.05))),))
    assert short(many)[3] == (
        "  locks   public.t6 SHARE for 0.60 s, public.t5 SHARE for 0.50 s, public.t4 SHARE for 0.40 s, "
        "public.t3 SHARE for 0.30 s and 3 more"
    )
