"""The bot between Slack and the ledger, whole: people type, press and react; the test plays the worker."""

from datetime import UTC, datetime
from typing import Any

from redis import Redis

from ledger import events
from ledger.request import Act, Certification, CertifiedBy
from ledger.states import State
from tests.bot.conftest import CHANNEL, Running
from tests.support.ledger import ADA, DIGEST, a_frozen, a_plan, a_request_in, a_wish

APPLIED = events.Applied(migrations=("20250818140001_add_user_columns",), seconds=0.5)
BACKUP = events.BackedUp(file="production-backup-2026-11-22T10-00-00.sql", bytes=12_300, sha256="c" * 64, seconds=0.4)


def plan(bot: Running, request_id: int, *, environment: str, protected: bool = False) -> None:
    summary = a_plan(environment=environment, protected=protected)
    why = events.Planned(digest=DIGEST, migrations=tuple(m.id for m in summary.migrations))
    bot.book.lay_plan(request_id, summary=summary, frozen=a_frozen(summary), why=why)


def certified(bot: Running) -> None:
    request = a_request_in(bot.book, State.APPLYING, wish=a_wish(environment="test", act=Act.CERTIFY))
    by = CertifiedBy(ADA.id, ADA.name, datetime.now(UTC), None)
    covers = (("20250818140001_add_user_columns", "a" * 64),)
    bot.book.certify(
        Certification(request.id, "test", covers, by),
        why=events.Certified(ADA.id, ADA.name, tuple(one for one, _ in covers), None),
    )


def card(bot: Running, words: str) -> dict[str, Any]:
    """The newest channel message whose blocks or text say these words."""
    return bot.slack.wait_for(lambda: next((m for m in bot.slack.messages(CHANNEL) if words in str(m)), None))


def reply(bot: Running, ts: str, words: str) -> dict[str, Any]:
    return bot.slack.wait_for(lambda: next((m for m in bot.slack.thread(CHANNEL, ts) if words in str(m)), None))


def whispered(bot: Running, person: str, words: str) -> dict[str, Any]:
    return bot.slack.wait_for(lambda: next((m for m in bot.slack.ephemerals(person) if words in str(m)), None))


def test_an_apply_is_written_down_and_then_told_as_it_goes(bot: Running) -> None:
    said = bot.slack.as_person("U0ENGINEER").slash("/migrate", "apply dev")
    assert said == "#1 is written down: apply development."
    plan(bot, 1, environment="development")
    bot.book.move(1, State.APPROVED, why=events.Approved("policy", "policy", "2026-11-22T10:00:00+00:00"))
    bot.book.move(1, State.APPLYING, why=events.Started("host:1"))
    bot.book.tell(1, BACKUP)
    bot.book.move(1, State.APPLIED, why=APPLIED)
    shown = card(bot, "✅ Applied")
    assert shown["text"].startswith("Ada Engineer asked to apply 2 migrations to development (#1). ✅ Applied")
    assert "<@U0ENGINEER>" in reply(bot, shown["ts"], "applied to development")["text"]
    bot.slack.as_person("U0ENGINEER").click(shown, "twokey_plan", "test")
    assert bot.slack.wait_for(lambda: bot.book.inquiries_open())[0].environment == "test"


def open_production(bot: Running) -> dict[str, Any]:
    """Ask for production by way of the form, draw the plan, and return the card."""
    certified(bot)
    ada = bot.slack.as_person("U0ENGINEER")
    assert ada.slash("/migrate", "apply prod") is None
    [view] = bot.slack.wait_for(lambda: bot.slack.views("U0ENGINEER"))
    wrong = ada.submit(view["id"], {"environment": "prod", "reason": "Ship it"})
    assert wrong == {"errors": {"environment": "Type production, exactly so, to confirm."}}
    assert ada.submit(view["id"], {"environment": "production", "reason": "Ship <!channel> it"}) == {"closed": True}
    whispered(bot, "U0ENGINEER", "#2 is written down: apply production.")
    plan(bot, 2, environment="production", protected=True)
    return card(bot, "Waiting for a second person")


def test_production_starts_after_a_second_person_and_a_fresh_look(bot: Running) -> None:
    shown = open_production(bot)
    assert "Ship &lt;!channel&gt; it" in str(shown)
    bot.slack.as_person("U0APPROVER").react(CHANNEL, shown["ts"], "white_check_mark")
    bot.slack.wait_for(lambda: bot.book.request(2).state is State.APPROVED)
    card(bot, "🟡 Approved by Bo Approver")
    bot.book.tell(2, events.Ready())
    bot.slack.wait_for(lambda: bot.book.latest_witness(2))
    witness = bot.book.latest_witness(2)
    assert witness is not None
    assert [actor.id for actor in witness.approving] == ["U0APPROVER"]


def test_the_requesters_own_key_is_refused_to_their_face_and_in_the_thread(bot: Running) -> None:
    shown = open_production(bot)
    bot.slack.as_person("U0ENGINEER").react(CHANNEL, shown["ts"], "white_check_mark")
    whispered(bot, "U0ENGINEER", "You asked for #2, so the second key is not yours.")
    reply(
        bot,
        shown["ts"],
        "🚫 Ada Engineer's reaction did not count: “You asked for #2, so the second key is not yours.”",
    )
    assert bot.book.request(2).state is State.PLANNED


def test_a_key_taken_back_before_the_start_stops_it(bot: Running) -> None:
    shown = open_production(bot)
    bo = bot.slack.as_person("U0APPROVER")
    bo.react(CHANNEL, shown["ts"], "white_check_mark")
    bot.slack.wait_for(lambda: bot.book.request(2).state is State.APPROVED)
    bo.unreact(CHANNEL, shown["ts"], "white_check_mark")
    bot.slack.wait_for(lambda: bot.book.request(2).state is State.PLANNED)
    reply(bot, shown["ts"], "↩️ Bo Approver took the key back. Nothing starts until somebody turns it again.")


def test_an_approvers_no_ends_it(bot: Running) -> None:
    shown = open_production(bot)
    bot.slack.as_person("U0APPROVER").react(CHANNEL, shown["ts"], "x")
    bot.slack.wait_for(lambda: bot.book.request(2).state is State.REJECTED)
    assert "Ask again" in str(card(bot, "🚫 Rejected by Bo Approver"))


def test_an_approver_who_became_a_guest_is_refused(bot: Running) -> None:
    shown = open_production(bot)
    bot.slack.set_person("U0APPROVER", is_restricted=True)
    bot.slack.as_person("U0APPROVER").react(CHANNEL, shown["ts"], "white_check_mark")
    whispered(bot, "U0APPROVER", "Guests cannot ask or decide here. Those who may: <@U0APPROVER>, <@U0SECOND>.")
    assert bot.book.request(2).state is State.PLANNED


def test_a_reaction_that_is_delivered_twice_counts_once(bot: Running) -> None:
    shown = open_production(bot)
    bot.slack.deliver_twice(1)
    bot.slack.as_person("U0OBSERVER").react(CHANNEL, shown["ts"], "white_check_mark")
    reply(bot, shown["ts"], "🚫 Cy Observer's reaction did not count: “You are not an approver of production.”")
    bot.slack.as_person("U0APPROVER").react(CHANNEL, shown["ts"], "x")
    reply(bot, shown["ts"], "Rejected by Bo Approver")
    assert [type(told.event).__name__ for told in bot.book.events(2)] == ["Asked", "Planned", "Refused", "Rejected"]


def test_an_approval_of_what_has_ended_is_refused(bot: Running) -> None:
    shown = open_production(bot)
    bot.book.move(2, State.EXPIRED, why=events.Expired())
    bot.slack.as_person("U0APPROVER").react(CHANNEL, shown["ts"], "white_check_mark")
    whispered(bot, "U0APPROVER", "#2 has expired, so a reaction changes nothing. Ask again for a new plan.")


def test_a_key_taken_back_too_late_is_noted(bot: Running) -> None:
    shown = open_production(bot)
    bo = bot.slack.as_person("U0APPROVER")
    bo.react(CHANNEL, shown["ts"], "white_check_mark")
    starts_at = bot.slack.wait_for(lambda: bot.book.request(2).starts_at)
    bot.slack.wait_for(lambda: bot.book.now() >= starts_at)  # no worker may start it earlier
    bot.book.move(2, State.APPLYING, why=events.Started("host:1"))
    bo.unreact(CHANNEL, shown["ts"], "white_check_mark")
    reply(bot, shown["ts"], "📝 Bo Approver: took the reaction back; #2 is running.")


def test_of_two_approvals_one_may_be_taken_back(bot: Running) -> None:
    shown = open_production(bot)
    bo, dee = bot.slack.as_person("U0APPROVER"), bot.slack.as_person("U0SECOND")
    bo.react(CHANNEL, shown["ts"], "white_check_mark")
    bot.slack.wait_for(lambda: bot.book.request(2).state is State.APPROVED)
    dee.react(CHANNEL, shown["ts"], "white_check_mark")
    reply(bot, shown["ts"], "📝 Dee Second: approves as well.")
    bo.unreact(CHANNEL, shown["ts"], "white_check_mark")
    reply(bot, shown["ts"], "📝 Bo Approver: took the reaction back; another approval stands.")
    assert bot.book.request(2).state is State.APPROVED


def test_a_card_that_was_deleted_shows_no_approval(bot: Running) -> None:
    shown = open_production(bot)
    bot.slack.as_person("U0APPROVER").react(CHANNEL, shown["ts"], "white_check_mark")
    bot.slack.wait_for(lambda: bot.book.request(2).state is State.APPROVED)
    card(bot, "🟡 Approved by Bo Approver")
    bot.slack.delete_message(CHANNEL, shown["ts"])
    bot.book.tell(2, events.Ready())
    bot.slack.wait_for(lambda: bot.book.latest_witness(2))
    witness = bot.book.latest_witness(2)
    assert witness is not None
    assert witness.approving == ()


def test_an_approved_request_is_rung_when_its_time_has_come(bot: Running, redis_url: str) -> None:
    shown = open_production(bot)
    with Redis.from_url(redis_url) as redis:
        redis.flushall()  # the ring for the plan
        bot.slack.as_person("U0APPROVER").react(CHANNEL, shown["ts"], "white_check_mark")
        starts_at = bot.slack.wait_for(lambda: bot.book.request(2).starts_at)
        bot.slack.wait_for(lambda: redis.llen("rq:queue:run.production"))
        assert bot.book.now() >= starts_at
