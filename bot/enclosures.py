"""The files that the bot puts into Slack: what each is called, and what stands in it. Pure.

A file's bytes come from the ledger and from nowhere else, so that an approver reads what the worker will run.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bot import timeline
from bot.blocks import counted, mono, said, spoken
from bot.story import Story, grouped
from bot.timeline import Timeline
from ledger import events
from ledger.request import Act, PlanSummary, Request


class Of(StrEnum):
    """What a file shows of a request."""

    SQL = "sql"
    EVIDENCE = "evidence"
    DRAFT = "draft"
    PICTURE = "picture"


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A file under a message. Its name is found again where an upload was not answered, so it is the request's own.

    `alt` is what it says to whoever does not see it.
    """

    of: Of
    name: str
    title: str
    alt: str


def of_plan(story: Story) -> Enclosure | None:
    """The SQL of a plan that a second person has to agree to, or None where nobody has to or no SQL runs."""
    request, plan = story.request, story.request.plan
    if plan is None or not plan.migrations or not story.two_keys:
        return None
    return _of_text(Of.SQL, _sql_name(request, plan), f"The SQL of #{request.id}: {request.words}")


def of_draft(story: Story) -> Enclosure | None:
    """A migration that was generated, under the name that it has to have in the folder."""
    drawn = story.last(events.Generated)
    if drawn is None:
        return None
    return _of_text(Of.DRAFT, f"{drawn.migration}.sql", f"Drafted for #{story.request.id}: {story.request.words}")


def of_rehearsal(story: Story) -> Enclosure | None:
    """The picture of what was seen when the plan ran on a copy."""
    request, shown = story.request, rehearsal(story.request)
    if shown is None:
        return None
    title = f"The rehearsal of #{request.id}: {request.words}"
    return Enclosure(Of.PICTURE, f"rehearsal-{request.id}.png", title, timeline.in_words(shown))


def rehearsal(request: Request) -> Timeline | None:
    """What stands in the picture."""
    seen = request.plan and request.plan.rehearsal
    return timeline.of(request.id, request.environment, seen) if seen else None


def of_story(request_id: int, seq: int) -> Enclosure:
    """All that the ledger holds about a request, as it was asked for in its story's event `seq`."""
    return _of_text(Of.EVIDENCE, f"evidence-{request_id}-{seq}.json", f"The evidence of #{request_id}")


def _of_text(of: Of, name: str, title: str) -> Enclosure:
    return Enclosure(of, name, title, alt=title)


def handed_out(request: Request, seq: int, *, to: str) -> str:
    """What stands above the evidence."""
    file = of_story(request.id, seq).name
    return (
        f"The evidence of #{request.id}, for {said(to)}. It verifies offline: {mono(f'python -m ledger verify {file}')}"
    )


def words(story: Story, plan: PlanSummary) -> str:
    """What stands above the SQL."""
    count = counted(len(plan.migrations), "migration")
    return f"The SQL of #{story.request.id} as it is frozen, {count}. *Digest* {mono(grouped(plan.digest))}, as above."


def drafted(drawn: events.Generated) -> str:
    """What stands above the draft."""
    return f"The draft, to the letter: sha256 {mono(drawn.checksum)}. Nothing has run it but a scratch database."


def pictured(request: Request) -> str:
    """What stands above the picture."""
    return f"The rehearsal of #{request.id} in time: what ran when, and what kept others waiting meanwhile."


def undrawn(request_id: int, why: str) -> str:
    """What is said where there is no picture."""
    return (
        f"⚠️ The picture of the rehearsal of #{request_id} could not be drawn: {spoken(why)}. All that it would show "
        "stands in the receipt above. Whoever runs Twokey: the bot's log says more."
    )


def instead(file: Enclosure, request_id: int, why: str) -> str:
    """What is said where Slack takes no file, however often one tries."""
    return (
        f"⚠️ {mono(file.name)} cannot stand here: Slack says {mono(why)}. Whoever runs Twokey: allow files, or install "
        f"the app again with `slack-manifest.yaml`. Until then `python -m ledger export {request_id}` has all of it."
    )


def sql(request: Request, frozen: Mapping[str, Any]) -> str:
    """The frozen texts, each to the letter, under a line that says which one it is and what its checksum is."""
    texts = frozen["migrations"]
    lines = [f"-- #{request.id}: {request.words}", f"-- digest {frozen['digest']}"]
    if request.act is Act.APPLY and any("migrate:down" in one["text"] for one in texts):
        lines.append("-- What stands below a line `-- migrate:down` is the way back, and does not run now.")
    parts = ["\n".join(lines) + "\n"]
    for place, one in enumerate(texts, start=1):
        end = "" if one["text"].endswith("\n") else "\n"
        head = f"-- {place} of {len(texts)}: {one['id']}.sql, sha256 {one['checksum']}"
        parts.append(f"{head}\n{one['text']}{end}")
    return "\n".join(parts)


def _sql_name(request: Request, plan: PlanSummary) -> str:
    """`production-7-7e58-237c-6f28.sql`: the digest as the card shows it."""
    return f"{request.environment}-{request.id}-{grouped(plan.digest).replace('·', '-')}.sql"
