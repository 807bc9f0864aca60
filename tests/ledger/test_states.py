"""Every pair of states × everybody who could be behind the move: what the rules let a person do, and nothing more."""

from dataclasses import replace
from itertools import product

import pytest

from ledger.policy import Allowed, may_cancel
from ledger.request import Actor, Kind, Request
from ledger.states import MOVES, State
from tests.ledger.test_policy import ADA, APPROVED, BO, CY, EVE, KINDS, PROD, SEEN, YES, decides, starts

#: Everybody: the one who asked, those who may approve, somebody else; and each of them as what Slack may call them.
PEOPLE = {"requester": ADA, "approver": BO, "other approver": CY, "observer": EVE}
ACTORS = {
    f"{name}, {kind}": replace(actor, kind=kind)
    for (name, actor), kind in product(PEOPLE.items(), (Kind.FULL_MEMBER, *KINDS))
}
#: The moves that a person makes, and the states from which they may.
DECIDED = {State.PLANNED: {State.APPROVED, State.REJECTED}, State.APPROVED: {State.REJECTED}}
CANCELLED = {State.ASKED, State.PLANNED, State.APPROVED}


def standing(state: State) -> Request:
    return replace(APPROVED, state=state, plan=None if state is State.ASKED else APPROVED.plan)


def may_move(actor: Actor, here: State, there: State) -> bool:
    """Whether the rules let this person's word move a request that stands here."""
    request = standing(here)
    match there:
        case State.APPROVED | State.REJECTED:
            return there in MOVES[here] and decides(actor, request) == Allowed()
        case State.CANCELLED:
            return may_cancel(actor, request, PROD) == Allowed()
        case State.APPLYING:
            said, seen = replace(YES, actor=actor), replace(SEEN, approving=(actor,))
            return starts(request, decisions=(said,), witness=seen) == Allowed()
        case _:
            return False  # no word of a person moves there


def should(name: str, here: State, there: State) -> bool:
    """The same, from the issue and not from the code."""
    who, _, kind = name.partition(", ")
    if kind != Kind.FULL_MEMBER or who == "observer":
        return False
    if there is State.CANCELLED:
        return here in CANCELLED
    if who == "requester":
        return False
    return there in DECIDED.get(here, set()) or (here, there) == (State.APPROVED, State.APPLYING)


@pytest.mark.parametrize("name", ACTORS)
def test_every_pair_of_states_for_everybody(name: str) -> None:
    moved = {(here, there) for here, there in product(State, State) if may_move(ACTORS[name], here, there)}
    assert moved == {(here, there) for here, there in product(State, State) if should(name, here, there)}
    assert all(there in MOVES[here] for here, there in moved)
