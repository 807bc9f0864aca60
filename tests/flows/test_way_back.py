"""Production is undone from the channel, with two keys."""

from collections.abc import Callable

from tests.flows.conftest import ADA, BO, Corridor

TOWNS = "20260101000000_add_towns"


def test_a_rollback_of_production_takes_two_keys_and_is_told(begin: Callable[..., Corridor]) -> None:
    corridor = begin()
    (corridor.migrations / f"{TOWNS}.sql").write_text(
        "-- migrate:up\nCREATE TABLE towns (id bigint PRIMARY KEY);\n-- migrate:down\nDROP TABLE towns;\n"
    )
    corridor.bring_to_test()
    card = corridor.ask_for_production()
    corridor.channel.reacts(BO, card, "white_check_mark")
    corridor.channel.thread_shows(card, "4 migrations applied to production")
    corridor.channel.types(ADA, "rollback prod")
    corridor.channel.fills_in(ADA, {"environment": "production", "reason": "towns are wrong"})
    card = corridor.channel.shows("production", "rollback #5", "towns are wrong", "Takes back", TOWNS, "drops_table")
    assert len(corridor.applied("production")) == 4
    corridor.channel.reacts(ADA, card, "white_check_mark")
    corridor.channel.sees(ADA, "You asked for #5, so the second key is not yours.")
    corridor.channel.reacts(BO, card, "white_check_mark")
    corridor.channel.thread_shows(card, "1 migration taken back on production", "Backup `production-backup-")
    assert len(corridor.applied("production")) == 3
    assert TOWNS in corridor.applied("test")
