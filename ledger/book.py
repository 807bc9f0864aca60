"""The only writer of the ledger. Each method is one transaction; its docstring says what is true afterwards.

A request changes its state by `move` alone (`lay_plan` and `certify` are moves with something to carry), and a
move without a reason cannot be written: the event is an argument, and both commit together or not at all.
Every method may raise LedgerUnreachable.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, insert, not_, or_, select, update
from sqlalchemy.exc import IntegrityError

from ledger import chain, plain, rows
from ledger.arrivals import Arrivals
from ledger.clockwork import SECOND_KEY, Clockwork
from ledger.decisions import Decisions
from ledger.deliveries import Deliveries
from ledger.errors import AlreadyOpen, FrozenMeanwhile, IllegalMove, NoSuchRequest, TooLate
from ledger.events import Certified, Event, Lifted, Planned, Released, Thawed
from ledger.freezes import Freezes
from ledger.frost import halted, locked, may_go_on, standing
from ledger.inquiries import Inquiries
from ledger.pen import NOW, broken_rule
from ledger.prepared import Prepared
from ledger.pulses import Pulses
from ledger.records import Told
from ledger.rehearsed import Kept
from ledger.request import OCCUPYING, Certification, PlanSummary, Request, Wish
from ledger.seals import Seals
from ledger.states import FINAL, State, sources
from ledger.tables import certifications, events, freezes, plans, receipts, requests
from ledger.watches import Watches
from ledger.wishes import all_requests, asked, opening, request_as

_OPEN = frozenset(State) - FINAL
_ONE_OPEN = "requests_one_open_where_protected"


class Book(Arrivals, Decisions, Freezes, Inquiries, Deliveries, Clockwork, Watches, Pulses, Seals, Prepared):
    """One per process. A fork must call `after_fork` before its first use."""

    def open(self, wish: Wish, *, expires_in: timedelta, protected: bool) -> tuple[Request, bool]:
        """Write a wish down as a request in `asked`, with its Asked event.

        The same key gives the same request again, and False. `protected` is the environment's, and holds for the
        request's whole life. Raises AlreadyOpen for a second change of a protected environment while one is open.
        """
        try:
            with self._transaction() as tx:
                opened = tx.execute(opening(wish, expires_in=expires_in, protected=protected)).scalar()
                if opened is not None:
                    self._write(tx, opened, seq=1, event=asked(wish, protected=protected))
                found = tx.execute(all_requests().where(requests.c.key == wish.key)).one()
                return rows.request(found), opened is not None
        except IntegrityError as error:
            if broken_rule(error) != _ONE_OPEN:
                raise
            blocking = self._open_change(wish)
            if blocking is None:  # it ended in between, or it is the same wish, delivered twice at one moment
                return self.open(wish, expires_in=expires_in, protected=protected)
            raise AlreadyOpen(wish.environment, blocking) from error

    def request(self, request_id: int) -> Request:
        """The request as it stands. Raises NoSuchRequest."""
        with self._transaction() as tx:
            return request_as(tx, request_id)

    def requests(
        self, *, environment: str | None = None, open_only: bool, limit: int, after: int = 0
    ) -> tuple[Request, ...]:
        """The newest requests first, at most `limit`, of one environment or of all, that came after that one."""
        wanted = all_requests().where(requests.c.id > after).order_by(requests.c.id.desc()).limit(limit)
        if environment is not None:
            wanted = wanted.where(requests.c.environment == environment)
        if open_only:
            wanted = wanted.where(requests.c.state.in_(_OPEN))
        with self._transaction() as tx:
            return tuple(map(rows.request, tx.execute(wanted)))

    def standing_in(self, *states: State) -> tuple[Request, ...]:
        """All requests in these states, the newest first, however many others are open."""
        wanted = all_requests().where(requests.c.state.in_(states)).order_by(requests.c.id.desc())
        with self._transaction() as tx:
            return tuple(map(rows.request, tx.execute(wanted)))

    def events(self, request_id: int) -> tuple[Told, ...]:
        """The request's story from its beginning."""
        story = select(events).where(events.c.request_id == request_id).order_by(events.c.seq)
        with self._transaction() as tx:
            return tuple(map(rows.told, tx.execute(story)))

    def tell(self, request_id: int, event: Event) -> None:
        """Add an event to a request's story and leave its state alone. Raises NoSuchRequest."""
        with self._transaction() as tx:
            self._tell(tx, request_id, event)

    def move(self, request_id: int, to: State, *, why: Event, starts_at: datetime | None = None) -> Request:
        """Move a request and write down why; of two who try the same move, one wins.

        `starts_at` belongs to the move to `approved` and is now when it is not given. A move to `planned` is a
        withdrawal, from `approved` alone; the first way there is `lay_plan`.
        Raises NoSuchRequest, IllegalMove (for a start before its time or in a frozen environment too), and TooLate for
        approving or starting what has expired.
        """
        carried: dict[State, dict[str, Any]] = {
            State.APPROVED: {"starts_at": starts_at or NOW},
            State.PLANNED: {"starts_at": None},
            State.APPLYING: {"beat_at": NOW},
        }
        come_from = sources(to) - {State.ASKED} if to is State.PLANNED else sources(to)
        with self._transaction() as tx:
            self._move(tx, request_id, to, come_from=come_from, why=why, carry=carried.get(to, {}))
            return request_as(tx, request_id)

    def lay_plan(
        self,
        request_id: int,
        *,
        summary: PlanSummary,
        frozen: Mapping[str, Any],
        why: Planned,
        rehearsed: Kept | None = None,
    ) -> Request:
        """Put a plan beside a request: asked → planned. `frozen` is the engine's Plan as JSON, texts and all; its hash
        goes into the event, and with it into the chain. So does that of the receipt, if it was rehearsed.

        Raises NoSuchRequest and IllegalMove.
        """
        shown, carry = plain.dump(summary), {"digest": summary.digest}
        plan = {"request_id": request_id, **carry, "summary": shown, "frozen": dict(frozen)}
        receipt = chain.hash_of(rehearsed.receipt) if rehearsed else None
        why = replace(why, frozen=chain.hash_of(frozen), receipt=receipt, shown=chain.hash_of(shown))
        with self._transaction() as tx:
            self._move(tx, request_id, State.PLANNED, come_from={State.ASKED}, why=why, carry=carry)
            tx.execute(insert(plans).values(plan))
            if rehearsed:
                kept = {"receipt": dict(rehearsed.receipt), "schema": dict(rehearsed.schema)}
                tx.execute(insert(receipts).values(request_id=request_id, **kept))
            return request_as(tx, request_id)

    def frozen_plan(self, request_id: int) -> dict[str, Any]:
        """The plan as the engine froze it. Raises NoSuchRequest when no plan was laid for that number."""
        return self._laid(request_id, plans.c.frozen)

    def shown_plan(self, request_id: int) -> dict[str, Any]:
        """What people are shown of it, to the letter as it was laid. Raises as `frozen_plan` does."""
        return self._laid(request_id, plans.c.summary)

    def _laid(self, request_id: int, part: ColumnElement[Any]) -> dict[str, Any]:
        with self._transaction() as tx:
            laid = tx.execute(select(part).where(plans.c.request_id == request_id)).scalar()
        if laid is None:
            raise NoSuchRequest(request_id)
        return laid

    def rehearsed(self, request_id: int) -> Kept | None:
        """What the rehearsal of a request's plan saw, if it was rehearsed."""
        with self._transaction() as tx:
            found = tx.execute(select(receipts).where(receipts.c.request_id == request_id)).first()
        return None if found is None else Kept(found.receipt, found.schema)

    def certify(self, certification: Certification, *, why: Certified) -> Request:
        """Write down what a certification covers and end its request: applying → applied.

        Raises NoSuchRequest and IllegalMove.
        """
        by = plain.dump(certification.by) | {"at": certification.by.at}
        row = {
            "request_id": certification.request_id,
            "environment": certification.environment,
            "covers": plain.dump(certification.covers),
            **by,
        }
        come_from = sources(State.APPLIED)
        with self._transaction() as tx:
            self._move(tx, certification.request_id, State.APPLIED, come_from=come_from, why=why, carry={})
            tx.execute(insert(certifications).values(row))
            return request_as(tx, certification.request_id)

    def thaw(self, request_id: int, *, lifts: Collection[int]) -> Request:
        """Lift the freezes that these requests said and end the thaw: applying → applied.

        Their stories are told of it. Whoever waits there is told, too: that it is over, or which freeze still stands.
        Raises NoSuchRequest, IllegalMove.
        """
        lifting = update(freezes).where(freezes.c.request_id.in_(lifts), freezes.c.thawed_by.is_(None))
        with self._transaction() as tx:
            lifted = tx.scalars(lifting.values(thawed_by=request_id).returning(freezes.c.request_id)).all()
            thaw = request_as(tx, request_id)
            environment = thaw.environment
            for freeze in sorted(lifted):
                self._tell(tx, freeze, Lifted(request_id, thaw.actor.name))
            still = standing(tx, environment)
            why = Thawed(tuple(f"#{one}" for one in lifts), tuple(f"#{one.request_id}" for one in still))
            self._move(tx, request_id, State.APPLIED, come_from=sources(State.APPLIED), why=why, carry={})
            self._tell_those_who_wait(tx, environment, halted(still[0]) if still else Released(request_id))
            return request_as(tx, request_id)

    def certification(self, environment: str) -> Certification | None:
        """The newest certification of an environment."""
        newest = (
            select(certifications)
            .where(certifications.c.environment == environment)
            .order_by(certifications.c.request_id.desc())
        )
        with self._transaction() as tx:
            found = tx.execute(newest.limit(1)).first()
        return None if found is None else rows.certification(found)

    def _move(
        self,
        tx: Connection,
        request_id: int,
        to: State,
        *,
        come_from: Iterable[State],
        why: Event,
        carry: Mapping[str, Any],
    ) -> None:
        """Compare and set: the update itself says whether the request stood where the move starts."""
        if to in {State.APPROVED, State.APPLYING}:  # a freeze said in this moment is waited for, and seen
            locked(tx, request_id)
        stands = [requests.c.id == request_id, requests.c.state.in_(list(come_from)), *_in_time(to)]
        moving = update(requests).where(*stands).values(state=to, version=requests.c.version + 1, **carry)
        seq = tx.execute(moving.returning(requests.c.version)).scalar()
        if seq is None:
            raise _why_not(
                request_as(tx, request_id), to, come_from=come_from, now=tx.execute(select(NOW)).scalar_one()
            )
        self._write(tx, request_id, seq=seq, event=why)

    def _open_change(self, wish: Wish) -> int | None:
        """Another wish's change that is open on the environment."""
        blocking = select(func.max(requests.c.id)).where(
            requests.c.environment == wish.environment,
            requests.c.act.in_(OCCUPYING),
            requests.c.state.in_(_OPEN),
            requests.c.key != wish.key,
        )
        with self._transaction() as tx:
            return tx.execute(blocking).scalar()


def _in_time(to: State) -> tuple[ColumnElement[bool], ...]:
    """On the ledger's clock: what is over is not approved nor started; nothing starts before its time or in frost, nor
    does a second key turn in it.
    """
    if to is State.APPLYING:
        return (requests.c.expires_at > NOW, requests.c.starts_at <= NOW, may_go_on())
    if to is State.APPROVED:
        return (requests.c.expires_at > NOW, or_(not_(SECOND_KEY), may_go_on()))
    return ()


def _why_not(request: Request, to: State, *, come_from: Iterable[State], now: datetime) -> IllegalMove:
    """Why an update found no row: the request stands elsewhere, its time is over or not yet come, or it is frozen."""
    if request.state in come_from and request.expires_at <= now:
        return TooLate(request.id, request.state, to, request.expires_at)
    if request.state in come_from and to is State.APPROVED:
        return FrozenMeanwhile(request.id, request.state, to)
    return IllegalMove(request.id, request.state, to)
