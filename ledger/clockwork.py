"""What time asks for: starts that are due, rings nobody answered, requests that expire, runs that fell silent.

Each question returns the ids of requests, oldest first, by the ledger's own clock.
"""

from datetime import timedelta

from sqlalchemy import ColumnElement, and_, func, not_, or_, select, update

from ledger.events import Answered, ExpiryWarned, Ready, Unanswered, Waiting
from ledger.pen import NOW, Pen
from ledger.request import CHANGING
from ledger.states import State, sources
from ledger.tables import events, plans, requests

_LAID = select(plans.c.request_id).where(plans.c.request_id == requests.c.id)

#: Whose plan waits for a person: `policy.needs_second_key`, as far as the ledger knows. Every other plan is the
#: worker's own to go on with.
SECOND_KEY = and_(
    requests.c.act.in_(CHANGING),
    or_(requests.c.protected, _LAID.where(plans.c.summary["protected"].as_boolean()).exists()),
)


def _wants_a_worker(older_than: timedelta) -> ColumnElement[bool]:
    """It is a worker's turn, and for a start that was to come, was longer ago than that."""
    return or_(
        requests.c.state == State.ASKED,
        and_(requests.c.state == State.PLANNED, not_(SECOND_KEY)),
        and_(requests.c.state == State.APPROVED, requests.c.starts_at <= NOW - older_than),
    )


def _latest(of: ColumnElement[bool]) -> ColumnElement:
    """When the request's latest event of a sort was."""
    return select(func.max(events.c.at)).where(events.c.request_id == requests.c.id, of).scalar_subquery()


def _is_attended() -> ColumnElement[bool]:
    """A worker said last that it waits for a lock, or for the bot."""
    last = select(events.c.kind).where(events.c.request_id == requests.c.id, events.c.kind != Unanswered.__name__)
    return last.order_by(events.c.seq.desc()).limit(1).scalar_subquery().in_([Waiting.__name__, Ready.__name__])


def _behind_a_run(within: timedelta) -> ColumnElement[bool]:
    """Of one environment one runs at a time, and the one before this was heard of within that."""
    other = requests.alias()
    ahead = select(other.c.id).where(
        other.c.environment == requests.c.environment,
        other.c.id != requests.c.id,
        other.c.state == State.APPLYING,
        other.c.beat_at > NOW - within,
    )
    return ahead.exists()


class Clockwork(Pen):
    """The questions of the bot's clock and of the sweep."""

    def due(self, *, unheard: timedelta) -> tuple[int, ...]:
        """Approved and the time to start has come, or asked longer than `unheard` ago; and nobody rang since."""
        never = requests.c.rung_at.is_(None)
        asked = and_(requests.c.state == State.ASKED, requests.c.asked_at <= NOW - unheard, never)
        starts = and_(requests.c.state == State.APPROVED, requests.c.starts_at <= NOW)
        return self._ids(or_(asked, and_(starts, or_(never, requests.c.rung_at < requests.c.starts_at))))

    def rung(self, request_id: int) -> None:
        """A ring for this request went out now."""
        self._stamp(request_id, requests.c.rung_at)

    def unclaimed(self, older_than: timedelta) -> tuple[int, ...]:
        """A worker should have taken these up, and the last ring, beat or the asking is longer ago than that."""
        last = func.greatest(func.coalesce(requests.c.rung_at, requests.c.asked_at), requests.c.beat_at)
        return self._ids(_wants_a_worker(older_than), last <= NOW - older_than)

    def unanswered(self, older_than: timedelta) -> tuple[int, ...]:
        """A worker should be at work on these, none was heard of for longer than that, and this was not said yet.

        Whoever waits behind a run that is alive, for a lock or for the bot, has a worker that answers.
        """
        heard = func.greatest(requests.c.beat_at, requests.c.starts_at, _latest(events.c.kind != Unanswered.__name__))
        said = _latest(events.c.kind == Unanswered.__name__)
        wanted = or_(requests.c.state == State.APPLYING, and_(_wants_a_worker(older_than), not_(_is_attended())))
        not_said = or_(said.is_(None), said < heard)
        return self._ids(wanted, not_(_behind_a_run(older_than)), heard <= NOW - older_than, not_said)

    def answered(self) -> tuple[int, ...]:
        """Running, said to be unanswered, and a worker was heard of since, which was not said yet."""
        unanswered = _latest(events.c.kind == Unanswered.__name__)
        again = func.coalesce(_latest(events.c.kind == Answered.__name__), requests.c.asked_at)
        running = requests.c.state == State.APPLYING
        return self._ids(running, requests.c.beat_at > unanswered, unanswered > again)

    def overdue(self) -> tuple[int, ...]:
        """Open, not running, and expired: what the sweep moves to `expired`."""
        return self._ids(requests.c.state.in_(sources(State.EXPIRED)), requests.c.expires_at <= NOW)

    def expiring(self, within: timedelta) -> tuple[int, ...]:
        """Waiting for a second key, still in time, expiring within that, and nobody was warned yet."""
        warned = select(events.c.seq).where(
            events.c.request_id == requests.c.id, events.c.kind == ExpiryWarned.__name__
        )
        soon = requests.c.expires_at.between(NOW, NOW + within)
        return self._ids(requests.c.state == State.PLANNED, SECOND_KEY, soon, not_(warned.exists()))

    def beat(self, request_id: int) -> None:
        """The run of this request is alive now."""
        self._stamp(request_id, requests.c.beat_at)

    def silent(self, older_than: timedelta) -> tuple[int, ...]:
        """Running, and no beat nor a ring for longer than that: their worker is probably dead, and nobody was sent."""
        last = func.greatest(requests.c.beat_at, requests.c.rung_at)  # of two, the one that is there
        return self._ids(requests.c.state == State.APPLYING, last <= NOW - older_than)

    def _ids(self, *those: ColumnElement[bool]) -> tuple[int, ...]:
        with self._transaction() as tx:
            return tuple(tx.scalars(select(requests.c.id).where(*those).order_by(requests.c.id)))

    def _stamp(self, request_id: int, column: ColumnElement) -> None:
        with self._transaction() as tx:
            tx.execute(update(requests).where(requests.c.id == request_id).values({column: NOW}))
