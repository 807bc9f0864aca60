"""No password and no row's value is written anywhere: planted, driven through what tells values, and looked for."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

import psycopg
import redis

from ledger import evidence
from ledger.book import Book
from playground import people
from playground.client import Workspace
from playground.people import Json
from tests.flows.conftest import ADA, CHANNEL, Corridor

#: In every row, and in no file: a person's address, a card's number, JSON that is none.
ROWS = ("ann.planted@example.org", "4111-1111-planted", "{planted json")
PASSWORD = "hunter2-planted"  # in an address
DUMPED = "planted-in-pg_dump"  # in what pg_dump complains about
LITERAL = "planted-literal"  # in a file, so in the plan that is approved, and nowhere else

#: SQL that fails on those rows, and what the server's refusal is known by. tests/engine/test_planted.py has many more.
FAILS = {
    "unique": ("CREATE UNIQUE INDEX ON people (email);", "23505"),
    "literal": (f"SELECT '{LITERAL}'::int;", "22P02"),
}


def test_what_was_planted_is_found_nowhere(begin: Callable[..., Corridor], tmp_path: Path) -> None:
    corridor = begin()
    corridor.channel.types(ADA, "apply dev")
    corridor.channel.shows("*development* · apply #1", "Applied")
    with psycopg.connect(corridor.parts.dsn["development"]) as conn:
        conn.execute("CREATE TABLE people (email text, card text, note text)")
        for _ in range(2):
            conn.execute("INSERT INTO people VALUES (%s, %s, %s)", ROWS)
    for number, (name, (sql, code)) in enumerate(FAILS.items(), start=2):
        file = corridor.migrations / f"20250821{number:06}_{name}.sql"
        file.write_text(sql)
        corridor.channel.types(ADA, "apply dev")
        card = corridor.channel.shows(f"*development* · apply #{number}", "Failed in")
        corridor.channel.thread_shows(card, f"({code})")
        file.unlink()
    corridor.channel.types(ADA, "export 3", "The evidence of #3 will stand in")
    corridor.channel.thread_shows(card, "The evidence of #3")
    cannot_be_backed_up_or_reached(corridor, tmp_path)
    written = everything(corridor)
    assert all(written.values())
    found = {
        (place, secret) for place, text in written.items() for secret in (*ROWS, PASSWORD, DUMPED) if secret in text
    }
    assert found == set()
    # What a file says is frozen with the plan that people approve; found there, so that it is sure that one looked.
    assert {place for place, text in written.items() if LITERAL in text} == {"ledger", "evidence", "uploads"}
    assert corridor.ledger("SELECT count(*) FROM events WHERE body::text LIKE '%planted%'") == [(0,)]


def cannot_be_backed_up_or_reached(corridor: Corridor, tmp_path: Path) -> None:
    """A pg_dump that says more than it should, and an address with a password that leads nowhere."""
    fake = tmp_path / "bin" / "pg_dump"
    fake.parent.mkdir()
    fake.write_text(
        f'#!/bin/sh\n[ "$1" = --version ] && echo "pg_dump (PostgreSQL) 99.0" && exit 0\n'
        f'echo "pg_dump: error: COPY failed: {DUMPED}" >&2\nexit 1\n'
    )
    fake.chmod(0o755)
    (corridor.migrations / "20250822000000_more.sql").write_text("CREATE TABLE more ();")
    restart(
        corridor,
        DEVELOPMENT_DATABASE_URL=corridor.parts.dsn["development"],
        TEST_DATABASE_URL=f"postgresql://app:{PASSWORD}@127.0.0.1:1/shop",
        PG_BIN=str(fake.parent),
    )
    corridor.channel.types(ADA, "promote test")
    corridor.channel.shows("test (127.0.0.1, database shop) cannot be reached")
    corridor.channel.types(ADA, "apply dev")
    corridor.channel.shows("The backup of development failed: pg_dump ended with code 1.")


def restart(corridor: Corridor, **variables: str) -> None:
    parts = corridor.parts
    parts.stop("workers")
    given = parts.ledger_as("twokey_worker") | variables
    parts.start("workers", "workers", "development", "test", **given, REDIS_URL=parts.redis_url)


def in_threads(slack: Workspace) -> list[Json]:
    return [reply for message in slack.messages() for reply in slack.thread(CHANNEL, message["ts"])]


def content(message: Json) -> str:
    """What stands in the files of a message."""
    read = ""
    for file in message.get("files", []):
        with urlopen(file["url_private"]) as answer:
            read += answer.read().decode()
    return read


def everything(corridor: Corridor) -> dict[str, str]:
    """All that Twokey wrote, by place. The dumps alone are left out: they are copies of the rows."""
    parts = corridor.parts
    dump = [parts.postgres.programs / "pg_dump", "--dbname", parts.ledger_url]
    queue = redis.Redis.from_url(parts.redis_url)
    book = Book(parts.ledger_url)
    numbers = [request.id for request in book.requests(open_only=False, limit=99)]
    files = {place: evidence.as_text(evidence.gather(book, number)) for place, number in enumerate(numbers)}
    book.close()
    return {
        "slack": str(parts.slack.state()) + str([parts.slack.ephemerals(person) for person in people.names()]),
        "ledger": subprocess.run(dump, check=True, capture_output=True, text=True).stdout,
        "redis": str([(key, queue.dump(key)) for key in queue.scan_iter()]),
        "logs": "".join(log.read_text() for log in parts.folder.glob("logs/*.log")),
        "manifests": "".join(file.read_text() for file in corridor.migrations.glob("schema-backups/*.json")),
        "evidence": "".join(files.values()),
        "uploads": "".join(map(content, parts.slack.messages() + in_threads(parts.slack))),
    }
