"""What a person reads of a baseline and of a repair: the card, the end, and what changed in a file."""

from dataclasses import replace

import pytest

from bot import acts, edits, messages
from bot.messages import Slot
from ledger import events
from ledger.events import Event
from ledger.request import Act, Fact
from ledger.states import State
from tests.bot.stories import ASKED, BY_BO, IDS, PLANNED, STARTED, WORKFLOW, a_request, a_summary, lines, told


def righted(act: Act, state: State, *story: Event) -> dict[str, Slot]:
    """The messages of a request on production that sets its history right."""
    environment = WORKFLOW.environment("production")
    assert environment
    plan = replace(a_summary(environment), held=(), certified=None, facts=(Fact("Nothing runs", "and so on"),))
    asked = replace(a_request(state), act=act, about=(IDS[0],), plan=plan, version=len(story), protected=True)
    return {slot.name: slot for slot in messages.project(asked, environment, told=told(*story), workflow=WORKFLOW)}


@pytest.mark.parametrize(
    ("act", "asked", "lists"),
    [
        (
            Act.BASELINE,
            "ada asked to write 2 migrations down as applied on production (#7).",
            "*Writes down as applied, and runs none of*",
        ),
        (
            Act.REPAIR,
            "ada asked to let 2 migrations count as edited on production (#7).",
            "*Lets count as they are now, and runs none of*",
        ),
    ],
)
def test_a_history_is_set_right_with_two_keys_without_hazards_and_without_a_backup(
    act: Act, asked: str, lists: str
) -> None:
    card = righted(act, State.PLANNED, ASKED, PLANNED)["card"].body
    assert card.text.startswith(f"{asked} ⏳ Waiting for a second person")
    shown = lines(card)
    assert shown[3] == lists
    assert "*Nothing runs* and so on" in shown
    assert not any("Hazards" in line or "*Backup*" in line for line in shown)
    found = righted(act, State.APPLYING, ASKED, PLANNED, BY_BO, STARTED)
    assert "progress" not in found  # it is over in a moment, and there is no backup to tell of


@pytest.mark.parametrize(
    ("act", "end", "line", "said"),
    [
        (
            Act.BASELINE,
            events.TakenOver(IDS),
            "✅ Taken over ",
            (
                "2 files written down as applied on production. Nothing ran. "
                "`/migrate validate` names what its schema lacks beside the environment before."
            ),
        ),
        (
            Act.REPAIR,
            events.Repaired(IDS[:1]),
            "✅ Repaired ",
            (
                "1 edited file let count as it is in the folder, on production. Nothing ran. "
                "`/migrate status prod` shows what is there now."
            ),
        ),
    ],
)
def test_a_history_that_was_set_right_says_so(act: Act, end: Event, line: str, said: str) -> None:
    found = righted(act, State.APPLIED, ASKED, PLANNED, BY_BO, STARTED, end)
    assert line in lines(found["card"].body)[1]
    assert lines(found["card"].body)[-1] == "[Plan production twokey_plan=production]"
    assert found["said:5"].body.text == (f"✅ *production* · {act} #7 · <@U0ENGINEER> {said}")


@pytest.mark.parametrize(
    ("act", "nothing", "left"),
    [
        (Act.BASELINE, "Nothing was written down.", "Not written down"),
        (Act.REPAIR, "Nothing was changed.", "Counts as it ran"),
    ],
)
def test_one_that_fell_silent_says_what_is_so_and_is_asked_for_again(act: Act, nothing: str, left: str) -> None:
    silent = events.Interrupted("It fell silent.", done=(), left=IDS[:1])
    found = righted(act, State.INTERRUPTED, ASKED, PLANNED, BY_BO, STARTED, silent)
    assert lines(found["said:5"].body)[2:4] == [nothing, f"{left}: `{IDS[0]}`."]
    assert lines(found["card"].body)[-1] == f"[Ask again twokey_{act}=production {IDS[0]}]"
    done = replace(silent, done=IDS[:1], left=())
    whole = lines(righted(act, State.INTERRUPTED, ASKED, PLANNED, BY_BO, STARTED, done)["said:5"].body)[2]
    assert whole == f"{acts.WORDS[act].done}: `{IDS[0]}`."


def test_before_they_have_a_plan_they_say_what_they_are_about() -> None:
    wishes = [acts.wish(replace(a_request(State.ASKED), act=act)) for act in (Act.BASELINE, Act.REPAIR)]
    assert wishes == ["take production over as it is (#7)", "let edited files count on production (#7)"]


def test_what_changed_is_shown_with_the_ways_out_and_only_what_was_shown_can_count() -> None:
    one = {"id": IDS[0], "measure": "lines: 1 came, 0 went", "diff": ["@@ -1 +1,2 @@", "+-- <new>"], "more": 3}
    found = {"question": "repair", "environment": "test", "edited": [one], "more": 0, "refusal": None}
    assert lines(edits.answer(found)) == [
        "1 file changed after test applied what was there then.",
        f"`{IDS[0]}` · lines: 1 came, 0 went",
        "```",
        "@@ -1 +1,2 @@",
        "+-- &lt;new&gt;",
        "and 3 lines more",
        "```",
        (
            "Restore each file as it ran, or put the change in a new migration. "
            "Only if the database is already as a file says now, let that one count."
        ),
    ]
    (button,) = edits.offer(found)
    assert (button["text"]["text"], button["value"]) == ("Let it count", f"test {IDS[0]}")
    two = {**found, "edited": [one, {**one, "id": IDS[1], "diff": [], "more": 0}]}
    (button,) = edits.offer(two)
    assert (button["text"]["text"], button["value"]) == ("Let these 2 count", f"test {IDS[0]} {IDS[1]}")
    assert "and 4 files more" in lines(edits.answer({**two, "more": 4}))
    assert edits.offer({**two, "more": 4}) == []


def test_where_nothing_changed_there_is_nothing_to_repair_and_what_is_not_known_says_why() -> None:
    none = {"question": "repair", "environment": "test", "edited": [], "more": 0, "refusal": None}
    assert lines(edits.answer(none)) == ["No file changed after test applied it. There is nothing to repair."]
    assert lines(edits.answer({**none, "refusal": "It is away."})) == [
        "🚫 What changed on test is not known: It is away."
    ]
    assert edits.offer(none) == []
