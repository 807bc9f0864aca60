"""What the engine says on its way is told in the ledger's own words; nothing of another's query goes along."""

import pytest

from engine import report
from engine.agreement import Agreement
from engine.drift import Difference
from ledger import events
from ledger.underway import Blocker
from workers import reporting


@pytest.mark.parametrize(
    ("said", "event"),
    [
        (
            report.Blocked("1_a", (report.Blocker(7, "app", 41.5, "14:03:01"), report.Blocker(8, "app", None, None))),
            events.Blocked("1_a", (Blocker(7, "app", 41.5), Blocker(8, "app", None))),
        ),
        (report.TriedAgain("1_a", 2, 5, 1.5), events.TriedAgain("1_a", 2, 5, 1.5)),
        (report.StatementRan("1_a", 2, 3), events.StatementRan("1_a", 2, 3)),
        (report.MigrationStarted("1_a", 1, 2), None),
    ],
)
def test_a_step_is_an_event(said: report.Step, event: events.Event | None) -> None:
    assert reporting.step(said) == event


def test_many_differences_are_counted() -> None:
    unlike = tuple(Difference("table", f"public.t{n}", "table", None) for n in range(102))
    said = reporting.compared(Agreement("differs", "development", "They differ.", unlike))
    assert (len(said.differences), said.differences[-1]) == (101, "and 2 more")
