"""What the thread says, ten minutes after a run, of how the environment fared."""

from dataclasses import replace

from bot import messages
from ledger import events
from ledger.states import State
from ledger.underway import Settled, Stretch
from tests.bot.stories import (
    ASKED,
    BACKED_UP,
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

APPLIED = events.Applied(IDS, 1.9)
QUIET, BUSY = Stretch(540, 10, 0, 3, 11_000, 0, anew=False), Stretch(600, 11, 1, 41, 12_345, 5, anew=True)
SEEN_QUIET = (
    "0 deadlocks, 3 of 11,000 transactions rolled back, at most 0 sessions waiting for a lock (10 looks in 9 min 00 s)."
)


def said(after: Stretch | None, before: Stretch | None, meanwhile: tuple[str, ...] = ()) -> list[str]:
    environment = WORKFLOW.environment("production")
    assert environment
    first, second, *_ = a_summary(environment).migrations
    plan = replace(a_summary(environment), migrations=(replace(first, impact="old logins *fail*"), second))
    story = told(ASKED, PLANNED, BY_BO, STARTED, BACKED_UP, APPLIED, Settled(after, before, meanwhile))
    request = replace(a_request(State.APPLIED), plan=plan)
    slots = {one.name: one for one in messages.project(request, environment, told=story, workflow=WORKFLOW)}
    assert not slots["said:7"].broadcast
    return lines(slots["said:7"].body)


def test_what_went_on_as_before_is_said_beside_it_with_what_the_author_foresaw() -> None:
    assert said(QUIET, QUIET) == [
        f"🩺 *production since #7* · {SEEN_QUIET}",
        f"*Before it* · {SEEN_QUIET}",
        f"• `{IDS[0]}` · *impact* old logins ∗fail∗",
    ]


def test_more_deadlocks_or_more_who_wait_are_a_warning() -> None:
    first, second, third, _ = said(BUSY, QUIET, ("#8", "#9"))
    assert first == (
        "⚠️ *production since #7* · 1 deadlock, 41 of 12,345 transactions rolled back, at most 5 sessions waiting for a "
        "lock (11 looks in 10 min 00 s). Its server began to count anew meanwhile, so some may be missing."
    )
    assert (second, third) == (f"*Before it* · {SEEN_QUIET}", "Ran meanwhile: #8, #9.")
    assert said(replace(QUIET, waiting=1), None)[:2] == [
        f"⚠️ *production since #7* · {SEEN_QUIET.replace('0 sessions', '1 session')}",
        "*Before it* · nobody could look: its worker or its database did not answer.",
    ]
    assert said(QUIET, BUSY)[0].startswith("🩺")
