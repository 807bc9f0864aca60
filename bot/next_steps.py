"""What usually comes next: as buttons under a message, and as words for whoever reads it without them."""

from bot.blocks import Block, button, mono
from bot.story import Story, brought, thawed
from bot.typed import short
from ledger import events
from ledger.request import Act
from ledger.states import State

#: The names under which Slack gives a press back. A button's value is a number or a name, looked up again.
CERTIFY, PLAN, APPLY = "twokey_certify", "twokey_plan", "twokey_apply"
CANCEL, SHARE, ROLLBACK, UNDO = "twokey_cancel", "twokey_share", "twokey_rollback", "twokey_undo"
BACKUP, RESTORE, DISCARD, THAW = "twokey_backup", "twokey_restore", "twokey_discard", "twokey_thaw"
BASELINE, REPAIR, GENERATE = "twokey_baseline", "twokey_repair", "twokey_generate"
#: The buttons that say what an emoji says, and whether they say it or take it back.
APPROVE, REJECT, TAKE_BACK = "twokey_approve", "twokey_reject", "twokey_take_back"
KEYS = (APPROVE, REJECT, TAKE_BACK)
#: What may be pressed twice and mean it twice.
QUESTIONS = (PLAN, SHARE, CANCEL)
#: These are commands, and the value is what follows the word.
SPOKEN = (PLAN, APPLY, CANCEL, ROLLBACK, BACKUP, RESTORE, DISCARD, THAW, BASELINE, REPAIR, GENERATE)
#: After these something else may be pending than before.
UPSET = {Act.ROLLBACK, Act.RESTORE, Act.BASELINE, Act.REPAIR}
#: These are asked for again in the words in which they were.
AGAIN = {Act.BACKUP, Act.RESTORE, Act.DISCARD, Act.THAW, Act.BASELINE, Act.REPAIR, Act.GENERATE}


#: What a draft is good for.
COMMIT_IT = "Put it into the migrations folder under its name, read it and commit it; then it travels like any other."


def buttons(story: Story) -> list[Block]:
    """While it can still be stopped, Cancel; at the end, the next step."""
    request = story.request
    if not story.over:
        cancellable = request.state in {State.ASKED, State.PLANNED, State.APPROVED}
        cancel = button("Cancel", action=CANCEL, value=str(request.id))
        return [*_keys(story), cancel] if cancellable and story.two_keys else []
    following = next_step(story)
    return [*([following] if following else []), *_undo(story)]


def _keys(story: Story) -> list[Block]:
    """The second key as buttons, for those who cannot see the emoji; where twokey.toml wants them."""
    request, number = story.request, str(story.request.id)
    if not story.workflow.approve_button or request.state is State.ASKED:
        return []
    taken = button("Take back", action=TAKE_BACK, value=number)
    turned = request.state is State.APPROVED
    key = taken if turned else button("Approve", action=APPROVE, value=number, style="primary")
    return [key, button("Reject", action=REJECT, value=number, style="danger")]


def next_step(story: Story) -> Block | None:
    """The button for what usually comes next, or None at the end of the road."""
    request, after = story.request, story.workflow.after(story.environment)
    if request.state is not State.APPLIED:
        denied = story.last(events.Denied)
        return _ask_again(story) if denied is None or denied.again else None
    if request.act in UPSET:
        return button(f"Plan {request.environment}", action=PLAN, value=request.environment)
    if (kept := story.last(events.BackupKept)) is not None:
        return button("Restore", action=RESTORE, value=f"{request.environment} {kept.file}")
    if request.act is Act.FREEZE:
        return None if thawed(story) else button(f"Thaw {request.environment}", action=THAW, value=request.environment)
    if request.act in {Act.BACKUP, Act.DISCARD, Act.THAW}:
        return None
    if after is None or request.act is Act.GENERATE:
        return None
    if request.act is Act.CERTIFY:
        ask = button(f"Ask for {after.name}", action=APPLY, value=after.name, style="primary")
        return None if _is_followed(story) else ask
    if after.protected:
        return button(f"Certify {request.environment}", action=CERTIFY, value=str(request.id), style="primary")
    return button(f"Plan {after.name}", action=PLAN, value=after.name, style="primary")


def _ask_again(story: Story) -> Block:
    request = story.request
    if request.act is Act.CERTIFY:
        return button("Ask again", action=CERTIFY, value=str(request.id))
    if request.act in AGAIN:
        return button("Ask again", action=f"twokey_{request.act}", value=" ".join(request.following))
    if request.act is Act.ROLLBACK:
        return button("Ask again", action=ROLLBACK, value=" ".join((request.environment, *_what_is_left(story))))
    return button("Ask again", action=APPLY, value=request.environment)


def _what_is_left(story: Story) -> tuple[str, ...]:
    """How far back a rollback still has to go: what it did is not to be counted again."""
    request, done = story.request, len(brought(story.told))
    if request.plan is None or not done or request.about[:1] == ("to",):
        return request.about
    return ("last", str(len(request.plan.migrations) - done))


def _undo(story: Story) -> list[Block]:
    """The way back from an apply that left something there, whether it came to its end or not."""
    if story.request.act is not Act.APPLY or not brought(story.told):
        return []
    return [button("Roll back", action=UNDO, value=str(story.request.id))]


def next_words(story: Story) -> str:
    """The next step as words to type, for whoever reads a message without its buttons."""
    after = story.workflow.after(story.environment)
    if story.request.act in {Act.BACKUP, Act.DISCARD}:
        return f"`/migrate backups {short(story.environment)}` lists what there is."
    if story.request.act is Act.GENERATE:
        return f"`/migrate status {short(story.environment)}` shows what is there." if _is_level(story) else COMMIT_IT
    if story.request.act is Act.FREEZE and thawed(story):
        return f"`/migrate status {short(story.environment)}` shows whether anything else freezes it."
    if story.request.act is Act.FREEZE:
        return f"`/migrate thaw {short(story.environment)}` ends that."
    if story.request.act is Act.THAW:
        lifted = story.last(events.Thawed)
        again = lifted is not None and lifted.still
        ends = f"`/migrate thaw {short(story.environment)}` ends that."
        return ends if again else "What waits there can be approved again."
    if (swapped := story.last(events.Restored)) is not None:
        discard = mono(f"/migrate discard {short(story.environment)} {swapped.kept}")
        return f"When nothing of it is needed: {discard}."
    if story.request.act is Act.BASELINE:
        return "`/migrate validate` names what its schema lacks beside the environment before."
    if story.request.act in UPSET:
        return f"`/migrate status {short(story.environment)}` shows what is there now."
    if after is None:
        return "`/migrate validate` compares the environments."
    if story.request.act is Act.CERTIFY:
        return (
            f"{after.name} has all of that already."
            if _is_followed(story)
            else f"Next: `/migrate apply {short(after)}`."
        )
    if after.protected:
        return f"Next: test it, then `/migrate certify {short(story.environment)}`."
    return f"Next: `/migrate plan {short(after)}`."


def _is_level(story: Story) -> bool:
    return story.last(events.NothingGenerated) is not None


def _is_followed(story: Story) -> bool:
    """Whether the next environment had all that was certified."""
    certified = story.last(events.Certified)
    return certified is not None and certified.followed
