"""Waiting: twice as long each time, or as long as Slack says; and one fault silences nobody else."""

import pytest

from bot.patience import LONGEST, Patience, one_by_one
from ledger.errors import LedgerUnreachable


def test_each_failure_doubles_the_wait_up_to_the_longest_and_success_forgets() -> None:
    now = [0.0]
    patience = Patience(first=1.0, clock=lambda: now[0])
    waits = []
    for _ in range(8):
        patience.failed("c")
        began = now[0]
        while not patience.may("c"):
            now[0] += 0.5
        waits.append(now[0] - began)
    assert waits == [1, 2, 4, 8, 16, 32, LONGEST, LONGEST]
    patience.worked("c")
    patience.failed("c")
    now[0] += 1
    assert patience.may("c")


def test_slacks_own_wait_is_kept_to_the_second() -> None:
    now = [0.0]
    patience = Patience(clock=lambda: now[0])
    patience.failed("c", retry_after=30)
    now[0] = 29.9
    assert not patience.may("c")
    assert patience.may("another channel")
    now[0] = 30
    assert patience.may("c")


def test_a_fault_in_one_is_logged_and_the_others_go_on(caplog: pytest.LogCaptureFixture) -> None:
    done: list[int] = []

    def deed(number: int) -> None:
        if number == 2:
            raise ZeroDivisionError
        done.append(number)

    patience = Patience()
    one_by_one([1, 2, 3], deed, key=lambda one: one, by=patience)
    one_by_one([2], deed, key=lambda one: one, by=patience)
    assert done == [1, 3]
    assert [record.message.endswith("2 met an error that nobody expected") for record in caplog.records] == [True]


def test_a_missing_ledger_is_everybodys_fault() -> None:
    def deed(_: int) -> None:
        raise LedgerUnreachable

    with pytest.raises(LedgerUnreachable):
        one_by_one([1], deed, key=lambda one: one, by=Patience())
