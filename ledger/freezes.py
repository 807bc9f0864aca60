"""Freezes: said at once by whoever may ask, since that only makes safer; lifted by a thaw, or over by themselves."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Numeric, Text, cast, func, insert, not_, select, update

from ledger import rows
from ledger.clockwork import SECOND_KEY
from ledger.events import Event, Frozen, RanOut, Withdrawn
from ledger.frost import halted, standing
from ledger.pen import NOW, Pen
from ledger.request import POLICY, Act, Freeze, Request, Verdict, Wish
from ledger.states import State, sources
from ledger.tables import decisions, events, freezes, requests
from ledger.wishes import all_requests, asked, opening

#: Who waits can be halted. What runs finishes.
_WAITING = frozenset({State.ASKED, State.PLANNED, State.APPROVED})

#: The ledger's clock as Slack writes a moment.
_NOW_AS_TS = cast(cast(func.extract("epoch", NOW), Numeric(20, 6)), Text)


class Freezes(Pen):
    """What is frozen, and the only way to freeze."""

    def freezes(self, environment: str) -> tuple[Freeze, ...]:
        """Those that stand, the one that lasts longest first."""
        with self._transaction() as tx:
            return standing(tx, environment)

    def frozen(self, environment: str) -> Freeze | None:
        """The freeze that lasts longest, or None where something may start."""
        return next(iter(self.freezes(environment)), None)

    def run_out(self) -> tuple[int, ...]:
        """The requests whose freeze is over by its time, which was not told yet."""
        told = select(events.c.seq).where(events.c.request_id == freezes.c.request_id, events.c.kind == RanOut.__name__)
        over = [freezes.c.until <= NOW, freezes.c.thawed_by.is_(None), not_(told.exists())]
        with self._transaction() as tx:
            return tuple(tx.scalars(select(freezes.c.request_id).where(*over).order_by(freezes.c.request_id)))

    def freeze(
        self, wish: Wish, *, until: datetime | timedelta | None, protected: bool, approvals: int = 1
    ) -> tuple[Request, bool]:
        """Nothing starts in the wish's environment any more, from this commit on; False for a second delivery.

        The request is done as it is written down. Whoever waits there is told of the freeze that lasts longest, and an
        approval that has not started yet is taken out: it takes `approvals` anew. `until` is a moment, or counted from
        now; a moment that is over is refused by a constraint.
        """
        written = opening(wish, expires_in=timedelta(), protected=protected, state=State.APPLIED, version=2)
        with self._transaction() as tx:
            opened = tx.execute(written).scalar()
            if opened is not None:
                self._freeze(tx, opened, wish, until=until, protected=protected)
                self._take_keys_out(tx, wish.environment, why=Withdrawn(POLICY.id, POLICY.name, missing=approvals))
                if lasting := standing(tx, wish.environment):  # none where its end came while it was written down
                    self._tell_those_who_wait(tx, wish.environment, halted(lasting[0]))
            return rows.request(tx.execute(all_requests().where(requests.c.key == wish.key)).one()), opened is not None

    def _freeze(
        self, tx: Connection, opened: int, wish: Wish, *, until: datetime | timedelta | None, protected: bool
    ) -> None:
        ends = tx.execute(select(NOW)).scalar_one() + until if isinstance(until, timedelta) else until
        said = {"environment": wish.environment, "actor_name": wish.actor.name, "reason": wish.reason}
        already = next(map(halted, standing(tx, wish.environment)), None)
        tx.execute(insert(freezes).values(request_id=opened, until=ends, **said))
        iso = ends.isoformat() if ends else None
        self._write(tx, opened, seq=1, event=asked(wish, protected=protected))
        self._write(tx, opened, seq=2, event=Frozen(wish.actor.id, wish.actor.name, wish.reason or "", iso, already))

    def _take_keys_out(self, tx: Connection, environment: str, *, why: Withdrawn) -> None:
        """approved → planned, where a second person had turned a key; and no approval from before counts any more."""
        assert State.APPROVED in sources(State.PLANNED)
        # A yes that is being written down is waited for, and taken out too; a later one waits for us.
        tx.execute(select(requests.c.id).where(*_waits(environment)).order_by(requests.c.id).with_for_update())
        waits = select(requests.c.id).where(*_waits(environment)).scalar_subquery()
        standing = [decisions.c.verdict == Verdict.APPROVE, decisions.c.withdrawn_ts.is_(None)]
        given = update(decisions).where(decisions.c.request_id.in_(waits), *standing)
        tx.execute(given.values(withdrawn_ts=_NOW_AS_TS))
        turned = [requests.c.environment == environment, requests.c.state == State.APPROVED, SECOND_KEY]
        back = update(requests).where(*turned, requests.c.act != Act.THAW)
        moved = back.values(state=State.PLANNED, starts_at=None, version=requests.c.version + 1)
        for request_id, seq in tx.execute(moved.returning(requests.c.id, requests.c.version)).all():
            self._write(tx, request_id, seq=seq, event=why)

    def _tell_those_who_wait(self, tx: Connection, environment: str, event: Event) -> None:
        for request_id in tx.scalars(select(requests.c.id).where(*_waits(environment)).order_by(requests.c.id)).all():
            self._tell(tx, request_id, event)


def _waits(environment: str) -> tuple[ColumnElement[bool], ...]:
    """Of a row of requests: it is open there, does not run yet, and would not lift the frost."""
    return requests.c.environment == environment, requests.c.state.in_(_WAITING), requests.c.act != Act.THAW
