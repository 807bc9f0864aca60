"""While somebody else dumps the database nothing changes in it; our own dump is in nobody's way."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from engine import amend, apply, dump, lock, restore, reversal, revert, standing
from engine.backup import Into, NothingToLose
from engine.connection import Database, Session
from engine.dumps import BeingDumped
from engine.report import BackupTaken, Step
from engine.restore import Source
from engine.revert import Last
from playground.embedded import Postgres
from tests.support.engine import TOOLS, bring, draw, migration
from tests.support.restore import NOW
from tests.support.waiting import wait_for

A, B = "20250101000000_a", "20250102000000_b"
FILES = [
    migration(A, "-- migrate:up\nCREATE TABLE a ();\n-- migrate:down\nDROP TABLE a;\n"),
    migration(B, "CREATE TABLE b ();"),
]


@contextmanager
def held_dump(there: Database) -> Iterator[int]:
    """A pg_dump in the middle of its work, where somebody's lock keeps it; gives its pid on the server."""
    with psycopg.connect(there.dsn) as conn:
        env = {key: value for key, value in dump.surroundings(conn).items() if key != "PGAPPNAME"}
        conn.execute("CREATE TABLE IF NOT EXISTS held (); LOCK TABLE held")
        conn.commit()
        conn.execute("LOCK TABLE held")
        program = subprocess.Popen(
            [TOOLS.pg_dump(conn.info.server_version).path, "--no-password"], env=env, stdout=subprocess.DEVNULL
        )
        try:
            found: list[int] = []
            with psycopg.connect(there.dsn, autocommit=True) as beside:
                query = (
                    "SELECT pid FROM pg_stat_activity WHERE application_name = 'pg_dump' AND wait_event_type = 'Lock'"
                )
                wait_for(lambda: found.extend(pid for (pid,) in beside.execute(query)) or found)
                yield found[0]
                program.kill()
                conn.rollback()
                wait_for(
                    lambda: not beside.execute("SELECT FROM pg_stat_activity WHERE pid = %s", found[:1]).fetchone()
                )
        finally:
            program.kill()
            program.wait()


def tables(session: Session) -> list[str]:
    return [
        name for (name,) in session.conn.execute("SELECT tablename FROM pg_tables WHERE tablename ~ '^.$' ORDER BY 1")
    ]


def test_nothing_is_changed_while_somebody_dumps(session: Session, tmp_path: Path) -> None:
    assert bring(session, FILES[:1]).failure is None
    drawn = draw(session, FILES)
    back = reversal.draw(
        standing.look(session, FILES), revert.choose(session, Last(1), after=()), limits=session.limits
    )
    into, by = Into(tmp_path, TOOLS), {"actor": "ada", "request": None}
    runs = (
        lambda: apply.run(session, drawn, backup=into, **by),
        lambda: revert.run(session, back, into=into, tell=lambda _: None, **by),
        lambda: restore.run(session, Source(tmp_path / "x.sql", TOOLS), now=NOW, **by),
        lambda: amend.baseline(session, FILES, through=B, **by),
        lambda: amend.repair(session, FILES, accept=[A], **by),
    )
    with held_dump(session.database) as pid, lock.only_one(session):
        for run in runs:
            with pytest.raises(BeingDumped) as caught:
                run()
            assert re.sub(r"for \d+ s", "for 0 s", str(caught.value)) == (
                f"development is being dumped: pg_dump of role {session.conn.info.user} runs there "
                f"(pid {pid}, for 0 s now). A change now would wait for it, or fall into the middle of what it saves, "
                f"so nothing was changed. Ask again when it has ended; to end it: SELECT pg_terminate_backend({pid})."
            )
    assert (tables(session), list(tmp_path.iterdir())) == (["a"], [])
    assert bring(session, FILES, folder=tmp_path).failure is None  # our own dump among it


def test_a_dump_that_began_during_our_own_is_not_run_into(session: Session, tmp_path: Path) -> None:
    with psycopg.connect(session.database.dsn, application_name="pg_dump", autocommit=True) as theirs:

        def tell(step: Step) -> None:
            if isinstance(step, BackupTaken):
                theirs.execute("SET application_name = 'pg_dump'")

        theirs.execute("SET application_name = 'cron'")
        with pytest.raises(BeingDumped):
            bring(session, FILES, folder=tmp_path, tell=tell)
    assert tables(session) == []


def test_a_dump_of_another_database_is_in_nobodys_way(session: Session, postgres: Postgres) -> None:
    with psycopg.connect(postgres.url(), application_name="pg_dump"), lock.only_one(session):
        ended = apply.run(session, draw(session, FILES), backup=NothingToLose(), actor="ada", request=None)
    assert ended.failure is None


def test_what_may_not_be_seen_is_left_out_and_what_works_beside_it_is_counted() -> None:
    assert str(BeingDumped("test", 7, "saver", None, 2)).startswith(
        "test is being dumped: pg_dump of role saver runs there (pid 7) and 2 more of its kind. A change"
    )
