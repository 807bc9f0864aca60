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
    plan = replace(a_summary(production), migrations=(), held=(), facts=(Fact("Lifts", "#9, frozen by ada"),))
    request = replace(a_request(State.APPLIED), act=Act.THAW, plan=plan)
    story = told(ASKED, PLANNED, BY_BO, STARTED, events.Thawed(("#8", "#9")))
    found = {one.name: one for one in messages.project(request, production, told=story, workflow=WORKFLOW)}
    assert lines(found["card"].body)[1].endswith("✅ Thawed <!date^1795341605^{time}|10:00 UTC>")
    assert "*Lifts* #9, frozen by ada" in lines(found["card"].body)
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
        "🚫 2020-01-01 00:00 UTC is over. Nothing was frozen."
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
