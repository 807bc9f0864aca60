"""Cards as whole values: a function of the request, its plan and its events."""

from dataclasses import replace

import pytest

from bot import cards, messages
from bot.blocks import BLOCKS, SECTION, body, section
from bot.story import Story
from ledger import events
from ledger.events import Event
from ledger.request import CertifiedBy, PlannedMigration
from ledger.states import State
from tests.bot.conftest import CHANNEL
from tests.bot.stories import (
    ASKED,
    BROKEN,
    BY_BO,
    BY_RULE,
    IDS,
    PLANNED,
    STARTED,
    WORKFLOW,
    T,
    a_request,
    a_summary,
    lines,
    slots,
    state_line,
    told,
)
from tests.support.ledger import a_plan


def test_the_card_of_a_protected_environment_says_all_that_an_approver_needs() -> None:
    found = slots("production", State.PLANNED, ASKED, PLANNED)
    assert list(found) == ["card", "sql"]
    card = found["card"]
    assert (card.channel, card.in_thread, card.broadcast) == (CHANNEL, False, False)
    assert card.body.text == (
        "ada asked to apply 2 migrations to production (#7). "
        "⏳ Waiting for a second person: :white_check_mark: starts it, :x: rejects it."
    )
    assert lines(card.body) == [
        "🔒 *production* (protected) · apply #7 · 2 migrations",
        "⏳ Waiting for a second person: :white_check_mark: starts it, :x: rejects it",
        "*Asked by* ada (U0ENGINEER): Ship it &lt;!here&gt;",
        "*Runs*",
        "• `20250818140001_add_user_columns` · 4 lines",
        "• `20250818150001_create_audit_table` · 9 lines",
        "*Stays pending*",
        "• 20250818160001_later.sql is not certified on test.",
        (
            "*Certified by* ada <!date^1795341600^{date_short_pretty} {time}|2026-11-22 10:00 UTC>: "
            "clicked &lt;through&gt;"
        ),
        "*Hazards* 1",
        "• ⚠️ `add_user_columns` line 2, rewrite: Rewrites users.",
        "*Backup* taken and read back first, into `migrations/schema-backups`",
        "*Written by* unknown authors: no git checkout tells who they are, so none is barred",
        "*Second key* :white_check_mark: by <@U0APPROVER> or <@U0SECOND> starts it 15 s later, :x: rejects it.",
        ("*Digest* `d1d1·d1d1·d1d1` · *Expires* <!date^1795356000^{date_short_pretty} {time}|2026-11-22 14:00 UTC>"),
        (
            "database `shop`, 12.3 MB · 18.0 · after `20250818120001_create_users` · lock timeout 2s · "
            "statement timeout 30min"
        ),
        "[Cancel twokey_cancel=7]",
    ]


def test_a_card_shows_the_impact_and_the_notes() -> None:
    plan = a_plan(environment="test")
    first = replace(plan.migrations[0], impact="Deploy <2.1> `first`.")
    plan = replace(plan, migrations=(first, *plan.migrations[1:]), notes=("a.sql has no `-- impact:` line.",))
    story = Story(
        replace(a_request(State.PLANNED, environment="test"), plan=plan), WORKFLOW.environments[1], (), WORKFLOW
    )
    shown = lines(cards.card(story))
    assert "• `20250818140001_add_user_columns` · 4 lines · *impact* Deploy &lt;2.1&gt; 'first'." in shown
    assert "📝 a.sql has no `-- impact:` line." in shown


def test_a_card_says_what_is_not_there() -> None:
    production = WORKFLOW.environments[2]
    plan = replace(a_summary(production), certified=None, head=None, held=(), database_bytes=None)
    plan = replace(plan, looked_for=("drops_table", "truncates"))
    plan = replace(plan, migrations=tuple(replace(one, hazards=()) for one in plan.migrations))
    request = replace(a_request(State.PLANNED), plan=plan)
    flow = replace(WORKFLOW, environments=(replace(production, approvers=()),))
    card, *_ = messages.project(request, flow.environments[0], told=told(ASKED, PLANNED), workflow=flow)
    shown = lines(card.body)
    assert "*Hazards* none of the 2 kinds that are looked for (docs/hazards)" in shown
    assert "*Backup* taken and read back first, into `migrations/schema-backups`" in shown
    assert (
        "*Second key* 🚫 Nobody may approve production: its approvers in twokey.toml are empty. Add a person there."
    ) in shown
    assert "database `shop` · 18.0 · the first ones there · lock timeout 2s · statement timeout 30min" in shown
    assert not any(line.startswith(("*Certified by*", "*Stays pending*")) for line in shown)


def test_only_the_state_line_and_the_buttons_of_a_card_ever_change() -> None:
    before = slots("production", State.PLANNED, ASKED, PLANNED)["card"].body.blocks
    after = slots("production", State.APPLYING, ASKED, PLANNED, BY_BO, STARTED)["card"].body.blocks
    assert before[0] == after[0]
    assert before[2:-1] == after[2:]


def test_a_card_that_has_ended_no_longer_says_how_to_start_it() -> None:
    ended = lines(slots("production", State.REJECTED, ASKED, PLANNED, events.Rejected("U0APPROVER", "bo"))["card"].body)
    assert "*Digest* `d1d1·d1d1·d1d1`" in ended
    assert not any("Second key" in line or "Expires" in line for line in ended)


def test_what_is_typed_cannot_pose_as_a_label_of_the_card() -> None:
    production = WORKFLOW.environments[2]
    typed = "ok *Hazards* none ~struck~ _slanted_ __x__ `mono` add_user_columns 2 * 3"
    dead = "ok ∗Hazards∗ none ∼struck∼ ˍslantedˍ ˍˍxˍˍ 'mono' add_user_columns 2 ∗ 3"
    plan = a_summary(production)
    by = CertifiedBy("U0ENGINEER", typed, T, typed)
    request = replace(a_request(State.PLANNED), reason=typed, plan=replace(plan, certified=by))
    request = replace(request, actor=replace(request.actor, name=typed))
    card, *_ = messages.project(request, production, told=told(ASKED, PLANNED), workflow=WORKFLOW)
    shown = lines(card.body)
    assert f"*Asked by* {dead} (U0ENGINEER): {dead}" in shown
    assert any(line.startswith(f"*Certified by* {dead} ") and line.endswith(f": {dead}") for line in shown)
    assert card.body.text.startswith(f"{dead} asked to apply")


@pytest.mark.parametrize(
    ("state", "story", "line"),
    [
        (
            State.APPROVED,
            (BY_BO,),
            (
                "~Waiting~ → 🟡 Approved by bo, starts at <!date^1795341735^{time_secs}|10:02:15 UTC>; "
                "remove your :white_check_mark: to stop it"
            ),
        ),
        (
            State.PLANNED,
            (BY_BO, events.Withdrawn("U0APPROVER", "bo")),
            (
                "~Waiting~ → ~Approved by bo <!date^1795341603^{time}|10:00 UTC>~ → "
                "⏳ Waiting again, bo took the key back: :white_check_mark: starts it, :x: rejects it"
            ),
        ),
        (
            State.PLANNED,
            (BY_BO, events.Withdrawn("policy", "policy")),
            (
                "~Waiting~ → ~Approved by bo <!date^1795341603^{time}|10:00 UTC>~ → "
                "⏳ Waiting again, the approval no longer stands: :white_check_mark: starts it, :x: rejects it"
            ),
        ),
        (
            State.APPROVED,
            (events.Waiting("run #6"), events.Waiting("run #6")),
            "~Waiting~ → ⏳ Waiting, because run #6 holds production",
        ),
        (
            State.APPLYING,
            (events.Waiting("run #6"), STARTED),
            "~Waiting~ → ~Waiting for the lock~ → 🔵 Running",
        ),
        (State.APPLYING, (STARTED,), "~Waiting~ → 🔵 Running"),
        (
            State.APPLIED,
            (STARTED, events.Applied(IDS, 2.1)),
            "~Waiting~ → ~Running~ → ✅ Applied <!date^1795341604^{time}|10:00 UTC> in 2.1 s",
        ),
        (
            State.FAILED,
            (STARTED, BROKEN),
            "~Waiting~ → ~Running~ → ❌ Failed in `20250818150001_create_audit_table`, line 3",
        ),
        (State.FAILED, (events.Failed("It is down.", "Start it."),), "~Waiting~ → ❌ Failed"),
        (
            State.INTERRUPTED,
            (STARTED, events.Interrupted("Silent.", (IDS[0],), (IDS[1],))),
            "~Waiting~ → ~Running~ → ❌ Interrupted after 1 migration",
        ),
        (State.REJECTED, (events.Rejected("U0APPROVER", "bo"),), "~Waiting~ → 🚫 Rejected by bo"),
        (State.CANCELLED, (events.Cancelled("U0ENGINEER", "ada"),), "~Waiting~ → 🚫 Cancelled by ada"),
        (State.EXPIRED, (events.Expired(),), "~Waiting~ → ⌛ Expired: nobody turned the second key in time"),
        (State.STALE, (events.Stale("A file changed."),), "~Waiting~ → ⌛ Stale: A file changed."),
        (
            State.PLANNED,
            (BY_BO, events.Withdrawn("U0APPROVER", "bo")) * 3,
            (
                "… → "
                + " → ".join(
                    f"~{step}~"
                    for step in (
                        "Taken back",
                        "Approved by bo <!date^1795341605^{time}|10:00 UTC>",
                        "Taken back",
                        "Approved by bo <!date^1795341607^{time}|10:00 UTC>",
                    )
                )
                + " → ⏳ Waiting again, bo took the key back: :white_check_mark: starts it, :x: rejects it"
            ),
        ),
    ],
)
def test_the_state_line_keeps_its_history(state: State, story: tuple[Event, ...], line: str) -> None:
    assert state_line("production", state, ASKED, PLANNED, *story) == line


def test_the_card_of_an_unprotected_environment_is_shorter() -> None:
    card = slots("development", State.APPLYING, ASKED, PLANNED, BY_RULE, STARTED)["card"].body
    assert card.text == "ada asked to apply 2 migrations to development (#7). 🔵 Running."
    assert lines(card)[:3] == [
        "*development* · apply #7 · 2 migrations",
        "~Planned~ → 🔵 Running",
        "*Asked by* ada (U0ENGINEER)",
    ]
    assert not any("Second key" in line or "Digest" in line for line in lines(card))


@pytest.mark.parametrize(
    ("name", "button", "words"),
    [
        ("development", "[Plan test twokey_plan=test]", "Next: `/migrate plan test`."),
        ("test", "[Certify test twokey_certify=7]", "Next: test it, then `/migrate certify test`."),
    ],
)
def test_the_next_step_is_a_button_and_words(name: str, button: str, words: str) -> None:
    card = slots(name, State.APPLIED, ASKED, PLANNED, events.Applied(IDS, 2.1))["card"].body
    assert lines(card)[-2:] == [button, "[Roll back twokey_undo=7]"]
    assert card.text.endswith(words)


def test_waiting_for_another_run_is_told_before_there_is_a_plan() -> None:
    found = slots("development", State.ASKED, ASKED, events.Waiting("run #6"), plan=False)
    assert lines(found["card"].body) == [
        "*development* · apply #7",
        "⏳ Waiting, because run #6 holds development",
    ]
    assert slots("development", State.ASKED, ASKED, plan=False) == {}


def test_a_silence_is_told_before_there_is_a_plan_and_where_little_is_told() -> None:
    for name in ("development", "test"):
        found = slots(name, State.ASKED, ASKED, events.Unanswered(120), plan=False)
        assert lines(found["card"].body) == [
            f"*{name}* · apply #7",
            f"⚠️ No worker of {name} has answered for 120 s",
        ]
        assert found["said:2"].body.text == (
            f"⚠️ <@U0ENGINEER> #7: no worker of {name} has answered for 120 s. Whoever runs Twokey: look at its log, "
            f"and start one: `python -m workers {name}`. It waits until then, and `/migrate cancel` takes it back."
        )


def test_a_silence_in_the_middle_of_a_run_and_its_end() -> None:
    silent = (ASKED, PLANNED, STARTED, events.Unanswered(120))
    found = slots("development", State.APPLYING, *silent)
    assert lines(found["card"].body)[1] == ("~Planned~ → ~Running~ → ⚠️ No worker of development has answered for 120 s")
    assert found["said:4"].body.text == (
        "⚠️ <@U0ENGINEER> #7: no worker of development has answered for 120 s. Whoever runs Twokey: look at its log, "
        "and start one: `python -m workers development`. What was committed stays; what becomes of the rest is found "
        "out and said once a worker answers."
    )
    found = slots("development", State.APPLYING, *silent, events.Answered())
    assert lines(found["card"].body)[1].endswith("~No worker answered~ → 🔵 Running")
    assert found["said:5"].body.text == "🔵 A worker answers again, and the run goes on."


def test_a_plan_of_hundreds_of_files_fits_slacks_limits() -> None:
    many = tuple(
        PlannedMigration(f"2025081814{n:04}_{'x' * 200}", "x" * 200, "a" * 64, 3, a_plan().migrations[0].hazards * 3)
        for n in range(300)
    )
    production = WORKFLOW.environments[2]
    summary = replace(a_summary(production), migrations=many)
    request = replace(a_request(State.PLANNED), reason="<" * 300, plan=summary)
    card, *_ = messages.project(request, production, told=told(ASKED, PLANNED), workflow=WORKFLOW)
    assert len(card.body.blocks) <= BLOCKS
    assert all(len(b["text"]["text"]) <= SECTION for b in card.body.blocks if b["type"] == "section")
    assert "and 285 more" in lines(card.body)
    assert "*Hazards* 900" in lines(card.body)


def test_a_message_over_the_limit_says_so() -> None:
    shown = body("x" * 5000, *[section(str(n)) for n in range(60)])
    assert (len(shown.text), len(shown.blocks)) == (4000, 50)
    assert lines(shown)[-1] == "… and more than fits a message."
