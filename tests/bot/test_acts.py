"""What a person reads of each act but an apply: its card, its thread and its end."""

from dataclasses import replace

import pytest

from bot import acts, messages, shelf
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
    assert lines(card)[3:14] == [
        "*Takes back, in this order*",
        f"• `{BACK[0]}` · 9 lines",
        f"• `{BACK[1]}` · 4 lines",
        "*Newest afterwards* 20250818120001_create_users",
        "*Hazards* 1",
        "• ⚠️ `add_user_columns` line 2, rewrite: Rewrites users.",
        "*Backup* taken and read back first, into `migrations/schema-backups`",
        "*Written by* unknown authors: no git checkout tells who they are, so none is barred",
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


def alone(act: Act, *story: Event, about: tuple[str, ...], state: State = State.APPLIED) -> dict[str, Slot]:
    """The messages of a request on production that runs no migration."""
    environment = WORKFLOW.environment("production")
    assert environment
    plan = replace(a_summary(environment), migrations=(), held=(), certified=None, facts=(Fact("Drops", "`x`, *all*"),))
    asked = replace(
        a_request(state), act=act, about=about, plan=plan, reason="why not", version=len(story), protected=True
    )
    return {slot.name: slot for slot in messages.project(asked, environment, told=told(*story), workflow=WORKFLOW)}


FILE = "production-backup-2026-11-22T10-00-00.sql"


def test_a_backup_asks_for_no_second_key_and_ends_with_the_way_back() -> None:
    card = alone(Act.BACKUP, ASKED, PLANNED, about=(), state=State.PLANNED)["card"].body
    assert card.text == "ada asked to back up production (#7). ⏳ Planned."
    assert not any("Second key" in line or "Hazards" in line for line in lines(card))
    kept = events.BackupKept(FILE, "3 rows in 2 tables, history up to 20250818120001_create_users")
    found = alone(Act.BACKUP, ASKED, PLANNED, STARTED, BACKED_UP, kept, about=())
    assert lines(found["card"].body)[-1] == f"[Restore twokey_restore=production {FILE}]"
    assert found["said:5"].body.text == (
        f"✅ *production* · backup #7 · <@U0ENGINEER> production is backed up as `{FILE}`: 3 rows in 2 tables, "
        "history up to 20250818120001_create_users. `/migrate backups prod` lists what there is."
    )
    assert "✅ Backed up " in lines(found["card"].body)[1]


def test_a_restore_tells_its_steps_and_what_holds_what_was_written_since() -> None:
    waiting = alone(Act.RESTORE, ASKED, PLANNED, about=(FILE,), state=State.PLANNED)["card"].body
    assert waiting.text.startswith("ada asked to restore production (#7). ⏳ Waiting for a second person")
    shown = lines(waiting)
    assert shown[3] == "*Drops* `x`, ∗all∗"
    assert shown[4] == "*Written by* nobody: no file of the folder runs or counts by this, so no author is barred"
    assert shown[5].startswith("*Second key* :white_check_mark: by <@U0APPROVER>")
    steps = (events.Restoring("Loading 12 bytes into shop_twokey_restoring"), events.Restoring("Swapping"))
    found = alone(Act.RESTORE, ASKED, PLANNED, BY_BO, STARTED, *steps, about=(FILE,), state=State.APPLYING)
    assert lines(found["progress"].body) == ["• Loading 12 bytes into shop_twokey_restoring", "• Swapping"]
    end = events.Restored(FILE, "shop_before_20261122_100000", 3.0)
    found = alone(Act.RESTORE, ASKED, PLANNED, BY_BO, STARTED, *steps, end, about=(FILE,))
    assert found["said:7"].body.text == (
        f"✅ *production* · restore #7 · <@U0ENGINEER> production is `{FILE}` again, in 3 s. "
        "What was written since is in `shop_before_20261122_100000` alone. "
        "When nothing of it is needed: `/migrate discard prod shop_before_20261122_100000`."
    )
    assert lines(found["card"].body)[-1] == "[Plan production twokey_plan=production]"
    assert "✅ Restored " in lines(found["card"].body)[1]


def test_a_restore_that_failed_is_asked_for_again_by_its_own_words() -> None:
    found = alone(
        Act.RESTORE, ASKED, PLANNED, BY_BO, STARTED, events.Failed("No.", "Try."), about=(FILE,), state=State.FAILED
    )
    assert lines(found["card"].body)[-1] == f"[Ask again twokey_restore=production {FILE}]"
    assert "Nothing was swapped in." in lines(found["said:5"].body)


def test_what_a_restore_kept_is_gone_when_it_is_discarded() -> None:
    gone = events.Discarded("shop_before_20261122_100000", 12_300)
    found = alone(Act.DISCARD, ASKED, PLANNED, BY_BO, STARTED, gone, about=("shop_before_20261122_100000",))
    assert found["card"].body.text.startswith("ada asked to drop what a restore of production kept (#7). ✅ Dropped")
    assert found["said:5"].body.text == (
        "✅ *production* · discard #7 · <@U0ENGINEER> `shop_before_20261122_100000` is gone, 12.3 kB. "
        "`/migrate backups prod` lists what there is."
    )


def test_backups_are_listed_with_what_each_holds_and_the_way_back_to_the_newest() -> None:
    facts = {"at": "2026-11-22T10:00:00+00:00", "bytes": 12_300, "head": IDS[0], "tables": 2, "rows": 1234}
    found = {
        "question": "backups",
        "environment": "production",
        "backups": [
            {"file": "d.sql", "problem": "d.sql cannot be trusted: it was changed.", "verified": True},
            {"file": FILE, "problem": None, "verified": True, **facts},
            {"file": "c.sql", "problem": None, "verified": False, **facts, "head": None},
        ],
        "more": 2,
        "kept": [{"database": "shop_before_20261122_100000", "bytes": 9_000}],
    }
    when = "<!date^1795341600^{date_short_pretty} {time}|2026-11-22 10:00 UTC>"
    assert lines(shelf.answer(found)) == [
        "5 backups of production, newest first. 1 of them not to be trusted.",
        "⚠️ d.sql cannot be trusted: it was changed.",
        f"✅ `{FILE}` · {when} · 12.3 kB · 1,234 rows in 2 tables, history up to {IDS[0]}",
        (
            f"• `c.sql` · {when} · 12.3 kB · 1,234 rows in 2 tables, no migration yet, "
            "by its manifest; not read now, being large"
        ),
        "and 2 more",
        "Kept by a restore: `shop_before_20261122_100000`, 9.0 kB",
    ]
    (button,) = shelf.offer(found)
    assert (button["text"]["text"], button["value"]) == ("Restore the newest", f"production {FILE}")


def test_where_there_is_no_backup_there_is_no_way_back_to_one() -> None:
    none = {"question": "backups", "environment": "test", "backups": [], "more": 0, "kept": None}
    assert lines(shelf.answer(none)) == ["test has no backup.", "The server did not say what restores kept."]
    assert shelf.offer(none) == []
