"""After every run where something is protected: each way back, with its command, what it costs and what proves it."""

from datetime import datetime

from bot import receipts
from bot.blocks import Body, body, moment, mono, seconds, sections
from bot.story import Story, brought
from ledger import events
from ledger.request import Act


def ways_back(story: Story) -> Body | None:
    """The recovery card; None where no run began, or where nothing is protected."""
    told = next((one for one in reversed(story.told) if isinstance(one.event, events.BackedUp)), None)
    if not (story.over and story.two_keys and story.request.act.runs and told):
        return None
    assert isinstance(told.event, events.BackedUp)
    name, file, since = story.environment.name, told.event.file, moment(told.at, "{time_secs}")
    restore = mono(f"/migrate restore {name} {file}")
    lines = [
        f"🧭 *Ways back* from #{story.request.id}, should {name} need one",
        *_undone(story),
        f"• {restore} brings the backup back{_takes(story)}. Lost to it: everything written after {since}",
        f"• *Proof* {_proof(story)}",
    ]
    return body(f"Ways back from #{story.request.id}.", *sections(lines))


def _undone(story: Story) -> list[str]:
    done, plan = brought(story.told), story.request.plan
    if story.request.act is not Act.APPLY or not done or plan is None:
        return []
    if plan.rehearsal and plan.rehearsal.undo in {"irreversible", "broken"}:
        return [f"• No rollback takes them back; it is {receipts.undo(plan.rehearsal)}"]
    worth = f": {receipts.undo(plan.rehearsal)}" if plan.rehearsal else ", by their down sections; nobody tried them"
    return [f"• {mono(f'/migrate rollback {story.environment.name} last {len(done)}')} takes them back{worth}"]


def _takes(story: Story) -> str:
    seen = story.request.plan and story.request.plan.rehearsal
    return f", in about {seconds(seen.restored)}" if seen else ""


def _proof(story: Story) -> str:
    """The run's own backup was read back; the one that was restored is the rehearsal's, from before."""
    seen = story.request.plan and story.request.plan.rehearsal
    if not seen:
        return "it was read back and is as its manifest says; no restore has proven it"
    when = moment(datetime.fromisoformat(seen.at), "{date_short_pretty} {time}")
    return (
        f"it was read back and is as its manifest says; {mono(seen.backup)}, taken in the same way for the rehearsal, "
        f"was restored and checked {when} in {seconds(seen.restored)}"
    )
