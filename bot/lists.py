"""Help, and the lists of requests: what is answered at once, from the ledger or from the command table."""

from collections.abc import Mapping, Sequence

from bot import notices, phrasebook
from bot.blocks import (
    Body,
    body,
    counted,
    link,
    listed,
    mention,
    moment,
    mono,
    plain,
    said,
    seconds,
    section,
    sections,
    spoken,
)
from bot.outcomes import SHOWN, Entry, Listed
from bot.phrasebook import TABLE, Phrase
from bot.story import Story, now
from bot.typed import short
from ledger import events
from ledger.request import POLICY, Request
from ledger.states import FINAL, SAID, State
from ledger.workflow import Workflow


def help_for(word: str | None, workflow: Workflow) -> Body:
    """What can be said; with a word, that command explained in the environments' own names."""
    names = ", ".join(f"{e.name} ({short(e)})" if e.aliases else e.name for e in workflow.environments)
    if word is None:
        lines = [f"`/migrate {said(row.usage)}` {row.does}" for row in TABLE]
        lines += [f"Environments, in order: {names}."]
        return body(f"Commands: {', '.join(row.word for row in TABLE)}.", *sections(lines))
    row = next(row for row in TABLE if row.word == word)
    lines = _explained(row, phrasebook.places(workflow))
    lines += [f"*Environments* {names}"] if "environment" in row.takes else []
    return body("\n".join(lines), *sections(lines))


def _explained(row: Phrase, places: Mapping[str, str]) -> list[str]:
    examples = " · ".join(mono(f"/migrate {one.format(**places)}") for one in row.examples)
    return [
        *(mono(f"/migrate {form}") for form in row.forms),
        spoken(f"{row.does} {row.more}".format(**places)),
        f"*For example* {examples}",
        f"*Who may* {spoken(row.who)}",
        f"*Then* {spoken(row.then.format(**places))}",
    ]


def requests(found: Listed, workflow: Workflow) -> Body:
    """The open requests with where they stand, or the ended ones with how it went."""
    where = f" on {found.environment}" if found.environment else ""
    kind = "open" if found.open else "ended"
    what = [counted(len(found.entries), f"{kind} request")] if found.entries else []
    what += [f"{counted(len(found.noticed), 'run')} at the terminal"] if found.noticed else []
    if not what:
        return plain(f"There is no {kind} request{where}.")
    head = f"{' and '.join(what)}{where}, newest first."
    return body(head, section(head), *sections(listed(_lines(found, workflow), show=SHOWN)))


def _lines(found: Listed, workflow: Workflow) -> list[str]:
    """One line each: requests by when they were asked for, what was done at a terminal by when it was done."""
    asked = [(one.request.asked_at, line(one, workflow, others=found.entries)) for one in found.entries]
    done = [(one.deeds[-1].at, notices.line(one)) for one in found.noticed]
    return [line for _, line in sorted([*asked, *done], key=lambda one: one[0], reverse=True)]


def line(entry: Entry, workflow: Workflow, *, others: Sequence[Entry]) -> str:
    """One request as a list shows it; an open one says which of the `others` it waits for."""
    request = entry.request
    number = f"#{request.id}"
    asked = f"*{link(entry.link, number) if entry.link else number}* {said(request.words)} · {said(request.actor.name)}"
    environment = workflow.environment(request.environment)
    if environment is None:
        return f"{asked} · {SAID[request.state]} · no longer in twokey.toml"
    story = Story(request, environment, entry.told, workflow)
    when = moment(request.asked_at, "{date_short_pretty} {time}")
    if story.over:
        return f"{asked} {when} · {now(story)}{_approved(story)}{_took(story)}{_backup(story)}"
    return f"{asked} {when} · {now(story)}{_waits(request, others)}"


def _waits(request: Request, others: Sequence[Entry]) -> str:
    """For whom it waits, and how long it may: of one environment, one request runs at a time."""
    if request.state is State.APPLYING:
        return ""
    ahead = [one.request.id for one in others if one.request.environment == request.environment]
    first = next((f" · waits for #{number}" for number in ahead if number < request.id), "")
    return f"{first} · expires {moment(request.expires_at)}"


def _approved(story: Story) -> str:
    """Who turned the second key and why they could, unless it was taken back."""
    names = dict[str, str]()
    for told in story.told:
        match told.event:
            case events.Agreed(actor_id=who, actor_name=name) | events.Approved(actor_id=who, actor_name=name):
                names[who] = name
            case events.Withdrawn(actor_id=POLICY.id) | events.Halted():
                names.clear()
            case events.Withdrawn(actor_id=who):
                names.pop(who, None)
            case _:
                pass
    by = [f"{said(name)}{_right(story, who)}" for who, name in names.items() if who != POLICY.id]
    return f" · approved by {' and '.join(by)}" if by else ""


def _right(story: Story, who: str) -> str:
    """Why somebody could: listed by themselves, or as a member of a user group when it was asked for."""
    if who in story.environment.approvers:
        return " (listed)"
    groups = [mention(group.id) for group in story.request.groups if who in group.members]
    return f" (in {', '.join(groups)})" if groups else ""


def _took(story: Story) -> str:
    began = next((told.at for told in story.told if isinstance(told.event, events.Started)), None)
    if began is None or story.request.state not in FINAL or story.last(events.Applied) or story.last(events.Reverted):
        return ""  # these say their own time
    return f" · ran {seconds(((story.end or story.told[-1]).at - began).total_seconds())}"


def _backup(story: Story) -> str:
    backup = story.last(events.BackedUp)
    return f" · backup {mono(backup.file)}" if backup else ""
