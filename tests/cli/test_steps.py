"""What a run says while it goes, in words."""

from cli import plan_words
from cli.answer import Line
from engine.report import Blocked, Blocker, StatementRan, TriedAgain
from tests.cli.conftest import Shell


def words(lines: list[Line]) -> str:
    return "\n".join("".join(span.text for span in one) for one in lines)


def test_who_is_in_the_way_is_said() -> None:
    step = Blocked(
        "20250101000000_a", (Blocker(7, "app", 12.4, "14:03:07"), Blocker(8, "autovacuum worker", None, None))
    )
    assert words(plan_words.step(step)) == (
        "20250101000000_a.sql waits for a lock. In its way: pid 7 (role app, in its transaction for 12 s, its statement"
        " begun at 14:03:07 UTC), pid 8 (role autovacuum worker)."
    )


def test_another_try_is_said() -> None:
    assert words(plan_words.step(TriedAgain("20250101000000_a", 2, 5, 1.5))) == (
        "20250101000000_a.sql gave way and was rolled back; try 2 of 5 in 1.5 s."
    )
    assert words(plan_words.step(StatementRan("20250101000000_a", 2, 3))) == (
        "20250101000000_a.sql: statement 2 of 3 ran and stays"
    )


def test_a_plan_says_what_is_no_transaction(shell: Shell) -> None:
    shell.write("20260101000000_index", "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY ON users (id);\n")
    assert (
        "    runs statement by statement, without lock_timeout; when one fails, those before it stay\n"
        in shell("plan", "dev").out
    )
    assert shell("apply", "dev").code == 0
