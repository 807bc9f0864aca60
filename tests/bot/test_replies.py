"""What is said at once: what became of asking, help, lists of requests, and the form."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from bot import messages
from bot.outcomes import (
    AskInModal,
    Entry,
    HandedOut,
    Helped,
    Listed,
    Looking,
    Outcome,
    Refused,
    Shared,
    TakenBack,
    WrittenDown,
)
from bot.phrasebook import TABLE
from ledger import events
from ledger.records import Deed, Notice, Told
from ledger.request import CHANGING, Act, Group
from ledger.states import State
from tests.bot.conftest import CHANNEL, a_workflow
from tests.bot.stories import BACKED_UP, BY_BO, T, a_request, lines, told

WORKFLOW = a_workflow()
PRODUCTION = WORKFLOW.environments[2]


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        (WrittenDown(a_request(State.ASKED), new=True, rung=True), "#7 is written down: apply production."),
        (
            WrittenDown(a_request(State.APPLIED), new=False, rung=True),
            "#7 was already written down: apply production; it is done.",
        ),
        (WrittenDown(a_request(State.ASKED), new=False, rung=True), "#7 was already written down: apply production."),
        (
            WrittenDown(a_request(State.ASKED), new=True, rung=False),
            (
                "#7 is written down: apply production. "
                "Redis does not answer, so a worker will hear of it later, by itself."
            ),
        ),
        (
            WrittenDown(a_request(State.ASKED), new=True, rung=True, behind=6),
            "#7 is written down: apply production. It waits for #6, which came first.",
        ),
        (Looking(("development", "test"), rung=True), "Looking at development, test …"),
        (
            Looking(("test",), rung=False),
            "Looking at test … Redis does not answer, so no worker may hear of it.",
        ),
        (HandedOut(7, "C0MIGRATE"), "The evidence of #7 will stand in <#C0MIGRATE> in a moment, as a file."),
        (TakenBack(a_request(State.CANCELLED)), "#7 is cancelled. Nothing will run."),
        (Refused("Ask <@U0BO> in <#C0MIGRATE>, not <!here>."), "🚫 Ask <@U0BO> in <#C0MIGRATE>, not &lt;!here&gt;."),
        (AskInModal(PRODUCTION, CHANNEL), "A form has opened. It asks for the name of production and a reason."),
        (Shared(), "The answer will stand in the channel in a moment."),
        (Listed(open=True, environment=None, entries=()), "There is no open request."),
        (Listed(open=False, environment="test", entries=()), "There is no ended request on test."),
    ],
)
def test_replies(outcome: Outcome, text: str) -> None:
    assert messages.reply(outcome, WORKFLOW).text == text


def test_help_lists_every_command_of_the_table() -> None:
    shown = lines(messages.reply(Helped(None), WORKFLOW))
    assert shown == [
        "`/migrate status [environment]` Shows which migrations are where, who applied the last one and when.",
        "`/migrate plan &lt;environment&gt;` Shows what an apply would run there, and runs nothing.",
        "`/migrate apply &lt;environment&gt;` Backs the environment up and runs what is pending there.",
        "`/migrate promote &lt;environment&gt;` The same as apply, for every environment but the first.",
        "`/migrate certify &lt;environment&gt; [note]` Says that it was tested, so that a protected one may follow.",
        (
            "`/migrate rollback &lt;environment&gt; [to &lt;migration&gt; | last &lt;n&gt;]` "
            "Takes the newest migrations back, after a backup."
        ),
        "`/migrate backup &lt;environment&gt;` Dumps it and puts a manifest beside the dump. Changes nothing there.",
        "`/migrate backups &lt;environment&gt;` Lists its backups, and the databases that restores kept.",
        ("`/migrate restore &lt;environment&gt; &lt;backup&gt;` Brings it back to a backup; the old database is kept."),
        ("`/migrate discard &lt;environment&gt; &lt;database&gt;` Drops a database that a restore kept, for good."),
        (
            "`/migrate generate &lt;name&gt;` "
            "Drafts a migration from what changed in the models, proven; somebody commits it."
        ),
        (
            "`/migrate baseline &lt;environment&gt; &lt;migration&gt;` "
            "Writes files down as applied, up to that one, where their schema is."
        ),
        (
            "`/migrate repair &lt;environment&gt; [migration …]` "
            "Shows which files changed after they ran; lets those named count so."
        ),
        (
            "`/migrate freeze &lt;environment&gt; [until] &lt;reason&gt;` "
            "Lets nothing start there: `2h`, `2026-12-01 09:00` (UTC), or until it is thawed."
        ),
        "`/migrate thaw &lt;environment&gt;` Ends what a freeze began; of a protected one with a second person.",
        ("`/migrate validate` Compares the environments: missing, extra, edited, out of order, ready to promote."),
        "`/migrate history [environment]` Lists what has ended or was done at a terminal, with who, when and backup.",
        "`/migrate requests` Lists the requests that are open.",
        "`/migrate cancel &lt;number&gt;` Takes an open request back.",
        (
            "`/migrate export &lt;number&gt;` "
            "Puts all that is known of it under its message, as a file that verifies offline."
        ),
        "`/migrate help [command]` Shows this list, or what one command does.",
        "Environments, in order: development (dev), test, production (prod).",
    ]
    assert len(shown) == len(TABLE) + 1


@pytest.mark.parametrize(
    ("story", "by"),
    [
        ((BY_BO,), " · approved by bo (listed)"),
        (
            (events.Agreed("U0SECOND", "dee", 1), BY_BO),
            " · approved by dee (in <!subteam^S0APPROVERS>) and bo (listed)",
        ),
        ((BY_BO, events.Withdrawn("U0APPROVER", "bo")), ""),
        ((BY_BO, events.Withdrawn("policy", "policy")), ""),
        (
            (events.Agreed("U0SECOND", "dee", 1), events.Halted(9, "cy", "full", None), BY_BO),
            " · approved by bo (listed)",
        ),
        ((events.Agreed("U0GONE", "gus", 1), BY_BO), " · approved by gus and bo (listed)"),
        ((events.Approved("policy", "policy", "2026-11-22T10:00:00+00:00"),), ""),
    ],
)
def test_a_list_says_who_agreed_and_why_they_could(story: tuple[events.Event, ...], by: str) -> None:
    one, two, production = WORKFLOW.environments
    flow = replace(WORKFLOW, environments=(one, two, replace(production, approvers=("U0APPROVER", "S0APPROVERS"))))
    request = replace(a_request(State.EXPIRED), groups=(Group("S0APPROVERS", ("U0SECOND",)),))
    entry = Entry(request, told(*story, events.Expired()))
    [_, line] = lines(messages.reply(Listed(open=False, environment=None, entries=(entry,)), flow))
    assert line.partition("in time")[2] == by


def test_lists_of_requests() -> None:
    when = "<!date^1795341600^{date_short_pretty} {time}|2026-11-22 10:00 UTC>"
    ended = told(
        BY_BO, events.Started("host:1"), BACKED_UP, events.Failed("No.", "Try.", "20250818120001_create_users", 3)
    )
    failed = Entry(a_request(State.FAILED), ended)
    linked = replace(failed, link="https://a.slack.com/archives/C0/p1")
    [_, line] = lines(messages.reply(Listed(open=False, environment=None, entries=(linked,)), WORKFLOW))
    assert line.startswith("*<https://a.slack.com/archives/C0/p1|#7>* apply production · ada")
    assert lines(messages.reply(Listed(open=False, environment=None, entries=(failed,)), WORKFLOW)) == [
        "1 ended request, newest first.",
        (
            f"*#7* apply production · ada {when} · ❌ Failed in `20250818120001_create_users`, line 3"
            " · approved by bo (listed) · ran 2 s · backup `production-backup-2026-11-22T10-00-00.sql`"
        ),
    ]
    applied = Entry(a_request(State.APPLIED), told(events.Started("host:1"), events.Applied(("a",), 2.1)))
    assert lines(messages.reply(Listed(open=False, environment="production", entries=(applied,)), WORKFLOW)) == [
        "1 ended request on production, newest first.",
        f"*#7* apply production · ada {when} · ✅ Applied <!date^1795341602^{{time}}|10:00 UTC> in 2.1 s",
    ]
    request = replace(a_request(State.APPLIED, environment="test"), act=Act.CERTIFY)
    certified = Entry(request, told(events.Started("host:1"), events.Certified("U0ENGINEER", "ada", ("a",), None)))
    assert lines(messages.reply(Listed(open=False, environment="test", entries=(certified,)), WORKFLOW))[1] == (
        f"*#7* certify test · ada {when} · ✅ Certified by ada · ran 1 s"
    )
    unknown = Entry(a_request(State.PLANNED, environment="gone"), ())
    still = Entry(
        a_request(State.ASKED), (Told(1, T, events.Asked("U0ENGINEER", "ada", "apply", "production", None), "1" * 64),)
    )
    assert lines(messages.reply(Listed(open=True, environment=None, entries=(still, unknown)), WORKFLOW)) == [
        "2 open requests, newest first.",
        f"*#7* apply production · ada {when} · ⏳ Written down · expires <!date^1795356000^{{time}}|14:00 UTC>",
        "*#7* apply gone · ada · waits for a second person · no longer in twokey.toml",
    ]


def test_what_was_done_at_a_terminal_stands_among_what_ended_and_where_there_is_nothing_else() -> None:
    when = "<!date^1795341660^{date_short_pretty} {time}|2026-11-22 10:01 UTC>"
    back = Deed("d", T + timedelta(minutes=1), "rollback", ("2_b",), "ada (terminal)")
    line = f"🖥️ test · done at the terminal by ada {when}: took 1 migration back: `2_b`"
    alone = Listed(open=False, environment="test", entries=(), noticed=(Notice(1, "test", False, (back,), "k"),))
    assert lines(messages.reply(alone, WORKFLOW)) == ["1 run at the terminal on test, newest first.", line]
    older = Entry(a_request(State.EXPIRED), told(events.Expired()))
    newer = Entry(replace(a_request(State.EXPIRED), id=8, asked_at=T + timedelta(hours=1)), told(events.Expired()))
    shown = lines(messages.reply(replace(alone, environment=None, entries=(newer, older)), WORKFLOW))
    assert shown[0] == "2 ended requests and 1 run at the terminal, newest first."
    assert [shown[1][:4], shown[2], shown[3][:4]] == ["*#8*", line, "*#7*"]


def test_an_approval_that_was_taken_back_is_no_approval_in_the_history() -> None:
    back, rejected = events.Withdrawn("U0APPROVER", "bo"), events.Rejected("U0APPROVER", "bo")
    entry = Entry(a_request(State.REJECTED), told(BY_BO, back, rejected))
    [_, line] = lines(messages.reply(Listed(open=False, environment=None, entries=(entry,)), WORKFLOW))
    assert line.endswith(" · 🚫 Rejected by bo")


def test_what_waits_for_another_says_so_and_what_runs_no_longer_expires() -> None:
    second = Entry(replace(a_request(State.ASKED, environment="test"), id=8), ())
    first = Entry(a_request(State.APPLYING, environment="test"), told(events.Started("host:1")))
    shown = lines(messages.reply(Listed(open=True, environment=None, entries=(second, first)), WORKFLOW))
    assert shown[1].endswith(" · ⏳ Written down · waits for #7 · expires <!date^1795356000^{time}|14:00 UTC>")
    assert shown[2].endswith(" · 🔵 Running")


def test_a_sentence_below_a_field_has_no_markup() -> None:
    assert messages.bare("Ask <@U0BO> in <#C0MIGRATE>, or `/migrate cancel 7`.") == (
        "Ask @U0BO in #C0MIGRATE, or /migrate cancel 7."
    )


def test_the_form_asks_for_the_name_and_a_reason() -> None:
    view = messages.modal(AskInModal(replace(PRODUCTION, name="production-in-the-far-north"), CHANNEL))
    assert view["title"]["text"] == "Apply to production-in-…"
    assert json.loads(view["private_metadata"]) == {
        "environment": "production-in-the-far-north",
        "channel": CHANNEL,
        "act": "apply",
        "about": [],
        "covers_of": None,
    }
    sentence, name, reason = view["blocks"]
    assert sentence["text"]["text"] == (
        "🔒 *production-in-the-far-north* is protected. A plan is drawn, then a second person has to start it."
    )
    assert (name["label"]["text"], name["hint"]["text"]) == (
        "Name of the environment",
        "Type production-in-the-far-north to confirm.",
    )
    assert (reason["label"]["text"], reason["hint"]["text"]) == (
        "Reason",
        "Everyone in the channel reads it. At most 300 characters.",
    )


A_PLAN = "A plan is drawn, then a second person has to start it."
A_CARD = "A card says what that would do, then a second person has to start it."
LIFTS = "A card names the freezes that stand now; a second person's yes lifts these, and starts nothing."


@pytest.mark.parametrize("act", CHANGING)
def test_the_form_says_what_follows(act: Act) -> None:
    what = {Act.APPLY: A_PLAN, Act.ROLLBACK: A_PLAN, Act.THAW: LIFTS}.get(act, A_CARD)
    sentence = messages.modal(AskInModal(PRODUCTION, CHANNEL, act))["blocks"][0]
    assert sentence["text"]["text"] == f"🔒 *production* is protected. {what}"


def test_the_form_says_what_was_asked_for_where_a_title_is_too_short() -> None:
    view = messages.modal(AskInModal(PRODUCTION, CHANNEL, Act.ROLLBACK, ("last", "2"), covers_of=7))
    assert view["title"]["text"] == "Roll back production"
    assert view["blocks"][1]["text"]["text"] == "Asked for: `/migrate rollback production last 2`"
    assert json.loads(view["private_metadata"])["covers_of"] == 7


def test_our_own_words_for_one_person() -> None:
    assert messages.whisper("Ask <@U0BO> & co.").text == "Ask <@U0BO> &amp; co."


@pytest.mark.parametrize(
    ("sentence", "shown"),
    [
        (
            "certified by ada at 2026-11-22 10:00 UTC, and",
            "certified by ada at <!date^1795341600^{date_short_pretty} {time}|2026-11-22 10:00 UTC>, and",
        ),
        (
            "of 2026-11-22 10:00:07 UTC: 3 rows",
            "of <!date^1795341607^{date_short_pretty} {time_secs}|2026-11-22 10:00:07 UTC>: 3 rows",
        ),
        ("say `x 2026-11-22 10:00 UTC` now", "say `x 2026-11-22 10:00 UTC` now"),
        ("since 2026-02-30 10:00 UTC", "since 2026-02-30 10:00 UTC"),
        ("since 2026-11-22 10:00, in UTC", "since 2026-11-22 10:00, in UTC"),
    ],
)
def test_a_moment_of_another_room_is_shown_in_the_readers_own_time(sentence: str, shown: str) -> None:
    assert messages.whisper(sentence).text == shown
    assert messages.bare(sentence) == sentence.replace("`", "")  # where Slack shows no markup


def test_what_a_person_typed_is_shown_as_it_was_typed() -> None:
    request = replace(a_request(State.CANCELLED), reason="from 2026-11-22 10:00 UTC on")
    request = replace(request, actor=replace(request.actor, name="ada 2026-11-22 10:00 UTC"))
    story = told(
        events.Asked("U0ENGINEER", "ada", "apply", "production", None),
        events.Cancelled("U1", "bo 2026-11-22 10:00 UTC"),
    )
    [one] = messages.project(request, PRODUCTION, told=story, workflow=WORKFLOW)
    assert one.body.text.endswith("Cancelled by bo 2026-11-22 10:00 UTC")
