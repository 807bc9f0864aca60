"""What people said by reacting: heard first, judged afterwards, and read back from Slack before a start."""

from typing import Any

from sqlalchemy import ColumnElement, Connection, Numeric, Update, cast, func, insert, literal, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError

from ledger import plain, rows, words
from ledger.errors import AuthorsDecision, FrozenMeanwhile, OwnDecision
from ledger.events import Witnessed
from ledger.frost import locked, may_go_on
from ledger.pen import NOW, Pen, broken_rule
from ledger.records import Heard
from ledger.request import Decision, Source, Verdict, Witness
from ledger.states import State
from ledger.tables import decisions, heard, requests, witnesses

#: The rules of the database that say whose word does not count, whatever the code says.
_REFUSING = {"decisions_need_a_second_person": OwnDecision, "decisions_need_no_author": AuthorsDecision}


class Decisions(Pen):
    """Reactions, decisions and witnesses."""

    def hear(self, reaction: Heard) -> bool:
        """Write a reaction down as it was heard; False when this delivery was heard before."""
        row = {name: value for name, value in plain.dump(reaction).items() if name not in {"id", "heard_at"}}
        hearing = upsert(heard).values(row).on_conflict_do_nothing(index_elements=["event_id"])
        with self._transaction() as tx:
            return tx.execute(hearing.returning(heard.c.id)).first() is not None

    def unjudged(self) -> tuple[Heard, ...]:
        """What was heard and not judged yet, in the order in which it happened in Slack."""
        waiting = select(heard).where(heard.c.judged_at.is_(None)).order_by(_moment(heard.c.event_ts), heard.c.id)
        with self._transaction() as tx:
            return tuple(map(rows.heard, tx.execute(waiting)))

    def reactions(self, *, channel: str, ts: str, pressed: bool = False) -> tuple[Heard, ...]:
        """Every reaction to a message that came or went, judged or not, in the order in which it happened in Slack.

        With `pressed` it is the presses of its buttons instead.
        """
        said_so = heard.c.source == Source.BUTTON if pressed else heard.c.source != Source.BUTTON
        there = [heard.c.channel == channel, heard.c.message_ts == ts, said_so]
        found = select(heard).where(*there).order_by(_moment(heard.c.event_ts), heard.c.id)
        with self._transaction() as tx:
            return tuple(map(rows.heard, tx.execute(found)))

    def judged(self, heard_id: int) -> None:
        """This reaction has had its effect, or was found to have none."""
        with self._transaction() as tx:
            tx.execute(update(heard).where(heard.c.id == heard_id).values(judged_at=NOW))

    def decide(self, decision: Decision) -> bool:
        """Write a person's word down; False when it is there already, or a later one of theirs stands.

        No yes is written down in frost, nor past one that is said in this very moment (raises FrozenMeanwhile).

        An earlier one of theirs is over. The requester is looked up, not trusted: a constraint refuses their own word,
        under another account too (raises OwnDecision), a second one that of an author whom the plan bars (raises
        AuthorsDecision), and a third a digest that no plan of this request has (raises sqlalchemy's IntegrityError).
        """
        asked = requests.c.id == decision.request_id
        row = {
            "request_id": decision.request_id,
            "requester_id": select(requests.c.actor_id).where(asked).scalar_subquery(),
            "requester_marks": select(requests.c.actor_marks).where(asked).scalar_subquery(),
            **rows.person_columns(decision.actor),
            "verdict": decision.verdict,
            "digest": decision.digest,
            "event_ts": decision.event_ts,
            "withdrawn_ts": decision.withdrawn_ts,
            "source": decision.source,
        }
        earlier = _moment(decisions.c.event_ts) < cast(decision.event_ts, Numeric)
        over = _over(decision.request_id, decision.actor.id, decision.verdict, by=decision.event_ts).where(earlier)
        deciding = upsert(decisions).values(row).on_conflict_do_nothing().returning(decisions.c.id)
        try:
            with self._transaction() as tx:
                if decision.verdict is Verdict.APPROVE:
                    _out_of_frost(tx, decision.request_id)
                tx.execute(over)
                return tx.execute(deciding).first() is not None
        except IntegrityError as error:
            refusing = _REFUSING.get(broken_rule(error) or "")
            if refusing is None:
                raise
            raise refusing(decision.request_id) from error

    def withdraw(self, *, request_id: int, actor_id: str, verdict: Verdict, event_ts: str) -> bool:
        """Take back what this person said before `event_ts`; False when nothing of it stood.

        A word given after the removal stays, in whatever order the two were delivered.
        """
        taking = _over(request_id, actor_id, verdict, by=event_ts).returning(decisions.c.id)
        with self._transaction() as tx:
            taken = tx.execute(taking)
            return taken.first() is not None

    def decisions(self, request_id: int) -> tuple[Decision, ...]:
        """Every word on a request, the withdrawn ones too, in the order in which they were said."""
        said = select(decisions).where(decisions.c.request_id == request_id)
        with self._transaction() as tx:
            return tuple(map(rows.decision, tx.execute(said.order_by(_moment(decisions.c.event_ts), decisions.c.id))))

    def word(self, request_id: int, *, actor_id: str, verdict: Verdict, event_ts: str) -> str | None:
        """The hash that an event keeps of this word as it is written down; None where it is not."""
        of = (actor_id, verdict, event_ts)
        kept = self.decisions(request_id)
        return next((words.hash_of(one) for one in kept if (one.actor.id, one.verdict, one.event_ts) == of), None)

    def witness(self, witness: Witness) -> None:
        """Write down what Slack shows under a card, with its Witnessed event. Raises NoSuchRequest.

        `witness.at` is `now()` from before Slack was asked; a later moment than the ledger's own is cut to that,
        so a witness can look older than it is and never fresher.
        """
        row = {
            "request_id": witness.request_id,
            "at": func.least(literal(witness.at), NOW),
            "approving": plain.dump(witness.approving),
            "rejecting": plain.dump(witness.rejecting),
            "pressed": plain.dump(witness.pressed),
            "groups": plain.dump(witness.groups),
            "ours": witness.ours,
            "asking": plain.dump(witness.asking),
        }
        seen = Witnessed(
            approving=tuple(actor.id for actor in witness.approving),
            rejecting=tuple(actor.id for actor in witness.rejecting),
            pressed=tuple(actor.id for actor in witness.pressed),
            groups=tuple(group.told for group in witness.groups),
            ours=witness.ours,
            asking=words.hash_of_actor(witness.asking) if witness.asking else None,
        )
        with self._transaction() as tx:
            self._tell(tx, witness.request_id, seen)
            tx.execute(insert(witnesses).values(row))

    def witnesses(self, request_id: int) -> tuple[Witness, ...]:
        """Every time the bot looked at Slack for this request, the first look first."""
        seen = select(witnesses).where(witnesses.c.request_id == request_id).order_by(witnesses.c.id)
        with self._transaction() as tx:
            return tuple(map(rows.witness, tx.execute(seen)))

    def latest_witness(self, request_id: int) -> Witness | None:
        """What Slack showed when the bot last looked."""
        newest = select(witnesses).where(witnesses.c.request_id == request_id).order_by(witnesses.c.id.desc())
        with self._transaction() as tx:
            found = tx.execute(newest.limit(1)).first()
        return None if found is None else rows.witness(found)


def _out_of_frost(tx: Connection, request_id: int) -> None:
    locked(tx, request_id)
    if tx.execute(select(may_go_on()).where(requests.c.id == request_id)).scalar() is False:
        raise FrozenMeanwhile(request_id, State.PLANNED, State.APPROVED)


def _over(request_id: int, actor_id: str, verdict: Verdict, *, by: str) -> Update:
    """What this person said up to `by` stands no more."""
    standing = (decisions.c.request_id == request_id, decisions.c.actor_id == actor_id, decisions.c.verdict == verdict)
    until = (decisions.c.withdrawn_ts.is_(None), _moment(decisions.c.event_ts) <= cast(by, Numeric))
    return update(decisions).where(*standing, *until).values(withdrawn_ts=by)


def _moment(event_ts: ColumnElement[str]) -> ColumnElement[Any]:
    """Slack's timestamps are kept as text, since a float loses digits, and compared as exact numbers."""
    return cast(event_ts, Numeric)
