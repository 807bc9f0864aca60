"""Requests are written once, moved by one winner, and every move has its reason beside it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from ledger import words
from ledger.book import Book
from ledger.errors import AlreadyOpen, IllegalMove, NoSuchRequest, TooLate
from ledger.events import Approved, Asked, Certified, Noted, Planned, Started, Withdrawn
from ledger.request import OCCUPYING, Act, Certification, CertifiedBy, Wish
from ledger.states import FINAL, MOVES, SAID, State, sources
from tests.support.ledger import ADA, BO, DIGEST, WAY, a_frozen, a_plan, a_request_in, a_wish

HOUR = timedelta(hours=1)


def test_a_wish_becomes_a_request_with_its_first_event(ledger: Book) -> None:
    wish = a_wish(environment="production", reason="users want it")
    request, new = ledger.open(wish, expires_in=HOUR, protected=True)
    assert new
    assert (request.state, request.version, request.plan) == (State.ASKED, 1, None)
    assert (request.act, request.actor, request.reason, request.channel) == (Act.APPLY, ADA, wish.reason, "C0MIGRATE")
    assert abs(request.expires_at - request.asked_at - HOUR) < timedelta(seconds=1)
    (told,) = ledger.events(request.id)
    assert told.seq == 1
    by = words.hash_of_actor(ADA)
    assert told.event == Asked(
        ADA.id, ADA.name, "apply", "production", "users want it", channel="C0MIGRATE", protected=True, by=by
    )


def test_the_same_wish_twice_is_one_request(ledger: Book) -> None:
    wish = a_wish()
    first, _ = ledger.open(wish, expires_in=HOUR, protected=False)
    assert ledger.open(wish, expires_in=HOUR, protected=False) == (first, False)
    assert len(ledger.events(first.id)) == 1


def test_twenty_deliveries_of_one_wish_at_once_are_one_request(ledger: Book) -> None:
    wish = a_wish()
    with ThreadPoolExecutor(20) as threads:
        opened = list(threads.map(lambda _: ledger.open(wish, expires_in=HOUR, protected=True), range(20)))
    assert len({request.id for request, _ in opened}) == 1
    assert sum(new for _, new in opened) == 1


@pytest.mark.parametrize("act", OCCUPYING)
def test_a_protected_environment_has_one_open_change_in_whatever_way(ledger: Book, act: Act) -> None:
    first, _ = ledger.open(a_wish(environment="production"), expires_in=HOUR, protected=True)
    with pytest.raises(AlreadyOpen) as caught:
        ledger.open(a_wish(environment="production", actor=BO, act=act), expires_in=HOUR, protected=True)
    assert str(caught.value) == (
        f"production has an open request, #{first.id}. "
        f"Wait for its end, or take it back with `/migrate cancel {first.id}`."
    )
    ledger.open(a_wish(environment="production", act=Act.CERTIFY), expires_in=HOUR, protected=True)
    ledger.move(first.id, State.CANCELLED, why=WAY[State.CANCELLED][1])
    assert ledger.open(a_wish(environment="production"), expires_in=HOUR, protected=True)[1]


def test_a_request_that_ends_in_between_is_no_obstacle(ledger: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    first, _ = ledger.open(a_wish(environment="production"), expires_in=HOUR, protected=True)
    look = ledger._open_change

    def ends_before_the_look(wish: Wish) -> int | None:
        ledger.move(first.id, State.CANCELLED, why=WAY[State.CANCELLED][1])
        return look(wish)

    monkeypatch.setattr(ledger, "_open_change", ends_before_the_look)
    assert ledger.open(a_wish(environment="production"), expires_in=HOUR, protected=True)[1]


def test_a_wish_is_no_obstacle_to_itself(ledger: Book) -> None:
    """PostgreSQL may tell of the one open request before it tells of the key, when one wish comes twice at once."""
    wish = a_wish(environment="production")
    first, _ = ledger.open(wish, expires_in=HOUR, protected=True)
    assert ledger._open_change(wish) is None
    assert ledger._open_change(a_wish(environment="production")) == first.id


def test_an_unprotected_environment_has_as_many_as_people_ask(ledger: Book) -> None:
    assert all(ledger.open(a_wish(), expires_in=HOUR, protected=False)[1] for _ in range(3))


def test_an_unknown_request_is_said(ledger: Book) -> None:
    sentence = "There is no request #41. `/migrate requests` lists the open ones."
    for lookup in (ledger.request, ledger.frozen_plan, lambda n: ledger.tell(n, Planned("", ()))):
        with pytest.raises(NoSuchRequest) as caught:
            lookup(41)
        assert str(caught.value) == sentence
    with pytest.raises(NoSuchRequest):
        ledger.move(41, State.CANCELLED, why=WAY[State.CANCELLED][1])


def test_requests_are_listed_newest_first(ledger: Book) -> None:
    ended = a_request_in(ledger, State.CANCELLED)
    dev = a_request_in(ledger, State.PLANNED)
    test = a_request_in(ledger, State.ASKED, wish=a_wish(environment="test"))
    assert ledger.requests(open_only=True, limit=9) == (test, dev)
    assert ledger.requests(open_only=False, limit=2) == (test, dev)
    assert ledger.requests(environment="development", open_only=False, limit=9) == (dev, ended)


def test_a_plan_lies_beside_its_request(ledger: Book) -> None:
    request = a_request_in(ledger, State.PLANNED)
    assert request.plan == a_plan()
    assert ledger.request(request.id) == request
    assert ledger.frozen_plan(request.id) == a_frozen(a_plan())


def test_a_plan_is_laid_once(ledger: Book) -> None:
    request = a_request_in(ledger, State.APPROVED)
    with pytest.raises(IllegalMove):
        ledger.lay_plan(request.id, summary=a_plan(), frozen={}, why=Planned(DIGEST, ()))


def test_nothing_is_planned_without_a_plan(ledger: Book) -> None:
    request = a_request_in(ledger, State.ASKED)
    with pytest.raises(IllegalMove):
        ledger.move(request.id, State.PLANNED, why=Planned(DIGEST, ()))


def test_a_withdrawal_takes_the_start_back(ledger: Book) -> None:
    request = a_request_in(ledger, State.APPROVED)
    assert request.starts_at is not None
    back = ledger.move(request.id, State.PLANNED, why=Withdrawn(BO.id, BO.name))
    assert (back.state, back.starts_at, back.version) == (State.PLANNED, None, 4)


@pytest.mark.parametrize("to", State)
@pytest.mark.parametrize("standing", State)
def test_every_pair_of_states_moves_as_the_table_says(ledger: Book, standing: State, to: State) -> None:
    request = a_request_in(ledger, standing)
    why = WAY[to][1] if to in WAY else Planned(DIGEST, ())
    if to in MOVES[standing]:
        assert _bring(ledger, request.id, to).state is to
        assert [told.seq for told in ledger.events(request.id)] == list(range(1, request.version + 2))
        return
    with pytest.raises(IllegalMove) as caught:
        ledger.move(request.id, to, why=why)
    assert str(caught.value) == (
        f"#{request.id} {SAID[standing]}, so that cannot be done now. "
        "`/migrate requests` shows where the open requests stand."
    )
    assert ledger.request(request.id) == request
    assert len(ledger.events(request.id)) == request.version


def _bring(ledger: Book, request_id: int, to: State):
    """A move, or the one that carries a plan."""
    if to is State.PLANNED and ledger.request(request_id).state is State.ASKED:
        return ledger.lay_plan(request_id, summary=a_plan(), frozen={}, why=Planned(DIGEST, ()))
    return ledger.move(request_id, to, why=WAY[to][1])


def test_every_state_has_its_moves_and_every_move_a_state() -> None:
    assert set(MOVES) == set(State)
    assert {to for following in MOVES.values() for to in following} == set(State) - {State.ASKED}
    assert {state for state in State if not MOVES[state]} == FINAL
    assert all((to in MOVES[state]) == (state in sources(to)) for state in State for to in State)


def test_of_twelve_claims_one_wins(ledger: Book) -> None:
    request = a_request_in(ledger, State.APPROVED)

    def claim(number: int) -> bool:
        try:
            ledger.move(request.id, State.APPLYING, why=Started(worker=f"host:{number}"))
        except IllegalMove:
            return False
        return True

    with ThreadPoolExecutor(12) as threads:
        assert sum(threads.map(claim, range(12))) == 1
    assert [type(told.event) for told in ledger.events(request.id)].count(Started) == 1


def test_events_told_at_once_have_no_gap(ledger: Book) -> None:
    request = a_request_in(ledger, State.PLANNED)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda n: ledger.tell(request.id, Noted(BO.id, BO.name, str(n))), range(40)))
    assert [told.seq for told in ledger.events(request.id)] == list(range(1, 43))
    assert ledger.request(request.id).version == 42


@pytest.mark.parametrize(("standing", "to"), [(State.PLANNED, State.APPROVED), (State.APPROVED, State.APPLYING)])
def test_what_expired_is_neither_approved_nor_started(
    ledger: Book, past: Callable[[int], None], standing: State, to: State
) -> None:
    request = a_request_in(ledger, standing)
    past(request.id)
    with pytest.raises(TooLate) as caught:
        ledger.move(request.id, to, why=WAY[to][1])
    assert isinstance(caught.value, IllegalMove)
    expired_at = ledger.request(request.id).expires_at
    assert str(caught.value) == (f"#{request.id} expired at {expired_at:%Y-%m-%d %H:%M} UTC. Ask again for a new plan.")
    assert ledger.move(request.id, State.EXPIRED, why=WAY[State.EXPIRED][1]).state is State.EXPIRED


def test_what_is_approved_does_not_start_before_its_time(ledger: Book) -> None:
    request = a_request_in(ledger, State.PLANNED)
    ledger.move(request.id, State.APPROVED, why=WAY[State.APPROVED][1], starts_at=ledger.now() + HOUR)
    with pytest.raises(IllegalMove) as caught:
        ledger.move(request.id, State.APPLYING, why=Started("host:1"))
    assert not isinstance(caught.value, TooLate)
    assert ledger.request(request.id).state is State.APPROVED


def test_a_run_that_started_in_time_may_end_late(ledger: Book, past: Callable[[int], None]) -> None:
    request = a_request_in(ledger, State.APPLYING)
    past(request.id)
    assert ledger.move(request.id, State.APPLIED, why=WAY[State.APPLIED][1]).state is State.APPLIED


def test_a_move_whose_event_cannot_be_written_does_not_happen(ledger: Book) -> None:
    request = a_request_in(ledger, State.PLANNED)
    unwritable = Approved(BO.id, "\x00", "")  # jsonb takes no NUL
    with pytest.raises(Exception, match="unsupported Unicode escape sequence"):
        ledger.move(request.id, State.APPROVED, why=unwritable)
    assert ledger.request(request.id) == request


def test_a_certification_ends_its_request(ledger: Book) -> None:
    wish = a_wish(environment="test", act=Act.CERTIFY)
    request = a_request_in(ledger, State.APPLYING, wish=wish)
    by = CertifiedBy(actor_id=ADA.id, actor_name=ADA.name, at=ledger.now(), note="clicked through")
    certification = Certification(request.id, "test", covers=(("20250818140001_add", "a" * 64),), by=by)
    why = Certified(ADA.id, ADA.name, ("20250818140001_add",), "clicked through")
    assert ledger.certification("test") is None
    assert ledger.certify(certification, why=why).state is State.APPLIED
    assert ledger.certification("test") == certification
    assert ledger.certification("production") is None
    assert ledger.events(request.id)[-1].event == why
    with pytest.raises(IllegalMove):
        ledger.certify(certification, why=why)


def test_the_newest_certification_counts(ledger: Book) -> None:
    for note in ("first", "second"):
        request = a_request_in(ledger, State.APPLYING, wish=a_wish(environment="test", act=Act.CERTIFY))
        by = CertifiedBy(actor_id=ADA.id, actor_name=ADA.name, at=ledger.now(), note=note)
        ledger.certify(Certification(request.id, "test", (), by), why=Certified(ADA.id, ADA.name, (), note))
    newest = ledger.certification("test")
    assert newest is not None
    assert newest.by.note == "second"


def test_a_plan_of_another_request_is_no_ground_for_a_state(ledger: Book, owner_says: Callable[[str], None]) -> None:
    request = a_request_in(ledger, State.ASKED)
    with pytest.raises(IntegrityError):
        owner_says(f"UPDATE requests SET state = 'approved', starts_at = now() WHERE id = {request.id}")


def test_the_clock_is_the_ledgers_and_in_utc(ledger: Book) -> None:
    assert ledger.now().utcoffset() == timedelta()
