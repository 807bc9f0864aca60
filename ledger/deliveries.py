"""Which message of which request stands where in Slack, so that a lost post is found or made again, once."""

from collections.abc import Iterable
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, and_, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from ledger import rows
from ledger.pen import NOW, Pen
from ledger.records import Delivery
from ledger.tables import deliveries, requests

#: The slot of the message that people react to.
CARD = "card"


class Deliveries(Pen):
    """The announcer's notebook."""

    def unannounced(self) -> tuple[int, ...]:
        """The requests with events that Slack does not show yet, oldest request first."""
        behind = select(requests.c.id).where(requests.c.announced_version < requests.c.version)
        with self._transaction() as tx:
            return tuple(tx.scalars(behind.order_by(requests.c.id)))

    def announced(self, request_id: int, version: int) -> None:
        """Slack shows the request up to and with this event; never goes back."""
        shown = func.greatest(requests.c.announced_version, version)
        with self._transaction() as tx:
            tx.execute(update(requests).where(requests.c.id == request_id).values(announced_version=shown))

    def deliveries(self, request_id: int) -> dict[str, Delivery]:
        """Slot → delivery, the reserved ones too."""
        with self._transaction() as tx:
            found = map(rows.delivery, tx.execute(select(deliveries).where(deliveries.c.request_id == request_id)))
            return {delivery.slot: delivery for delivery in found}

    def delivering(self, request_id: int, slot: str, *, channel: str) -> Delivery:
        """Reserve a slot before posting; gives the reservation that is there when this is not the first attempt.

        Whoever finds a delivery with an old `attempt_key` and no `ts` looks for that key in the channel first.
        """
        row = {"request_id": request_id, "slot": slot, "channel": channel, "attempt_key": uuid4().hex}
        with self._transaction() as tx:
            tx.execute(upsert(deliveries).values(row).on_conflict_do_nothing(index_elements=["request_id", "slot"]))
            return rows.delivery(tx.execute(select(deliveries).where(_is(request_id, slot))).one())

    def delivered_as(
        self, request_id: int, slot: str, *, ts: str, content_hash: str, plan_ts: str | None = None
    ) -> None:
        """The slot's message stands at `ts` with this content, and since `plan_ts`, or since before, with the plan."""
        stands = {"ts": ts, "content_hash": content_hash, "plan_ts": func.coalesce(deliveries.c.plan_ts, plan_ts)}
        with self._transaction() as tx:
            tx.execute(update(deliveries).where(_is(request_id, slot)).values(stands))

    def lost(self, request_id: int, slot: str) -> None:
        """The message is gone from Slack: the slot is free again, under a new attempt key."""
        nowhere: dict[str, Any] = {"ts": None, "content_hash": None, "plan_ts": None}
        again = nowhere | {"attempt_key": uuid4().hex, "reserved_at": NOW}
        with self._transaction() as tx:
            tx.execute(update(deliveries).where(_is(request_id, slot)).values(again))

    def cards(self, request_ids: Iterable[int]) -> dict[int, Delivery]:
        """The cards that stand in Slack, by request."""
        wanted = select(deliveries).where(
            deliveries.c.request_id.in_(list(request_ids)), deliveries.c.slot == CARD, deliveries.c.ts.is_not(None)
        )
        with self._transaction() as tx:
            return {one.request_id: one for one in map(rows.delivery, tx.execute(wanted))}

    def request_at(self, *, channel: str, ts: str) -> int | None:
        """The request whose card stands there, and None for any other message."""
        card = select(deliveries.c.request_id).where(
            deliveries.c.channel == channel, deliveries.c.ts == ts, deliveries.c.slot == CARD
        )
        with self._transaction() as tx:
            return tx.execute(card).scalar()


def _is(request_id: int, slot: str) -> ColumnElement[bool]:
    return and_(deliveries.c.request_id == request_id, deliveries.c.slot == slot)
