"""Who may do what, judged from values alone: no clock, no database, no Slack. Every branch is one line of a table test.

The bot judges when somebody speaks; the worker judges again with its own copy of this file before it acts.
Whatever is not granted is refused, and a refusal is a sentence that says who can do what next.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from ledger import second_key, verdict
from ledger.request import Act, Actor, Certification, Decision, Freeze, Group, Kind, Request, Source, Verdict, Witness
from ledger.states import FINAL, SAID, State
from ledger.verdict import Allowed, Denied, NeedsApproval
from ledger.workflow import Environment

#: How old the bot's look at Slack may be when a protected run starts.
WITNESS_GOOD_FOR = timedelta(seconds=30)


def may_ask(
    actor: Actor,
    environment: Environment,
    *,
    act: Act,
    open_requests: Iterable[Request],
    before: Environment | None,
    certification: Certification | None,
    freeze: Freeze | None,
    groups: Iterable[Group] = (),
) -> Allowed | NeedsApproval | Denied:
    """Judge a wish by what the ledger knows already. `certification` is the newest one of the environment before.

    `groups` are the user groups of the environment, as Slack has them now.
    """
    if refused := verdict.not_a_member(actor) or verdict.frozen(act, environment, freeze):
        return refused
    if act is Act.BACKUP and (other := _in_the_way(act, environment, open_requests)):
        return Denied(
            f"A backup of {environment.name} is under way: #{other.id} of {verdict.harmless(other.actor.name)}. "
            "Its message says when it is there; ask again after that if you need another."
        )
    if act is Act.CERTIFY and (refused := _not_a_certifier(actor, environment, groups)):
        return refused
    if not takes_two_keys(act, environment):
        return Allowed()
    keys = second_key.holders(environment, groups, requester=actor)
    if not keys.enough:
        return verdict.too_few(environment, keys)
    if refused := _not_its_turn(act, environment, open_requests):
        return refused
    if act is Act.APPLY and before is not None and (certification is None or certification.environment != before.name):
        return Denied(
            f"{before.name} is not certified, and {environment.name} gets what was certified there. "
            f"After testing, say `/migrate certify {before.name}`, then ask again."
        )
    return NeedsApproval(keys.ids, keys.needed)


def may_decide(
    actor: Actor,
    request: Request,
    environment: Environment,
    *,
    now: datetime,
    freeze: Freeze | None,
    groups: Iterable[Group] = (),
) -> Allowed | Denied:
    """Judge whether this person's reaction on the card counts; `groups` are as of now.

    `freeze` stands against a yes; a no needs none. So does a requester who is no full member any more.
    """
    keys = second_key.holders(environment, request.groups, groups, requester=request.actor, plan=request.plan)
    who_may = verdict.who_may(environment, keys)
    if refused := verdict.not_a_member(actor, who_may=who_may) or _not_their_environment(request, environment):
        return refused
    if keys.is_requester(actor):
        return Denied(f"You asked for #{request.id}, so the second key is not yours. {who_may}")
    if keys.is_author(actor):
        return Denied(f"You wrote a part of what #{request.id} is about, and authors do not approve it. {who_may}")
    if not keys.counts(actor):
        return Denied(f"You are not an approver of {environment.name}. {who_may}")
    if request.state not in {State.PLANNED, State.APPROVED}:
        return Denied(verdict.cannot_decide_in(request))
    if now >= request.expires_at:
        return verdict.expired(request)
    if frozen := verdict.frozen(request.act, environment, freeze):
        return Denied(f"{frozen.why} After that, take your reaction away and give it again.")
    if request.actor.kind is not Kind.FULL_MEMBER:
        return verdict.nobody_asks(request, "cannot be approved")
    return Allowed()


def approvals_missing(
    request: Request, environment: Environment, *, decisions: Iterable[Decision], groups: Iterable[Group]
) -> int:
    """How many different persons more have to approve the plan that the request shows, by what was said so far."""
    keys = second_key.holders(environment, request.groups, groups, requester=request.actor, plan=request.plan)
    digest = request.plan.digest if request.plan else ""
    return keys.missing(one.actor for one in decisions if _approves(one, request, digest=digest))


def approvals_unseen(
    request: Request, environment: Environment, witness: Witness, *, decisions: Iterable[Decision]
) -> int:
    """How many different persons have to approve anew, when only what Slack shows counts; at least one."""
    keys = second_key.seen(request, environment, witness)
    digest = request.plan.digest if request.plan else ""
    standing = [one for one in decisions if _approves(one, request, digest=digest)]
    return max(1, keys.missing(_still_there(witness, standing)))


def may_cancel(
    actor: Actor, request: Request, environment: Environment, *, groups: Iterable[Group] = ()
) -> Allowed | Denied:
    """The requester may take a request back, and so may an approver, until it runs."""
    if refused := verdict.not_a_member(actor) or _not_their_environment(request, environment):
        return refused
    keys = second_key.holders(environment, request.groups, groups, requester=request.actor, plan=request.plan)
    approves = actor.id in second_key.named(environment.approvers, request.groups, groups)
    if not keys.is_requester(actor) and not approves:
        others = verdict.mentions(keys.ids)
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
    return verdict.not_a_member(actor) or Allowed()


def takes_two_keys(act: Act, environment: Environment) -> bool:
    """Whether what is wished for will wait for a second person, as far as this twokey.toml knows."""
    return act.changes and environment.protected


def needs_second_key(request: Request, environment: Environment) -> bool:
    """Whether a request waits for a second person. Everybody who knows may say so, and one is enough.

    The plan tells what the database itself says; where one should stand and does not, nobody may go on alone.
    """
    told = request.plan.protected if request.plan else request.state in {State.PLANNED, State.APPROVED, State.APPLYING}
    return takes_two_keys(request.act, environment) or (request.act.changes and (request.protected or told))


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
    frozen = verdict.frozen(request.act, environment, freeze)
    if refused := _not_startable(request, environment, digest=digest, now=now) or frozen:
        return refused
    if not needs_second_key(request, environment):
        certifies = request.act is Act.CERTIFY
        return (certifies and _not_a_certifier(request.actor, environment, request.groups)) or Allowed()
    keys = second_key.holders(environment, request.groups, requester=request.actor, plan=request.plan)
    if not keys.enough:
        return verdict.too_few(environment, keys)
    standing = [one for one in decisions if _stands(one, request, digest=digest) and keys.counts(one.actor)]
    if refused := verdict.rejected(request, (one.actor.id for one in standing if one.verdict is Verdict.REJECT)):
        return refused
    heard = {Source.REACTION, Source.RECONCILE, *((Source.BUTTON,) if approve_button else ())}
    approvals = [one for one in standing if one.verdict is Verdict.APPROVE and one.source in heard]
    missing = keys.missing(one.actor for one in approvals)
    if missing or request.state is not State.APPROVED:
        return NeedsApproval(keys.ids, missing or keys.needed)
    if request.starts_at is None or now < request.starts_at:
        return Denied(f"#{request.id} is approved and its start is still ahead. It will be rung again then.")
    return _seen_now(request, environment, witness, approvals=approvals, now=now)


def _not_its_turn(act: Act, environment: Environment, requests: Iterable[Request]) -> Denied | None:
    other = _in_the_way(act, environment, requests)
    if other is None:
        return None
    asked = f"{verdict.harmless(other.actor.name)} asked, and it {SAID[other.state]}"
    return Denied(
        f"#{other.id} is open for {environment.name}: {asked}. "
        f"Wait for its end, or take it back with `/migrate cancel {other.id}`."
    )


def _in_the_way(act: Act, environment: Environment, requests: Iterable[Request]) -> Request | None:
    """What is open there and has to end first: of what occupies, one at a time; of anything else, one of its kind."""
    ours = (one for one in requests if one.environment == environment.name and one.state not in FINAL)
    return next((one for one in ours if (one.act.occupies if act.occupies else one.act is act)), None)


def _not_startable(request: Request, environment: Environment, *, digest: str, now: datetime) -> Denied | None:
    """What stops any run, protected or not."""
    if refused := _not_their_environment(request, environment):
        return refused
    if request.plan is None:
        return Denied(f"#{request.id} has no plan yet. A worker draws it first.")
    if request.state not in {State.PLANNED, State.APPROVED}:
        return Denied(f"#{request.id} {SAID[request.state]} and cannot start.")
    if now >= request.expires_at:
        return verdict.expired(request)
    if request.plan.digest != digest:
        return Denied(
            f"What would run is no longer what #{request.id} showed: its digest was {request.plan.digest[:12]} "
            f"and is {digest[:12]} now. Ask again for a new plan."
        )
    return None


def _seen_now(
    request: Request,
    environment: Environment,
    witness: Witness | None,
    *,
    approvals: Iterable[Decision],
    now: datetime,
) -> Allowed | Denied:
    """The last word is what Slack shows at this moment, not what was once heard; a group is who is in it now and was.

    A press shows nowhere: of whoever pressed it is shown who they are now, and their word stands in the ledger.
    """
    if witness is None or witness.request_id != request.id or not timedelta() <= now - witness.at <= WITNESS_GOOD_FOR:
        return Denied(
            f"#{request.id} did not start: nobody looked at its reactions in the last "
            f"{WITNESS_GOOD_FOR.seconds} seconds. Check that the bot runs; the request waits."
        )
    if not witness.ours:
        return Denied(
            f"#{request.id} did not start: Slack does not say that its channel is this workspace's alone, and nothing "
            "protected runs where strangers read. Unshare the channel, or name another in twokey.toml, then ask again."
        )
    if witness.asking is None or (witness.asking.id, witness.asking.kind) != (request.actor.id, Kind.FULL_MEMBER):
        return verdict.nobody_asks(request, "did not start")
    keys = second_key.seen(request, environment, witness)
    if refused := verdict.rejected(request, (one.id for one in witness.rejecting if keys.counts(one))):
        return refused
    seen = _still_there(witness, approvals)
    if keys.missing(seen):
        no_more = {one.id for one in seen if not keys.counts(one)}
        others = verdict.mentions(one for one in keys.ids if one not in no_more)
        others = others or f"Another approver of {request.environment}"
        return Denied(
            f"#{request.id} did not start: the approving reaction is gone, or came from somebody who may no longer "
            f"approve. {others} can react."
        )
    return Allowed()


def _still_there(witness: Witness, approvals: Iterable[Decision]) -> tuple[Actor, ...]:
    """Who approved, as they are now: whose reaction stands, or whose press does in the ledger."""
    said = {(one.actor.id, one.source is Source.BUTTON) for one in approvals}
    approved_by, pressed_by = {who for who, _ in said}, {who for who, pressed in said if pressed}
    reacted = (one for one in witness.approving if one.id in approved_by)
    return (*reacted, *(one for one in witness.pressed if one.id in pressed_by))


def _not_a_certifier(actor: Actor, environment: Environment, groups: Iterable[Group]) -> Denied | None:
    """Where certifiers are listed, nobody else's word counts."""
    if environment.certifiers is None:
        return None
    by = second_key.named(environment.certifiers, groups)
    if actor.id in by:
        return None
    may = f"Those who may: {verdict.mentions(by)}." if by else "Its certifiers in twokey.toml name nobody."
    return Denied(f"You are not a certifier of {environment.name}. {may}")


def _stands(decision: Decision, request: Request, *, digest: str) -> bool:
    """A person's word counts for this request and this digest, until it is taken back."""
    return decision.request_id == request.id and decision.digest == digest and decision.withdrawn_ts is None


def _approves(decision: Decision, request: Request, *, digest: str) -> bool:
    return decision.verdict is Verdict.APPROVE and _stands(decision, request, digest=digest)


def _not_their_environment(request: Request, environment: Environment) -> Denied | None:
    if request.environment == environment.name:
        return None
    return Denied(f"#{request.id} is for {request.environment}, not for {environment.name}. Ask for it there.")
