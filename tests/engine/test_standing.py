"""The folder beside the history: what is in, what waits and what stops a run."""

import json

from engine import history, standing
from engine.connection import Session, server_name
from engine.files import Migration
from engine.standing import Standing, State
from tests.support.engine import migration

A, B, C = "20250101000000_a", "20250102000000_b", "20250103000000_c"
FILES = tuple(migration(stem, f"SELECT '{stem}'") for stem in (A, B, C))


def after(session: Session, *rows: tuple[str, str], files: tuple[Migration, ...] = FILES) -> Standing:
    history.prepare(session)
    with session.conn.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO schema_migrations (migration_id, name, checksum, environment) VALUES (%s, '', %s, '')", rows
        )
    return standing.look(session, files)


def test_without_a_folder_there_is_the_history_alone(session: Session) -> None:
    after(session, (A, "0"), ("20241231000000_old", "0"))
    found = standing.look(session, None)
    assert [(cell.id, cell.state) for cell in found.cells] == [
        ("20241231000000_old", State.APPLIED),
        (A, State.APPLIED),
    ]
    assert (found.pending, found.problems, found.renamed, len(found.applied)) == ((), (), (), 2)
    assert Standing.from_json(json.loads(json.dumps(found.as_json()))) == found


def test_an_edited_file_is_named(session: Session) -> None:
    found = after(session, (A, "0123456789"))
    assert [problem.sentence for problem in found.problems] == [
        (
            f"{A}.sql changed after development applied it: it ran as 01234567 and is now {FILES[0].checksum[:8]}. "
            "Restore the file as it ran, or put the change in a new migration."
        )
    ]
    assert (found.cells[0].state, found.applied[0].checksum) == (State.EDITED, "0123456789")


def test_a_missing_file_is_named(session: Session) -> None:
    found = after(session, ("20241231000000_old", "0"))
    assert [problem.sentence for problem in found.problems] == [
        (
            "development applied 20241231000000_old, but the folder has no such file. "
            "Restore 20241231000000_old.sql from version control."
        )
    ]
    assert found.cells[0].state is State.MISSING


def test_a_file_that_got_another_timestamp_is_named(session: Session) -> None:
    found = after(session, ("20241231000000_a", FILES[0].checksum))
    assert [problem.sentence for problem in found.problems] == [
        (
            "development applied 20241231000000_a, but the folder has no such file; "
            f"{A}.sql has the same text. Rename it back to 20241231000000_a.sql."
        )
    ]


def test_a_file_that_got_an_older_timestamp_is_not_told_to_take_a_newer_one(session: Session) -> None:
    found = after(session, ("20260101000000_a", FILES[0].checksum), (B, FILES[1].checksum), (C, FILES[2].checksum))
    assert [problem.state for problem in found.problems] == [State.MISSING]


def test_a_file_that_got_another_name_is_known(session: Session) -> None:
    old = f"{A}_old"
    found = after(session, (old, FILES[0].checksum), (f"{B}.sql", FILES[1].checksum))
    assert (found.renamed, found.problems) == (((old, A),), ())
    assert Standing.from_json(json.loads(json.dumps(found.as_json()))) == found


def test_an_older_file_behind_newer_ones_is_named(session: Session) -> None:
    found = after(session, (B, FILES[1].checksum))
    assert [problem.sentence for problem in found.problems] == [
        f"{A}.sql is older than {B}, which development already has. Rename it with a timestamp after 20250103000000."
    ]
    assert [cell.state for cell in found.cells] == [State.LATE, State.APPLIED, State.PENDING]
    assert found.pending == (A, C)


def test_a_row_of_another_tool_counts_as_the_file_it_stands_for(session: Session) -> None:
    crlf = tuple(migration(file.id, file.text) for file in FILES[:1]) + FILES[1:]
    found = after(session, ("20250101000000", crlf[0].raw_checksum), files=crlf)
    assert found.covers == ((A, FILES[0].checksum),)
    assert (found.head, found.problems, found.renamed) == ("20250101000000", (), ())


def test_an_empty_environment(session: Session) -> None:
    found = standing.look(session, FILES)
    assert (found.head, found.applied, found.pending) == (None, (), (A, B, C))
    assert (found.database, found.server, found.schema) == ("engine_room", server_name(session.server), "public")
    assert found.system_identifier
    assert found.bytes > 1_000_000


def test_a_role_that_may_not_ask_for_the_systems_identifier_still_looks(session: Session) -> None:
    standing.look(session, FILES)
    session.conn.execute("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC; CREATE ROLE plain")
    try:
        session.conn.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO plain; GRANT USAGE ON SCHEMA public TO plain")
        session.conn.execute("SET ROLE plain")
        assert standing.look(session, FILES).system_identifier is None
    finally:
        session.conn.execute("RESET ROLE; DROP OWNED BY plain; DROP ROLE plain")
        session.conn.execute("GRANT EXECUTE ON FUNCTION pg_control_system() TO PUBLIC")


def test_it_travels_as_json(session: Session) -> None:
    found = after(session, (A, FILES[0].checksum), ("x", "0"))
    assert Standing.from_json(json.loads(json.dumps(found.as_json()))) == found
