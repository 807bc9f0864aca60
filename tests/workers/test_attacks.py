"""What changes after the second key has turned, and what a captured ledger says, tried in front of the worker."""

from collections.abc import Callable

import pytest

from ledger.events import Refused, Stale, Started, Withdrawn
from ledger.request import Act, Actor, Kind, Request, Witness
from ledger.states import State
from tests.support.ledger import ADA, BO
from tests.workers.row import FIRST, Row
from tests.workers.test_gate import a_bot, asked, impatient

__all__ = ["asked", "impatient"]


def test_an_approver_deactivated_between_reaction_and_run_starts_nothing(row: Row, asked: Request) -> None:
    row.approve(asked.id, seen=False)
    gone = Actor(BO.id, BO.team, BO.name, Kind.DEACTIVATED)
    with a_bot(row, asked.id, approving=(gone,)):
        assert row.ring(asked.id).state is State.PLANNED
    refused, taken_out = row.told(asked.id)[-2:]
    assert isinstance(refused, Refused)
    assert "somebody who may no longer approve" in refused.why
    assert isinstance(taken_out, Withdrawn)
    assert row.history("production") == []


def test_a_history_that_moved_after_the_approval_makes_the_request_stale(row: Row, asked: Request) -> None:
    row.approve(asked.id)
    row.bring("production")
    assert row.ring(asked.id).state is State.STALE
    stale = row.last(asked.id)
    assert isinstance(stale, Stale)
    assert "Ask again: `/migrate apply production`." in stale.what


def test_an_address_that_leads_elsewhere_after_the_approval_starts_nothing(row: Row, asked: Request) -> None:
    row.approve(asked.id)
    row.dsn["production"] = row.dsn["test"]
    assert row.ring(asked.id).state in {State.FAILED, State.STALE}
    assert not any(isinstance(one, Started) for one in row.told(asked.id))
    assert len(row.history("test")) == 3


@pytest.mark.parametrize("witnessed", [False, True])
def test_a_row_set_to_approved_by_hand_starts_nothing(
    row: Row, asked: Request, owner_says: Callable[[str], None], witnessed: bool
) -> None:
    owner_says(f"UPDATE requests SET state = 'approved', starts_at = now() WHERE id = {asked.id}")
    if witnessed:
        row.ledger.witness(Witness(asked.id, row.ledger.now(), approving=(BO,), rejecting=(), ours=True, asking=ADA))
    row.ring(asked.id)
    refused = next(one for one in row.told(asked.id) if isinstance(one, Refused))
    assert refused.why == (f"#{asked.id} did not start: no approval of this plan stands. <@{BO.id}> can approve it.")
    assert row.history("production") == []


def test_a_row_turned_into_an_act_without_a_second_key_starts_nothing(
    row: Row, asked: Request, owner_says: Callable[[str], None]
) -> None:
    owner_says(f"UPDATE requests SET act = 'backup', state = 'approved', starts_at = now() WHERE id = {asked.id}")
    assert row.ring(asked.id).state is State.STALE
    assert row.history("production") == []


def test_a_plan_bent_after_the_approval_is_refused(row: Row, asked: Request, owner_says: Callable[[str], None]) -> None:
    row.approve(asked.id)
    bent = "jsonb_set(frozen, '{migrations,0,text}', '\"DROP TABLE users\"')"
    owner_says(f"UPDATE plans SET frozen = {bent} WHERE request_id = {asked.id}")
    with a_bot(row, asked.id):
        assert row.ring(asked.id).state is State.FAILED
    assert row.history("production") == []


def test_what_ended_is_started_by_no_ring(row: Row, asked: Request, owner_says: Callable[[str], None]) -> None:
    row.approve(asked.id)
    owner_says(f"UPDATE requests SET expires_at = now() - interval '1 s' WHERE id = {asked.id}")
    row.ring(asked.id)
    assert row.history("production") == []
    certified = row.do("test", Act.CERTIFY)
    assert row.ring(certified.id).version == certified.version
    assert FIRST in row.history("test")
