"""The picture of a rehearsal before it is drawn: which lanes it has, and what it says to whoever does not see it."""

import json
from dataclasses import asdict, replace

from bot import timeline
from bot.timeline import NAME, RELATIONS, RUNS, STATEMENTS, Bar, Lane, Timeline
from ledger.rehearsed import Barred, Ran
from tests.bot.test_receipts import SEEN

WORDS = (
    "Rehearsal of #7 on a copy of production: 2 statements in 1.2 s · 4.5 MB of WAL · 12.3 MB restored in 3 s. "
    "Locks: public.users ACCESS EXCLUSIVE 1.2 s, from 0 ms on; public.orders SHARE 500 ms, from 100 ms on. "
    "Statements: ALTER TABLE · line 1 of phone, writes anew · 20 ms; UPDATE · line 3 of phone, 120 rows · 1.1 s."
)


def of(**other: object) -> Timeline:
    return timeline.of(7, "production", replace(SEEN, **other))  # pyright: ignore[reportArgumentType]


def test_each_statement_and_each_relation_has_a_lane_the_strongest_lock_first() -> None:
    picture = of()
    assert (picture.seconds, picture.warning) == (1.2, "")
    assert picture.statements[1] == Lane("UPDATE · line 3 of phone", "120 rows · 1.1 s", RUNS, (Bar(RUNS, 0.02, 1.1),))
    users = (Bar("SHARE", 0.5, 0.1), Bar("ACCESS EXCLUSIVE", 0.0, 1.2))  # the stronger is drawn over the weaker
    assert picture.locks[0] == Lane("public.users", "ACCESS EXCLUSIVE 1.2 s", "ACCESS EXCLUSIVE", users)
    assert [one.name for one in picture.locks] == ["public.users", "public.orders"]
    again = of(locks=(*SEEN.locks, Barred("public.users", "ACCESS EXCLUSIVE", 2.0, 1.0)))
    assert again.locks[0].figure == "2 × ACCESS EXCLUSIVE, 1.2 s at most"
    assert again.seconds == 3.0


def test_it_is_said_in_words_to_whoever_does_not_see_it() -> None:
    assert timeline.in_words(of()) == WORDS
    assert "Locks: none that bars anybody." in timeline.in_words(of(locks=()))
    sample = "The schema and a sample of rows alone: it will take longer than this."
    assert sample in timeline.in_words(of(extent="schema"))
    many = tuple(Ran("a" * 60, line, "SELECT", 0.0, 0.1, None) for line in range(200))
    assert len(timeline.in_words(of(statements=many)).encode()) == timeline.ALT
    assert timeline.in_words(of(statements=tuple(replace(one, tag="日本語") for one in many))).endswith("…")


def test_where_there_are_many_the_longest_stand_and_the_others_share_a_lane() -> None:
    ran = tuple(Ran("a_b", line, "SELECT", line * 1.0, line / 10, None) for line in range(1, 201))
    picture = of(statements=ran, more=50)
    assert picture.subtitle.startswith("250 statements in 1.2 s")
    *longest, others = picture.statements
    assert [one.name for one in longest] == [f"SELECT · line {line} of b" for line in range(202 - STATEMENTS, 201)]
    assert (others.name, len(others.bars)) == (f"{201 - STATEMENTS} others", 201 - STATEMENTS)
    assert others.figure == "together 28 min 40 s"
    held = tuple(Barred(f"public.t{n}", "SHARE", 0.0, n / 10) for n in range(1, 31))
    *longest, others = of(locks=held).locks
    assert [one.name for one in longest] == [f"public.t{n}" for n in range(30, 31 - RELATIONS, -1)]
    assert (others.name, others.figure) == (f"{31 - RELATIONS} other relations", "2.2 s at most")


def test_what_a_name_says_is_text_and_one_line_of_it() -> None:
    hostile = "public.\u202e\ngnp$x_{2}$" + "x" * 500
    picture = of(locks=(Barred(hostile, "RUN AWAY", 0.0, 0.1),), statements=(), seconds=0.0)
    (lane,) = picture.locks
    assert lane.name.startswith("public. gnp$x_{2}$xxx")
    assert (len(lane.name), lane.kind, picture.seconds) == (NAME, "RUN AWAY", 0.1)
    assert of(locks=(), statements=(), seconds=0.0).seconds > 0


def test_it_travels_as_json() -> None:
    assert Timeline.from_json(json.loads(json.dumps(asdict(of())))) == of()
