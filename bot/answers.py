"""The answers to questions, drawn from what the workers wrote: a table for `status`, sentences for the others."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bot import edits, notices, shelf
from bot.blocks import (
    Block,
    Body,
    body,
    button,
    context,
    counted,
    fenced,
    listed,
    moment,
    mono,
    plain,
    row,
    said,
    section,
    sections,
    size,
    spoken,
)
from bot.next_steps import APPLY, SHARE
from bot.story import frozen, none_of
from bot.typed import short
from ledger.records import Inquiry
from ledger.workflow import Workflow

#: What a phone shows of a migration's name beside the columns, and of migrations before older ones are counted.
NAME_WIDTH = 22
ROWS_SHOWN = 20
LINES_SHOWN = 20

CELLS = {
    "applied": ("✓", "applied"),
    "pending": ("-", "pending"),
    "edited": ("!", "edited after it ran"),
    "missing": ("?", "ran, but its file is missing"),
    "late": ("<", "pending behind newer ones"),
    "absent": (" ", "not there"),
    "unknown": ("~", "not known"),
}


def answer(inquiry: Inquiry, workflow: Workflow) -> Body:
    """An answered inquiry as its asker sees it, with a Share button where there is something to share."""
    found = inquiry.body or {}
    shown = _drawn(found, workflow)
    share = button("Share", action=SHARE, value=str(inquiry.id))
    buttons = [] if found.get("question") == "nobody" else [*_offer(found, workflow), share]
    return Body(shown.text, (*shown.blocks, *row(*buttons)))


def shared(inquiry: Inquiry, workflow: Workflow) -> Body:
    """The same answer for the whole channel: who shows it, when it was true, and no buttons."""
    shown = _drawn(inquiry.body or {}, workflow)
    name = inquiry.share.actor_name if inquiry.share else inquiry.actor.name
    when = moment(inquiry.answered_at or inquiry.asked_at, "{date_short_pretty} {time}")
    return Body(
        f"{said(name)} shares: {shown.text}", (*shown.blocks, context(f"{said(name)} shares this, as of {when}"))
    )


def nobody(environments: Sequence[str], *, rung: bool) -> dict[str, Any]:
    """The body of an answer that no worker gave. `rung` tells workers that are not there from ones that cannot hear."""
    return {"question": "nobody", "environments": list(environments), "rung": rung}


def _drawn(found: Mapping[str, Any], workflow: Workflow) -> Body:
    match found.get("question"):
        case "status":
            return status(found, workflow)
        case "validate":
            return validate(found)
        case "plan":
            return plan(found)
        case "backups":
            return shelf.answer(found)
        case "repair":
            return edits.answer(found)
        case _:
            return _nobody(found)


def _nobody(found: Mapping[str, Any]) -> Body:
    names = ", ".join(found.get("environments", ()))
    if found.get("rung", True):
        return plain(f"No worker answers for {names}. Start one: `python -m workers`.")
    return plain(f"Redis does not answer, so no worker heard of it, for {names}. Start Redis, then ask again.")


def _offer(found: Mapping[str, Any], workflow: Workflow) -> list[Block]:
    if found.get("question") == "backups":
        return shelf.offer(found)
    if found.get("question") == "repair":
        return edits.offer(found)
    drawn = found.get("plan")
    if found.get("question") != "plan" or not drawn or not drawn["migrations"]:
        return []
    environment = workflow.environment(found["environment"])
    if environment is None:
        return []
    return [button(f"Apply {environment.name}", action=APPLY, value=environment.name, style="primary")]


def status(found: Mapping[str, Any], workflow: Workflow) -> Body:
    """Migrations × environments in fixed width, then what a person has to know about each environment."""
    environments = found["environments"]
    lines = [line for environment in environments for line in _standing(environment)]
    if len(environments) == 1:
        lines += _pending(environments[0])
    text = "Status: " + "; ".join(_in_words(environment) for environment in environments) + "."
    rows, folder = found["migrations"], _unread(environments)
    if not rows:
        seen = any(environment["state"] == "ok" for environment in environments)
        none = [section("There is no migration yet.")] if seen else []
        return body(text, *folder, *none, *sections(lines))
    table = section(fenced("\n".join(_table(rows, environments, workflow))))
    return body(text, *folder, table, *sections(lines))


def _unread(environments: Sequence[Mapping[str, Any]]) -> list[Block]:
    """What is wrong with the migrations folders, each worker's its own, and what that leaves unknown."""
    of = dict[str, list[str]]()
    for one in environments:
        if one["state"] == "unread":
            of.setdefault(one["why"], []).append(f"*{one['name']}*")
    troubles = [f"⚠️ {', '.join(names)}: {spoken(why)}" for why, names in of.items()]
    return sections([*troubles, _UNKNOWN]) if troubles else []


_UNKNOWN = (
    "Until then nothing is planned or applied there, and what is pending, edited or missing is not known. "
    "What the histories hold:"
)


def _table(rows: Sequence[Any], environments: Sequence[Any], workflow: Workflow) -> list[str]:
    heads = [_head(environment["name"], workflow) for environment in environments]
    shown = rows[-ROWS_SHOWN:]
    width = min(NAME_WIDTH, max(len(_name(r["id"])) for r in shown))
    lines = [" " * width + "".join(f" {head:>4}" for head in heads)]
    if len(rows) > len(shown):
        lines.append(f"{len(rows) - len(shown)} older ones not shown")
    for r in shown:
        name = _name(r["id"])
        name = name if len(name) <= width else name[: width - 1] + "…"
        lines.append(name.ljust(width) + "".join(f" {CELLS[cell][0]:>4}" for cell in r["cells"]))
    used = {cell for r in shown for cell in r["cells"]} - {"absent"}
    return [*lines, "", *(f"{sign} {words}" for kind, (sign, words) in CELLS.items() if kind in used)]


def _head(name: str, workflow: Workflow) -> str:
    environment = workflow.environment(name)
    return (short(environment) if environment else name)[:4]


def _name(migration: str) -> str:
    return migration.partition("_")[2] or migration


def _in_words(environment: Mapping[str, Any]) -> str:
    if environment["state"] not in _LOOKED_AT:
        return f"{environment['name']} {environment['state']}"
    return f"{environment['name']} {_counts(environment)}"


def _counts(environment: Mapping[str, Any]) -> str:
    pending = environment["pending"]
    waits = "what is pending is not known" if pending is None else f"{len(pending)} pending"
    return f"{environment['applied']} applied, {waits}"


#: Where a history was seen; the folder was not where it is "unread".
_LOOKED_AT = ("ok", "unread")


def _standing(environment: Mapping[str, Any]) -> list[str]:
    sign = "🔒 " if environment["protected"] else ""
    frost = _frost(environment)
    if environment["state"] not in _LOOKED_AT:
        why = f": {spoken(environment['why'])}" if environment["why"] else ""
        return [f"{sign}*{environment['name']}* ⚠️ {environment['state']}{why}", *frost]
    last = environment["last"]
    by = f" by {said(last['by'])}" if last and last["by"] else ""
    at = f" {_when(last['at'])}" if last and last["at"] else ""
    newest = f"; last {mono(last['migration'])}{at}{by}" if last else ""
    problems = [*_drift(environment), *(f"⚠️ {spoken(problem)}" for problem in environment["problems"] or ())]
    changed = [_what_changed(environment["name"])] if environment.get("edited") else []
    explained = [*frost, *_deed(environment), *listed(problems, show=LINES_SHOWN), *changed]
    return [f"{sign}*{environment['name']}* {_counts(environment)}{newest}", *explained]


def _what_changed(name: str) -> str:
    return f"`/migrate repair {name}` shows what changed."


def _deed(environment: Mapping[str, Any]) -> list[str]:
    """Why the history is as it is, where no apply made it so."""
    done = environment.get("deed")
    if done is None:
        return []
    if done["request"]:
        who = f"↩️ done by {said(done['request'])} of {said(done['by'])}"
    else:
        who = f"🖥️ done at the terminal by {notices.who(done['by'])}"
    return [f"{who} {_when(done['at'])}: {notices.deed(done['act'], done['what'])}"]


def _frost(environment: Mapping[str, Any]) -> list[str]:
    freeze = environment.get("frozen")
    return [f"❄️ {frozen(freeze['by'], freeze['until'], freeze['reason'])}"] if freeze else []


def _drift(environment: Mapping[str, Any]) -> list[str]:
    drift = environment.get("drift")
    if drift is None or drift["state"] != "drifted":
        return []
    differ = "1 object differs" if drift["differences"] == 1 else f"{drift['differences']} objects differ"
    return [f"⚠️ Its schema is not what its history makes: {differ}. `/migrate validate` names which."]


def _pending(environment: Mapping[str, Any]) -> list[str]:
    """Whoever asks for one environment wants to know what is to come, by its whole name."""
    return listed([f"Pending: {mono(migration)}" for migration in environment["pending"] or ()], show=LINES_SHOWN)


def _when(iso: str) -> str:
    at = datetime.fromisoformat(iso)
    # schema_migrations keeps its times in UTC without saying so.
    return moment(at if at.tzinfo else at.replace(tzinfo=UTC), "{date_short_pretty} {time}")


def validate(found: Mapping[str, Any]) -> Body:
    """Whether the environments agree, what differs, and what may go where next."""
    unseen = [e for e in found["environments"] if e["state"] != "ok"]
    lines = [_verdict(found, unseen)]
    lines += [f"• *{e['name']}* {e['state']}" + (f": {spoken(e['why'])}" if e["why"] else "") for e in unseen]
    lines += listed([f"• {spoken(finding['sentence'])}" for finding in found["findings"]], show=LINES_SHOWN)
    edited = dict.fromkeys(one["environment"] for one in found["findings"] if one["kind"] == "edited")
    lines += map(_what_changed, edited)
    lines += [f"• {spoken(note)}" for note in found.get("notes", ())]
    lines += [_ready(ready) for ready in found["ready"]]
    return body("\n".join(lines), *sections(lines))


def _verdict(found: Mapping[str, Any], unseen: Sequence[Any]) -> str:
    if any(one["kind"] != "refused" for one in found["findings"]):
        return "⚠️ The environments do not agree."
    if unseen:
        return "⚠️ Not every environment could be compared."
    if found["findings"]:
        return "⚠️ The environments agree, but what is pending would not run."
    return "✅ The environments are consistent."


def _ready(ready: Mapping[str, Any]) -> str:
    names = ", ".join(listed([mono(m) for m in ready["migrations"]], show=LINES_SHOWN))
    way = f"{ready['from']} → {ready['to']}" if ready["from"] else ready["to"]
    wanting = " (not certified yet)" if ready["certified"] is False else ""
    return f"➡️ Ready for {way}{wanting}: {names}"


def plan(found: Mapping[str, Any]) -> Body:
    """What an apply would run there, or why it would be refused."""
    name = found["environment"]
    drawn = found["plan"]
    if drawn is None:
        text = f"🚫 Nothing can be applied to {name}: {spoken(found['refusal'])}"
        return body(text, section(text))
    count = counted(len(drawn["migrations"]), "migration")
    lines = [f"*{name}* · an apply would run {count}", *_planned(drawn["migrations"])]
    lines += listed([f"Stays pending: {spoken(h['why'])}" for h in drawn["held"]], show=LINES_SHOWN)
    if not any(migration["hazards"] for migration in drawn["migrations"]):
        lines.append(f"Hazards: {none_of(tuple(drawn['looked_for']))}")
    lines += [f"📝 {spoken(note)}" for note in drawn.get("notes", ())]
    holds = f", {size(drawn['database_bytes'])}" if drawn["database_bytes"] is not None else ""
    small = f"database {mono(drawn['database'])}{holds} · backup into {mono(drawn['backup_folder'])} · nothing has run"
    return body(f"An apply to {name} would run {count}. Nothing has run.", *sections(lines), context(small))


def _planned(migrations: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = []
    for migration in migrations:
        impact = f" · *impact* {said(migration['impact'])}" if migration.get("impact") else ""
        lines.append(f"• {mono(migration['id'])} · {counted(migration['lines'], 'line')}{impact}")
        lines += [f"⚠️ line {h['line']}, {said(h['name'])}: {spoken(h['sentence'])}" for h in migration["hazards"]]
    return listed(lines, show=2 * LINES_SHOWN)
