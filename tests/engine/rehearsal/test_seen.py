"""What a receipt says of a plan that works."""

import json
import time

import pytest

from engine.rehearsal import undo
from engine.rehearsal.measured import Course
from engine.rehearsal.receipt import Change, Receipt, Rows
from engine.rehearsal.undo import Mark
from tests.engine.rehearsal.conftest import Shop


def test_every_statement_is_measured_with_its_locks_rewrites_and_rows(shop: Shop, untouched: None) -> None:
    seen = shop.rehearse(
        "-- migrate:up\nALTER TABLE users ALTER id TYPE bigint;\nUPDATE users SET email = 'x' WHERE id < 4;\n"
        "-- migrate:down\nUPDATE users SET email = 'a' || id WHERE id < 4; ALTER TABLE users ALTER id TYPE int;\n"
    ).receipt
    (file,) = seen.files
    assert [(one.number, one.line, one.tag, one.rows, one.rewrites) for one in file.statements] == [
        (1, 2, "ALTER TABLE", None, ("public.users",)),
        (2, 3, "UPDATE", 3, ()),
    ]
    assert all(one.wal > 0 and one.seconds > 0 for one in file.statements)
    assert {(one.relation, one.mode) for one in file.locks} == {
        ("public.users", "ACCESS EXCLUSIVE"),
        ("public.orders", "ACCESS EXCLUSIVE"),  # its foreign key is made anew
        ("public.users_pkey", "ACCESS EXCLUSIVE"),
    }
    assert all(0 < one.seconds <= file.seconds for one in file.locks)
    assert file.changes == (Change("public.users", 0, 3, 0, 0),)
    assert (seen.undo, seen.unnamed, seen.invalid, seen.unvalidated) == ("lossless", (), (), ())
    assert Rows("public.users", 10, 10) in seen.rows
    assert Receipt.from_json(json.loads(json.dumps(seen.as_json()))).hash == seen.hash


def test_a_truncate_that_empties_what_the_plan_does_not_name_is_a_red_line(shop: Shop, untouched: None) -> None:
    seen = shop.rehearse("TRUNCATE users CASCADE; CREATE TABLE fresh AS SELECT 1 AS a").receipt
    assert seen.unnamed == ("public.orders",)
    assert seen.files[0].changes == (
        Change("public.fresh", 1, 0, 0, 0),
        Change("public.orders", 0, 0, 0, 5),
        Change("public.users", 0, 0, 0, 10),
    )
    assert [one.rewrites for one in seen.files[0].statements] == [(), ()]
    assert {(one.relation, one.mode) for one in seen.files[0].locks} >= {("public.orders", "ACCESS EXCLUSIVE")}
    assert {one for one in seen.rows if one.before != one.after} == {
        Rows("public.fresh", None, 1),
        Rows("public.orders", 5, 0),
        Rows("public.users", 10, 0),
    }


def test_one_file_begins_where_the_one_before_ended_and_the_run_takes_what_they_take(
    shop: Shop, untouched: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = undo.mark

    def slowly(course: Course, place: int) -> Mark:
        time.sleep(0.1)
        return look(course, place)

    monkeypatch.setattr(undo, "mark", slowly)
    seen = shop.rehearse("CREATE TABLE one (a int)", "CREATE TABLE two (a int)").receipt
    first, second = seen.files
    assert (first.at, second.at) == (0.0, pytest.approx(first.seconds, abs=1e-5))
    last = second.statements[-1]
    assert last.at + last.seconds <= seen.seconds + 1e-5
    assert seen.seconds == pytest.approx(second.at + second.seconds, abs=1e-5)
