"""What was done at a terminal: found by each environment's worker, written down once, told once."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import chain
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, and_, func, insert, or_, select, true, update
from sqlalchemy.dialects.postgresql import insert as upsert

from ledger import rows
from ledger.errors import NoSuchRecord
from ledger.pen import NOW, Pen
from ledger.records import Deed, Notice
from ledger.tables import deeds, notices, watches

#: A ring to watch that nobody heard is repeated after this time: Redis may have lost it.
LOST = timedelta(minutes=10)


class Watches(Pen):
    """Which environments are watched, what was found there, and what of it stands in a channel."""

    def watch(self, environment: str) -> None:
        """From now on the environment is looked at again and again."""
        with self._transaction() as tx:
            _begun(tx, environment)

    def unwatched(self, older_than: timedelta) -> tuple[tuple[int, str], ...]:
        """Id and environment of each watch that nobody took up for so long, unless a ring for it is on its way."""
        rung = or_(watches.c.rung_at.is_(None), watches.c.rung_at <= func.greatest(watches.c.heard_at, NOW - LOST))
        due = or_(watches.c.heard_at.is_(None), watches.c.heard_at <= NOW - older_than)
        with self._transaction() as tx:
            found = tx.execute(select(watches.c.id, watches.c.environment).where(due, rung).order_by(watches.c.id))
            return tuple((row.id, row.environment) for row in found)

    def watch_rung(self, watch_id: int, at: datetime) -> None:
        """A ring for this watch went out, not before that moment."""
        with self._transaction() as tx:
            tx.execute(update(watches).where(watches.c.id == watch_id).values(rung_at=at))

    def watch_heard(self, watch_id: int) -> str:
        """A worker has heard the ring now; gives the environment. Raises NoSuchRecord."""
        hearing = update(watches).where(watches.c.id == watch_id).values(heard_at=NOW)
        with self._transaction() as tx:
            environment = tx.execute(hearing.returning(watches.c.environment)).scalar()
        if environment is None:
            raise NoSuchRecord("watch", watch_id)
        return environment

    def noticed_until(self, environment: str) -> datetime | None:
        """When the newest deed was done that is written down here, by the environment's own clock."""
        with self._transaction() as tx:
            return tx.execute(select(func.max(deeds.c.at)).where(deeds.c.environment == environment)).scalar()

    def notice(self, environment: str, runs: Sequence[Sequence[Deed]]) -> None:
        """What of these was not known yet is written down, each run with a notice; the first time, one for all.

        Of two who bring the same, one writes.
        """
        with self._transaction() as tx:
            first = _begun(tx, environment)
            known = _known(tx, environment, [one.id for run in runs for one in run])
            new = [fresh for run in runs if (fresh := [one for one in run if one.id not in known])]
            for told in [list(chain(*new))] if first and new else new:
                _write(tx, environment, told, earlier=first)
            if first:
                tx.execute(update(watches).where(watches.c.environment == environment).values(since=NOW))

    def notices(self, environments: Sequence[str]) -> tuple[Notice, ...]:
        """Those of these environments that do not stand in a channel yet, in the order in which they were made."""
        waiting = select(notices).where(notices.c.ts.is_(None), notices.c.environment.in_(environments))
        with self._transaction() as tx:
            return tuple(_notice(tx, row) for row in tx.execute(waiting.order_by(notices.c.id)))

    def noticed(self, environment: str | None, *, limit: int) -> tuple[Notice, ...]:
        """The newest of all notices, of one environment or of every one, newest first."""
        here = notices.c.environment == environment if environment else true()
        with self._transaction() as tx:
            newest = select(notices).where(here).order_by(notices.c.id.desc()).limit(limit)
            return tuple(_notice(tx, row) for row in tx.execute(newest))

    def noticing(self, notice_id: int, *, channel: str) -> bool:
        """Reserve a notice's place before posting; False when that was done before, so that it may stand there."""
        free = and_(notices.c.id == notice_id, notices.c.reserved_at.is_(None))
        with self._transaction() as tx:
            reserving = update(notices).where(free).values(channel=channel, reserved_at=NOW)
            return tx.execute(reserving.returning(notices.c.id)).first() is not None

    def noticed_as(self, notice_id: int, ts: str) -> None:
        """The notice stands in its channel as this message."""
        with self._transaction() as tx:
            tx.execute(update(notices).where(notices.c.id == notice_id).values(ts=ts))


def _begun(tx: Connection, environment: str) -> bool:
    """The environment is watched, and its row is ours until the commit; gives whether no look succeeded before."""
    tx.execute(upsert(watches).values(environment=environment).on_conflict_do_nothing(index_elements=["environment"]))
    mine = select(watches.c.since).where(watches.c.environment == environment).with_for_update()
    return tx.execute(mine).scalar() is None


def _known(tx: Connection, environment: str, ids: Sequence[str]) -> frozenset[str]:
    found = select(deeds.c.deed).where(deeds.c.environment == environment, deeds.c.deed.in_(ids))
    return frozenset(tx.scalars(found))


def _write(tx: Connection, environment: str, run: Sequence[Deed], *, earlier: bool) -> None:
    notice = {"environment": environment, "earlier": earlier, "attempt_key": uuid4().hex}
    notice_id = tx.execute(insert(notices).values(notice).returning(notices.c.id)).scalar_one()
    written = [{"deed": one.id, "at": one.at, "act": one.act, "what": list(one.what), "done_by": one.by} for one in run]
    tx.execute(insert(deeds), [{"environment": environment, "notice_id": notice_id, **one} for one in written])


def _notice(tx: Connection, row: Any) -> Notice:
    told = select(deeds).where(deeds.c.notice_id == row.id).order_by(deeds.c.at, deeds.c.deed)
    return Notice(row.id, row.environment, row.earlier, tuple(map(rows.deed, tx.execute(told))), row.attempt_key)
