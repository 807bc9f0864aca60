"""The card's thread: one progress message edited in place, and a reply for each event that deserves one."""

from bot.blocks import (
    Body,
    body,
    counted,
    listed,
    mention,
    moment,
    mono,
    ours,
    plain,
    said,
    seconds,
    sections,
    size,
    spoken,
)
from bot.endings import ending, record
from bot.story import ENDS, Story, brought, frozen, whom
from ledger import events
from ledger.records import Told
from ledger.request import POLICY, Act
from ledger.states import State
from ledger.underway import Blocker, Stretch
from ledger.workflow import Verbosity

#: How many finished migrations the progress message names before it only counts them.
LINES_KEPT = 12


_STEPS = events.MigrationApplied | events.MigrationReverted
_PHRASES = events.Restoring | events.Generating


def progress(story: Story) -> Body | None:
    """What the run has done so far, one line each, or None before there is anything to say."""
    if not story.request.act.runs and story.request.act is not Act.BACKUP:
        lines = [f"• {spoken(told.event.what)}" for told in story.told if isinstance(told.event, _PHRASES)]
    else:
        lines = _backup_lines(story) + _migration_lines(story)
    holder = story.last(events.Waiting)
    if not lines and holder is not None:
        lines = [f"⏳ Waiting: {said(holder.holder)} holds {story.environment.name}"]
    if not lines:
        return None
    return body(f"{story.environment.name} #{story.request.id}: {lines[-1]}.", *sections(lines))


def rehearsal(story: Story) -> Body | None:
    """How far the rehearsal is, in the channel, since there is no card yet; then what came of it, in one line."""
    said_last, request = story.last(events.Rehearsing), story.request
    if said_last is None:
        return None
    place = f"*{story.environment.name}* · {request.act} #{request.id}"
    if request.plan is not None:
        return plain(f"✅ {place} was rehearsed on a copy; its card says what was seen.")
    if story.over:
        return plain(f"🚫 {place} ended in its rehearsal: nobody was asked, and {story.environment.name} is untouched.")
    return plain(f"🔵 {place} is rehearsed on a copy before anyone is asked: {spoken(said_last.what)}.")


def _backup_lines(story: Story) -> list[str]:
    backup = story.last(events.BackedUp)
    if backup is not None:
        return [f"✅ Backup {mono(backup.file)}, {size(backup.bytes)} in {seconds(backup.seconds)}, read back"]
    if story.request.state is State.APPLYING:
        return ["🔵 Backing up"]
    return ["❌ No verified backup"] if story.last(events.Started) and story.last(events.Failed) else []


def _migration_lines(story: Story) -> list[str]:
    done = [told.event for told in story.told if isinstance(told.event, _STEPS)]
    lines = [_done(event) for event in done]
    if len(lines) > LINES_KEPT:
        lines = [f"✅ {len(lines) - LINES_KEPT} before these", *lines[-LINES_KEPT:]]
    return lines + _current_line(story, len(done))


def _done(one: events.MigrationApplied | events.MigrationReverted) -> str:
    back = " taken back" if isinstance(one, events.MigrationReverted) else ""
    return f"✅ {one.position}/{one.of} {mono(one.migration)}{back} in {seconds(one.seconds)}"


def _current_line(story: Story, done: int) -> list[str]:
    plan, failed = story.request.plan, story.last(events.Failed)
    if plan is None or done >= len(plan.migrations) or story.last(events.BackedUp) is None:
        return []
    place = f"{done + 1}/{len(plan.migrations)} {mono(plan.migrations[done].id)}"
    if story.request.state is State.APPLYING:
        return [f"🔵 {place}{_meanwhile(story, plan.migrations[done].id)}"]
    return [f"❌ {place}, rolled back"] if failed is not None and failed.migration else []


def _meanwhile(story: Story, migration: str) -> str:
    """What the migration that runs now met last: who is in its way, that it gave way, or how far it came."""
    for told in reversed(story.told):
        match told.event:
            case events.Blocked(migration=about, by=by) if about == migration:
                return f" waits for a lock; in its way: {', '.join(map(_blocker, by))}"
            case events.TriedAgain(migration=about, number=number, of=of, seconds=wait) if about == migration:
                return f" gave way and was rolled back; try {number} of {of} {seconds(wait)} later"
            case events.StatementRan(migration=about, number=number, of=of) if about == migration:
                return f", statement {number} of {of} ran"
    return ""


def _blocker(one: Blocker) -> str:
    age = f", in its transaction for {seconds(one.seconds)}" if one.seconds is not None else ""
    return f"pid {one.pid} of {said(one.role)}{age}"


def reply(told: Told, story: Story) -> Body | None:
    """The thread reply that an event deserves, or None where the state line says it all."""
    if isinstance(told.event, ENDS):
        lines = ending(story)
        return body("\n".join(lines), *sections(lines), *record(story))
    if isinstance(told.event, events.Unlike):
        shown = _incident(story, told.event)
        return body(shown[0], *sections(shown))
    if isinstance(told.event, events.Settled):
        lines = _settled(story, told.event)
        return body(lines[0], *sections(lines))
    line = _line(told, story)
    return None if line is None else plain(line)


def broadcasts(told: Told) -> bool:
    """Whether the whole channel sees this reply: only where somebody has to act."""
    return isinstance(told.event, events.Failed | events.Interrupted | events.Unlike)


def _line(told: Told, story: Story) -> str | None:
    match told.event:
        case events.Refused(actor_id=POLICY.id, why=why):
            return f"🚫 The start was refused. {ours(why)}"
        case events.Refused(actor_name=name, why=why, deed=deed):
            # Its first sentence alone: what follows names the approvers, who were mentioned once already.
            return f"🚫 {said(name)}'s {deed} did not count: “{ours(why.partition('. ')[0].rstrip('.'))}.”"
        case events.Foretold():
            return _foretold(told.event)
        case events.Noted(actor_name=name, what=what):
            return f"📝 {said(name)}: {said(what)}"
        case events.Withdrawn(actor_id=POLICY.id):
            return None  # why it did not start was said just before, and the card says what it waits for
        case events.Withdrawn(actor_name=name):
            return f"↩️ {said(name)} took the key back. Nothing starts until somebody turns it again."
        case events.Unanswered(seconds=silent):
            return _unanswered(story, silent)
        case events.Answered():
            return "🔵 A worker answers again, and the run goes on."
        case events.Halted(by=number, actor_name=name, until=until, reason=why):
            return (
                f"❄️ {frozen(name, until, why)} (#{number}). Nothing starts, and no reaction counts until that is over."
            )
        case events.Released(by=number):
            return f"⏳ #{number} thawed {story.environment.name}. A reaction from before has to be given anew."
        case events.ExpiryWarned(minutes_left=minutes):
            expires = f"expires in {minutes} minutes, at {moment(story.request.expires_at)}"
            waits = f"It waits for {whom(story.environment.approvals)}."
            return f"⌛ {mention(story.request.actor.id)} #{story.request.id} {expires}. {waits}"
        case events.MigrationApplied() | events.MigrationReverted():
            return _done(told.event) if story.environment.verbosity is Verbosity.ALL else None
        case _:
            return None


def _incident(story: Story, found: events.Unlike) -> list[str]:
    """The schema is otherwise than what was approved had left it: whoever is at hand should look now."""
    name, who = story.environment.name, mention(story.request.actor.id)
    why = "Somebody or something else changed it meanwhile, or it does what the copy did not."
    freeze = f"/migrate freeze {name} it is not as #{story.request.id} was rehearsed"
    return [
        f"🚨 {who} *{name} is not what the rehearsal of #{story.request.id} left.* {why}",
        *listed([f"• {spoken(one)}" for one in found.differences], show=LINES_KEPT),
        f"➡️ Look into it before anything else runs: `{freeze}`, then `/migrate validate`.",
    ]


def _foretold(said_before: events.Foretold) -> str:
    error = said_before.error
    off = "" if error is None else f" ({abs(error):.0%} {'longer' if error > 0 else 'shorter'})"
    line = f"📏 Foretold {seconds(said_before.seconds)}, took {seconds(said_before.took)}{off}."
    if said_before.waited is None or said_before.longest is None:
        return f"{line} Who waited for it could not be seen."
    most = f", the longest for {seconds(said_before.longest)}" if said_before.waited else ""
    about = "1 query" if said_before.queries == 1 else f"{said_before.queries} queries"
    return f"{line} About {about} foretold to wait, {said_before.waited} waited{most}."


def _settled(story: Story, seen: events.Settled) -> list[str]:
    """How the environment fared since the run, beside what was before it, with what the files' authors foresaw."""
    after, before, name = seen.after, seen.before, story.environment.name
    known = before or Stretch(0, 0, 0, 0, 0, 0, anew=False)
    worse = after and (after.deadlocks > known.deadlocks or after.waiting > known.waiting)
    done, plan = brought(story.told), story.request.plan
    foreseen = [one for one in (plan.migrations if plan else ()) if one.impact and one.id in done]
    return [
        f"{'⚠️' if worse else '🩺'} *{name} since #{story.request.id}* · {_fared(after)}",
        f"*Before it* · {_fared(before)}",
        *([f"Ran meanwhile: {said(', '.join(seen.meanwhile))}."] if seen.meanwhile else []),
        *listed([f"• {mono(one.id)} · *impact* {said(one.impact or '')}" for one in foreseen], show=LINES_KEPT),
    ]


def _fared(one: Stretch | None) -> str:
    if one is None:
        return "nobody could look: its worker or its database did not answer."
    ended = f"{one.rollbacks:,} of {counted(one.transactions, 'transaction')} rolled back"
    waiting = f"at most {counted(one.waiting, 'session')} waiting for a lock"
    anew = " Its server began to count anew meanwhile, so some may be missing." if one.anew else ""
    seen = f"{counted(one.looks, 'look')} in {seconds(one.seconds)}"
    return f"{counted(one.deadlocks, 'deadlock')}, {ended}, {waiting} ({seen}).{anew}"


def _unanswered(story: Story, silent: int) -> str:
    """The fact, and who can do what; a run that nobody tends to is a case of its own."""
    name = mono(f"python -m workers {story.environment.name}")
    fact = f"no worker of {story.environment.name} has answered for {silent} s"
    start = f"Whoever runs Twokey: look at its log, and start one: {name}."
    running = "What was committed stays; what becomes of the rest is found out and said once a worker answers."
    waits = "It waits until then, and `/migrate cancel` takes it back."
    goes_on = running if story.request.state is State.APPLYING else waits
    return f"⚠️ {mention(story.request.actor.id)} #{story.request.id}: {fact}. {start} {goes_on}"
