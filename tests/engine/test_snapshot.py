"""What a history implies is written down after each run; what is changed by hand afterwards is drift."""

from pathlib import Path

import psycopg
import pytest

from engine import amend, drift, history, lock, reversal, revert, snapshot, standing
from engine.backup import Into
from engine.connection import Session
from engine.drift import Drift
from engine.errors import MissingPrivilege
from engine.revert import Last
from tests.support.engine import TOOLS, USERS, bring, migration, real_files

A, B = "20250101000000_a", "20250102000000_b"
FIRST = migration(A, "-- migrate:up\nCREATE TABLE t (a int);\n-- migrate:down\nDROP TABLE t;")
SECOND = migration(B, "-- migrate:up\nALTER TABLE t ADD b text;\n-- migrate:down\nALTER TABLE t DROP b;")


def seen(session: Session) -> Drift | None:
    return standing.look(session, ()).drift


def told(session: Session) -> list[str]:
    found = seen(session)
    assert found
    return [one.sentence for one in found.differences]


def test_an_environment_without_a_history_has_no_drift(session: Session) -> None:
    session.conn.execute("CREATE TABLE anything ()")
    assert seen(session) is None


def test_after_a_run_the_schema_is_what_its_history_implies_until_a_hand_changes_it(session: Session) -> None:
    ended = bring(session, real_files())
    assert ended.settled
    assert ended.settled.earlier is None
    assert seen(session) == Drift("none", "snapshot")
    session.conn.execute("ALTER TABLE users ALTER email TYPE varchar(320); CREATE INDEX by_hand ON users (email)")
    assert told(session) == [
        "column public.users.email is character varying(320) not null, there it is text not null",
        "index public.by_hand is here and not there: CREATE INDEX by_hand ON public.users USING btree (email)",
    ]
    standing_ = standing.look(session, ())
    assert standing.Standing.from_json(standing_.as_json()) == standing_


def test_a_run_does_not_take_over_what_had_drifted_before_it(session: Session, tmp_path: Path) -> None:
    bring(session, [FIRST])
    session.conn.execute("CREATE INDEX by_hand ON t (a)")
    bring(session, [FIRST, SECOND], folder=tmp_path)
    assert told(session) == [
        "index public.by_hand is here and not there: CREATE INDEX by_hand ON public.t USING btree (a)"
    ]


def test_a_way_back_is_held_against_what_the_same_history_left_before(session: Session, tmp_path: Path) -> None:
    bring(session, [FIRST])
    bring(session, [FIRST, SECOND], folder=tmp_path)
    with lock.only_one(session):
        chosen = revert.choose(session, Last(1), after=())
        drawn = reversal.draw(standing.look(session, ()), chosen, limits=session.limits)
        ended = revert.run(session, drawn, into=Into(tmp_path, TOOLS), actor="ada", request=None, tell=lambda _: None)
    assert ended.settled
    assert ended.settled.earlier
    assert drift.compare(ended.settled.live.things, ended.settled.earlier.things) == ()
    assert snapshot.Snapshot.from_json(ended.settled.earlier.as_json()) == ended.settled.earlier


def test_what_stopped_part_way_is_not_written_down(session: Session) -> None:
    alone = migration(A, "-- migrate:up transaction:false\nCREATE TABLE t (); SELECT nope;")
    assert bring(session, [FIRST, migration(B, alone.text)]).settled is None
    found = seen(session)
    assert found == drift.unknown(
        "no run of Twokey ended on development with this history. The next one writes its schema down."
    )


def test_a_history_that_no_run_of_ours_ended_with_is_unknown(session: Session) -> None:
    bring(session, real_files())
    session.conn.execute("DROP TABLE twokey_schemas")
    found = seen(session)
    assert found
    assert found.state == "unknown"


def test_another_major_version_is_incomparable(session: Session) -> None:
    bring(session, real_files())
    session.conn.execute("UPDATE twokey_schemas SET server = 90624")
    assert seen(session) == drift.unknown(
        "the last run was on PostgreSQL 9.6, which tells a schema in other words. The next one writes it down anew."
    )


def test_a_baseline_takes_the_schema_over_as_it_stands(session: Session) -> None:
    session.conn.execute("CREATE TABLE users (id int)")
    with lock.only_one(session):
        amend.baseline(session, real_files(), through=USERS, actor="ada", request=None)
    assert seen(session) == Drift("none", "snapshot")


def test_a_baseline_stays_where_the_schema_cannot_be_written_down(session: Session) -> None:
    snapshot.prepare(session, history.prepare(session))
    session.conn.execute("ALTER TABLE twokey_schemas ADD CHECK (false)")
    with lock.only_one(session):
        assert amend.baseline(session, real_files(), through=USERS, actor="ada", request=None) == (USERS,)
    assert session.conn.execute("SELECT migration_id FROM schema_migrations").fetchall() == [(USERS,)]
    assert session.conn.execute("SELECT count(*) FROM twokey_schemas").fetchone() == (0,)


def test_only_the_newest_are_kept(session: Session) -> None:
    home = history.prepare(session)
    snapshot.prepare(session, home)
    snapshot.prepare(session, home)
    session.conn.execute(
        "INSERT INTO twokey_schemas SELECT n, n, now() - n * interval '1 s', 18, '', '[]' FROM generate_series(1, 40) n"
    )
    snapshot.settle(session, home, None)
    snapshot.settle(session, home, None)
    row = session.conn.execute("SELECT count(*), max(taken_at) > now() FROM twokey_schemas").fetchone()
    assert row == (30, False)


def test_a_role_that_may_not_make_the_table_is_told_before_anything_runs(session: Session) -> None:
    home = history.prepare(session)
    session.conn.execute("CREATE ROLE narrow; SET ROLE narrow")
    try:
        with pytest.raises(MissingPrivilege):
            snapshot.prepare(session, home)
    finally:
        session.conn.execute("RESET ROLE; DROP ROLE narrow")


def test_a_schema_that_cannot_be_read_afterwards_takes_nothing_back(session: Session) -> None:
    home = history.prepare(session)
    session.conn.execute("SET statement_timeout = 1")
    assert snapshot.settle(session, home, None) is None
    session.conn.execute("RESET statement_timeout")
    with psycopg.connect(session.database.dsn) as other:
        assert other.execute("SELECT 1").fetchone() == (1,)
