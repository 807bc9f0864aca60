"""What a person reads of each act but an apply: its card, its thread and its end."""

from dataclasses import replace

import pytest

from bot import acts, messages
from bot.messages import Slot
from ledger import events
from ledger.events import Event
from ledger.request import Act, Fact
from ledger.states import State
from tests.bot.stories import (
    ASKED,
    BACKED_UP,
    BROKEN,
    BY_BO,
    IDS,
    PLANNED,
    STARTED,
    WORKFLOW,
    a_request,
    a_summary,
    lines,
    told,
)

BACK = tuple(reversed(IDS))
FIRST_OUT = events.MigrationReverted(BACK[0], 1, 2, 0.02)
OUT = events.Reverted(BACK, 2.0)


def rollback(name: str, state: State, *story: Event, about: tuple[str, ...] = ("last", "2")) -> dict[str, Slot]:
    """The messages of a request to roll an environment back."""
    environment = WORKFLOW.environment(name)
    assert environment
    plan = a_summary(environment)
    back = replace(
        plan,
        migrations=tuple(reversed(plan.migrations)),
        held=(),
        certified=None,
        facts=(Fact("Newest afterwards", "20250818120001_create_users"),),
    )
    asked = replace(a_request(state, environment=name), act=Act.ROLLBACK, about=about, plan=back, version=len(story))
    return {slot.name: slot for slot in messages.project(asked, environment, told=told(*story), workflow=WORKFLOW)}


def test_every_act_has_its_words() -> None:
    assert set(acts.WORDS) == set(Act)


def test_the_card_of_a_rollback_says_what_goes_in_which_order_and_what_is_newest_then() -> None:
    card = rollback("production", State.PLANNED, ASKED, PLANNED)["card"].body
    assert card.text.startswith(
        "ada asked to roll production back by 2 migrations (#7). ⏳ Waiting for a second person"
    )
    assert lines(card)[0] == "🔒 *production* (protected) · rollback #7 · 2 migrations"
    assert lines(card)[3:13] == [
        "*Takes back, in this order*",
        f"• `{BACK[0]}` · 9 lines",
        f"• `{BACK[1]}` · 4 lines",
        "*Newest afterwards* 20250818120001_create_users",
        "*Hazards* 1",
        "• ⚠️ `add_user_columns` line 2, rewrite: Rewrites users.",
        "*Backup* taken and read back first, into `migrations/schema-backups`",
        "*Second key* :white_check_mark: by <@U0APPROVER> or <@U0SECOND> starts it 15 s later, :x: rejects it.",
        ("*Digest* `d1d1·d1d1·d1d1` · *Expires* <!date^1795356000^{date_short_pretty} {time}|2026-11-22 14:00 UTC>"),
        (
            "database `shop`, 12.3 MB · 18.0 · newest `20250818120001_create_users` · "
            "lock timeout 2s · statement timeout 30min"
        ),
    ]


def test_before_there_is_a_plan_nobody_knows_how_many() -> None:
    asked = replace(a_request(State.ASKED), act=Act.ROLLBACK)
    assert acts.wish(asked) == "roll back production (#7)"


def test_a_rollback_that_runs_tells_each_step() -> None:
    found = rollback("production", State.APPLYING, ASKED, PLANNED, BY_BO, STARTED, BACKED_UP, FIRST_OUT)
    assert lines(found["progress"].body)[1:] == [f"✅ 1/2 `{BACK[0]}` taken back in 20 ms", f"🔵 2/2 `{BACK[1]}`"]


def test_a_rollback_that_is_done_says_so_and_where_to_look() -> None:
    found = rollback("production", State.APPLIED, ASKED, PLANNED, BY_BO, STARTED, BACKED_UP, FIRST_OUT, OUT)
    assert "✅ Taken back <!date^1795341607^{time}|10:00 UTC> in 2 s" in lines(found["card"].body)[1]
    assert lines(found["card"].body)[-1] == "[Plan production twokey_plan=production]"
    assert found["said:7"].body.text == (
        "✅ *production* · rollback #7 · <@U0ENGINEER> 2 migrations taken back on production in 2 s. "
        "Backup `production-backup-2026-11-22T10-00-00.sql`. `/migrate status prod` shows what is there now."
    )


@pytest.mark.parametrize(
    ("about", "again"),
    [
        (("last", "2"), "[Ask again twokey_rollback=production last 1]"),
        ((), "[Ask again twokey_rollback=production last 1]"),
        (("to", "20250818120001_create_users"),
         "[Ask again twokey_rollback=production to 20250818120001_create_users]"),
    ],
)  # fmt: skip
def test_what_was_taken_back_is_not_asked_for_again(about: tuple[str, ...], again: str) -> None:
    broken = replace(BROKEN, done=BACK[:1], migration=BACK[1], left=())
    found = rollback("production", State.FAILED, ASKED, PLANNED, BY_BO, STARTED, broken, about=about)
    assert lines(found["card"].body)[-1] == again
    assert f"Taken back: `{BACK[0]}`." in lines(found["said:5"].body)


def test_a_rollback_that_did_nothing_or_fell_silent_says_what_is_so() -> None:
    nothing = replace(BROKEN, done=(), left=())
    found = rollback("test", State.FAILED, ASKED, PLANNED, STARTED, nothing)
    assert "Nothing was taken back." in lines(found["said:4"].body)
    assert lines(found["card"].body)[-1] == "[Ask again twokey_rollback=test last 2]"
    silent = events.Interrupted("The worker fell silent.", done=BACK[:1], left=BACK[1:])
    found = rollback("test", State.INTERRUPTED, ASKED, PLANNED, STARTED, silent)
    assert lines(found["said:4"].body)[:-1] == [
        "❌ *test* · rollback #7 was interrupted · <@U0ENGINEER>",
        "The worker fell silent.",
        f"Taken back: `{BACK[0]}`.",
        f"Not taken back: `{BACK[1]}`.",
    ]
