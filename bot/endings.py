"""How a request ended, in words: for the thread, and for the channel where there never was a card."""

from bot import acts
from bot.acts import Words
from bot.blocks import (
    Block,
    Body,
    body,
    context,
    counted,
    listed,
    mention,
    mono,
    row,
    said,
    seconds,
    sections,
    size,
    spoken,
)
from bot.next_steps import buttons, next_words
from bot.story import Story, frozen, frozen_before, grouped, now, thawed
from ledger import events
from ledger.states import State

#: How many migrations a sentence names.
NAMED = 15


def brief(story: Story) -> Body:
    """A request that has ended, in one message: where there never was a card, or where a card was not wanted."""
    lines = ending(story)
    return body("\n".join(lines), *sections(lines), *record(story), *row(*buttons(story)))


def record(story: Story) -> list[Block]:
    """Where the story ended in the ledger's chain, for whoever verifies that later; in the form of a tally."""
    told = story.end
    return [context(f"Record {mono(f'#{story.request.id}.{told.seq} {grouped(told.hash)}')}")] if told else []


def ending(story: Story) -> list[str]:
    """How it ended, as lines that mention the requester; the first names the environment and the request."""
    request = story.request
    who = mention(request.actor.id)
    place = f"*{request.environment}* · {request.act} #{request.id}"
    failed = story.last(events.Failed)
    if request.state is State.APPLIED:
        return [f"✅ {place} · {who} {_success(story)}", *_compared(story), *_drafted(story)]
    if failed is not None:
        return [f"❌ {place} failed · {who}", *_failure(acts.of(request), failed), *_compared(story)]
    interrupted = story.last(events.Interrupted)
    if interrupted is not None:
        left = _left(acts.of(request), interrupted.done, interrupted.left, rest=acts.of(request).left)
        return [f"❌ {place} was interrupted · {who}", spoken(interrupted.why), *left]
    sign, _, words = now(story).partition(" ")
    return [f"{sign} {place} · {who} {words}"]


def _success(story: Story) -> str:
    request = story.request
    certified = story.last(events.Certified)
    if certified is not None:
        note = f" Note: {said(certified.note)}." if certified.note else ""
        return f"certified {counted(len(certified.migrations), 'migration')}.{note} {next_words(story)}"
    applied, backup = story.last(events.Applied), story.last(events.BackedUp)
    alone = _alone(story)
    if alone is not None:
        return f"{alone} {next_words(story)}"
    reverted = story.last(events.Reverted)
    if reverted is not None:
        count = f"{counted(len(reverted.migrations), 'migration')} taken back on {request.environment}"
        return f"{count} in {seconds(reverted.seconds)}.{_kept(backup)} {next_words(story)}"
    count = counted(len(applied.migrations), "migration") if applied else "nothing"
    took = f" in {seconds(applied.seconds)}" if applied else ""
    return f"{count} applied to {request.environment}{took}.{_kept(backup)} {next_words(story)}"


def _alone(story: Story) -> str | None:
    """How an act ended that runs no migration."""
    match story.end.event if story.end else None:
        case events.BackupKept(file=file, holds=holds):
            return f"{story.request.environment} is backed up as {mono(file)}: {spoken(holds)}."
        case events.Restored(backup=backup, kept=kept, seconds=took):
            back = f"{story.request.environment} is {mono(backup)} again, in {seconds(took)}."
            return f"{back} What was written since is in {mono(kept)} alone."
        case events.Discarded(database=database, bytes=count):
            return f"{mono(database)} is gone, {size(count)}."
        case events.Generated(migration=migration, back=back, seconds=took):
            proven = f"proven {'up and down' if back else 'up'} on a scratch database in {seconds(took)}"
            return f"{mono(f'{migration}.sql')} is {proven}. It is the file below; no folder has it yet."
        case events.NothingGenerated(source=source):
            return f"{story.request.environment} already is what {mono(source)} says. Nothing was generated."
        case events.TakenOver(migrations=taken):
            return f"{counted(len(taken), 'file')} written down as applied on {story.request.environment}. Nothing ran."
        case events.Repaired(migrations=accepted):
            count = counted(len(accepted), "edited file")
            return f"{count} let count as it is in the folder, on {story.request.environment}. Nothing ran."
        case events.Frozen() as freeze:
            return _freeze(story, freeze)
        case events.Thawed(freezes=lifted, still=still):
            hold = "holds" if len(lifted) == 1 else "hold"
            over = f"{said(', '.join(lifted))} no longer {hold}"
            left = f"{said(', '.join(still))}, said later, still {'does' if len(still) == 1 else 'do'}"
            name = story.request.environment
            return f"{name} stays frozen: {over}, and {left}." if still else f"{name} is thawed: {over}."
        case _:
            return None


def _freeze(story: Story, freeze: events.Frozen) -> str:
    """What holds, and what held already; once it is over, that."""
    if over := thawed(story):
        return f"{over}."
    before = f" {frozen_before(freeze.already)}." if freeze.already else ""
    now = frozen(freeze.actor_name, freeze.until, freeze.reason)
    return f"❄️ {now}.{before} What runs finishes; nothing else starts."


def _kept(backup: events.BackedUp | None) -> str:
    return f" Backup {mono(backup.file)}." if backup else ""


def _failure(words: Words, failed: events.Failed) -> list[str]:
    """The engine's sentence names file, line, SQLSTATE and what was rolled back; this adds what stays and what now."""
    return [
        spoken(failed.why),
        *_left(words, failed.done, failed.left, rest="Not tried"),
        f"➡️ {spoken(failed.next_step)}",
    ]


def _drafted(story: Story) -> list[str]:
    """What who commits a draft should know of it."""
    drawn = story.last(events.Generated)
    if drawn is None:
        return []
    back = []
    if not drawn.back:
        back = ["⚠️ It has no way down: a rollback will refuse it, and a restore is the way back."]
    elif drawn.reordered:
        tables = ", ".join(map(mono, drawn.reordered))
        back = [f"⚠️ After its way down the columns of {tables} stand in another order."]
    return [*listed([f"⚠️ {spoken(one)}" for one in drawn.hazards], show=NAMED), *back]


def _compared(story: Story) -> list[str]:
    """How the schema agrees with what the same history made elsewhere. That all is as it should be needs no word."""
    compared = story.last(events.Compared)
    if compared is None or compared.state == "same":
        return []
    return [f"⚠️ {spoken(compared.sentence)}", *listed([f"• {spoken(d)}" for d in compared.differences], show=NAMED)]


def _left(words: Words, done: tuple[str, ...], left: tuple[str, ...], *, rest: str) -> list[str]:
    stays = f"{words.done}: {_named(done)}." if done else words.nothing
    return [stays, *([f"{rest}: {_named(left)}."] if left else [])]


def _named(migrations: tuple[str, ...]) -> str:
    return ", ".join(listed([mono(m) for m in migrations], show=NAMED))
