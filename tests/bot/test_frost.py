"""A frozen environment: what is answered, what the channel reads, and what does not start."""

from dataclasses import replace
from datetime import datetime

import pytest

from bot import answers, messages
from bot.outcomes import FrozenNow
from ledger import events
from ledger.request import Act, Fact, Freeze
from ledger.states import State
from tests.bot.conftest import CHANNEL, Running
from tests.bot.stories import ASKED, BY_BO, PLANNED, STARTED, WORKFLOW, T, a_request, a_summary, lines, slots, told
from tests.bot.test_conversation import card, certified, reply, whispered
from tests.support.ledger import ADA, a_request_in, a_wish

UNTIL = "2026-11-22T12:00:00+00:00"
WHEN = "<!date^1795348800^{date_short_pretty} {time}|2026-11-22 12:00 UTC>"
HALTED = events.Halted(9, "ada", "the *disk* is <full>", UNTIL)
FROZEN = f"Frozen by ada until {WHEN}: the ∗disk∗ is &lt;full&gt;"


@pytest.mark.parametrize(
    ("name", "story", "line"),
    [
        ("production", (HALTED,), f"~Waiting~ → ❄️ {FROZEN}; nothing starts"),
        (
            "production",
            (HALTED, events.Released(10)),
            (
                "~Waiting~ → ~Frozen~ → ⏳ Thawed by #10, waiting for a second person: "
                ":white_check_mark: given anew starts it, :x: rejects it"
            ),
        ),
        ("test", (HALTED, events.Released(10)), "~Planned~ → ~Frozen~ → ⏳ Thawed by #10"),
    ],
)
def test_the_card_of_what_waits(name: str, story: tuple[events.Event, ...], line: str) -> None:
    found = slots(name, State.PLANNED, ASKED, PLANNED, *story)
    assert lines(found["card"].body)[1] == line
    assert found["said:3"].body.text == (f"❄️ {FROZEN} (#9). Nothing starts, and no reaction counts until that is over.")
    if len(story) > 1:
        assert found["said:4"].body.text == (f"⏳ #10 thawed {name}. A reaction from before has to be given anew.")


def test_a_freeze_is_one_message_with_the_way_out() -> None:
    request = replace(a_request(State.APPLIED), act=Act.FREEZE, version=2)
    story = told(ASKED, events.Frozen("U0ENGINEER", "ada", "the *disk* is <full>", None))
    [one] = messages.project(request, WORKFLOW.environments[2], told=story, workflow=WORKFLOW)
    shown = lines(one.body)
    assert shown[0] == (
        "✅ *production* · freeze #7 · <@U0ENGINEER> ❄️ Frozen by ada: the ∗disk∗ is &lt;full&gt;. "
        "What runs finishes; nothing else starts. `/migrate thaw prod` ends that."
    )
    assert shown[-1] == "[Thaw production twokey_thaw=production]"


BO_HOLDS = events.Halted(3, "bo", "a <sale>", UNTIL)


def a_freeze(*more: events.Event, already: events.Halted | None = None, until: str | None = None) -> list[str]:
    request = replace(a_request(State.APPLIED), act=Act.FREEZE, version=2)
    said = events.Frozen("U0ENGINEER", "ada", "the *disk* is <full>", until, already)
    [one] = messages.project(request, WORKFLOW.environments[2], told=told(ASKED, said, *more), workflow=WORKFLOW)
    assert one.body.text == lines(one.body)[0]
    return lines(one.body)


def test_a_freeze_where_one_stood_says_whose_until_when_and_why() -> None:
    assert a_freeze(already=BO_HOLDS, until=UNTIL)[0] == (
        f"✅ *production* · freeze #7 · <@U0ENGINEER> ❄️ {FROZEN}. "
        f"It was frozen already, and both hold: #3, by bo until {WHEN}: a &lt;sale&gt;. "
        "What runs finishes; nothing else starts. `/migrate thaw prod` ends that."
    )
    assert "both hold: #3, by bo: a &lt;sale&gt;. What" in a_freeze(already=replace(BO_HOLDS, until=None))[0]


@pytest.mark.parametrize(
    ("until", "ends", "shown"),
    [
        (
            None,
            (events.Lifted(9, "Bo *B*"),),
            "Thawed by Bo ∗B∗ (#9) <!date^1795341603^{date_short_pretty} {time}|2026-11-22 10:00 UTC>",
        ),
        (UNTIL, (events.RanOut(),), f"Over since {WHEN}"),
        (UNTIL, (events.RanOut(), events.Lifted(9, "bo")), f"Over since {WHEN}"),
    ],
)
def test_a_freeze_that_is_over_says_so_and_offers_nothing(
    until: str | None, ends: tuple[events.Event, ...], shown: str
) -> None:
    said = FROZEN if until else FROZEN.replace(f" until {WHEN}", "")
    found = a_freeze(*ends, already=BO_HOLDS, until=until)
    assert found[0] == (
        f"✅ *production* · freeze #7 · <@U0ENGINEER> ~{said}~ → {shown}. "
        "`/migrate status prod` shows whether anything else freezes it."
    )
    assert found[1].startswith("Record")
    assert len(found) == 2


def test_the_list_says_of_a_freeze_that_it_is_over(bot: Running) -> None:
    cy = bot.slack.as_person("U0OBSERVER")
    cy.slash("/migrate", "freeze test the disk is full")
    shown = card(bot, "freeze #1")
    assert "Thaw test" in str(shown)
    thaw = a_request_in(bot.book, State.APPLYING, wish=a_wish(environment="test", act=Act.THAW))
    bot.book.thaw(thaw.id, lifts=(1,))
    bot.slack.wait_for(lambda: "Thawed by ada (#2)" in str(card(bot, "freeze #1")))
    over = card(bot, "freeze #1")
    assert over["ts"] == shown["ts"]
    assert "Thaw test" not in str(over)
    cy.slash("/migrate", "history test")
    whispered(bot, "U0OBSERVER", "✅ ~Frozen by Cy Observer: the disk is full~ → Thawed by ada (#2)")


def test_who_freezes_reads_until_when() -> None:
    said = messages.reply(FrozenNow(a_request(State.APPLIED), datetime.fromisoformat(UNTIL)), WORKFLOW)
    assert said.text == f"production is frozen until {WHEN} (#7). What runs finishes; nothing else starts."


@pytest.mark.parametrize(("longest", "ends"), [(None, "it is thawed"), (UNTIL, WHEN)])
def test_the_answer_to_a_freeze_says_what_lasts_longer(longest: str | None, ends: str) -> None:
    until = datetime.fromisoformat(UNTIL)
    other = Freeze(3, "production", "ada", "why", T, datetime.fromisoformat(longest) if longest else None)
    said = messages.reply(FrozenNow(a_request(State.APPLIED), until, other), WORKFLOW)
    assert said.text == (
        f"production is frozen until {WHEN} (#7), and by #3 until {ends}. What runs finishes; nothing else starts."
    )


def test_a_thaw_says_what_it_lifts_and_what_now() -> None:
    production = WORKFLOW.environments[2]
    plan = replace(
        a_summary(production),
        migrations=(),
        held=(),
        facts=(Fact("Lifts", "#9, frozen by ada until 2026-11-22 12:00 UTC: why"),),
    )
    request = replace(a_request(State.APPLIED), act=Act.THAW, plan=plan)
    story = told(ASKED, PLANNED, BY_BO, STARTED, events.Thawed(("#8", "#9")))
    found = {one.name: one for one in messages.project(request, production, told=story, workflow=WORKFLOW)}
    assert lines(found["card"].body)[1].endswith("✅ Thawed <!date^1795341605^{time}|10:00 UTC>")
    assert f"*Lifts* #9, frozen by ada until {WHEN}: why" in lines(found["card"].body)
    assert found["said:5"].body.text == (
        "✅ *production* · thaw #7 · <@U0ENGINEER> production is thawed: #8, #9 no longer hold. "
        "What waits there can be approved again."
    )
    story = told(ASKED, PLANNED, BY_BO, STARTED, events.Thawed(("#9",), ("#12",)))
    found = {one.name: one for one in messages.project(request, production, told=story, workflow=WORKFLOW)}
    assert found["said:5"].body.text == (
        "✅ *production* · thaw #7 · <@U0ENGINEER> production stays frozen: #9 no longer holds, and #12, said later, "
        "still does. `/migrate thaw prod` ends that."
    )
    again = replace(request, state=State.FAILED)
    story = told(ASKED, PLANNED, events.Failed("No.", "Try."))
    found = messages.project(again, production, told=story, workflow=WORKFLOW)
    assert lines(found[0].body)[-1] == "[Ask again twokey_thaw=production]"


def test_the_status_says_what_is_frozen_whoever_can_be_seen() -> None:
    freeze = {"by": "ada", "until": UNTIL, "reason": "the *disk* is <full>"}
    ok = {"state": "ok", "protected": True, "applied": 1, "pending": [], "last": None, "problems": ["It drifted."]}
    seen = {**ok, "name": "production", "why": None, "frozen": freeze}
    unseen = {"name": "test", "state": "unobserved", "why": None, "protected": False, "frozen": freeze}
    shown = lines(answers.status({"environments": [seen, unseen], "migrations": []}, WORKFLOW))
    assert shown[1:] == [
        "🔒 *production* 1 applied, 0 pending",
        f"❄️ {FROZEN}",
        "⚠️ It drifted.",
        "*test* ⚠️ unobserved",
        f"❄️ {FROZEN}",
    ]


def test_frozen_at_once_refused_before_the_form_and_at_the_reaction(bot: Running) -> None:
    waits = a_request_in(bot.book, State.PLANNED, wish=a_wish(environment="production"), protected=True)
    shown = card(bot, "Waiting for a second person")
    bo = bot.slack.as_person("U0APPROVER")
    bo.react(CHANNEL, shown["ts"], "white_check_mark")
    bot.slack.wait_for(lambda: bot.book.request(waits.id).state is State.APPROVED)
    cy = bot.slack.as_person("U0OBSERVER")
    assert cy.slash("/migrate", "freeze prod 2020-01-01 00:00 too late") == (
        "🚫 <!date^1577836800^{date_short_pretty} {time}|2020-01-01 00:00 UTC> is over. Nothing was frozen."
    )
    assert cy.slash("/migrate", "freeze prod the disk is <!channel> full") == (
        "production is frozen until it is thawed (#2). What runs finishes; nothing else starts."
    )
    assert bot.book.request(waits.id).state is State.PLANNED
    assert "Frozen by Cy Observer: the disk is &lt;!channel&gt; full" in str(card(bot, "freeze #2"))
    reply(bot, shown["ts"], "❄️ Frozen by Cy Observer")
    ada = bot.slack.as_person("U0ENGINEER")
    frozen = "Nothing starts on production now: Cy Observer froze it (#2: the disk is ‹!channel› full)."
    assert ada.slash("/migrate", "rollback prod") == f"🚫 {frozen} `/migrate thaw production` ends that."
    assert bot.slack.views("U0ENGINEER") == []
    bo.unreact(CHANNEL, shown["ts"], "white_check_mark")
    bo.react(CHANNEL, shown["ts"], "white_check_mark")
    whispered(bot, "U0APPROVER", "After that, take your reaction away and give it again.")
    bo.react(CHANNEL, shown["ts"], "x")  # a no needs no thaw
    bot.slack.wait_for(lambda: bot.book.request(waits.id).state is State.REJECTED)
    assert ada.slash("/migrate", "thaw prod") is None
    assert [view["title"]["text"] for view in bot.slack.views("U0ENGINEER")] == ["Thaw production"]


def test_a_name_that_poses_as_a_mention_is_none(bot: Running) -> None:
    certified(bot)
    a_request_in(bot.book, State.ASKED, wish=a_wish(environment="production", actor=replace(ADA, name="<@U0SECOND>")),
                 protected=True)  # fmt: skip
    said = str(bot.slack.as_person("U0OBSERVER").slash("/migrate", "apply prod"))
    assert said.startswith("🚫 #2 is open for production: ‹@U0SECOND› asked")
    assert bot.slack.as_person("U0OBSERVER").slash("/migrate", "thaw dev") == "🚫 development is not frozen."
