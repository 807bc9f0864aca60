"""Which migrations came to an environment and which went again, as far as the events of runs tell.

What a worker did not live to tell of, and what was done at a terminal, only the environment itself knows.
"""

from datetime import datetime

from sqlalchemy import or_, select

from ledger.events import MigrationApplied, MigrationReverted, Restored
from ledger.pen import Pen
from ledger.tables import events, requests


class Arrivals(Pen):
    """Questions about what runs brought."""

    def applied_since(self, environment: str, moment: datetime) -> str | None:
        """The newest migration that a run brought to an environment after that moment, by the ledger's clock."""
        told = (
            select(events.c.body["migration"].astext)
            .join(requests, requests.c.id == events.c.request_id)
            .where(requests.c.environment == environment, events.c.at > moment)
            .where(events.c.kind == MigrationApplied.__name__)
            .order_by(events.c.at.desc())
        )
        with self._transaction() as tx:
            return tx.execute(told.limit(1)).scalar()

    def has_arrived(self, environment: str, migration: str) -> bool:
        """Whether a run brought a migration to an environment and none took it back since, as far as events tell."""
        about = or_(events.c.body["migration"].astext == migration, events.c.kind == Restored.__name__)
        kinds = [kind.__name__ for kind in (MigrationApplied, MigrationReverted, Restored)]
        told = (
            select(events.c.kind)
            .join(requests, requests.c.id == events.c.request_id)
            .where(requests.c.environment == environment, events.c.kind.in_(kinds), about)
            .order_by(events.c.at.desc())
        )
        with self._transaction() as tx:
            return tx.execute(told.limit(1)).scalar() == MigrationApplied.__name__
