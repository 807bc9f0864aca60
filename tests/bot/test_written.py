"""A card says who wrote what it is about, and of whom nobody can tell whether they approve it themselves."""

from dataclasses import replace

from bot import cards
from bot.story import Story
from ledger.request import Act, Author, Origin
from ledger.states import State
from tests.bot.stories import ASKED, PLANNED, WORKFLOW, a_request, a_summary, lines, told


def test_a_card_says_who_wrote_it_and_of_whom_nobody_can_tell() -> None:
    production = WORKFLOW.environments[2]
    origin = Origin("c0ffee" * 6 + "c0ff", (Author("Ada <@U1>", "a" * 64), Author("Bo", "b" * 64)))
    plan = replace(a_summary(production), origin=origin)
    story = Story(replace(a_request(State.PLANNED), plan=plan), production, (), WORKFLOW)
    wrote = "*Written by* Ada &lt;@U1&gt;, Bo, commit `c0ffeec0ffee`"
    assert f"{wrote}; whether Ada &lt;@U1&gt;, Bo would approve their own work cannot be known" in lines(
        cards.card(story)
    )
    none = "*Written by* nobody: no file of the folder runs or counts by this, so no author is barred"
    for act in Act:
        if act.changes:
            said = lines(cards.card(replace(story, request=replace(story.request, act=act))))
            assert (none in said) is (act in {Act.RESTORE, Act.DISCARD, Act.THAW})
    free = replace(production, authors_may_approve=True)
    assert wrote in lines(cards.card(replace(story, environment=free)))


def test_a_card_waits_for_two_keys_where_the_database_alone_says_that_it_is_protected() -> None:
    test = WORKFLOW.environments[1]
    plan = replace(a_summary(test), protected=True)
    request = replace(a_request(State.PLANNED, environment="test"), plan=plan, protected=False)
    shown = lines(cards.card(Story(request, test, told(ASKED, PLANNED), WORKFLOW)))
    assert shown[:2] == [
        "🔒 *test* (protected) · apply #7 · 2 migrations",
        "⏳ Waiting for a second person: :white_check_mark: starts it, :x: rejects it",
    ]
    assert any(line.startswith("*Second key* 🚫 Nobody may approve test:") for line in shown)
