"""The main job as one story: from development to test to production, with two keys, and one file that fails."""

import subprocess

import psycopg

from playground.stack import Stack
from playground.transcript import Message, Transcript, WentOtherwise

CHANNEL = "C0MIGRATE"
ADA, BO = "U0ENGINEER", "U0APPROVER"
LAST = "20250818150001_create_audit_table"


def play(channel: Transcript, parts: Stack) -> None:
    """Play every act; raises WentOtherwise at the first that does not end as it should."""
    look_around(channel)
    apply_to_development(channel)
    promote_to_test(channel)
    ask_for_production(channel)
    compare(channel)
    prove_the_backup(channel, parts)
    stumble(channel, parts)


def look_around(channel: Transcript) -> None:
    """Ada looks before anything ran."""
    channel.heading("Three environments, three files, nothing applied")
    channel.types(ADA, "status")
    channel.sees(ADA, "development", "test", "production", "create_audit_table", "3 pending")


def apply_to_development(channel: Transcript) -> None:
    """The first environment takes what is pending; production does not skip the row."""
    channel.heading("Development first")
    channel.types(ADA, "apply dev")
    channel.shows("*development* · apply", "Applied")
    channel.types(ADA, "promote prod", "test is not certified, and production gets what was certified there.")


def promote_to_test(channel: Transcript) -> None:
    """Test gets what development has, and a person certifies it."""
    channel.heading("Then test, and somebody tests it")
    channel.types(ADA, "promote test")
    channel.shows("*test* · apply", "Applied")
    channel.types(ADA, "certify test the sign-up flow works on staging")
    channel.shows("*test* · certify", "certified 3 migrations")


def ask_for_production(channel: Transcript) -> None:
    """One key asks, a second one turns."""
    channel.heading("Production turns with two keys")
    card = ask(channel)
    channel.reacts(ADA, card, "white_check_mark")
    channel.sees(ADA, "the second key is not yours")
    channel.reacts(BO, card, "white_check_mark")
    channel.shows("production", "Approved")
    channel.shows("*production*", "✅ Applied")
    channel.thread_shows(card, "applied to production")


def ask(channel: Transcript) -> Message:
    """Ada types production's name and a reason; gives the card that waits for the second key."""
    channel.types(ADA, "apply prod")
    channel.fills_in(ADA, {"environment": "production", "reason": "sign-up needs the new columns"})
    return channel.shows("production", "sign-up needs the new columns", LAST)


def compare(channel: Transcript) -> None:
    """All three are the same."""
    channel.heading("All three side by side")
    channel.types(BO, "validate")
    channel.sees(BO, "The environments are consistent.")


def prove_the_backup(channel: Transcript, parts: Stack) -> None:
    """The backup taken before the run on production restores into an empty database."""
    channel.heading("The backup restores")
    backup = max((parts.folder / "migrations" / "schema-backups").glob("production-backup-*.sql"))
    url = parts.postgres.create("restored")
    subprocess.run(
        [
            parts.postgres.programs / "psql",
            "--quiet",
            "--no-psqlrc",
            "--set",
            "ON_ERROR_STOP=1",
            "--dbname",
            url,
            "--file",
            str(backup),
        ],
        check=True,
        capture_output=True,
    )
    with psycopg.connect(url) as conn:
        found = conn.execute("SELECT name, protected FROM twokey_environment").fetchone()
    if found != ("production", True):
        raise WentOtherwise("production's own mark in the restored backup", repr(found))
    print(f"   {backup.name} restores with psql into an empty database")


def stumble(channel: Transcript, parts: Stack) -> None:
    """A fourth file fails on development: rolled back, and said what, where and what next."""
    channel.heading("A file that fails")
    broken = parts.folder / "migrations" / "20250819090000_add_city_index.sql"
    broken.write_text("CREATE TABLE cities (id bigint PRIMARY KEY);\n\nCREATE INDEX cities_name ON cities (nmae);\n")
    channel.types(ADA, "apply dev")
    card = channel.shows("*development* · apply", "Failed in `20250819090000_add_city_index`, line 3")
    channel.thread_shows(card, "(42703)", "It was rolled back whole.", "➡️ Correct")
    channel.types(ADA, "status dev")
    channel.sees(ADA, "add_city_index", "3 applied, 1 pending")
