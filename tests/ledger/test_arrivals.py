"""What the events of runs tell of the migrations that an environment has."""

import pytest

from ledger.book import Book
from ledger.events import Event, MigrationApplied, MigrationReverted, Restored
from ledger.states import State
from tests.support.ledger import a_request_in, a_wish

IN, BACK = MigrationApplied("1_a", 1, 1, 0.1), MigrationReverted("1_a", 1, 1, 0.1)


def test_what_a_run_brought_after_a_moment_is_known(ledger: Book) -> None:
    run = a_request_in(ledger, State.APPLYING)
    before = ledger.now()
    assert ledger.applied_since("development", before) is None
    for place in (1, 2):
        ledger.tell(run.id, MigrationApplied(f"2025010{place}000000_m", place, 2, 0.1))
    assert ledger.applied_since("development", before) == "20250102000000_m"
    assert ledger.applied_since("development", ledger.now()) is None
    assert ledger.applied_since("test", before) is None


@pytest.mark.parametrize(
    ("story", "there"),
    [
        ((), False),
        ((IN,), True),
        ((MigrationApplied("2_b", 1, 1, 0.1),), False),
        ((IN, MigrationReverted("2_b", 1, 1, 0.1)), True),
        ((IN, BACK), False),
        ((IN, BACK, IN), True),
        ((IN, Restored("x.sql", "kept", 0.1)), False),
    ],
)
def test_what_came_and_was_not_taken_back_has_arrived(ledger: Book, story: tuple[Event, ...], there: bool) -> None:
    run = a_request_in(ledger, State.APPLYING, wish=a_wish(environment="test"))
    for event in story:
        ledger.tell(run.id, event)
    assert ledger.has_arrived("test", "1_a") is there
    assert ledger.has_arrived("development", "1_a") is False
