"""What the second key does, and everything that must not turn it."""

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from psycopg.errors import CheckViolation
from redis import Redis
from rq import Queue

from ledger.doorbell import Doorbell
from ledger.people import mark
from playground.delivery import signed
from tests.flows.attacked import GROUP, MANNER, Attacked, just_after, moves_on, swapped
from tests.flows.conftest import ADA, BO, CHANNEL, CY, DEE, GIL, Corridor
from tests.support.git import commit, git

__all__ = ["MANNER"]  # how the corridor of this file is


def test_an_approvers_x_rejects_and_a_later_approval_is_refused(begin: Callable[..., Corridor]) -> None:
    corridor = begin()
    corridor.bring_to_test()
    card = corridor.ask_for_production()
    corridor.channel.reacts(BO, card, "x")
    corridor.channel.shows("production", "Rejected")
    corridor.channel.reacts(BO, card, "white_check_mark")
    corridor.channel.sees(BO, "#4 was rejected, so a reaction changes nothing. Ask again for a new plan.")
    assert corridor.applied("production") == []


def test_a_cancelled_request_cannot_be_approved(begin: Callable[..., Corridor]) -> None:
    corridor = begin()
    corridor.bring_to_test()
    card = corridor.ask_for_production()
    corridor.channel.types(ADA, "cancel 4")
    corridor.channel.shows("production", "Cancelled")
    corridor.channel.reacts(BO, card, "white_check_mark")
    corridor.channel.sees(BO, "#4 was cancelled, so a reaction changes nothing.")
    assert corridor.applied("production") == []


def test_a_file_changed_after_the_approval_makes_the_request_stale(begin: Callable[..., Corridor]) -> None:
    corridor = begin()
    corridor.bring_to_test()
    card = corridor.ask_for_production()
    corridor.channel.reacts(BO, card, "white_check_mark")
    corridor.channel.shows("production", "starts at")
    bent = corridor.migrations / "20250818150001_create_audit_table.sql"
    bent.write_text(bent.read_text() + "\nDROP TABLE users;\n")
    corridor.skip_the_delay()
    corridor.channel.shows("production", "Stale")
    assert corridor.applied("production") == []


@pytest.fixture(scope="module")
def attacked(shared: Callable[[], Corridor]) -> Attacked:
    """Mel, whom no map knows, wrote all of it."""
    corridor = shared()
    last = corridor.migrations / "20250818150001_create_audit_table.sql"
    last.write_text(f"-- impact: tell <!everyone> and <@{BO}|boss>\n{last.read_text()}")
    git(corridor.migrations, "init", "-q", "-b", "main")
    commit(corridor.migrations, "Mel")
    corridor.bring_to_test()
    return Attacked(corridor, corridor.ask_for_production("it <!channel> needs <@U0APPROVER|boss>"))


def test_without_a_second_person_nothing_runs(attacked: Attacked) -> None:
    channel, card = attacked.corridor.channel, attacked.card
    channel.reacts(ADA, card, "white_check_mark")
    channel.sees(ADA, "You asked for #4, so the second key is not yours. Those who may: @Bo")
    channel.thread_shows(card, "Ada Engineer's reaction did not count")
    channel.reacts(CY, card, "white_check_mark")
    channel.sees(CY, "You are not an approver of production.")
    channel.reacts(GIL, card, "white_check_mark")
    channel.sees(GIL, "Guests cannot ask or decide here.")
    attacked.held()


def test_a_second_account_of_whoever_asked_is_no_second_person(attacked: Attacked) -> None:
    slack, channel = attacked.corridor.slack, attacked.corridor.channel
    slack.set_person(GIL, is_restricted=False, real_name="Gil <!here>")
    slack.set_person(DEE, email="Ada@Example.com")
    attacked.does("unreact", GIL)
    for other in (GIL, DEE):
        attacked.does("react", other)
        channel.sees(other, "You asked for #4, so the second key is not yours.")
        attacked.does("unreact", other)
    slack.set_person(GIL, is_restricted=True, real_name="Gil Guest")
    attacked.held()


def test_whoever_wrote_it_does_not_approve_it(attacked: Attacked) -> None:
    attacked.corridor.slack.set_person(DEE, email="mel@example.com")
    attacked.does("react", DEE)
    attacked.corridor.channel.sees(DEE, "You wrote a part of what #4 is about, and authors do not approve it.")
    attacked.corridor.slack.set_person(DEE, email="dee@example.com")
    attacked.does("unreact", DEE)
    attacked.held()
    with pytest.raises(CheckViolation, match="U0SECOND wrote a part of what request 4 is about"):
        attacked.written_by_the_bot(DEE, mark("mel@example.com"))


def test_what_is_typed_comes_to_no_life_in_the_channel(attacked: Attacked) -> None:
    said = json.dumps(attacked.corridor.slack.state()["messages"], ensure_ascii=False)
    assert "&lt;!channel&gt;" in said
    assert "&lt;!here&gt;" in said
    assert "&lt;!everyone&gt;" in said
    for alive in ("<!channel", "<!here", "<!everyone", "|boss>"):
        assert alive not in said


def test_a_reaction_that_is_gone_at_once_starts_nothing(attacked: Attacked) -> None:
    before = attacked.heard()
    attacked.does("react")
    attacked.does("unreact")
    attacked.corridor.slack.wait_for(lambda: attacked.heard() == before + 2)
    attacked.held()


def test_two_approvals_in_the_same_instant_are_one_start(attacked: Attacked) -> None:
    with ThreadPoolExecutor() as both:
        list(both.map(lambda who: attacked.does("react", who), (BO, DEE)))
    attacked.corridor.slack.wait_for(lambda: attacked.story()[-2:] == ["Approved", "Noted"])
    for who in (BO, DEE):
        attacked.does("unreact", who)
    attacked.corridor.slack.wait_for(lambda: attacked.story()[-1] == "Withdrawn")
    attacked.held()


def test_what_is_replayed_and_what_comes_out_of_order_turns_no_key(attacked: Attacked) -> None:
    slack, before = attacked.corridor.slack, attacked.heard()
    slack.deliver_twice(1)
    attacked.is_approved()
    attacked.does("unreact")
    slack.wait_for(lambda: attacked.heard() == before + 2)
    attacked.held()
    after = attacked.story()
    came = attacked.last_reaction()
    assert slack.deliver("events_api", came)["acked"]
    attacked.held()
    assert (attacked.heard(), attacked.story()) == (before + 2, after)
    late = {**came, "event_id": "Ev0LATE", "event": {**came["event"], "event_ts": just_after(came)}}
    assert slack.deliver("events_api", late)["acked"]
    attacked.held()
    assert (attacked.heard(), attacked.story()) == (before + 3, after)


def test_a_request_that_slack_did_not_sign_is_not_heard_over_http(attacked: Attacked) -> None:
    before, now = attacked.heard(), int(time.time())
    body = json.dumps({**attacked.last_reaction(), "event_id": "Ev0FORGED"}).encode()
    bad = (signed(body, at=now, secret=""), signed(body, at=now - 301), signed(body + b" ", at=now))
    assert [attacked.status_of(body, headers) for headers in ({}, *bad)] == [401] * 4
    attacked.held()
    assert attacked.heard() == before


def test_removing_the_reaction_before_the_start_withdraws(attacked: Attacked) -> None:
    attacked.does("react")
    attacked.corridor.channel.shows("production", "starts at")
    attacked.does("unreact")
    attacked.corridor.channel.thread_shows(attacked.card, "Bo Approver took the key back")
    long_ago = "SELECT now() > max(at) + interval '4 s' FROM events WHERE kind = 'Approved'"
    attacked.corridor.slack.wait_for(lambda: attacked.corridor.ledger(long_ago) == [(True,)], timeout=10)
    attacked.held()


@pytest.mark.parametrize(
    ("flag", "said", "was", "why"),
    [
        ("is_bot", True, False, "Bots and workflows cannot ask or decide here."),
        ("is_stranger", True, False, "People of other workspaces cannot ask or decide here."),
        ("is_restricted", True, False, "Guests cannot ask or decide here."),
        ("team_id", "T0OTHER", "T0TWOKEY", "People of other workspaces cannot ask or decide here."),
    ],
)
def test_an_approver_who_turned_into_somebody_else_is_refused(
    attacked: Attacked, flag: str, said: object, was: object, why: str
) -> None:
    attacked.corridor.slack.set_person(BO, **{flag: said})
    attacked.does("react")
    attacked.corridor.channel.sees(BO, why)
    attacked.corridor.slack.set_person(BO, **{flag: was})
    attacked.does("unreact")
    attacked.held()


def test_a_reaction_elsewhere_is_no_approval(attacked: Attacked) -> None:
    before, ada = attacked.story(), attacked.corridor.slack.as_person(ADA)
    older = ada.say(CHANNEL, "an older message")
    reply = ada.say(CHANNEL, "a reply", thread_ts=str(attacked.card["ts"]))
    elsewhere = ada.say("C0GENERAL", "the card, copied")
    for channel, message in ((CHANNEL, older), (CHANNEL, reply), ("C0GENERAL", elsewhere)):
        attacked.does("react", channel=channel, ts=message["ts"])
    attacked.held()
    assert attacked.story() == before


def test_a_forged_ring_starts_nothing(attacked: Attacked, tmp_path: Path) -> None:
    owned, redis_url = tmp_path / "owned", attacked.corridor.parts.redis_url
    bell = Doorbell(redis_url)
    assert all(bell.ring(number, "production") for number in (4, 999))
    bell.close()
    with Redis.from_url(redis_url) as redis:
        queue = Queue("run.production", connection=redis, serializer="json")
        queue.enqueue("os.system", args=(f"touch {owned}",))
        attacked.corridor.slack.wait_for(lambda: len(queue) == 0)
    log = attacked.corridor.parts.log("workers")
    attacked.corridor.slack.wait_for(lambda: "Refused a ring that asks for something else" in log.read_text())
    attacked.held()
    assert not owned.exists()


def test_a_row_set_to_approved_by_hand_is_no_approval(attacked: Attacked) -> None:
    with psycopg.connect(attacked.corridor.parts.ledger_url) as conn:
        conn.execute("UPDATE requests SET state = 'approved', starts_at = now(), rung_at = NULL WHERE id = 4")
    attacked.corridor.channel.thread_shows(attacked.card, "#4 did not start: no approval of this plan stands. @Bo")
    attacked.held()


def test_whoever_was_deactivated_between_reaction_and_run_starts_nothing(attacked: Attacked) -> None:
    attacked.is_approved()
    attacked.corridor.slack.set_person(BO, deleted=True)
    attacked.corridor.skip_the_delay()
    attacked.corridor.channel.thread_shows(attacked.card, "who may no longer approve. @Dee Second can react.")
    attacked.corridor.slack.set_person(BO, deleted=False)
    attacked.does("unreact")
    attacked.held()


def test_whoever_left_the_group_between_reaction_and_run_starts_nothing(attacked: Attacked) -> None:
    attacked.does("react", DEE)
    attacked.corridor.slack.wait_for(lambda: attacked.stands("approved"))
    attacked.corridor.slack.set_group(GROUP, BO)
    attacked.corridor.skip_the_delay()
    attacked.corridor.channel.thread_shows(attacked.card, "who may no longer approve. @Bo Approver can react.")
    attacked.corridor.slack.set_group(GROUP, BO, DEE)
    attacked.does("unreact", DEE)
    attacked.held()


def test_in_the_frost_nothing_starts_and_a_thaw_takes_a_second_person(attacked: Attacked) -> None:
    channel = attacked.corridor.channel
    channel.types(CY, "freeze prod 2h the disk is <!channel> full", "production is frozen until", "(#5).")
    channel.shows("❄️ Frozen by Cy Observer until", "the disk is <!channel> full")
    attacked.does("react")
    channel.sees(BO, "Nothing starts on production now: Cy Observer froze it until")
    attacked.does("unreact")
    channel.types(ADA, "status prod")
    channel.sees(ADA, "❄️ Frozen by Cy Observer until")
    channel.types(ADA, "thaw prod")
    channel.fills_in(ADA, {"environment": "production", "reason": "it has room"})
    thaw = channel.shows("thaw #6", "Waiting for a second person", "#5, frozen by Cy Observer")
    channel.reacts(BO, thaw, "white_check_mark")
    channel.thread_shows(thaw, "production is thawed: #5 no longer holds.")
    channel.shows("production", "freeze #5", "Thawed by Ada Engineer (#6)")
    channel.thread_shows(attacked.card, "#6 thawed production. A reaction from before has to be given anew.")
    attacked.held()


def test_a_history_that_moved_after_the_approval_makes_the_request_stale_in_the_channel(attacked: Attacked) -> None:
    attacked.is_approved()
    corridor = attacked.corridor
    moves_on(corridor)
    corridor.skip_the_delay()
    corridor.channel.shows("production", "apply #4", "Stale: production's newest migration was none and is")
    assert attacked.stands("stale")
    assert len(corridor.applied("production")) == 1


def test_an_address_that_leads_elsewhere_after_the_approval_is_refused_in_the_channel(attacked: Attacked) -> None:
    attacked.asked_anew()
    attacked.is_approved()
    corridor = attacked.corridor
    with swapped(corridor, ("production", "development")):
        corridor.skip_the_delay()
        corridor.channel.shows("The address of production leads to", "that database says it is development")
    assert attacked.stands("failed")
    assert "Started" not in attacked.story()
    assert (len(corridor.applied("production")), len(corridor.applied("development"))) == (1, 3)


def test_while_slack_does_not_answer_it_waits_and_then_it_runs(attacked: Attacked) -> None:
    attacked.asked_anew()
    attacked.corridor.slack.fault("reactions.get", error="internal_error", times=4)
    attacked.is_approved()
    attacked.corridor.skip_the_delay()
    attacked.corridor.slack.wait_for(lambda: attacked.story()[-1] == "Ready", timeout=20)
    assert len(attacked.corridor.applied("production")) == 1
    attacked.corridor.channel.thread_shows(attacked.card, "2 migrations applied to production")
    assert len(attacked.corridor.applied("production")) == 3
