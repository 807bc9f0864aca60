"""The answer to `backups`: what stands in the folder, newest first, and what restores kept beside the database."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.blocks import Block, Body, body, button, counted, moment, mono, said, sections, size, spoken
from bot.next_steps import RESTORE


def answer(found: Mapping[str, Any]) -> Body:
    """One line for each, and whether it is to be trusted."""
    name, there = found["environment"], found["backups"]
    wrong = sum(1 for one in there if one["problem"])
    head = f"{len(there) + found['more']} backups of {name}, newest first." if there else f"{name} has no backup."
    doubt = f" {wrong} of them not to be trusted." if wrong else ""
    more = [f"and {found['more']} more"] if found["more"] else []
    lines = [head + doubt, *(_line(one) for one in there), *more, *_kept(found)]
    return body("\n".join(lines), *sections(lines))


def offer(found: Mapping[str, Any]) -> list[Block]:
    """A way back to the newest that can be trusted."""
    good = next((one["file"] for one in found["backups"] if one["problem"] is None), None)
    return [button("Restore the newest", action=RESTORE, value=f"{found['environment']} {good}")] if good else []


def _line(one: Mapping[str, Any]) -> str:
    if one["problem"]:
        return f"⚠️ {spoken(one['problem'])}"
    sign = "✅" if one["verified"] else "•"
    upto = f"history up to {said(one['head'])}" if one["head"] else "no migration yet"
    holds = f"{counted(one['rows'], 'row')} in {counted(one['tables'], 'table')}, {upto}"
    unread = "" if one["verified"] else ", by its manifest; not read now, being large"
    when = moment(datetime.fromisoformat(one["at"]), "{date_short_pretty} {time}")
    return f"{sign} {mono(one['file'])} · {when} · {size(one['bytes'])} · {holds}{unread}"


def _kept(found: Mapping[str, Any]) -> list[str]:
    if found["kept"] is None:
        return ["The server did not say what restores kept."]
    return [f"Kept by a restore: {mono(one['database'])}, {size(one['bytes'])}" for one in found["kept"]]
