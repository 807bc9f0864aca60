"""Every event and every value comes back from the ledger as it went in."""

from dataclasses import fields
from datetime import UTC, datetime
from typing import get_args, get_type_hints

import pytest

from ledger import plain
from ledger.book import Book
from ledger.events import KINDS, Event
from ledger.request import CertifiedBy, PlanSummary
from ledger.states import State
from ledger.underway import Blocker, Halted, Stretch
from tests.support.ledger import a_plan, a_request_in

_SAMPLES = {
    bool: False,
    str: "ünïcode “quoted” \n",
    int: 7,
    float: 0.25,
    float | None: 2.5,
    str | None: None,
    int | None: 14,
    bool | None: True,
    tuple[Blocker, ...]: (Blocker(7, "app", 41.5), Blocker(8, "app", None)),
    Stretch | None: Stretch(540, 10, 0, 3, 1200, 0, False),
    Halted | None: Halted(7, "bo", "why", None),
    tuple[str, ...]: ("20250818140001_add_user_columns", "b"),
}


def _sample(kind: type) -> Event:
    """An event with something in every field."""
    hints = get_type_hints(kind)
    return kind(**{field.name: _SAMPLES[hints[field.name]] for field in fields(kind)})


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_an_event_read_back_equals_the_one_written(ledger: Book, kind: type) -> None:
    event = _sample(kind)
    request = a_request_in(ledger, State.ASKED)
    ledger.tell(request.id, event)
    assert ledger.events(request.id)[-1].event == event


def test_every_event_has_its_own_name() -> None:
    assert set(KINDS.values()) == set(get_args(Event))
    assert all(name == kind.__name__ for name, kind in KINDS.items())


def test_a_plan_with_everything_in_it_comes_back() -> None:
    at = datetime(2026, 11, 22, 10, 0, 0, 123456, tzinfo=UTC)
    by = CertifiedBy(actor_id="U1", actor_name="ada", at=at, note=None)
    whole = plain.load(PlanSummary, plain.dump(a_plan()) | {"certified": plain.dump(by), "database_bytes": 12})
    assert whole.certified == by
    assert plain.load(PlanSummary, plain.dump(whole)) == whole


@pytest.mark.parametrize(
    "body",
    [{}, {"surprise": 1}, plain.dump(a_plan()) | {"surprise": 1}, plain.dump(a_plan()) | {"migrations": [{"id": "x"}]}],
)
def test_a_body_of_another_shape_is_refused(body: dict) -> None:
    with pytest.raises((KeyError, TypeError)):
        plain.load(PlanSummary, body)
