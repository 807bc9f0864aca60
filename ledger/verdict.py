"""What the rules answer: go ahead, not without others, or no and why. Each refusal says who can do what next."""

from collections.abc import Iterable
from dataclasses import dataclass

from ledger.request import Act, Actor, Freeze, Kind, Request
from ledger.second_key import Holders
from ledger.states import SAID, State
from ledger.workflow import Environment, is_group

#: How many people a sentence names.
MENTIONED = 6


@dataclass(frozen=True, slots=True)
class Allowed:
    """Go ahead."""


@dataclass(frozen=True, slots=True)
class NeedsApproval:
    """Not without a second person; `by` are the ids of those who may, never empty, `missing` how many of them must."""

    by: tuple[str, ...]
    missing: int = 1


@dataclass(frozen=True, slots=True)
class Denied:
    """No. `why` is a sentence for a person."""

    why: str


_A_MEMBER = "Ask a full member of the workspace."
#: Why not, and whom to ask instead where nobody in particular is meant.
_NOT_A_MEMBER = {
    Kind.GUEST: ("Guests cannot ask or decide here.", _A_MEMBER),
    Kind.BOT: ("Bots and workflows cannot ask or decide here.", "A person has to do it."),
    Kind.DEACTIVATED: (
        "This account is deactivated and cannot ask or decide here.",
        _A_MEMBER,
    ),
    Kind.OUTSIDER: ("People of other workspaces cannot ask or decide here.", "Ask a full member of this workspace."),
    Kind.UNKNOWN: ("Slack did not say whether this is a full member, so it does not count.", "Ask a colleague."),
}


def not_a_member(actor: Actor, *, who_may: str | None = None) -> Denied | None:
    """No to whoever is no full member. `who_may` is a sentence that says who could."""
    if actor.kind is Kind.FULL_MEMBER:
        return None
    why, whom_to_ask = _NOT_A_MEMBER[actor.kind]
    return Denied(f"{why} {who_may or whom_to_ask}")


def frozen(act: Act, environment: Environment, freeze: Freeze | None) -> Denied | None:
    """In a frozen environment nothing starts but what lifts that, and it can be frozen for longer."""
    if freeze is None or act in {Act.FREEZE, Act.THAW}:
        return None
    ends = f" until {freeze.until:%Y-%m-%d %H:%M} UTC" if freeze.until else ""
    because = f"{harmless(freeze.actor_name)} froze it{ends} (#{freeze.request_id}: {harmless(freeze.reason)})"
    return Denied(f"Nothing starts on {environment.name} now: {because}. `/migrate thaw {environment.name}` ends that.")


def harmless(typed: str) -> str:
    """What a person typed, as a part of a sentence in which mentions of people are shown as such."""
    return typed.replace("<", "‹").replace(">", "›").replace("`", "'")


def rejected(request: Request, by: Iterable[str]) -> Denied | None:
    said_no = mentions(dict.fromkeys(by))
    return Denied(f"#{request.id} was rejected by {said_no}. Talk to them, then ask again.") if said_no else None


def expired(request: Request) -> Denied:
    return Denied(f"#{request.id} expired at {request.expires_at:%Y-%m-%d %H:%M} UTC. Ask again for a new plan.")


def nobody_asks(request: Request, cannot: str) -> Denied:
    return Denied(
        f"#{request.id} {cannot}: Slack does not say that <@{request.actor.id}>, who asked, is a full member of the "
        f"workspace now. An approver can say `/migrate cancel {request.id}`, and somebody else ask again."
    )


def cannot_decide_in(request: Request) -> str:
    if request.state is State.ASKED:
        return f"#{request.id} has no plan yet. React on its card when the plan stands there."
    if request.state is State.APPLYING:
        return f"#{request.id} is running already, so a reaction changes nothing."
    return f"#{request.id} {SAID[request.state]}, so a reaction changes nothing. Ask again for a new plan."


def too_few(environment: Environment, keys: Holders) -> Denied:
    if not environment.approvers:
        why = f"Nobody may approve {environment.name}: its approvers in twokey.toml are empty. Add a person there."
    elif keys.authors:
        others = f"only {mentions(keys.ids)} may approve" if keys.ids else "nobody else may approve"
        freed = ", or say authors_may_approve = true there" if keys.enough_with_authors else ""
        why = (
            f"{environment.name} takes {counted_people(keys.needed)} besides whoever asked, and {others} this: its "
            f"other approvers wrote a part of it. Add people to its approvers in twokey.toml{freed}."
        )
    elif keys.ids:
        why = (
            f"{environment.name} takes {counted_people(keys.needed)} besides whoever asked, and only "
            f"{mentions(keys.ids)} may approve it. Add people to its approvers in twokey.toml."
        )
    elif any(map(is_group, environment.approvers)):
        why = (
            f"Nobody else may approve {environment.name} now: nobody else is listed, or in the user groups that its "
            "approvers in twokey.toml name. Add a person."
        )
    else:
        why = (
            f"You are the only approver of {environment.name}, and the second key must be someone else's. "
            "Add another person to its approvers in twokey.toml."
        )
    return Denied(why)


def counted_people(needed: int) -> str:
    return "1 person" if needed == 1 else f"{needed} different people"


def who_may(environment: Environment, keys: Holders) -> str:
    if not environment.approvers:
        return "Its approvers in twokey.toml are empty. Add a person there."
    by = mentions(keys.ids)
    return f"Those who may: {by}." if by else f"Nobody else may approve {environment.name} yet."


def mentions(ids: Iterable[str]) -> str:
    """Those few whom a reader can ask; a user group may have hundreds."""
    everyone = [f"<@{one}>" for one in ids]
    more = len(everyone) - MENTIONED
    return ", ".join(everyone) if more <= 0 else f"{', '.join(everyone[:MENTIONED])} and {more} more"
