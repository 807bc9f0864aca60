"""What the second key does, and everything that must not turn it."""

from collections.abc import Callable

import psycopg

from tests.flows.conftest import ADA, BO, CHANNEL, CY, GIL, Corridor


def test_without_a_second_person_nothing_runs(begin: Callable[..., Corridor]) -> None:
    corridor = begin()
    corridor.bring_to_test()
    card = corridor.ask_for_production()
    corridor.channel.reacts(ADA, card, "white_check_mark")
    corridor.channel.sees(ADA, "You asked for #4, so the second key is not yours. Those who may: @Bo")
    corridor.channel.thread_shows(card, "Ada Engineer's reaction did not count")
    corridor.channel.reacts(CY, card, "white_check_mark")
    corridor.channel.sees(CY, "You are not an approver of production.")
    corridor.channel.reacts(GIL, card, "white_check_mark")
    corridor.channel.sees(GIL, "Guests cannot ask or decide here.")
    assert corridor.ledger("SELECT state FROM requests WHERE id = 4") == [("planned",)]
    assert corridor.applied("production") == []


def test_removing_the_reaction_before_the_start_withdraws(begin: Callable[..., Corridor]) -> None:
    corridor = begin()
    corridor.bring_to_test()
    card = corridor.ask_for_production()
    corridor.channel.reacts(BO, card, "white_check_mark")
    corridor.channel.shows("production", "starts at")
    corridor.slack.as_person(BO).unreact(CHANNEL, str(card["ts"]), "white_check_mark")
    corridor.channel.thread_shows(card, "Bo Approver took the key back")
    corridor.slack.wait_for(
        lambda: corridor.ledger("SELECT now() > max(at) + interval '5 s' FROM events WHERE kind = 'Approved'")[0][0],
        timeout=10,
    )
    assert corridor.ledger("SELECT state FROM requests WHERE id = 4") == [("planned",)]
    assert corridor.applied("production") == []


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
