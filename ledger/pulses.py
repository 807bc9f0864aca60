"""How protected environments fare from minute to minute, and which runs that is still to be said of."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, insert, literal, or_, select, update

from ledger.events import Applied, Failed, Interrupted, MigrationApplied, Restored, Reverted, Started
from ledger.pen import NOW, Pen
from ledger.records import Ended, Pulse
from ledger.states import FINAL, State
from ledger.tables import events, pulses, requests, watches
from ledger.underway import MigrationReverted, Settled, StatementRan

#: Of a run that ended longer ago than this nothing is said any more: nobody looked while it mattered.
PAST = timedelta(hours=1)

_ENDS = [kind.__name__ for kind in (Applied, Reverted, Restored, Failed, Interrupted)]
#: What shows that a run changed something, or may have.
_CHANGES = [kind.__name__ for kind in (MigrationApplied, MigrationReverted, StatementRan, Restored, Interrupted)]


class Pulses(Pen):
    """What was felt of each environment, and of which runs that has been told."""

    def pulse(self, environment: str, felt: Pulse) -> None:
        """What was felt of an environment that is watched is written down as of now; after a day it is forgotten."""
        names = ("since", "deadlocks", "rollbacks", "commits", "waiting")
        values = [literal(getattr(felt, name), pulses.c[name].type) for name in names]
        watched = select(watches.c.environment, *values).where(watches.c.environment == environment)
        with self._transaction() as tx:
            tx.execute(insert(pulses).from_select(["environment", *names], watched))

    def pulses(self, environment: str, *, since: datetime, until: datetime) -> tuple[Pulse, ...]:
        """What was felt between two moments, in order."""
        between = select(pulses).where(pulses.c.environment == environment, pulses.c.at.between(since, until))
        with self._transaction() as tx:
            found = tx.execute(between.order_by(pulses.c.at))
            return tuple(Pulse(r.at, r.since, r.deadlocks, r.rollbacks, r.commits, r.waiting) for r in found)

    def unsettled(self, environment: str, span: timedelta) -> tuple[Ended, ...]:
        """The protected runs that ended as long ago as `span`, or a little longer, and changed something; oldest first.

        Those of which `settle` told are left out.
        """
        kind, at = events.c.kind, events.c.at
        ended = func.max(at).filter(kind.in_(_ENDS))
        runs = (
            select(requests.c.id, func.max(at).filter(kind == Started.__name__).label("began"), ended.label("ended"))
            .join(events, events.c.request_id == requests.c.id)
            .where(requests.c.environment == environment, requests.c.protected, requests.c.state.in_(list(FINAL)))
            # Cheap: no run is silent for long before it ends, but where it takes long to be found out.
            .where(or_(requests.c.beat_at > NOW - span - PAST, requests.c.state == State.INTERRUPTED))
            .group_by(requests.c.id)
            .having(func.bool_or(kind.in_(_CHANGES)), ~func.bool_or(kind == Settled.__name__))
            .having(ended.between(NOW - span - PAST, NOW - span))
        )
        with self._transaction() as tx:
            return tuple(Ended(r.id, r.began, r.ended) for r in tx.execute(runs.order_by(requests.c.id)))

    def began_between(self, environment: str, since: datetime, until: datetime) -> Sequence[int]:
        """The requests of this environment of which a run began between two moments."""
        began = select(events.c.request_id).join(requests, requests.c.id == events.c.request_id)
        here = began.where(requests.c.environment == environment, events.c.kind == Started.__name__)
        with self._transaction() as tx:
            return list(tx.scalars(here.where(events.c.at.between(since, until)).order_by(events.c.at)))

    def settle(self, request_id: int, settled: Settled) -> bool:
        """Tell how the environment fared after a run; False when that was told before. Of two who try, one does."""
        mine = update(requests).where(requests.c.id == request_id).values(version=requests.c.version)
        told = select(events.c.seq).where(events.c.request_id == request_id, events.c.kind == Settled.__name__)
        with self._transaction() as tx:
            tx.execute(mine)  # its row is ours until the commit
            if tx.execute(told).first() is not None:
                return False
            self._tell(tx, request_id, settled)
            return True
