"""Whether an environment is frozen, as a part of other questions to the ledger."""

from sqlalchemy import ColumnElement, Connection, and_, not_, or_, select

from ledger import rows
from ledger.events import Halted
from ledger.pen import NOW
from ledger.request import Act, Freeze
from ledger.tables import freezes, requests


def stands() -> ColumnElement[bool]:
    """A freeze that nobody lifted and that is not over, by the ledger's clock."""
    return and_(freezes.c.thawed_by.is_(None), or_(freezes.c.until.is_(None), freezes.c.until > NOW))


def may_go_on() -> ColumnElement[bool]:
    """Of a row of requests: its environment is not frozen, or it would lift that."""
    over = select(freezes.c.request_id).where(freezes.c.environment == requests.c.environment, stands())
    return or_(requests.c.act == Act.THAW, not_(over.exists()))


def locked(tx: Connection, request_id: int) -> None:
    """Whoever freezes now waits for us, or we for them: a freeze locks those who wait there, too.

    What reads the freezes must be a statement of its own, after this: one that waits for a row reads every other table
    as it was before the wait (https://www.postgresql.org/docs/current/transaction-iso.html#XACT-READ-COMMITTED).
    """
    tx.execute(select(requests.c.id).where(requests.c.id == request_id).with_for_update())


def standing(tx: Connection, environment: str) -> tuple[Freeze, ...]:
    """What freezes an environment in this transaction, the one that lasts longest first."""
    there = select(freezes).where(freezes.c.environment == environment, stands())
    lasting = there.order_by(freezes.c.until.desc().nulls_first(), freezes.c.request_id)
    return tuple(map(rows.freeze, tx.execute(lasting)))


def halted(by: Freeze) -> Halted:
    """What whoever waits is told of a freeze."""
    return Halted(by.request_id, by.actor_name, by.reason, by.until.isoformat() if by.until else None)
