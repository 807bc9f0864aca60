"""What is not protected is no way into what is, unless twokey.toml says that it may be."""

import logging

import pytest

from ledger.events import Denied
from ledger.request import Act
from ledger.states import State
from tests.workers.row import FIRST, Row
from workers import reaching


@pytest.fixture
def beside(row: Row) -> Row:
    """Development and production share a server and a superuser, and nobody said that this is meant."""
    row.bring("production")
    row.config.write_text(row.config.read_text().replace("on_protected_server = true\n", ""))
    return row


def test_nothing_that_one_person_alone_wants_runs_where_it_could_reach_production(beside: Row) -> None:
    request = beside.do("development")
    assert request.state is State.REJECTED
    refused = beside.last(request.id)
    assert isinstance(refused, Denied)
    assert refused.why.startswith("development's login postgres may change ")
    assert refused.why.endswith("write on_protected_server = true for development in twokey.toml.")
    assert beside.do("development", Act.BASELINE, about=(FIRST,)).state is State.APPLIED  # nothing runs by it


def test_a_right_that_came_after_the_plan_stops_the_start(row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    row.bring("production")
    guard = reaching.guard

    def planned_before(*arguments: object) -> None:
        if not row.told(1)[1:]:  # it is only asked so far
            return
        row.config.write_text(row.config.read_text().replace("on_protected_server = true\n", ""))
        guard(row.hands("development"), *arguments[1:])  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(reaching, "guard", planned_before)
    assert row.do("development").state is State.STALE
    assert row.history("development") == []


def test_at_start_it_is_said_loudly_whatever_is_meant(row: Row, caplog: pytest.LogCaptureFixture) -> None:
    row.bring("production")
    with caplog.at_level(logging.WARNING):
        reaching.warn(row.hands("production"))
        assert caplog.messages == []
        reaching.warn(row.hands("development"))
        assert caplog.messages[0].endswith("on_protected_server in twokey.toml lets it.")
        row.config.write_text(row.config.read_text().replace("on_protected_server = true\n", ""))
        reaching.warn(row.hands("development"))
        assert "or better a server of its own" in caplog.messages[1]
    row.dsn["test"] = "postgresql://x@127.0.0.1:1/nowhere"
    reaching.warn(row.hands("test"))  # an environment that is down hinders no start; nothing runs unlooked at
