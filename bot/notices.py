"""What was done at a terminal, in words: whatever it was called there, nothing in it can forge a mark or a mention."""

from collections.abc import Sequence

from bot.blocks import Body, body, counted, listed, moment, mono, said, section
from ledger.records import Notice

#: How many names a notice shows.
NAMED = 15


def notice(told: Notice) -> Body:
    """One notice for the environment's channel: who did what, when, and with how many files."""
    newest = told.deeds[-1]
    name, when = said(told.environment), f" {moment(newest.at, '{date_short_pretty} {time}')}"
    return body(f"{name} · {_sentence(told, when='')}.", section(f"🖥️ *{name}* · {_sentence(told, when=when)}."))


def line(told: Notice) -> str:
    """The same for a list of what happened."""
    when = f" {moment(told.deeds[-1].at, '{date_short_pretty} {time}')}"
    return f"🖥️ {said(told.environment)} · {_sentence(told, when=when)}"


def _sentence(told: Notice, *, when: str) -> str:
    newest = told.deeds[-1]
    if told.earlier and len(told.deeds) > 1:
        count = f"{len(told.deeds)} things were done at the terminal before Twokey first looked here"
        return f"{count}, the last of them by {who(newest.by)}{when}"
    what = [part for one in told.deeds for part in one.what]
    return f"done at the terminal by {who(newest.by)}{when}: {deed(newest.act, what)}"


def who(by: str) -> str:
    """Whose name stands on record. Where it was done is said anyway."""
    return said(by.removesuffix(" (terminal)"))


def deed(done: str, what: Sequence[str]) -> str:
    """What was done in one run, as the tail of a sentence. `done` is the command's word."""
    count, names = len(what), ", ".join(listed([mono(part) for part in what], show=NAMED))
    match done:
        case "apply":
            return f"applied {counted(count, 'migration')}: {names}"
        case "rollback":
            return f"took {counted(count, 'migration')} back: {names}"
        case "baseline":
            return f"wrote {counted(count, 'file')} down as applied, and ran nothing: {names}"
        case "repair":
            return f"let {counted(count, 'edited file')} count as it is now, and ran nothing: {names}"
        case "restore":
            kept = f"; what was there is kept as {mono(what[1])}" if count > 1 else ""
            return f"restored the backup {mono(what[0])}{kept}" if what else "restored a backup"
        case "discard":
            return f"dropped what a restore had kept: {names}"
        case act:
            return f"{said(act)}: {names}"
