"""Whatever somebody typed, called themselves or wrote into SQL: it mentions nobody, links nowhere and marks nothing."""

import re
from dataclasses import fields, replace
from itertools import product
from typing import Any, get_type_hints

import pytest

from bot import answers, edits, messages
from bot.blocks import Body
from bot.outcomes import Refused
from ledger import events, policy
from ledger.events import KINDS
from ledger.request import Act, Actor, Fact, Freeze, Hazard, Held, Kind, PlannedMigration
from ledger.states import State
from ledger.underway import Blocker, Halted, Stretch
from ledger.workflow import Verbosity
from tests.bot.stories import ASKED, PLANNED, WORKFLOW, T, a_request, a_summary, lines, told
from tests.support.ledger import ADA

EVIL = "x <!channel> <!here|h> <@U0BOSS> <@U0BOSS|boss> <#C0OTHER> <https://evil.example|click> *bold* ```fence `code`"
#: What Slack would bring to life. Our own mentions are of people who are configured, asked or reacted.
LIVE, BOLD = re.compile(r"<(?:![a-ce-z]|@U0BOSS|#C0OTHER|http)"), re.compile(r"\*bold\*")
FLOW = replace(WORKFLOW, environments=tuple(replace(e, verbosity=Verbosity.ALL) for e in WORKFLOW.environments))
STANDING = (("production", State.FAILED), ("test", State.APPLIED), ("production", State.PLANNED))
#: Sentences of ours that mention people; what people typed comes into them harmless (ledger/policy.py).
OUR_SENTENCES = {"Refused"}

#: What says more once a freeze was said.
OF_A_FREEZE = {"Lifted", "RanOut"}

SAMPLES: dict[Any, Any] = {
    str: EVIL,
    int: 7,
    float: 0.25,
    float | None: 2.5,
    bool: True,
    str | None: EVIL,
    bool | None: True,
    int | None: 14,
    tuple[Blocker, ...]: (Blocker(7, EVIL, 41.5),),
    Stretch | None: Stretch(540, 10, 0, 3, 1200, 0, True),
    Halted | None: Halted(7, EVIL, EVIL, None),
    tuple[str, ...]: (EVIL,),
}
NOT_TYPED = {"starts_at": "2026-11-22T10:02:15+00:00", "until": "2026-11-22T10:02:15+00:00", "state": "differs"}


def evil(kind: type) -> events.Event:
    """An event with nothing but bad words in it, ids and moments aside."""
    hints = get_type_hints(kind)
    typed = {one.name: SAMPLES[hints[one.name]] for one in fields(kind) if one.name not in NOT_TYPED}
    known = {name: value for name, value in NOT_TYPED.items() if name in hints}
    return kind(**typed | known)


def a_plan_of_bad_words(name: str) -> Any:
    environment = WORKFLOW.environment(name)
    assert environment
    bad = PlannedMigration(EVIL, EVIL, "a" * 64, 3, (Hazard(EVIL, 2, EVIL),), EVIL)
    facts, held = (Fact(EVIL, EVIL),), (Held(EVIL, EVIL),)
    return replace(
        a_summary(environment), migrations=(bad,), facts=facts, held=held, notes=(EVIL,), database=EVIL, head=EVIL
    )


def alive(shown: Body) -> list[str]:
    """What Slack would bring to life: in fixed width a star is a star, and a mention is one all the same."""
    texts = [shown.text, *(line for line in lines(shown) if not line.startswith("["))]
    return [
        found
        for text in texts
        for found in (
            *[f"{one} in {text}" for one in LIVE.findall(text)],
            *BOLD.findall(re.sub(r"`[^`\n]*`", "", text)),
        )
    ]


@pytest.mark.parametrize("kind", sorted(set(KINDS) - OUR_SENTENCES))
def test_no_event_brings_typed_text_to_life(kind: str) -> None:
    for act, (name, state) in product(Act, STANDING):
        environment = FLOW.environment(name)
        assert environment
        actor = Actor(ADA.id, ADA.team, EVIL, Kind.FULL_MEMBER)
        request = replace(a_request(state, environment=name), act=act, actor=actor, reason=EVIL, note=EVIL)
        request = replace(request, about=(EVIL,), plan=a_plan_of_bad_words(name))
        before = (evil(events.Frozen),) if kind in OF_A_FREEZE else ()
        story = told(ASKED, PLANNED, *before, evil(KINDS[kind]))
        shown = messages.project(request, environment, told=story, workflow=FLOW)
        assert [found for one in shown for found in alive(one.body)] == []


def test_no_answer_brings_it_to_life() -> None:
    refused = {"question": "plan", "environment": "production", "plan": None, "refusal": EVIL}
    assert alive(answers.plan(refused)) == []
    assert alive(edits.answer({"environment": "production", "edited": (), "more": 0, "refusal": EVIL})) == []


def test_no_refusal_of_a_wish_brings_a_colleagues_name_to_life() -> None:
    environment, freeze = FLOW.environment("production"), Freeze(7, "production", EVIL, EVIL, T, None)
    assert environment
    asker = Actor(ADA.id, ADA.team, "ada", Kind.FULL_MEMBER)
    others = [
        replace(a_request(State.ASKED, environment="production"), act=act, actor=replace(asker, name=EVIL))
        for act in (Act.APPLY, Act.BACKUP)
    ]
    for act in (Act.APPLY, Act.BACKUP):
        for stands in (None, freeze):
            judged = policy.may_ask(
                asker, environment, act=act, open_requests=others, before=None, certification=None, freeze=stands
            )
            assert isinstance(judged, policy.Denied)
            assert "x ‹!channel›" in judged.why
            assert alive(messages.reply(Refused(judged.why), FLOW)) == []
