"""Who may do what, judged from values alone: no clock, no database, no Slack. Every branch is one line of a table test.

The bot judges when somebody speaks; the worker judges again with its own copy of this file before it acts.
Whatever is not granted is refused, and a refusal is a sentence that says who can do what next.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ledger.request import Act, Actor, Certification, Decision, Freeze, Kind, Request, Source, Verdict, Witness
from ledger.states import FINAL, SAID, State
from ledger.workflow import Environment

#: How old the bot's look at Slack may be when a protected run starts.
WITNESS_GOOD_FOR = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Allowed:
    """Go ahead."""


@dataclass(frozen=True, slots=True)
class NeedsApproval:
    """Not without a second person; `by` are the ids of those who may, never empty."""

    by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Denied:
    """No. `why` is a sentence for a person."""

    why: str


_NOT_A_MEMBER = {
    Kind.GUEST: "Guests cannot ask or decide here. Ask a full member of the workspace.",
    Kind.BOT: "Bots and workflows cannot ask or decide here. A person has to do it.",
    Kind.DEACTIVATED: "This account is deactivated and cannot ask or decide here. Ask a full member of the workspace.",
    Kind.OUTSIDER: "People of other workspaces cannot ask or decide here. Ask a full member of this workspace.",
    Kind.UNKNOWN: "Slack did not say whether this is a full member, so it does not count. Ask a colleague.",
}


def may_ask(
    actor: Actor,
    environment: Environment,
    *,
    act: Act,
    open_requests: Iterable[Request],
    before: Environment | None,
    certification: Certification | None,
    freeze: Freeze | None,
) -> Allowed | NeedsApproval | Denied:
    """Judge a wish by what the ledger knows already. `certification` is the newest one of the environment before."""
    if refused := _not_a_member(actor) or _frozen(act, environment, freeze):
        return refused
    if act is Act.BACKUP and (other := _backup_under_way(environment, open_requests)):
        return Denied(
            f"A backup of {environment.name} is under way: #{other.id} of {other.actor.name}. "
            "Its message says when it is there; ask again after that if you need another."
        )
    if not act.changes or not environment.protected:
        return Allowed()
    by = _second_keys(environment, requester_id=actor.id)
    if not by:
        return _nobody(environment)
    for other in open_requests:
        in_the_way = other.act.occupies if act.occupies else other.act is act
        if other.environment == environment.name and in_the_way and other.state not in FINAL:
            asked = f"{harmless(other.actor.name)} asked, and it {SAID[other.state]}"
            return Denied(
                f"#{other.id} is open for {environment.name}: {asked}. "
                f"Wait for its end, or take it back with `/migrate cancel {other.id}`."
            )
    if act is Act.APPLY and before is not None and (certification is None or certification.environment != before.name):
        return Denied(
            f"{before.name} is not certified, and {environment.name} gets what was certified there. "
            f"After testing, say `/migrate certify {before.name}`, then ask again."
        )
    return NeedsApproval(by)


def may_decide(
    actor: Actor, request: Request, environment: Environment, *, now: datetime, freeze: Freeze | None
) -> Allowed | Denied:
    """Judge whether this person's reaction on the card counts. `freeze` stands against a yes; a no needs none."""
    if refused := _not_a_member(actor) or _not_their_environment(request, environment):
        return refused
    by = _second_keys(environment, requester_id=request.actor.id)
    if actor.id == request.actor.id:
        return Denied(f"You asked for #{request.id}, so the second key is not yours. {_who_may(environment, by)}")
    if actor.id not in by:
        return Denied(f"You are not an approver of {environment.name}. {_who_may(environment, by)}")
    if request.state not in {State.PLANNED, State.APPROVED}:
        return Denied(_cannot_decide_in(request))
    if now >= request.expires_at:
        return _expired(request)
    if frozen := _frozen(request.act, environment, freeze):
        return Denied(f"{frozen.why} After that, take your reaction away and give it again.")
    return Allowed()


def may_cancel(actor: Actor, request: Request, environment: Environment) -> Allowed | Denied:
    """The requester may take a request back, and so may an approver, until it runs."""
    if refused := _not_a_member(actor) or _not_their_environment(request, environment):
        return refused
    if actor.id != request.actor.id and actor.id not in environment.approvers:
        others = _mentions(environment.approvers)
        return Denied(
            f"#{request.id} can be cancelled by <@{request.actor.id}>, who asked"
            + (f", or by an approver of {environment.name}: {others}." if others else ".")
        )
    if request.state in FINAL:
        return Denied(f"#{request.id} {SAID[request.state]} already. There is nothing left to cancel.")
    if request.state is State.APPLYING:
        return Denied(f"#{request.id} is running and cannot be cancelled. Its message will say how it ends.")
    return Allowed()


def may_export(actor: Actor) -> Allowed | Denied:
    """Whoever is a full member may have a request's evidence put where its card stands: who sees it, saw that."""
    return _not_a_member(actor) or Allowed()


def needs_second_key(request: Request, environment: Environment) -> bool:
    """Whether a planned request waits for a second person. Everybody who knows may say so, and one is enough."""
    protected = environment.protected or request.protected or request.plan is None or request.plan.protected
    return protected and request.act.changes


def may_start(
    request: Request,
    environment: Environment,
    *,
    decisions: Iterable[Decision],
    witness: Witness | None,
    digest: str,
    now: datetime,
    approve_button: bool,
    freeze: Freeze | None,
) -> Allowed | NeedsApproval | Denied:
    """Judge, under the lock and from fresh facts, whether what was asked may run now.

    `digest` is that of the plan as it was drawn again just now, `witness` the newest the ledger has. A protected
    environment is one that anybody calls protected: `environment`, the plan (that is: the database), or the request.
    `approve_button` is what the judge's own twokey.toml says of it.
    """
    frozen = _frozen(request.act, environment, freeze)
    if refused := _not_startable(request, environment, digest=digest, now=now) or frozen:
        return refused
    if not needs_second_key(request, environment):
        return Allowed()
    by = _second_keys(environment, requester_id=request.actor.id)
    if not by:
        return _nobody(environment)
    standing = [one for one in decisions if _stands(one, request, by=by, digest=digest)]
    if refused := _rejected(request, (one.actor.id for one in standing if one.verdict is Verdict.REJECT)):
        return refused
    heard = {Source.REACTION, Source.RECONCILE, *((Source.BUTTON,) if approve_button else ())}
    approvals = [one for one in standing if one.verdict is Verdict.APPROVE and one.source in heard]
    if not approvals or request.state is not State.APPROVED:
        return NeedsApproval(by)
    if request.starts_at is None or now < request.starts_at:
        return Denied(f"#{request.id} is approved and its start is still ahead. It will be rung again then.")
    return _seen_now(request, witness, by=by, approvals=approvals, now=now)


def _backup_under_way(environment: Environment, requests: Iterable[Request]) -> Request | None:
    """A dump takes room and time, so one at a time is enough for everybody."""
    ours = (one for one in requests if one.environment == environment.name and one.act is Act.BACKUP)
    return next((one for one in ours if one.state not in FINAL), None)


def _not_startable(request: Request, environment: Environment, *, digest: str, now: datetime) -> Denied | None:
    """What stops any run, protected or not."""
    if refused := _not_their_environment(request, environment):
        return refused
    if request.plan is None:
        return Denied(f"#{request.id} has no plan yet. A worker draws it first.")
    if request.state not in {State.PLANNED, State.APPROVED}:
        return Denied(f"#{request.id} {SAID[request.state]} and cannot start.")
    if now >= request.expires_at:
        return _expired(request)
    if request.plan.digest != digest:
        return Denied(
            f"What would run is no longer what #{request.id} showed: its digest was {request.plan.digest[:12]} "
            f"and is {digest[:12]} now. Ask again for a new plan."
        )
    return None


def _seen_now(
    request: Request, witness: Witness | None, *, by: tuple[str, ...], approvals: Iterable[Decision], now: datetime
) -> Allowed | Denied:
    """The last word is what Slack shows at this moment, not what was once heard.

    A press shows nowhere: of whoever pressed it is shown who they are now, and their word stands in the ledger.
    """
    if witness is None or witness.request_id != request.id or not timedelta() <= now - witness.at <= WITNESS_GOOD_FOR:
        return Denied(
            f"#{request.id} did not start: nobody looked at its reactions in the last "
            f"{WITNESS_GOOD_FOR.seconds} seconds. Check that the bot runs; the request waits."
        )
    if refused := _rejected(request, (one.id for one in witness.rejecting if _counts(one, by))):
        return refused
    approved_by = {one.actor.id for one in approvals}
    pressed_by = {one.actor.id for one in approvals if one.source is Source.BUTTON}
    seen = (*witness.approving, *(one for one in witness.pressed if one.id in pressed_by))
    if not any(_counts(one, by) and one.id in approved_by for one in seen):
        no_more = {one.id for one in seen if not _counts(one, by)}
        others = _mentions(one for one in by if one not in no_more) or f"Another approver of {request.environment}"
        return Denied(
            f"#{request.id} did not start: the approving reaction is gone, or came from somebody who may no longer "
            f"approve. {others} can react."
        )
    return Allowed()


def _stands(decision: Decision, request: Request, *, by: tuple[str, ...], digest: str) -> bool:
    """A person's word counts for this request and this digest, from somebody who may, until it is taken back."""
    bound = decision.request_id == request.id and decision.digest == digest
    return bound and decision.withdrawn_ts is None and _counts(decision.actor, by)


def _counts(actor: Actor, by: tuple[str, ...]) -> bool:
    return actor.kind is Kind.FULL_MEMBER and actor.id in by


def _second_keys(environment: Environment, *, requester_id: str) -> tuple[str, ...]:
    """Who could turn the second key. An empty list means nobody, never everybody."""
    return tuple(one for one in environment.approvers if one != requester_id)


def _not_a_member(actor: Actor) -> Denied | None:
    return None if actor.kind is Kind.FULL_MEMBER else Denied(_NOT_A_MEMBER[actor.kind])


def _not_their_environment(request: Request, environment: Environment) -> Denied | None:
    if request.environment == environment.name:
        return None
    return Denied(f"#{request.id} is for {request.environment}, not for {environment.name}. Ask for it there.")


def _frozen(act: Act, environment: Environment, freeze: Freeze | None) -> Denied | None:
    """In a frozen environment nothing starts but what lifts that, and it can be frozen for longer."""
    if freeze is None or act in {Act.FREEZE, Act.THAW}:
        return None
    ends = f" until {freeze.until:%Y-%m-%d %H:%M} UTC" if freeze.until else ""
    because = f"{harmless(freeze.actor_name)} froze it{ends} (#{freeze.request_id}: {harmless(freeze.reason)})"
    return Denied(f"Nothing starts on {environment.name} now: {because}. `/migrate thaw {environment.name}` ends that.")


def harmless(typed: str) -> str:
    """What a person typed, as a part of a sentence in which mentions of people are shown as such."""
    return typed.replace("<", "‹").replace(">", "›").replace("`", "'")


def _rejected(request: Request, by: Iterable[str]) -> Denied | None:
    said_no = _mentions(dict.fromkeys(by))
    return Denied(f"#{request.id} was rejected by {said_no}. Talk to them, then ask again.") if said_no else None


def _expired(request: Request) -> Denied:
    return Denied(f"#{request.id} expired at {request.expires_at:%Y-%m-%d %H:%M} UTC. Ask again for a new plan.")


def _cannot_decide_in(request: Request) -> str:
    if request.state is State.ASKED:
        return f"#{request.id} has no plan yet. React on its card when the plan stands there."
    if request.state is State.APPLYING:
        return f"#{request.id} is running already, so a reaction changes nothing."
    return f"#{request.id} {SAID[request.state]}, so a reaction changes nothing. Ask again for a new plan."


def _nobody(environment: Environment) -> Denied:
    if environment.approvers:
        return Denied(
            f"You are the only approver of {environment.name}, and the second key must be someone else's. "
            "Add another person to its approvers in twokey.toml."
        )
    return Denied(f"Nobody may approve {environment.name}: its approvers in twokey.toml are empty. Add a person there.")


def _who_may(environment: Environment, by: tuple[str, ...]) -> str:
    return f"Those who may: {_mentions(by)}." if by else f"Nobody else may approve {environment.name} yet."


def _mentions(ids: Iterable[str]) -> str:
    return ", ".join(f"<@{one}>" for one in ids)
