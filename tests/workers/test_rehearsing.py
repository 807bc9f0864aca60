"""A protected environment's plan runs on a restored copy before anyone is asked, and its digest stands for that."""

from datetime import UTC, datetime

import pytest

from bot import receipts
from engine import plan
from engine.refusals import PlanAltered
from engine.scratch import Server
from ledger import evidence
from ledger.events import BackedUp, Denied, Foretold, Planned, Rehearsing, Stale, Unlike
from ledger.request import Act, Request
from ledger.states import State
from ledger.workflow import Extent
from playground.embedded import Postgres
from tests.support.waiting import wait_for
from tests.workers.row import FIRST, SECOND, THIRD, Row
from workers import rehearsing

FOURTH = "20260101000000_require_phone"


def certified(row: Row, sql: str) -> None:
    """The fourth file may go to production."""
    row.file(FOURTH, sql)
    row.bring("development", "test")
    assert row.do("test", Act.CERTIFY).state is State.APPLIED


def asked(row: Row, sql: str) -> Request:
    certified(row, sql)
    return row.do("production")


def left(row: Row) -> list[tuple]:
    return row.sql("production", "SELECT datname FROM pg_database WHERE datname LIKE 'twokey_scratch_rehearsal%'")


def test_what_was_seen_is_shown_kept_and_bound_and_the_run_takes_its_own_backup(rehearsed: Row) -> None:
    request = asked(rehearsed, "UPDATE users SET email = lower(email);\n")
    assert request.state is State.PLANNED
    assert request.plan
    seen, kept = request.plan.rehearsal, rehearsed.ledger.rehearsed(request.id)
    assert seen
    assert kept
    assert (request.plan.unrehearsed, seen.extent, left(rehearsed)) == (None, "whole", [])
    assert [(one.migration, one.line, one.tag, one.rows) for one in seen.statements] == [(FOURTH, 1, "UPDATE", 1)]
    assert [(one.relation.rpartition(".")[2], one.rows) for one in seen.changes] == [("user_audit", 1), ("users", 1)]
    assert [one.rpartition(".")[2] for one in seen.unnamed] == ["user_audit"]  # by the trigger of the third file
    frozen = rehearsed.ledger.frozen_plan(request.id)
    assert frozen["receipt"] == seen.receipt
    found, _ = rehearsing.of(rehearsed.hands("production"), request.id, bound=seen.receipt)
    assert plan.sealed(found.as_json()) == seen.receipt
    told = [one.what for one in rehearsed.told(request.id) if isinstance(one, Rehearsing)]
    assert told[0] == "Backing up"
    assert told[-2:] == [f"Running {FOURTH}.sql on the copy, 1 of 1", "Trying the way back on the copy"]
    rehearsed.approve(request.id)
    assert rehearsed.ring(request.id).state is State.APPLIED
    (foretold,) = (one for one in rehearsed.told(request.id) if isinstance(one, Foretold))
    assert (foretold.seconds, foretold.waited, foretold.longest) == (seen.seconds, 0, 0.0)
    assert not any(isinstance(one, Unlike) for one in rehearsed.told(request.id))
    file = evidence.read(evidence.as_text(evidence.gather(rehearsed.ledger, request.id)))
    assert evidence.verify(file).breaches == ()
    (breach,) = evidence.verify({**file, "receipt": {}}).breaches
    assert breach.why.endswith("(Planned) speaks of something else than the rehearsal's receipt in this file.")
    assert len(list((rehearsed.migrations / "schema-backups").glob("production-*.sql"))) == 2


#: What an empty environment allows, and production's rows forbid one after the other.
STRICTER = """ALTER TABLE users ALTER last_seen_at SET NOT NULL;
CREATE UNIQUE INDEX one_name ON users (display_name);
CREATE INDEX by_number ON users ((display_name::int));
ALTER TABLE user_audit ADD FOREIGN KEY (user_id) REFERENCES users;
"""


def test_a_rehearsal_that_fails_ends_the_request_before_anyone_is_asked_and_writes_no_row(rehearsed: Row) -> None:
    certified(rehearsed, STRICTER)
    rehearsed.sql(
        "production",
        "INSERT INTO users (email) VALUES ('b'); INSERT INTO user_audit (user_id, change) VALUES (99, 'UPDATE')",
    )
    for number, (mended, state) in enumerate(
        (
            ("SELECT 1", "23502"),
            ("UPDATE users SET last_seen_at = now()", "23505"),
            ("UPDATE users SET display_name = id || 'x'", "22P02"),
            ("UPDATE users SET display_name = id", "23503"),
        ),
        start=1,
    ):
        rehearsed.sql("production", mended)
        before = written(rehearsed)
        request = rehearsed.do("production")
        assert (request.state, request.plan, left(rehearsed)) == (State.REJECTED, None, [])
        why = rehearsed.last(request.id)
        assert isinstance(why, Denied)
        assert why.why.startswith(
            f"{FOURTH}.sql:{number}, statement {number} of 4, failed in rehearsal on a copy of production ({state}): "
        )
        assert "production was not touched." in why.why
        assert not any(isinstance(one, Planned) for one in rehearsed.told(request.id))
        assert rehearsed.history("production") == [FIRST, SECOND, THIRD]
        assert written(rehearsed) == before


def test_a_file_that_cannot_be_rolled_back_names_the_backups_to_go_back_to(rehearsed: Row) -> None:
    row, ways = rehearsed, list[str]()
    row.bring("development", "test")
    row.file(FOURTH, "ALTER TABLE users ALTER last_seen_at SET NOT NULL;\n")
    for name in ("development", "test"):
        row.sql(name, "UPDATE users SET last_seen_at = now()")
        brought = row.promote(name)
        ways += [f"`/migrate restore {name} {one.file}`" for one in row.told(brought.id) if isinstance(one, BackedUp)]
    assert row.do("test", Act.CERTIFY).state is State.APPLIED
    denied = row.last(row.do("production").id)
    assert isinstance(denied, Denied)
    assert denied.why.endswith(
        "The file has no `-- migrate:down` section: where another environment has run it, restore there the backup "
        "from before it, then correct it and bring it there anew. A repair would only hide that the two differ. "
        f"To type: {ways[1]}, then {ways[0]}."
    )


def test_a_file_that_another_way_brought_there_is_looked_for_among_the_backups(rehearsed: Row) -> None:
    denied = rehearsed.last(asked(rehearsed, "ALTER TABLE users ALTER last_seen_at SET NOT NULL;\n").id)
    assert isinstance(denied, Denied)
    assert denied.why.endswith(" To type: `/migrate backups test`, then `/migrate backups development`.")


def written(row: Row) -> list[tuple]:
    """What the server has counted of production's rows, when all who were there have left and are counted."""
    others = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    wait_for(lambda: not row.sql("production", f"{others} AND backend_type = 'client backend'"))
    row.sql("production", "SELECT pg_stat_force_next_flush()")  # what was asked here until now
    counted = "tup_inserted, tup_updated, tup_deleted"
    return row.sql("production", f"SELECT {counted} FROM pg_stat_database WHERE datname = current_database()")


def test_what_is_rehearsed_on_the_schema_and_a_sample_says_so_first(rehearsed: Row) -> None:
    config = rehearsed.config.read_text()
    rehearsed.config.write_text(config.replace("protected = true", 'protected = true\nrehearse = "schema"'))
    request = asked(rehearsed, "CREATE TABLE more ();\n")
    assert request.plan
    assert request.plan.rehearsal
    assert request.plan.rehearsal.extent == "schema"
    assert receipts.lines(request.plan)[0] == (
        "⚠️ *Rehearsed on the schema and a sample of rows alone*: times, locks and rows are not what they will be"
    )
    receipt, _ = rehearsing.of(rehearsed.hands("production"), request.id, bound=request.plan.rehearsal.receipt)
    held = {one.table.rpartition(".")[2]: one.before for one in receipt.rows}
    assert (held["users"], held["user_audit"]) == (1, 1)
    rehearsed.approve(request.id)
    assert rehearsed.ring(request.id).state is State.APPLIED


def test_what_is_too_old_or_altered_does_not_run_and_a_schema_that_it_did_not_leave_is_told(
    rehearsed: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = asked(rehearsed, "DO $$ BEGIN IF current_database() NOT LIKE '%scratch%' THEN"
        " CREATE TABLE only_here (a int); END IF; END $$;\n")  # fmt: skip
    hands = rehearsed.hands("production")
    with pytest.raises(PlanAltered):
        rehearsing.of(hands, request.id, bound="0" * 64)
    rehearsed.approve(request.id)
    with monkeypatch.context() as later:
        later.setattr(rehearsing, "datetime", Later)
        assert rehearsed.ring(request.id).state is State.STALE
    why = rehearsed.last(request.id)
    assert isinstance(why, Stale)
    assert why.what.startswith("The rehearsal began at ")
    assert why.what.endswith("Ask again: `/migrate apply production`.")
    request = rehearsed.do("production")
    rehearsed.approve(request.id)
    assert rehearsed.ring(request.id).state is State.APPLIED
    (unlike,) = (one for one in rehearsed.told(request.id) if isinstance(one, Unlike))
    assert any("only_here" in one for one in unlike.differences)


class Later(datetime):
    """A clock on which every receipt is old."""

    @classmethod
    def now(cls, tz: object = None) -> "Later":
        return cls(2100, 1, 1, tzinfo=UTC)


def test_where_it_is_off_the_card_says_why_and_where_it_must_be_it_is_asked_for(row: Row, postgres: Postgres) -> None:
    row.bring("development", "test")
    row.do("test", Act.CERTIFY)
    request = row.do("production")
    assert request.plan
    unknown = "the worker of production knows no scratch server. Whoever runs Twokey:"
    assert request.plan.unrehearsed == f"{unknown} set SCRATCH_DATABASE_URL for it, and start it anew"
    toml = row.config.read_text()
    row.config.write_text(toml.replace('[scratch]\ndatabase_url = { env = "SCRATCH_DATABASE_URL" }\n', ""))
    assert rehearsing._extent(row.hands("production")) == (
        Extent.OFF,
        f"{unknown} name one under `[scratch]` in twokey.toml",
    )
    row.config.write_text(toml.replace("protected = true", "protected = true\nrehearse = false"))
    off = rehearsing._extent(row.hands("production"))
    assert off == (Extent.OFF, "`rehearse = false` is what twokey.toml says for production")
    row.config.write_text(toml)
    row.scratch = Server(postgres.url(), on_protected_server=True)
    row.approve(request.id)
    row.ring(request.id)
    assert row.last(request.id) == Stale(
        "The plan was not rehearsed, and production asks for that now. It needs a plan that is. "
        "Ask again: `/migrate apply production`."
    )
    row.scratch = None
    row.config.write_text(toml.replace("protected = true", 'protected = true\nrehearse = "schema"'))
    refused = row.last(row.do("production").id)
    assert isinstance(refused, Denied)
    assert refused.why == (
        "The worker of production has no scratch server. Whoever runs Twokey: set SCRATCH_DATABASE_URL for it, "
        "to the address of a server with nothing to lose, and start it anew."
    )
    named = '[scratch]\ndatabase_url = { env = "SCRATCH_DATABASE_URL" }\n'
    row.config.write_text(row.config.read_text().replace(named, ""))
    refused = row.last(row.do("production").id)
    assert isinstance(refused, Denied)
    assert refused.why.startswith("This needs a scratch database, and twokey.toml names no server for one.")
