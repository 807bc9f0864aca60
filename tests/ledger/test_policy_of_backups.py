"""One backup of an environment at a time: a dump takes room and time, and one is enough for everybody."""

from dataclasses import replace

import pytest

from ledger.policy import Allowed, Denied
from ledger.request import Act
from ledger.states import State
from tests.ledger.test_policy import PLANNED, TEST, asks

OPEN = replace(PLANNED, act=Act.BACKUP)


def test_a_second_backup_is_refused_while_one_is_open() -> None:
    assert asks(act=Act.BACKUP, open_requests=(OPEN,)) == Denied(
        "A backup of production is under way: #7 of ada. "
        "Its message says when it is there; ask again after that if you need another."
    )


@pytest.mark.parametrize("other", [replace(OPEN, state=State.APPLIED), replace(OPEN, act=Act.CERTIFY)])
def test_what_is_over_or_another_act_is_in_nobodys_way(other: object) -> None:
    assert asks(act=Act.BACKUP, open_requests=(other,)) == Allowed()


def test_another_environments_backup_is_in_nobodys_way() -> None:
    assert asks(act=Act.BACKUP, environment=TEST, open_requests=(OPEN,)) == Allowed()
