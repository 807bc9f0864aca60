"""The card: the one message of a request that stands in the channel. Its plan never changes, only its state line.

Who turns the second key, and until when, is left out once it can no longer be turned.
"""

from bot import acts, receipts
from bot.blocks import (
    Block,
    Body,
    body,
    context,
    counted,
    listed,
    mention,
    moment,
    mono,
    ours,
    row,
    said,
    seconds,
    section,
    sections,
    size,
    spoken,
)
from bot.next_steps import buttons, next_words
from bot.story import Story, grouped, none_of, now, state_line
from ledger import second_key, verdict
from ledger.request import Act, PlannedMigration, PlanSummary
from ledger.second_key import Holders
from ledger.states import State
from ledger.workflow import is_group

#: How many files and hazards a card names; who approves more than that reads the plan itself.
FILES_SHOWN = 15
HAZARDS_SHOWN = 10


def card(story: Story) -> Body:
    """The request as the channel sees it, from the plan to the end."""
    text = f"{said(story.request.actor.name)} asked to {acts.wish(story.request)}. {now(story)}."
    if story.request.state is State.APPLIED:
        text = f"{text} {next_words(story)}"
    parts = [section(title(story)), section(state_line(story))]
    if story.request.plan is not None:
        parts += _subject(story, story.request.plan)
    return body(text, *parts, *row(*buttons(story)))


def title(story: Story) -> str:
    """Which environment and which request; a protected one is told apart by a word and a sign."""
    request, environment = story.request, story.environment
    name = f"🔒 *{environment.name}* (protected)" if story.protected else f"*{environment.name}*"
    plan = request.plan
    count = f" · {counted(len(plan.migrations), 'migration')}" if plan and plan.migrations else ""
    return f"{name} · {request.act} #{request.id}{count}"


def _subject(story: Story, plan: PlanSummary) -> list[Block]:
    request = story.request
    because = f": {said(request.reason)}" if request.reason else ""
    lines = [
        f"*Asked by* {said(request.actor.name)} ({said(request.actor.id)}){because}",
        *_files(story, plan),
        *_held(plan),
    ]
    lines += [f"*{said(fact.name)}* {spoken(fact.sentence)}" for fact in plan.facts]
    lines += receipts.lines(plan)
    if story.two_keys:
        lines += [
            *_certified(plan),
            *_hazards(story, plan),
            *_notes(plan),
            *_backup(story, plan),
            *_written(story, plan),
        ]
        return [*sections(lines), section(_keys(story, plan)), context(_small_print(story, plan))]
    return [*sections([*lines, *_hazards(story, plan), *_notes(plan)]), context(_small_print(story, plan))]


def _files(story: Story, plan: PlanSummary) -> list[str]:
    files = [f"• {mono(m.id)} · {counted(m.lines, 'line')}{_impact(m)}" for m in plan.migrations]
    if not files:
        return []
    return [f"*{acts.of(story.request).lists}*", *listed(files, show=FILES_SHOWN)]


def _impact(migration: PlannedMigration) -> str:
    """What the file's author says that the application must know."""
    return f" · *impact* {said(migration.impact)}" if migration.impact else ""


def _notes(plan: PlanSummary) -> list[str]:
    return [f"📝 {spoken(note)}" for note in plan.notes]


def _held(plan: PlanSummary) -> list[str]:
    held = [f"• {spoken(h.why)}" for h in plan.held]
    return ["*Stays pending*", *listed(held, show=5)] if held else []


def _certified(plan: PlanSummary) -> list[str]:
    if plan.certified is None:
        return []
    by = plan.certified
    note = f": {said(by.note)}" if by.note else ""
    return [f"*Certified by* {said(by.actor_name)} {moment(by.at, '{date_short_pretty} {time}')}{note}"]


def _hazards(story: Story, plan: PlanSummary) -> list[str]:
    found = [
        f"• ⚠️ {mono(m.name)} line {hazard.line}, {said(hazard.name)}: {spoken(hazard.sentence)}"
        for m in plan.migrations
        for hazard in m.hazards
    ]
    if not story.request.act.runs or not plan.migrations:
        return []
    if not found:
        return [f"*Hazards* {none_of(plan.looked_for)}"]
    return [f"*Hazards* {len(found)}", *listed(found, show=HAZARDS_SHOWN)]


def _backup(story: Story, plan: PlanSummary) -> list[str]:
    """What runs SQL is preceded by a backup; a restore keeps the whole old database instead."""
    return [f"*Backup* taken and read back first, into {mono(plan.backup_folder)}"] if story.request.act.runs else []


def _keys(story: Story, plan: PlanSummary) -> str:
    """What two people can compare; and, until the request has ended, who turns the second key and how long."""
    digest = f"*Digest* {mono(grouped(plan.digest))}"
    if story.over:
        return digest
    flow = story.workflow
    delay = seconds(flow.start_delay.total_seconds())
    no = f":{flow.reject_with}: rejects it.{' The buttons say the same.' if flow.approve_button else ''}"
    expires = f"*Expires* {moment(story.request.expires_at, '{date_short_pretty} {time}')}"
    keys = second_key.holders(story.environment, story.request.groups, requester=story.request.actor, plan=plan)
    who = f":{flow.approve_with}: by {_who(story, keys)} starts it {delay} later, {no}"
    if not keys.enough:
        who = f"🚫 {ours(verdict.too_few(story.environment, keys).why)}"
    return f"*Second key* {who}\n{digest} · {expires}"


def _written(story: Story, plan: PlanSummary) -> list[str]:
    """Which commit it is, and who wrote it: they may not approve it, as far as anybody can know who they are."""
    if not story.request.act.has_authors:
        return ["*Written by* nobody: no file of the folder runs or counts by this, so no author is barred"]
    if plan.origin is None:
        return ["*Written by* unknown authors: no git checkout tells who they are, so none is barred"]
    authors = ", ".join(said(author.name) for author in plan.origin.authors)
    unknown = second_key.unknown_authors(plan, story.environment)
    free = story.environment.authors_may_approve or not unknown
    doubt = "" if free else f"; whether {', '.join(map(said, unknown))} would approve their own work cannot be known"
    return [f"*Written by* {authors}, commit {mono(plan.origin.commit[:12])}{doubt}"]


def _who(story: Story, keys: Holders) -> str:
    """Who may turn it: a user group by its name, so that its members are not notified one by one."""
    environment = story.environment
    who = " or ".join(mention(one) for one in environment.approvers if is_group(one) or one in keys.ids)
    return who if environment.approvals == 1 else f"{environment.approvals} different people of {who}"


def _small_print(story: Story, plan: PlanSummary) -> str:
    place = "after" if story.request.act is Act.APPLY else "newest"
    head = (
        f"{place} {mono(plan.head)}" if plan.head else ("the first ones there" if plan.migrations else "no history yet")
    )
    holds = f", {size(plan.database_bytes)}" if plan.database_bytes is not None else ""
    return (
        f"database {mono(plan.database)}{holds} · {said(plan.server)} · {head} · "
        f"lock timeout {said(plan.lock_timeout)} · statement timeout {said(plan.statement_timeout)}"
    )
