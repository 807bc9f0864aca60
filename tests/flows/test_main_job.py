"""The story of `make demo`, and what must be true of the databases when it has been told."""

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import urlopen

import psycopg
import pytest

from ledger import evidence
from playground import story
from playground.stack import SaidNo
from tests.flows.conftest import ADA, BO, CHANNEL, CY, Corridor

THREE = [
    "20250818130001_create_users",
    "20250818140001_add_user_columns",
    "20250818150001_create_audit_table",
]

GENERATED = """\
-- migrate:up
ALTER TABLE users ADD COLUMN phone text;

-- migrate:down
ALTER TABLE users DROP COLUMN phone;
"""


@pytest.fixture
def rehearsing(begin: Callable[..., Corridor]) -> Iterator[Corridor]:
    """A corridor whose workers know a scratch server."""
    corridor = begin()
    corridor.parts.stop("workers")
    corridor.start_workers(SCRATCH_DATABASE_URL=corridor.parts.postgres.url())
    yield corridor
    corridor.parts.stop("workers")  # the next test's know none


def test_the_story_of_the_demo_ends_as_told(rehearsing: Corridor) -> None:
    corridor = rehearsing
    story.play(corridor.channel, corridor.parts)
    development, test, production = map(corridor.applied, ("development", "test", "production"))
    assert (development, development[:4]) == (test, production)
    names = [one.partition("_")[2] for one in development[3:]]
    assert (development[:3], names) == (THREE, ["add_phone", "require_phone"])
    written = corridor.migrations / f"{development[3]}.sql"
    assert written.read_text() == GENERATED
    assert corridor.ledger("SELECT environment, act, state FROM requests ORDER BY id") == [
        ("development", "apply", "applied"),
        ("test", "apply", "applied"),
        ("test", "certify", "applied"),
        ("production", "apply", "applied"),
        ("development", "apply", "applied"),
        ("test", "apply", "applied"),
        ("test", "certify", "applied"),
        ("production", "apply", "rejected"),
        ("development", "apply", "failed"),
    ]
    stopped = "SELECT kind FROM events WHERE request_id = 8 AND kind <> 'Rehearsing' ORDER BY seq"
    assert corridor.ledger(stopped) == [("Asked",), ("Denied",)]
    with psycopg.connect(corridor.parts.dsn["production"]) as conn:
        assert conn.execute("SELECT attnotnull FROM pg_attribute WHERE attname = 'phone'").fetchall() == [(False,)]
        assert conn.execute("SELECT FROM pg_database WHERE datname LIKE 'twokey_scratch_rehearsal%'").fetchall() == []
    with pytest.raises(SaidNo) as said:
        corridor.parts.twokey("generate", "add_fax")
    assert str(said.value).startswith("`twokey generate add_fax` should have done it; it said:\n")
    assert "Nothing is generated while development is not as the folder makes it. It has not run" in str(said.value)
    # The last file was rolled back, so development is what its newest backup holds.
    source = corridor.parts.dsn["development"]
    assert dumped(corridor, restored(corridor, newest_backup(corridor))) == dumped(corridor, source)


def test_a_draft_comes_into_the_channel_and_a_history_is_set_right_with_two_keys(rehearsing: Corridor) -> None:
    corridor, channel = rehearsing, rehearsing.channel
    corridor.bring_to_test()
    models = corridor.migrations.parent / "models.py"
    models.write_text(models.read_text().replace(story.LINE, story.LINE + story.NEW_LINE))
    channel.types(ADA, "generate add-phone")
    card = channel.shows("*development* · generate #4", "It is called add_phone: ")
    channel.thread_shows(card, "_add_phone.sql` is proven up and down on a scratch database")
    assert corridor.ledger("SELECT body ->> 'text' FROM events WHERE kind = 'Generated'") == [(GENERATED,)]
    assert list(corridor.migrations.glob("*_add_phone.sql")) == []  # somebody commits it, and no worker

    with psycopg.connect(corridor.parts.dsn["production"]) as conn:
        for stem in THREE[:2]:
            conn.execute((corridor.migrations / f"{stem}.sql").read_bytes())
    turn_both_keys(corridor, f"baseline prod {THREE[1]}", "2 files written down as applied on production. Nothing ran.")
    assert corridor.applied("production") == THREE[:2]

    edited = corridor.migrations / f"{THREE[0]}.sql"
    edited.write_text(edited.read_text() + "-- Said more clearly.\n")
    channel.types(ADA, "repair prod")
    channel.sees(ADA, THREE[0], "whitespace and comments only", "Said more clearly")
    done = "1 edited file let count as it is in the folder, on production. Nothing ran."
    turn_both_keys(corridor, f"repair prod {THREE[0]}", done)
    channel.types(ADA, "repair prod")
    channel.sees(ADA, "No file changed after production applied it.")


def turn_both_keys(corridor: Corridor, words: str, done: str) -> None:
    """Ada asks, her own key counts for nothing, Bo turns the second, and the thread says what was done."""
    corridor.channel.types(ADA, words)
    corridor.channel.fills_in(ADA, {"environment": "production", "reason": f"we must {words}"})
    card = corridor.channel.shows("production", f"we must {words}", "Nothing runs")
    corridor.channel.reacts(ADA, card, "white_check_mark")
    corridor.channel.sees(ADA, "so the second key is not yours.")
    corridor.channel.reacts(BO, card, "white_check_mark")
    corridor.channel.thread_shows(card, done)


def test_the_history_table_is_exactly_the_seeds(begin: Callable[..., Corridor]) -> None:
    corridor = begin()
    corridor.channel.types(ADA, "apply dev")
    corridor.channel.shows("*development* · apply", "Applied")
    with psycopg.connect(corridor.parts.dsn["development"]) as conn:
        columns = conn.execute(
            "SELECT column_name, data_type, character_maximum_length, is_nullable, column_default"
            " FROM information_schema.columns WHERE table_name = 'schema_migrations' ORDER BY ordinal_position"
        ).fetchall()
        rows = conn.execute(
            "SELECT migration_id, name, environment,"
            " applied_at AT TIME ZONE 'UTC' BETWEEN now() - interval '1 min' AND now()"
            " FROM schema_migrations ORDER BY id"
        ).fetchall()
    assert columns == [
        ("id", "integer", None, "NO", "nextval('schema_migrations_id_seq'::regclass)"),
        ("migration_id", "character varying", 255, "NO", None),
        ("name", "character varying", 255, "NO", None),
        ("applied_at", "timestamp without time zone", None, "YES", "CURRENT_TIMESTAMP"),
        ("checksum", "character varying", 64, "NO", None),
        ("environment", "character varying", 50, "NO", None),
    ]
    assert rows == [(stem, stem.partition("_")[2], "development", True) for stem in THREE]


def test_the_backup_of_a_run_restores_into_an_empty_database_and_equals_the_source(
    begin: Callable[..., Corridor],
) -> None:
    corridor = begin()
    corridor.channel.types(ADA, "apply dev")
    corridor.channel.shows("*development* · apply", "Applied")
    with psycopg.connect(corridor.parts.dsn["development"]) as conn:
        conn.execute("INSERT INTO users (email) SELECT 'person' || n || '@example.org' FROM generate_series(1, 50) n")
    before = dumped(corridor, corridor.parts.dsn["development"])
    (corridor.migrations / "20250820100000_add_towns.sql").write_text("CREATE TABLE towns (id bigint PRIMARY KEY);")
    corridor.channel.types(ADA, "apply dev")
    corridor.slack.wait_for(lambda: "20250820100000_add_towns" in corridor.applied("development"), timeout=20)
    backup = newest_backup(corridor)
    assert re.fullmatch(r"development-backup-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d(-\d+)?\.sql", backup.name)
    assert backup.stat().st_mode & 0o777 == 0o600
    assert dumped(corridor, restored(corridor, backup)) == before


def newest_backup(corridor: Corridor) -> Path:
    """Development's."""
    backups = corridor.migrations.glob("schema-backups/development-backup-*.sql")
    return max(backups, key=lambda file: file.stat().st_mtime)


def restored(corridor: Corridor, backup: Path) -> str:
    """A database that psql made of a backup alone."""
    url = corridor.parts.postgres.create(f"{backup.stem}-restored")
    psql = [corridor.parts.postgres.programs / "psql", "--quiet", "--no-psqlrc", "--set", "ON_ERROR_STOP=1"]
    subprocess.run([*psql, "--dbname", url, "--file", backup], check=True, capture_output=True)
    return url


def dumped(corridor: Corridor, url: str) -> list[str]:
    """Everything in a database as pg_dump tells it, without the marks that differ from dump to dump.

    And without the tallies: a run leaves its own at its end, after its backup.
    """
    program = corridor.parts.postgres.programs / "pg_dump"
    command = [program, "--exclude-table", "twokey_tallies", "--dbname", url]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [line for line in told.splitlines() if not line.startswith(("\\restrict", "\\unrestrict"))]


def enclosed(corridor: Corridor, card: dict[str, object], words: str) -> str:
    """What stands in the file under the card that has these words above it."""
    reply = corridor.channel.thread_shows(card, words)
    with urlopen(reply["files"][0]["url_private"]) as answer:
        return answer.read().decode()


def test_the_card_waits_for_the_second_key_and_the_channel_keeps_the_whole_story(
    begin: Callable[..., Corridor],
) -> None:
    corridor = begin()
    corridor.bring_to_test()
    card = corridor.ask_for_production("the release needs it")
    assert corridor.applied("production") == []
    read = enclosed(corridor, card, "The SQL of #4 as it is frozen, 3 migrations.")
    assert all((corridor.migrations / f"{name}.sql").read_text() in read for name in THREE)
    corridor.channel.reacts(BO, card, "white_check_mark")
    done = corridor.channel.thread_shows(card, "3 migrations applied to production", "Ada")
    assert corridor.applied("production") == THREE
    kinds = [row[0] for row in corridor.ledger("SELECT kind FROM events WHERE request_id = 4 ORDER BY seq")]
    assert kinds == [
        "Asked",
        "Planned",
        "Approved",
        "Ready",
        "Witnessed",
        "Started",
        "BackedUp",
        *["MigrationApplied"] * 3,
        "Compared",
        "Applied",
    ]
    assert done["thread_ts"] == card["ts"]
    corridor.channel.types(CY, "export 4", "The evidence of #4 will stand in")
    read = evidence.read(enclosed(corridor, card, "The evidence of #4, for Cy Observer."))
    assert evidence.verify(read).breaches == ()
    assert len([m for m in corridor.slack.messages(CHANNEL) if "production" in str(m)]) == 2  # certify's, and the card


def test_production_gets_exactly_what_was_certified(begin: Callable[..., Corridor]) -> None:
    corridor = begin()
    corridor.bring_to_test()
    (corridor.migrations / "20250820100000_add_towns.sql").write_text("CREATE TABLE towns (id bigint PRIMARY KEY);")
    for text, environment in (("apply dev", "development"), ("promote test", "test")):
        corridor.channel.types(ADA, text)
        corridor.slack.wait_for(lambda e=environment: len(corridor.applied(e)) == 4, timeout=20)
    card = corridor.ask_for_production()
    corridor.channel.shows("production", "Stays pending", "20250820100000_add_towns")
    corridor.channel.reacts(BO, card, "white_check_mark")
    corridor.skip_the_delay()
    corridor.channel.thread_shows(card, "3 migrations applied to production")
    assert len(corridor.applied("production")) == 3
