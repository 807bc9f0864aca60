"""The answer to `repair`: which files changed after they were applied, how, and what can be done about it."""

from collections.abc import Mapping
from typing import Any

from bot.blocks import Block, Body, body, button, counted, fenced, mono, plain, said, section, spoken
from bot.grammar import MOST_FILES
from bot.next_steps import REPAIR

#: What to do about an edited file; the second only where the database is not as the file ran.
WAYS_OUT = (
    "Restore each file as it ran, or put the change in a new migration. "
    "Only if the database is already as a file says now, let that one count."
)


def answer(found: Mapping[str, Any]) -> Body:
    """Each file with what changed in it."""
    name, there = found["environment"], found["edited"]
    if found["refusal"]:
        return plain(f"🚫 What changed on {name} is not known: {spoken(found['refusal'])}")
    if not there:
        return plain(f"No file changed after {name} applied it. There is nothing to repair.")
    head = f"{counted(len(there) + found['more'], 'file')} changed after {name} applied what was there then."
    more = [section(f"and {counted(found['more'], 'file')} more")] if found["more"] else []
    shown = [block for one in there for block in _changed(one)]
    return body(f"{head} {WAYS_OUT}", section(head), *shown, *more, section(WAYS_OUT))


def offer(found: Mapping[str, Any]) -> list[Block]:
    """To let count what is shown, and nothing besides."""
    ids = [one["id"] for one in found["edited"]]
    if not ids or len(ids) > MOST_FILES or found["more"]:
        return []
    label = "Let it count" if len(ids) == 1 else f"Let these {len(ids)} count"
    return [button(label, action=REPAIR, value=" ".join((found["environment"], *ids)))]


def _changed(one: Mapping[str, Any]) -> list[Block]:
    lines = [*one["diff"], *([f"and {counted(one['more'], 'line')} more"] if one["more"] else [])]
    head = section(f"{mono(one['id'])} · {said(one['measure'])}")
    return [head, section(fenced("\n".join(lines)))] if lines else [head]
