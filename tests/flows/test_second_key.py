"""What the second key does, and everything that must not turn it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from redis import Redis
from rq import Queue

from ledger.doorbell import Doorbell
from tests.flows.conftest import ADA, BO, CHANNEL, CY, GIL, Corridor


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


def test_an_expired_request_ends_and_cannot_be_approved(begin: Callable[..., Corridor]) -> None:
    corridor = begin(sweep=True)
    corridor.bring_to_test()
    card = corridor.ask_for_production()
    with psycopg.connect(corridor.parts.ledger_url) as conn:
        conn.execute("UPDATE requests SET expires_at = now() WHERE id = 4")
    corridor.channel.shows("production", "Expired")
    corridor.channel.reacts(BO, card, "white_check_mark")
    corridor.channel.sees(BO, "#4 has expired, so a reaction changes nothing.")
    assert corridor.applied("production") == []


def test_a_file_changed_after_the_approval_makes_the_request_stale(begin: Callable[..., Corridor]) -> None:
    corridor = begin()
    corridor.bring_to_test()
    card = corridor.ask_for_production()
    corridor.channel.reacts(BO, card, "white_check_mark")
    corridor.channel.shows("production", "starts at")
    edited = corridor.migrations / "20250818150001_create_audit_table.sql"
    edited.write_text(edited.read_text() + "\nDROP TABLE users;\n")
    corridor.channel.shows("production", "Stale")
    assert corridor.applied("production") == []


def test_production_gets_exactly_what_was_certified(begin: Callable[..., Corridor]) -> None:
    corridor = begin()
    corridor.bring_to_test()
    (corridor.migrations / "20250820100000_add_towns.sql").write_text("CREATE TABLE towns (id bigint PRIMARY KEY);")
    for text, environment in (("apply dev", "development"), ("promote test", "test")):
        corridor.channel.types(ADA, text)
        corridor.slack.wait_for(lambda e=environment: len(corridor.applied(e)) == 4, timeout=20)
    card = corridor.ask_for_production()
    corridor.channel.shows("production", "Stays pending", "20250820100000_add_towns")
    corridor.channel.reacts(BO, card, "white_check_mark")
    corridor.channel.thread_shows(card, "3 migrations applied to production")
    assert len(corridor.applied("production")) == 3


@dataclass(frozen=True, slots=True)
class Attacked:
    """One card that waits for its second key. What follows is tried on it, one after the other."""

    corridor: Corridor
    card: dict[str, object]

    def bo(self, deed: str, channel: str = CHANNEL, ts: object = None) -> None:
        """Bo, who may, reacts to the card or to something else, or takes that back."""
        getattr(self.corridor.slack.as_person(BO), deed)(channel, str(ts or self.card["ts"]), "white_check_mark")

    def stands(self, state: str) -> bool:
        return self.corridor.ledger("SELECT state FROM requests WHERE id = 4") == [(state,)]

    def story(self) -> list[object]:
        return [kind for (kind,) in self.corridor.ledger("SELECT kind FROM events WHERE request_id = 4 ORDER BY seq")]

    def held(self) -> None:
        """Whatever was heard is judged, the request waits, and nothing ran."""
        unjudged = "SELECT FROM heard WHERE judged_at IS NULL"
        self.corridor.slack.wait_for(lambda: not self.corridor.ledger(unjudged) and self.stands("planned"), timeout=20)
        assert "Started" not in self.story()
        assert self.corridor.applied("production") == []


@pytest.fixture(scope="module")
def attacked(shared: Callable[[], Corridor]) -> Attacked:
    corridor = shared()
    corridor.bring_to_test()
    return Attacked(corridor, corridor.ask_for_production())


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


def test_removing_the_reaction_before_the_start_withdraws(attacked: Attacked) -> None:
    attacked.bo("react")
    attacked.corridor.channel.shows("production", "starts at")
    attacked.bo("unreact")
    attacked.corridor.channel.thread_shows(attacked.card, "Bo Approver took the key back")
    long_ago = "SELECT now() > max(at) + interval '5 s' FROM events WHERE kind = 'Approved'"
    attacked.corridor.slack.wait_for(lambda: attacked.corridor.ledger(long_ago) == [(True,)], timeout=10)
    attacked.held()


@pytest.mark.parametrize(
    ("flag", "why"),
    [
        ("is_bot", "Bots and workflows cannot ask or decide here."),
        ("is_stranger", "People of other workspaces cannot ask or decide here."),
        ("is_restricted", "Guests cannot ask or decide here."),
    ],
)
def test_an_approver_who_turned_into_somebody_else_is_refused(attacked: Attacked, flag: str, why: str) -> None:
    attacked.corridor.slack.set_person(BO, **{flag: True})
    attacked.bo("react")
    attacked.corridor.channel.sees(BO, why)
    attacked.corridor.slack.set_person(BO, **{flag: False})
    attacked.bo("unreact")
    attacked.held()


def test_a_reaction_elsewhere_is_no_approval(attacked: Attacked) -> None:
    before, ada = attacked.story(), attacked.corridor.slack.as_person(ADA)
    older = ada.say(CHANNEL, "an older message")
    reply = ada.say(CHANNEL, "a reply", thread_ts=str(attacked.card["ts"]))
    elsewhere = ada.say("C0GENERAL", "the card, copied")
    for channel, message in ((CHANNEL, older), (CHANNEL, reply), ("C0GENERAL", elsewhere)):
        attacked.bo("react", channel, message["ts"])
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
    attacked.bo("react")
    attacked.corridor.slack.wait_for(lambda: attacked.stands("approved"))
    attacked.corridor.slack.set_person(BO, deleted=True)
    attacked.corridor.channel.thread_shows(attacked.card, "came from somebody who may no longer approve.")
    attacked.corridor.slack.set_person(BO, deleted=False)
    attacked.bo("unreact")
    attacked.held()


def test_in_the_frost_nothing_starts_and_a_thaw_takes_a_second_person(attacked: Attacked) -> None:
    channel = attacked.corridor.channel
    channel.types(CY, "freeze prod 2h the disk is <!channel> full", "production is frozen until", "(#5).")
    channel.shows("❄️ Frozen by Cy Observer until", "the disk is <!channel> full")
    attacked.bo("react")
    channel.sees(BO, "Nothing starts on production now: Cy Observer froze it until")
    attacked.bo("unreact")
    channel.types(ADA, "status prod")
    channel.sees(ADA, "❄️ Frozen by Cy Observer until")
    channel.types(ADA, "thaw prod")
    channel.fills_in(ADA, {"environment": "production", "reason": "it has room"})
    thaw = channel.shows("thaw #6", "Waiting for a second person", "#5, frozen by Cy Observer")
    channel.reacts(BO, thaw, "white_check_mark")
    channel.thread_shows(thaw, "production is thawed: #5 no longer holds.")
    channel.thread_shows(attacked.card, "#6 thawed production. A reaction from before has to be given anew.")
    attacked.held()


def test_while_slack_does_not_answer_it_waits_and_then_it_runs(attacked: Attacked) -> None:
    attacked.corridor.slack.fault("reactions.get", error="internal_error", times=4)
    attacked.bo("react")
    attacked.corridor.slack.wait_for(lambda: attacked.story()[-1] == "Ready", timeout=20)
    assert attacked.corridor.applied("production") == []
    attacked.corridor.channel.thread_shows(attacked.card, "3 migrations applied to production")
    assert len(attacked.corridor.applied("production")) == 3
