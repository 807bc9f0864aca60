"""How a wish becomes a row of requests, and how a request is read back with its plan."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Select, select
from sqlalchemy.dialects.postgresql import insert as upsert

from ledger import plain, rows, words
from ledger.errors import NoSuchRequest
from ledger.events import Asked
from ledger.pen import NOW
from ledger.request import Request, Wish
from ledger.states import State
from ledger.tables import plans, requests


def opening(wish: Wish, *, expires_in: timedelta, protected: bool, **more: Any) -> Any:
    """The insert that gives an id only to the first of two deliveries of one wish; `more` are other columns."""
    row = {
        "key": wish.key,
        "act": wish.act,
        "environment": wish.environment,
        "protected": protected,
        **rows.person_columns(wish.actor),
        "channel": wish.channel,
        "reason": wish.reason,
        "note": wish.note,
        "covers_of": wish.covers_of,
        "about": list(wish.about),
        "groups": plain.dump(wish.groups),
        "state": State.ASKED,
        "expires_at": NOW + expires_in,
        "version": 1,
        **more,
    }
    return upsert(requests).values(row).on_conflict_do_nothing(index_elements=["key"]).returning(requests.c.id)


def asked(wish: Wish, *, protected: bool) -> Asked:
    """The first event of a request."""
    return Asked(
        actor_id=wish.actor.id,
        actor_name=wish.actor.name,
        act=wish.act,
        environment=wish.environment,
        reason=wish.reason,
        about=wish.about,
        note=wish.note,
        groups=tuple(group.told for group in wish.groups),
        channel=wish.channel,
        protected=protected,
        by=words.hash_of_actor(wish.actor),
    )


def all_requests() -> Select[Any]:
    """Every request, with its plan if it has one."""
    return select(requests, plans.c.summary).outerjoin(plans)


def request_as(tx: Connection, request_id: int) -> Request:
    """The request as it stands in this transaction. Raises NoSuchRequest."""
    found = tx.execute(all_requests().where(requests.c.id == request_id)).first()
    if found is None:
        raise NoSuchRequest(request_id)
    return rows.request(found)
