"""A backup, a restore and the end of what it kept, from asked to their ends; and what is known of one that died."""

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from engine import load, manifest
from ledger.events import BackedUp, BackupKept, Denied, Discarded, Interrupted, Restored, Restoring, Stale
from ledger.records import Question
from ledger.request import Act, Request
from ledger.states import State
from tests.support.ledger import ADA
from tests.support.restore import sign
from tests.support.waiting import wait_for
from tests.workers.killed import killed
from tests.workers.row import FIRST, SECOND, THIRD, Row
from tests.workers.test_gate import turn
from workers import backups, inspector, restoring


@pytest.fixture
def test(row: Row) -> Iterator[Row]:
    """Test with the whole folder and one user; whatever a restore kept of it is dropped in the end."""
    row.bring("test", "production")
    row.sql("test", "INSERT INTO users (email) VALUES ('a@example.org')")
    yield row
    with psycopg.connect(row.dsn["development"], autocommit=True) as conn:
        for (name,) in conn.execute(
            "SELECT datname FROM pg_database WHERE datname ~ '_before_|_twokey_rest'"
        ).fetchall():
            conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def backup(row: Row, name: str = "test") -> str:
    """Have a backup taken; gives its name."""
    request = row.do(name, Act.BACKUP)
    assert request.state is State.APPLIED
    kept = row.last(request.id)
    assert isinstance(kept, BackupKept)
    return kept.file


def why_not(row: Row, request: Request) -> str:
    assert request.state is State.REJECTED
    refused = row.last(request.id)
    assert isinstance(refused, Denied)
    return refused.why


def test_a_backup_needs_no_second_key_and_says_what_it_holds(test: Row) -> None:
    request = test.do("production", Act.BACKUP)
    assert request.state is State.APPLIED
    *_, backed_up, kept = test.told(request.id)
    assert isinstance(backed_up, BackedUp)
    assert isinstance(kept, BackupKept)
    assert kept.file == backed_up.file
    assert re.fullmatch(rf"\d+ rows in \d+ tables, history up to {THIRD}", kept.holds)
    assert (test.migrations / "schema-backups" / backed_up.file).exists()


def test_a_backup_that_was_asked_for_takes_no_other_away(test: Row) -> None:
    test.config.write_text(test.config.read_text().replace('name = "test"', 'name = "test"\nkeep_backups = 1'))
    assert test.hands("test").environment.backup.keep == 1
    first, second = backup(test), backup(test)
    folder = test.migrations / "schema-backups"
    assert (folder / first).exists()
    assert (folder / second).exists()


def test_a_restore_brings_back_what_was_and_keeps_what_is(test: Row) -> None:
    name = backup(test)
    test.sql("test", "INSERT INTO users (email) VALUES ('b@example.org'); CREATE TABLE late AS SELECT 1 AS one")
    request = test.do("test", Act.RESTORE, about=(name,))
    assert request.state is State.APPLIED
    what_is_lost_stood_on_the_card(name, facts_of(test, request))
    restored = test.last(request.id)
    assert isinstance(restored, Restored)
    assert restored.backup == name
    assert [type(event) for event in test.told(request.id)].count(Restoring) == 3
    assert test.sql("test", "SELECT count(*) FROM users") == [(1,)]
    assert test.sql("test", "SELECT act, what, request FROM twokey_deeds ORDER BY at DESC LIMIT 1") == [
        ("restore", [name, restored.kept], f"#{request.id}")
    ]
    gone = test.do("test", Act.DISCARD, about=(restored.kept,))
    assert gone.state is State.APPLIED
    dropped = test.last(gone.id)
    assert isinstance(dropped, Discarded)
    assert dropped.database == restored.kept
    assert why_not(test, test.do("test", Act.DISCARD, about=(restored.kept,))) == (
        f"{restored.kept} is not a database that a restore of test kept. It kept none."
    )


def what_is_lost_stood_on_the_card(name: str, facts: dict[str, str]) -> None:
    assert list(facts) == [
        "Brings back", "Lost to it", "Migrations that go", "Old database", "Sessions", "Rows then and now", "Taken",
    ]  # fmt: skip
    assert facts["Brings back"].startswith(f"{name}, of 20")
    assert facts["Brings back"].endswith(f"tables, history up to {THIRD}")
    assert facts["Lost to it"].startswith("everything written after 20")
    assert facts["Migrations that go"] == "none"
    assert facts["Old database"] == ("kept beside it under a dated name, until `/migrate discard test` drops it")
    assert facts["Sessions"] == "everybody who is connected is sent away once, when the two exchange their names"
    assert facts["Rows then and now"] == "public.late 0 → 1, public.user_audit 1 → 2, public.users 1 → 2"
    assert re.fullmatch(r"by #\d+, and unchanged since", facts["Taken"])


def facts_of(row: Row, request: Request) -> dict[str, str]:
    assert request.plan
    return {fact.name: fact.sentence for fact in request.plan.facts}


def test_a_backup_whose_manifest_was_changed_with_it_is_not_what_the_run_took(test: Row) -> None:
    name = backup(test)
    path = test.migrations / "schema-backups" / name
    path.write_bytes(path.read_bytes() + b"-- more\n")
    sign(path)
    found = manifest.read(path).sha256
    taken, taken_as = test.ledger.backup("test", name) or (0, "")
    assert why_not(test, test.do("test", Act.RESTORE, about=(name,))) == (
        f"{name} cannot be trusted: its SHA-256 is {found[:12]}…, and #{taken}, which took it, says {taken_as[:12]}…. "
        "Take another backup, or name another one."
    )
    (entry,) = [one for one in path.parent.iterdir() if one.name == name]
    entry.rename(other := entry.with_name(name.replace("backup-2", "backup-1")))
    manifest.beside(entry).rename(manifest.beside(other))
    facts = facts_of(test, test.do("test", Act.RESTORE, about=(other.name,)))
    assert facts["Taken"] == "not by a run that this ledger knows: what it holds is its manifest's word alone"


@pytest.mark.usefixtures("little_patience")
def test_what_an_environment_further_on_keeps_is_said_and_not_refused(test: Row) -> None:
    name = backup(test)
    path = manifest.beside(test.migrations / "schema-backups" / name)
    path.write_text(path.read_text().replace(f'"head": "{THIRD}"', f'"head": "{SECOND}"'))
    facts = facts_of(test, test.do("test", Act.RESTORE, about=(name,)))
    assert facts["production after it"] == f"keeps {THIRD}; apply test again afterwards"
    test.asleep.add("production")
    facts = facts_of(test, test.do("test", Act.RESTORE, about=(name,)))
    assert facts["production after it"] == "was not seen, so it may have migrations that go here"


def test_a_long_reading_is_heard_of_and_done_once_before_the_run_and_what_goes_is_named(
    test: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, beats, read = backup(test), [], []
    more = test.file("20260101000000_more", "CREATE TABLE more ();\n")
    test.sql(
        "test",
        f"INSERT INTO schema_migrations (migration_id, name, checksum, environment) VALUES ('{more}', 'm', '', 'test')",
    )
    real = manifest.sum_of
    monkeypatch.setattr(type(test.ledger), "beat", lambda _, number: beats.append((number, len(read))))
    monkeypatch.setattr(manifest, "sum_of", lambda *a, **kw: (read.append(a), real(*a, **kw))[1])
    request = test.do("test", Act.RESTORE, about=(name,))
    assert request.state is State.APPLIED
    assert (request.id, 1) in beats
    assert len(read) == 2
    assert facts_of(test, request)["Migrations that go"] == more
    assert test.history("test") == [FIRST, SECOND, THIRD]


@pytest.mark.parametrize("name", ["nothing.sql", "../twokey.toml", "production-backup-2026-01-01T00-00-00.sql"])
def test_a_backup_that_is_not_there_is_refused(test: Row, name: str) -> None:
    assert why_not(test, test.do("test", Act.RESTORE, about=(name,))) == (
        f"There is no backup {name} of test. There is none. `/migrate backups test` lists them."
    )
    there = backup(test)
    assert f"The newest is {there}." in why_not(test, test.do("test", Act.RESTORE, about=(name,)))


def test_a_backup_that_was_changed_is_refused(test: Row) -> None:
    name = backup(test)
    path = test.migrations / "schema-backups" / name
    path.write_bytes(path.read_bytes() + b"-- more\n")
    assert f"{name} cannot be trusted: it has" in why_not(test, test.do("test", Act.RESTORE, about=(name,)))
    (entry,) = backups.listed(test.hands("test"))["backups"]
    assert f"{name} cannot be trusted" in entry["problem"]


def test_production_is_restored_with_two_keys_and_not_with_one(test: Row) -> None:
    name = backup(test, "production")
    test.sql("production", "INSERT INTO users (email) VALUES ('b@example.org')")
    request = test.do("production", Act.RESTORE, about=(name,))
    assert request.state is State.PLANNED
    assert test.ring(request.id).state is State.PLANNED
    assert turn(test, request.id).state is State.APPLIED
    assert test.sql("production", "SELECT count(*) FROM users") == [(0,)]
    restored = test.last(request.id)
    assert isinstance(restored, Restored)
    discard = test.do("production", Act.DISCARD, about=(restored.kept,))
    assert discard.state is State.PLANNED
    assert turn(test, discard.id).state is State.APPLIED


def test_a_database_that_moved_on_makes_it_stale(test: Row) -> None:
    name = backup(test, "production")
    request = test.do("production", Act.RESTORE, about=(name,))
    test.sql("production", f"DELETE FROM schema_migrations WHERE migration_id = '{THIRD}'")
    assert turn(test, request.id).state is State.STALE
    assert test.last(request.id) == Stale(
        f"production's newest migration was {THIRD} and is {SECOND} now. "
        f"Ask again: `/migrate restore production {name}`."
    )


def test_a_restore_that_was_killed_left_the_old_database_in_place(test: Row, tmp_path: Path) -> None:
    name = backup(test)
    request_id = test.ask("test", Act.RESTORE, about=(name,))
    loading = tmp_path / "loading"

    def hang(*_: object, **__: object) -> None:
        loading.touch()
        wait_for(lambda: False, 60)

    killed(test, request_id, when=loading.exists, patch=(load, "load", hang))
    settled(test, request_id)
    assert test.last(request_id) == Interrupted(
        why=(
            "The worker of test fell silent in the middle of the run. The old database is in place and works; "
            f"the next restore clears what this one left. Ask again: `/migrate restore test {name}`."
        ),
        done=(),
        left=(name,),
    )
    assert test.sql("test", "SELECT count(*) FROM users") == [(1,)]
    again = test.do("test", Act.RESTORE, about=(name,))
    assert again.state is State.APPLIED
    assert any(isinstance(e, Restoring) and "an interrupted restore had left" in e.what for e in test.told(again.id))


def test_a_restore_that_did_everything_but_tell_is_known_by_its_deed(test: Row, tmp_path: Path) -> None:
    name = backup(test)
    request_id = test.ask("test", Act.RESTORE, about=(name,))
    done, real = tmp_path / "done", restoring.restores.run

    def silent(*arguments: object, **more: object) -> object:
        real(*arguments, **more)  # pyright: ignore[reportArgumentType, reportCallIssue]
        done.touch()
        wait_for(lambda: False, 60)
        return None

    killed(test, request_id, when=done.exists, patch=(restoring.restores, "run", silent))
    settled(test, request_id)
    interrupted = test.last(request_id)
    assert isinstance(interrupted, Interrupted)
    assert "It was swapped in; the old database is kept as workers_test_before_" in interrupted.why
    assert (interrupted.done, interrupted.left) == ((name,), ())


def settled(row: Row, request_id: int) -> None:
    """The inspection comes until the server has noticed that the run's client is gone."""

    def inspected() -> bool:
        inspector.inspect(row.hands(row.ledger.request(request_id).environment), request_id)
        return row.ledger.request(request_id).state is State.INTERRUPTED

    wait_for(inspected, 30)


def test_which_backups_there_are_is_answered_by_the_environments_own_worker(test: Row) -> None:
    name = backup(test)
    inquiry, _ = test.ledger.ask(
        question=Question.BACKUPS, environment="test", environments=("test",), actor=ADA, channel="C",
        response_url="u", key="k",
    )  # fmt: skip
    (pending,) = test.ledger.observations(inquiry.id)
    test.hands("test").doorbell.ring_look(pending.id, "test")
    body = test.ledger.inquiry(inquiry.id).body
    assert body
    (entry,) = body["backups"]
    assert (entry["file"], entry["problem"], entry["verified"], entry["head"]) == (name, None, True, THIRD)
    assert (body["question"], body["environment"], body["more"], body["kept"]) == ("backups", "test", 0, [])


def test_what_is_too_large_to_read_while_somebody_waits_is_told_by_its_manifest(
    test: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup(test)
    monkeypatch.setattr(backups, "READ_AT_MOST", 1)
    (entry,) = backups.listed(test.hands("test"))["backups"]
    assert (entry["problem"], entry["verified"]) == (None, False)
