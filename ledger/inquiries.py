"""Questions about environments: asked in Slack, observed by each environment's own worker, answered once."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Select, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from ledger import rows
from ledger.errors import NoSuchRecord
from ledger.pen import NOW, Pen
from ledger.records import Inquiry, Observation, Question
from ledger.request import Actor
from ledger.tables import inquiries, observations

#: Slack takes an answer at a response_url for half an hour.
ANSWERABLE_FOR = timedelta(minutes=30)

# All but the URL that lets its holder answer in Slack: the worker's role cannot read it.
_INQUIRY = [column for column in inquiries.c if column.name != "response_url"]


class Inquiries(Pen):
    """Inquiries and observations."""

    def ask(
        self,
        *,
        question: Question,
        environment: str | None,
        environments: Sequence[str],
        actor: Actor,
        channel: str,
        response_url: str,
        key: str,
    ) -> tuple[Inquiry, bool]:
        """Write a question down with one pending observation for each of `environments`.

        The same key gives the same inquiry again, and False.
        """
        row = {
            "key": key,
            "question": question,
            "environment": environment,
            **rows.actor_columns(actor),
            "channel": channel,
            "response_url": response_url,
        }
        asking = upsert(inquiries).values(row).on_conflict_do_nothing(index_elements=["key"])
        with self._transaction() as tx:
            asked = tx.execute(asking.returning(inquiries.c.id)).scalar()
            if asked is not None and environments:
                pending = [{"inquiry_id": asked, "environment": name} for name in environments]
                tx.execute(insert(observations), pending)
            found = tx.execute(_inquiries().where(inquiries.c.key == key)).one()
        return rows.inquiry(found), asked is not None

    def ask_observation(self, environment: str, *, schema_of: str | None = None) -> int:
        """A pending observation that belongs to no inquiry: a gate wants to know, or an ended run. Returns its id."""
        with self._transaction() as tx:
            pending = insert(observations).values(environment=environment, schema_of=schema_of)
            return tx.execute(pending.returning(observations.c.id)).scalar_one()

    def observe(self, observation_id: int, body: Mapping[str, Any]) -> int | None:
        """Fill an observation; the first one wins.

        Returns the inquiry's id when this was its last open observation, so that exactly one worker draws the
        answer; else None. Raises NoSuchRecord.
        """
        filling = update(observations).where(observations.c.id == observation_id, observations.c.body.is_(None))
        with self._transaction() as tx:
            inquiry_id = _of_inquiry(tx, observation_id)
            if inquiry_id is not None:
                # Two workers that fill the last two at once would each still see the other's open.
                tx.execute(select(inquiries.c.id).where(inquiries.c.id == inquiry_id).with_for_update())
            filled = tx.execute(filling.values(body=dict(body), observed_at=NOW).returning(observations.c.id)).first()
            last = inquiry_id is not None and not _still_open(tx, inquiry_id)
        return inquiry_id if filled is not None and last else None

    def observation(self, observation_id: int) -> Observation:
        """Raises NoSuchRecord."""
        with self._transaction() as tx:
            found = tx.execute(select(observations).where(observations.c.id == observation_id)).first()
        if found is None:
            raise NoSuchRecord("observation", observation_id)
        return rows.observation(found)

    def observations(self, inquiry_id: int) -> tuple[Observation, ...]:
        """Those of one inquiry, in the order in which they were asked for."""
        wanted = select(observations).where(observations.c.inquiry_id == inquiry_id).order_by(observations.c.id)
        with self._transaction() as tx:
            return tuple(map(rows.observation, tx.execute(wanted)))

    def answer(self, inquiry_id: int, body: Mapping[str, Any]) -> bool:
        """Write the answer of an inquiry; False when it has one already, and that one stays."""
        open_one = update(inquiries).where(inquiries.c.id == inquiry_id, inquiries.c.answered_at.is_(None))
        with self._transaction() as tx:
            answering = open_one.values(body=dict(body), answered_at=NOW).returning(inquiries.c.id)
            return tx.execute(answering).first() is not None

    def inquiry(self, inquiry_id: int) -> Inquiry:
        """Raises NoSuchRecord."""
        with self._transaction() as tx:
            found = tx.execute(_inquiries().where(inquiries.c.id == inquiry_id)).first()
        if found is None:
            raise NoSuchRecord("inquiry", inquiry_id)
        return rows.inquiry(found)

    def response_url(self, inquiry_id: int) -> str:
        """Where Slack takes the answer. Only the bot's role may read it. Raises NoSuchRecord."""
        with self._transaction() as tx:
            url = tx.execute(select(inquiries.c.response_url).where(inquiries.c.id == inquiry_id)).scalar()
        if url is None:
            raise NoSuchRecord("inquiry", inquiry_id)
        return url

    def inquiries_open(self) -> tuple[Inquiry, ...]:
        """Those that were not delivered and still can be, oldest first; `answered_at` tells which have an answer."""
        waiting = _inquiries().where(inquiries.c.delivered_at.is_(None), inquiries.c.asked_at > NOW - ANSWERABLE_FOR)
        with self._transaction() as tx:
            return tuple(map(rows.inquiry, tx.execute(waiting.order_by(inquiries.c.id))))

    def delivered(self, inquiry_id: int) -> None:
        """The answer stands before the person who asked."""
        with self._transaction() as tx:
            tx.execute(update(inquiries).where(inquiries.c.id == inquiry_id).values(delivered_at=NOW))

    def share(self, inquiry_id: int, *, actor: Actor, channel: str) -> bool:
        """Show an answer to a channel too; False when it was shared before or has no answer to show."""
        shareable = update(inquiries).where(
            inquiries.c.id == inquiry_id, inquiries.c.answered_at.is_not(None), inquiries.c.share_channel.is_(None)
        )
        by = {"share_actor_id": actor.id, "share_actor_name": actor.name, "share_channel": channel}
        with self._transaction() as tx:
            return tx.execute(shareable.values(by).returning(inquiries.c.id)).first() is not None

    def shares_open(self) -> tuple[Inquiry, ...]:
        """Those that somebody shared and that do not stand in their channel yet, oldest first."""
        waiting = _inquiries().where(inquiries.c.share_channel.is_not(None), inquiries.c.share_ts.is_(None))
        with self._transaction() as tx:
            return tuple(map(rows.inquiry, tx.execute(waiting.order_by(inquiries.c.id))))

    def shared_as(self, inquiry_id: int, ts: str) -> None:
        """The shared answer stands in its channel as this message."""
        with self._transaction() as tx:
            tx.execute(update(inquiries).where(inquiries.c.id == inquiry_id).values(share_ts=ts))


def _inquiries() -> Select[Any]:
    return select(*_INQUIRY)


def _of_inquiry(tx: Connection, observation_id: int) -> int | None:
    found = tx.execute(select(observations.c.inquiry_id).where(observations.c.id == observation_id)).first()
    if found is None:
        raise NoSuchRecord("observation", observation_id)
    return found.inquiry_id


def _still_open(tx: Connection, inquiry_id: int) -> bool:
    pending = select(observations.c.id).where(observations.c.inquiry_id == inquiry_id, observations.c.body.is_(None))
    return tx.execute(pending.limit(1)).first() is not None
