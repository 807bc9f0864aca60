"""The main job as one story: a model changes, its migration travels to production with two keys, and two files fail."""

import subprocess
from datetime import UTC, datetime

import psycopg

from playground.stack import Stack
from playground.transcript import Message, Transcript, WentOtherwise

CHANNEL = "C0MIGRATE"
ADA, BO = "U0ENGINEER", "U0APPROVER"
#: The last line of a sample model, the one that Ada writes below it, and what she calls the migration.
LINE, NEW_LINE, NAME = "    last_seen_at: Mapped[datetime | None]\n", "    phone: Mapped[str | None]\n", "add_phone"


def play(channel: Transcript, parts: Stack) -> None:
    """Play every act; raises WentOtherwise at the first that does not end as it should."""
    change_a_model(channel, parts)
    look_around(channel)
    apply_to_development(channel)
    promote_to_test(channel)
    ask_for_production(channel)
    compare(channel)
    prove_the_backup(channel, parts)
    stop_in_rehearsal(channel, parts)
    stumble(channel, parts)


def change_a_model(channel: Transcript, parts: Stack) -> None:
    """Development has the sample files; a column comes to a model, and its migration is generated and proven."""
    parts.twokey("apply", "dev")
    channel.heading("Development has run three files; now a model changes")
    models = parts.config.with_name("models.py")
    models.write_text(models.read_text().replace(LINE, LINE + NEW_LINE))
    print(f"\nAda adds a line to class User in models.py:\n   {NEW_LINE.strip()}")
    channel.runs(ADA, f"twokey generate {NAME}", parts.twokey("generate", NAME))


def look_around(channel: Transcript) -> None:
    """Ada looks before anything else runs."""
    channel.heading("Three environments, four files")
    channel.types(ADA, "status")
    channel.sees(ADA, "development", "test", "production", NAME, "3 applied, 1 pending", "4 pending")


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
    channel.shows("*test* · certify", "certified 4 migrations")


def ask_for_production(channel: Transcript) -> None:
    """One key asks; what was asked for has run on a copy, and everybody sees how; a second key turns."""
    channel.heading("Production turns with two keys, after a rehearsal")
    card = ask(channel)
    channel.thread_shows(card, "*Receipt*", "ALTER TABLE", "public.users ACCESS EXCLUSIVE")
    channel.thread_shows(card, "The rehearsal of #4 in time", "rehearsal-4.png")
    channel.reacts(ADA, card, "white_check_mark")
    channel.sees(ADA, "the second key is not yours")
    channel.reacts(BO, card, "white_check_mark")
    channel.shows("production", "Approved")
    channel.shows("*production*", "✅ Applied")
    channel.thread_shows(card, "applied to production")


def ask(channel: Transcript) -> Message:
    """Ada types production's name and a reason; gives the card that waits for the second key."""
    channel.types(ADA, "apply prod")
    channel.fills_in(ADA, {"environment": "production", "reason": "sign-up asks for a phone number"})
    return channel.shows("production", "sign-up asks for a phone number", NAME)


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


def stop_in_rehearsal(channel: Transcript, parts: Stack) -> None:
    """A file passes where nobody has signed up, and ends in its rehearsal: production has rows that it does not fit."""
    channel.heading("A file that production's rows do not fit")
    with psycopg.connect(parts.dsn["production"]) as conn:
        conn.execute("INSERT INTO users (email) VALUES ('cleo@example.org'), ('dan@example.org')")
    print("\nTwo people sign up on production, without a phone number. Then Ada writes a file that requires one.")
    strict = parts.folder / "migrations" / f"{datetime.now(UTC):%Y%m%d%H%M%S}_require_phone.sql"
    strict.write_text(
        "-- migrate:up\n-- Everybody leaves a number.\nALTER TABLE users ALTER COLUMN phone SET NOT NULL;\n\n"
        "-- migrate:down\nALTER TABLE users ALTER COLUMN phone DROP NOT NULL;\n"
    )
    for words, environment in (("apply dev", "development"), ("promote test", "test")):
        channel.types(ADA, words)
        channel.shows(f"*{environment}* · apply", "require_phone", "Applied")
    channel.types(ADA, "certify test nobody can leave it out")
    channel.shows("*test* · certify", "certified 5 migrations")
    channel.types(ADA, "apply prod")
    channel.fills_in(ADA, {"environment": "production", "reason": "everybody has a phone"})
    channel.shows("ended in its rehearsal: nobody was asked, and production is untouched.")
    channel.shows(f"{strict.name}:3, statement 1 of 1, failed in rehearsal", "(23502)", "production was not touched.")


def stumble(channel: Transcript, parts: Stack) -> None:
    """A sixth file fails on development: rolled back, and said what, where and what next."""
    channel.heading("A file that fails")
    broken = parts.folder / "migrations" / f"{datetime.now(UTC):%Y%m%d%H%M%S}_add_city_index.sql"
    broken.write_text("CREATE TABLE cities (id bigint PRIMARY KEY);\n\nCREATE INDEX cities_name ON cities (nmae);\n")
    channel.types(ADA, "apply dev")
    card = channel.shows("*development* · apply", f"Failed in `{broken.stem}`, line 3")
    channel.thread_shows(card, "(42703)", "It was rolled back whole.", "➡️ Remove the cause in development, or correct")
    channel.types(ADA, "status dev")
    channel.sees(ADA, "add_city_index", "5 applied, 1 pending")
