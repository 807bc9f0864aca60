"""What was done is undone from the channel; of production, with two keys."""

from collections.abc import Callable

import psycopg

from tests.flows.conftest import ADA, BO, Corridor

TOWNS = "20260101000000_add_towns"


def test_a_rollback_of_production_takes_two_keys_and_is_told(begin: Callable[..., Corridor]) -> None:
    corridor = begin()
    (corridor.migrations / f"{TOWNS}.sql").write_text(
        "-- migrate:up\nCREATE TABLE towns (id bigint PRIMARY KEY);\n-- migrate:down\nDROP TABLE towns;\n"
    )
    corridor.bring_to_test()
    card = corridor.ask_for_production()
    corridor.channel.reacts(BO, card, "white_check_mark")
    corridor.channel.thread_shows(card, "4 migrations applied to production")
    corridor.channel.types(ADA, "rollback prod")
    corridor.channel.fills_in(ADA, {"environment": "production", "reason": "towns are wrong"})
    card = corridor.channel.shows("production", "rollback #5", "towns are wrong", "Takes back", TOWNS, "drops_table")
    assert len(corridor.applied("production")) == 4
    corridor.channel.reacts(ADA, card, "white_check_mark")
    corridor.channel.sees(ADA, "You asked for #5, so the second key is not yours.")
    corridor.channel.reacts(BO, card, "white_check_mark")
    corridor.channel.thread_shows(card, "1 migration taken back on production", "Backup `production-backup-")
    assert len(corridor.applied("production")) == 3
    assert TOWNS in corridor.applied("test")


def test_a_restore_of_test_brings_back_what_was_and_keeps_what_is(begin: Callable[..., Corridor]) -> None:
    corridor = begin()
    for text, environment in (("apply dev", "development"), ("promote test", "test")):
        corridor.channel.types(ADA, text)
        corridor.channel.shows(f"*{environment}* · apply", "Applied")
    corridor.channel.types(ADA, "backup test")
    corridor.channel.shows("*test* · backup #3", "Backed up")
    (file,) = corridor.ledger("SELECT body ->> 'file' FROM events WHERE kind = 'BackupKept'")[0]
    with psycopg.connect(corridor.parts.dsn["test"], autocommit=True) as conn:
        conn.execute("DROP TABLE users CASCADE")
    corridor.channel.types(ADA, "backups test")
    corridor.channel.sees(ADA, "2 backups of test, newest first.", f"✅ `{file}`")
    corridor.channel.types(ADA, f"restore test {file}")
    card = corridor.channel.shows("*test* · restore #4", "Lost to it", "Restored")
    corridor.channel.thread_shows(card, f"test is `{file}` again", "What was written since is in")
    with psycopg.connect(corridor.parts.dsn["test"], autocommit=True) as conn:
        assert conn.execute("SELECT count(*) FROM users").fetchone() == (0,)
    (kept,) = corridor.ledger("SELECT body ->> 'kept' FROM events WHERE kind = 'Restored'")[0]
    corridor.channel.types(ADA, f"discard test {kept}")
    corridor.channel.shows("*test* · discard #5", "Dropped")
