"""The answers to `status` and `validate` in words. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from cli.answer import Line, Span, Tone, line

#: How a cell of the status table looks, and what it says.
TONES = {
    "applied": Tone.GOOD,
    "pending": Tone.WARN,
    "edited": Tone.BAD,
    "missing": Tone.BAD,
    "late": Tone.BAD,
    "absent": Tone.QUIET,
    "unknown": Tone.QUIET,
}

_NONE = "There is no migration yet. What one looks like: twokey --help"
_UNREAD = (
    "Until then nothing is planned, applied or taken back, and what is pending, edited or missing is not known. "
    "What the histories hold:"
)
_WHAT_CHANGED = "See what changed: twokey repair"


def status(body: Mapping[str, Any]) -> tuple[Line, ...]:
    """The answer to `status`: migrations × environments, then each environment in a line."""
    environments, rows = body["environments"], body["migrations"]
    seen = any(one["state"] == "ok" for one in environments)
    none = [line(_NONE), line()] if seen else []
    table = [*_table(rows, [one["name"] for one in environments]), line()] if rows else none
    return (*_folder(body["folder"]), *table, *(told for one in environments for told in _in_short(one)))


def _folder(troubles: Sequence[str]) -> list[Line]:
    """What is wrong with the migrations folder, and what that leaves unknown."""
    if not troubles:
        return []
    return [*(line(one, Tone.BAD) for one in troubles), line(_UNREAD), line()]


def _table(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[Line]:
    first = max(len("migration"), *(len(row["id"]) for row in rows))
    widths = [max(len(name), *(len(row["cells"][place]) for row in rows)) for place, name in enumerate(names)]
    head = "  ".join(
        ["migration".ljust(first), *(name.ljust(width) for name, width in zip(names, widths, strict=True))]
    )
    return [line(head, Tone.STRONG), *(_row(row, first, widths) for row in rows)]


def _row(row: Mapping[str, Any], first: int, widths: Sequence[int]) -> Line:
    cells = (Span("  " + cell.ljust(width), TONES[cell]) for cell, width in zip(row["cells"], widths, strict=True))
    return (Span(row["id"].ljust(first)), *cells)


def _in_short(one: Mapping[str, Any]) -> list[Line]:
    name = Span(one["name"] + (" (protected)" if one["protected"] else ""), Tone.STRONG)
    if one["state"] not in ("ok", "unread"):
        return [(name, Span(f": {one['state']}. {one['why']}", Tone.BAD))]
    last, pending = one["last"], one["pending"]
    newest = f"; last {last['migration']}{_when(last['at'])}{_by(last['by'])}" if last else ""
    waits = "" if pending is None else f", {len(pending)} pending"
    told = (name, Span(f": {one['applied']} applied{waits}{newest}"))
    problems = [line(f"  ! {problem}", Tone.BAD) for problem in one["problems"] or ()]
    changed = [line(f"    {_WHAT_CHANGED} {one['name']}", Tone.BAD)] if one["edited"] else []
    return [told, *_deed(one["deed"]), *problems, *changed, *_drift(one["drift"])]


def _deed(deed: Mapping[str, Any] | None) -> list[Line]:
    """Why the history is as it is, where no apply made it so."""
    if deed is None:
        return []
    who = f"{deed['request']} of {deed['by']}" if deed["request"] else deed["by"]
    return [line(f"  {deed['act']} of {', '.join(deed['what'])}{_when(deed['at'])}{_by(who)}", Tone.QUIET)]


def _drift(drift: Mapping[str, Any] | None) -> list[Line]:
    if drift is None or drift["state"] != "drifted":
        return []
    counted = "1 object differs" if drift["differences"] == 1 else f"{drift['differences']} objects differ"
    return [line(f"  ! its schema is not what its history makes: {counted}. Which: twokey validate", Tone.BAD)]


def _when(iso: str | None) -> str:
    return f", {datetime.fromisoformat(iso):%Y-%m-%d %H:%M} UTC" if iso else ""


def _by(name: str | None) -> str:
    return f" by {name}" if name else ""


def validate(body: Mapping[str, Any]) -> tuple[Line, ...]:
    """The answer to `validate`."""
    unseen = [one for one in body["environments"] if one["state"] != "ok"]
    return (
        _verdict(body, unseen),
        *(line(f"  {one['name']} {one['state']}: {one['why']}", Tone.BAD) for one in unseen),
        *(line(f"  {finding['kind'].replace('_', ' ')}: {finding['sentence']}") for finding in body["findings"]),
        *(line(f"    {_WHAT_CHANGED} {name}") for name in _edited(body)),
        *(line(f"  {note}", Tone.WARN) for note in body["notes"]),
        *(_ready(ready) for ready in body["ready"]),
    )


def _edited(body: Mapping[str, Any]) -> list[str]:
    """The environments with a file that changed after it ran there."""
    return list(dict.fromkeys(one["environment"] for one in body["findings"] if one["kind"] == "edited"))


def _verdict(body: Mapping[str, Any], unseen: Sequence[Mapping[str, Any]]) -> Line:
    if any(one["kind"] != "refused" for one in body["findings"]):
        return line("The environments do not agree.", Tone.BAD)
    if unseen:
        return line("Not every environment could be compared.", Tone.WARN)
    if body["findings"]:
        return line("The environments agree, but what is pending would not run.", Tone.BAD)
    return line("The environments are consistent.", Tone.GOOD)


def _ready(ready: Mapping[str, Any]) -> Line:
    way = f"{ready['from']} → {ready['to']}" if ready["from"] else ready["to"]
    return line(f"  ready for {way}: {', '.join(ready['migrations'])}")
