"""Values → messages. Pure: what a person reads is a function of the ledger and of what came of asking."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot import acts, cards, enclosures, endings, lists, receipts, recovery, thread
from bot.answers import answer, nobody, shared
from bot.blocks import Body, body, cut, escape, fenced, field, moment, mono, ours, plain, said, section
from bot.enclosures import Enclosure
from bot.notices import notice
from bot.outcomes import (
    NAME_FIELD,
    REASON_FIELD,
    AskInModal,
    FrozenNow,
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
from bot.story import Story
from bot.typed import LONGEST_NOTE, LONGEST_WORD, Slip
from ledger import events
from ledger.records import Told
from ledger.request import Act, Request
from ledger.states import FINAL, SAID
from ledger.workflow import Environment, Verbosity, Workflow

__all__ = [
    "Body",
    "Slot",
    "answer",
    "bare",
    "modal",
    "nobody",
    "notice",
    "project",
    "reply",
    "shared",
    "slip",
    "whisper",
]

#: The slots that are edited in place. Every other one is a reply that is posted once.
CARD, PROGRESS = "card", "progress"

#: Before there is a card: how far the rehearsal is.
REHEARSAL = "rehearsal"

#: The reply that encloses what was generated.
DRAFT = "draft"

#: The replies that enclose the SQL of the plan, that say what its rehearsal saw, and that show it.
SQL, RECEIPT, PICTURE = "sql", "receipt", "picture"

#: The reply that says how to get back.
RECOVERY = "recovery"

#: What is said once under a card, and again under a new one.
UNDER_CARD = (SQL, RECEIPT, PICTURE, DRAFT, RECOVERY)

#: What is shown of a line that was not understood.
LINE = 200

#: Where the press of the form's button comes back.
MODAL = "twokey_apply_modal"


@dataclass(frozen=True, slots=True)
class Slot:
    """One message of a request: its place in the channel or in the card's thread, and what stands there.

    Of what it encloses the body is the comment above the file.
    """

    name: str
    channel: str
    body: Body
    broadcast: bool = False
    encloses: Enclosure | None = None

    @property
    def in_thread(self) -> bool:
        """Whether this is a reply under the card, where there is one."""
        return self.name not in {CARD, REHEARSAL}


def project(
    request: Request, environment: Environment, *, told: Sequence[Told], workflow: Workflow
) -> tuple[Slot, ...]:
    """All messages of a request as they should stand now, in the order in which they are posted."""
    story = Story(request, environment, tuple(told), workflow)
    before = _rehearsal(story)
    waits = story.last(events.Waiting) is not None or story.last(events.Unanswered) is not None
    if _in_one_message(story) and (story.over or story.last(events.Unanswered) is None):
        alone = (Slot(CARD, environment.channel, endings.brief(story)),) if story.over else ()
        return (*before, *alone, *_draft(story), *_evidence(story))
    if request.plan is None and not waits:
        return (*before, *_evidence(story))
    card = Slot(CARD, environment.channel, cards.card(story))
    under = (*_sql(story), *_receipt(story), *_progress(story), *_replies(story))
    return (*before, card, *under, *_ways_back(story), *_draft(story), *_evidence(story))


def _in_one_message(story: Story) -> bool:
    quiet = story.environment.verbosity is Verbosity.QUIET and not story.protected
    never_planned = story.request.plan is None and story.over
    return quiet or never_planned or story.request.act is Act.CERTIFY


def _sql(story: Story) -> list[Slot]:
    file, plan = enclosures.of_plan(story), story.request.plan
    if file is None or plan is None:
        return []
    return [Slot(SQL, story.environment.channel, plain(enclosures.words(story, plan)), encloses=file)]


def _rehearsal(story: Story) -> list[Slot]:
    shown = thread.rehearsal(story)
    return [Slot(REHEARSAL, story.environment.channel, shown)] if shown else []


def _receipt(story: Story) -> list[Slot]:
    shown, file = receipts.told(story.request.plan) if story.request.plan else None, enclosures.of_rehearsal(story)
    if shown is None or file is None:
        return []
    channel, above = story.environment.channel, plain(enclosures.pictured(story.request))
    return [Slot(RECEIPT, channel, shown), Slot(PICTURE, channel, above, encloses=file)]


def _ways_back(story: Story) -> list[Slot]:
    shown = recovery.ways_back(story)
    return [Slot(RECOVERY, story.environment.channel, shown)] if shown else []


def _draft(story: Story) -> list[Slot]:
    file, drawn = enclosures.of_draft(story), story.last(events.Generated)
    if file is None or drawn is None:
        return []
    return [Slot(DRAFT, story.environment.channel, plain(enclosures.drafted(drawn)), encloses=file)]


def _evidence(story: Story) -> list[Slot]:
    """A file for each time that somebody asked for one; in it is what the ledger holds when it is put there."""
    return [
        Slot(
            f"said:{told.seq}",
            story.environment.channel,
            plain(enclosures.handed_out(story.request, told.seq, to=told.event.actor_name)),
            encloses=enclosures.of_story(story.request.id, told.seq),
        )
        for told in story.told
        if isinstance(told.event, events.Exported)
    ]


def _progress(story: Story) -> list[Slot]:
    shown = None if story.environment.verbosity is Verbosity.QUIET else thread.progress(story)
    return [Slot(PROGRESS, story.environment.channel, shown)] if shown else []


def _replies(story: Story) -> list[Slot]:
    made = []
    for told in story.told:
        shown = thread.reply(told, story)
        if shown is not None:
            name, loud = f"said:{told.seq}", thread.broadcasts(told)
            made.append(Slot(name, story.environment.channel, shown, broadcast=loud))
    return made


def _frozen_now(frozen: FrozenNow) -> str:
    request, longest = frozen.request, frozen.longest
    lasts = f"{request.environment} is frozen until {_ends(frozen.until)} (#{request.id})"
    if longest is not None and longest.request_id != request.id:
        lasts = f"{lasts}, and by #{longest.request_id} until {_ends(longest.until)}"
    return f"{lasts}. What runs finishes; nothing else starts."


def _ends(until: datetime | None) -> str:
    return moment(until, "{date_short_pretty} {time}") if until else "it is thawed"


def slip(error: Slip) -> Body:
    """What was typed with a mark under the word, and what to type instead."""
    text = cut(error.text, LINE)
    marks = " " * error.start + "^" * min(error.length, LONGEST_WORD)
    shown = fenced(f"/migrate {text}\n         {marks[: LINE + 1]}")
    why = escape(error.why)
    return body(why, section(why), section(shown))


def bare(sentence: str) -> str:
    """A sentence for a place in which Slack shows no markup, such as below the field of a form."""
    return re.sub(r"<([@#][A-Z0-9]+)>", r"\1", sentence.replace("`", ""))


def whisper(sentence: str) -> Body:
    """One of our own sentences, for one person."""
    return plain(ours(sentence))


def reply(outcome: Outcome, workflow: Workflow) -> Body:
    """What the one who asked reads at once."""
    match outcome:
        case WrittenDown():
            return plain(_written_down(outcome))
        case Looking(environments=environments, rung=rung):
            looking = f"Looking at {', '.join(environments)} …"
            return plain(looking if rung else f"{looking} Redis does not answer, so no worker may hear of it.")
        case Helped(word=word):
            return lists.help_for(word, workflow)
        case Listed():
            return lists.requests(outcome, workflow)
        case FrozenNow():
            return plain(_frozen_now(outcome))
        case HandedOut(request_id=number, channel=channel):
            return plain(ours(f"The evidence of #{number} will stand in <#{channel}> in a moment, as a file."))
        case TakenBack(request=request):
            return plain(f"#{request.id} is cancelled. Nothing will run.")
        case Refused(why=why):
            return plain(f"🚫 {ours(why)}")
        case AskInModal(environment=environment):
            return plain(f"A form has opened. It asks for the name of {environment.name} and a reason.")
        case Shared():
            return plain("The answer will stand in the channel in a moment.")


def _written_down(outcome: WrittenDown) -> str:
    request = outcome.request
    already = "is" if outcome.new else "was already"
    over = f"; it {SAID[request.state]}" if request.state in FINAL else ""
    line = f"#{request.id} {already} written down: {said(request.words)}{over}."
    if outcome.behind is not None:
        line = f"{line} It waits for #{outcome.behind}, which came first."
    return line if outcome.rung else f"{line} Redis does not answer, so a worker will hear of it later, by itself."


def modal(outcome: AskInModal) -> dict[str, Any]:
    """The form before a protected environment: type its name, give a reason."""
    environment, words = outcome.environment, acts.WORDS[outcome.act]
    asked = f"/migrate {' '.join((outcome.act, environment.name, *outcome.about))}"
    where = {
        "environment": environment.name,
        "channel": outcome.channel,
        "act": outcome.act,
        "about": outcome.about,
        "covers_of": outcome.covers_of,
    }
    return {
        "type": "modal",
        "callback_id": MODAL,
        "private_metadata": json.dumps(where),
        "title": {"type": "plain_text", "text": cut(words.form.format(place=environment.name), 24)},
        "submit": {"type": "plain_text", "text": "Ask for it"},
        "close": {"type": "plain_text", "text": "Leave it"},
        "blocks": [
            section(f"🔒 *{environment.name}* is protected. {words.follows}"),
            *([section(f"Asked for: {mono(asked)}")] if outcome.about else []),
            field(block=NAME_FIELD, label="Name of the environment", hint=f"Type {environment.name} to confirm."),
            field(
                block=REASON_FIELD,
                label="Reason",
                hint=f"Everyone in the channel reads it. At most {LONGEST_NOTE} characters.",
                lines=True,
            ),
        ],
    }
