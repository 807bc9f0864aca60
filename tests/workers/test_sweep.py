"""What time asks for: rings again, expiries, warnings, inspections."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from ledger.book import Book
from ledger.doorbell import Doorbell
from ledger.events import Answered, Expired, ExpiryWarned, RanOut, Unanswered
from ledger.request import Act
from ledger.states import State
from tests.support.ledger import a_request_in, a_wish
from workers import sweep


class Bell(Doorbell):
    """A bell that remembers who was rung for."""

    def __init__(self, *, works: bool = True) -> None:
        super().__init__("redis://127.0.0.1:1/0")
        self.works = works
        self.rung: list[tuple[str, object, str]] = []

    def ring(self, request: object, environment: str) -> bool:
        self.rung.append(("run", request, environment))
        return self.works

    def ring_inspect(self, request_id: int, environment: str) -> bool:
        self.rung.append(("inspect", request_id, environment))
        return self.works

    def ring_watch(self, watch_id: int, environment: str) -> bool:
        self.rung.append(("watch", watch_id, environment))
        return self.works


@pytest.fixture
def bell() -> Bell:
    return Bell()


def test_what_was_asked_and_not_taken_up_is_rung_again(
    ledger: Book, bell: Bell, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = a_request_in(ledger, State.ASKED)
    sweep.sweep(ledger, bell)
    assert bell.rung == []
    monkeypatch.setattr(sweep, "UNCLAIMED", timedelta())
    sweep.sweep(ledger, bell)
    assert bell.rung == [("run", request.id, "development")]
    monkeypatch.setattr(sweep, "UNCLAIMED", timedelta(seconds=30))
    sweep.sweep(ledger, bell)
    assert len(bell.rung) == 1


def test_a_ring_that_did_not_go_out_is_tried_again_next_time(ledger: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    a_request_in(ledger, State.ASKED)
    monkeypatch.setattr(sweep, "UNCLAIMED", timedelta(milliseconds=1))
    deaf = Bell(works=False)
    sweep.sweep(ledger, deaf)
    sweep.sweep(ledger, deaf)
    assert len(deaf.rung) == 2


def test_what_is_over_expires_once(ledger: Book, bell: Bell, owner_says: Callable[[str], None]) -> None:
    request = a_request_in(ledger, State.PLANNED)
    owner_says(f"UPDATE requests SET expires_at = clock_timestamp() - interval '1 s' WHERE id = {request.id}")
    sweep.sweep(ledger, bell)
    sweep.sweep(ledger, bell)
    assert ledger.request(request.id).state is State.EXPIRED
    assert [told.event for told in ledger.events(request.id)].count(Expired()) == 1


@pytest.mark.parametrize(
    ("lasts", "left", "minutes"),
    [
        (timedelta(hours=4), timedelta(minutes=23.6), 24),
        (timedelta(hours=4), timedelta(minutes=25), None),
        (timedelta(hours=40), timedelta(minutes=29.5), 30),
        (timedelta(hours=40), timedelta(minutes=31), None),
        (timedelta(minutes=5), timedelta(seconds=20), 1),
    ],
)
def test_a_warning_comes_once_when_a_tenth_of_the_time_is_left_and_half_an_hour_at_most(
    ledger: Book,
    bell: Bell,
    owner_says: Callable[[str], None],
    lasts: timedelta,
    left: timedelta,
    minutes: int | None,
) -> None:
    request = a_request_in(ledger, State.PLANNED, protected=True)
    owner_says(
        f"UPDATE requests SET expires_at = clock_timestamp() + interval '{left.total_seconds()} s',"
        f" asked_at = clock_timestamp() - interval '{(lasts - left).total_seconds()} s' WHERE id = {request.id}"
    )
    sweep.sweep(ledger, bell)
    sweep.sweep(ledger, bell)
    warnings = [told.event for told in ledger.events(request.id) if isinstance(told.event, ExpiryWarned)]
    assert warnings == ([ExpiryWarned(minutes)] if minutes else [])


def test_that_no_worker_answers_is_told_once_and_that_one_does_again_too(
    ledger: Book, bell: Bell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "UNANSWERED", timedelta())
    asked, run = a_request_in(ledger, State.ASKED), a_request_in(ledger, State.APPLYING)
    sweep.sweep(ledger, bell)
    sweep.sweep(ledger, bell)
    assert [told.event for told in ledger.events(asked.id)][1:] == [Unanswered(0)]
    assert [told.event for told in ledger.events(run.id)][-1] == Unanswered(0)
    monkeypatch.setattr(sweep, "UNANSWERED", timedelta(hours=1))
    ledger.beat(run.id)
    sweep.sweep(ledger, bell)
    sweep.sweep(ledger, bell)
    assert [told.event for told in ledger.events(run.id)][-2:] == [Unanswered(0), Answered()]


def test_that_a_freeze_is_over_is_told_once(ledger: Book, bell: Bell, owner_says: Callable[[str], None]) -> None:
    wish = a_wish(act=Act.FREEZE, reason="the disk is full")
    frozen, _ = ledger.freeze(wish, until=timedelta(hours=1), protected=False)
    sweep.sweep(ledger, bell)
    assert ledger.request(frozen.id).version == 2
    owner_says("UPDATE freezes SET at = at - interval '3 h', until = until - interval '2 h'")
    sweep.sweep(ledger, bell)
    sweep.sweep(ledger, bell)
    assert [told.event for told in ledger.events(frozen.id)][2:] == [RanOut()]


def test_a_run_that_fell_silent_is_looked_after(ledger: Book, bell: Bell, owner_says: Callable[[str], None]) -> None:
    request = a_request_in(ledger, State.APPLYING)
    sweep.sweep(ledger, bell)
    assert bell.rung == []
    owner_says(f"UPDATE requests SET beat_at = clock_timestamp() - interval '61 s' WHERE id = {request.id}")
    sweep.sweep(ledger, bell)
    assert bell.rung == [("inspect", request.id, "development")]


def test_each_environment_is_looked_at_at_once_and_then_every_minute(
    ledger: Book, bell: Bell, owner_says: Callable[[str], None]
) -> None:
    ledger.watch("test")
    sweep.sweep(ledger, Bell(works=False))  # Redis is down: the next round tries again
    sweep.sweep(ledger, bell)
    sweep.sweep(ledger, bell)
    assert [(what, environment) for what, _, environment in bell.rung] == [("watch", "test")]
    ledger.watch_heard(1)
    sweep.sweep(ledger, bell)
    assert len(bell.rung) == 1
    owner_says("UPDATE watches SET rung_at = rung_at - interval '61 s', heard_at = heard_at - interval '61 s'")
    sweep.sweep(ledger, bell)
    assert [(what, environment) for what, _, environment in bell.rung] == [("watch", "test")] * 2


def test_what_was_told_is_sealed_once(ledger: Book, bell: Bell) -> None:
    request = a_request_in(ledger, State.APPLIED)
    sweep.sweep(ledger, bell)
    sweep.sweep(ledger, bell)
    (seal,) = ledger.all_seals()
    assert seal.heads == {str(request.id): (5, ledger.tally(request.id).hash)}
