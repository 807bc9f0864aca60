"""What a rehearsal saw, in words: five lines that an approver reads in ten seconds; in the thread each statement."""

from collections.abc import Iterator

from bot.blocks import Block, Body, body, counted, fenced, listed, mono, said, seconds, section, size, spoken
from ledger.rehearsed import Barred, Ran, Rehearsal
from ledger.request import PlanSummary

#: How many locks, tables or phrases one line names, and how many statements the thread.
NAMED = 4
STATEMENTS = 40


def lines(plan: PlanSummary) -> list[str]:
    """The card's lines: works, takes, locks, changes, undo, and what is wrong, each in a line of its own."""
    seen = plan.rehearsal
    if seen is None:
        return [f"⚠️ *Not rehearsed* {spoken(plan.unrehearsed)}"] if plan.unrehearsed else []
    return [
        *_red(seen),
        f"*Rehearsed* on a copy from {mono(seen.backup)}",
        f"✅ *works* {_works(plan, seen)}",
        f"⏱️ *takes* {seconds(seen.seconds)}, {size(seen.wal)} of WAL",
        f"🔒 *locks* {_locks(seen)}",
        f"✏️ *changes* {_changes(seen)}",
        f"{'↩️' if seen.undo == 'lossless' else '⚠️'} *undo* {undo(seen)}",
        *_left(seen),
    ]


def undo(seen: Rehearsal) -> str:
    """What the way back is worth, as a phrase."""
    match seen.undo:
        case "lossless":
            return f"lossless, in {seconds(seen.undone)}"
        case "loses":
            return f"loses {_few([spoken(one) for one in seen.loses])}, in {seconds(seen.undone)}"
        case verdict:
            return f"{verdict}: {spoken(seen.no_way_back or 'there is no way down')}"


def told(plan: PlanSummary) -> Body | None:
    """What stands in the thread under the card: the proof and the way back, then all details as they came."""
    seen = plan.rehearsal
    if seen is None:
        return None
    ran = [_ran(one) for one in seen.statements[:STATEMENTS]]
    more = len(seen.statements) + seen.more - len(ran)
    ran += [f"and {more:,} more"] if more > 0 else []
    restored = f"{size(seen.bytes)} restored and checked in {seconds(seen.restored)}"
    head = f"*Receipt* {mono(seen.receipt[:12])}, which the digest holds · {mono(seen.backup)}, {restored}"
    parts = [
        *_part("Statements", ran),
        *_part("Locks that keep others waiting", [_held(one) for one in seen.locks]),
        *_part("Rows changed", [f"{one.relation}, {counted(one.rows, 'row')}" for one in seen.changes]),
    ]
    return body(f"{head}.", section(f"{head}\n*Undo* {undo(seen)}"), *parts)


def _part(name: str, lines: list[str]) -> list[Block]:
    """A paragraph of its own, so that a long one leaves the others their room."""
    return [section(f"*{name}*\n{fenced(chr(10).join(lines))}")] if lines else []


def _red(seen: Rehearsal) -> Iterator[str]:
    if seen.unnamed:
        which = "and the plan does not name them" if len(seen.unnamed) > 1 else "and the plan does not name it"
        yield f"🔴 *Rows of {_few([mono(one) for one in seen.unnamed])} change, {which}.*"
    if seen.extent != "whole":
        yield "⚠️ *Rehearsed on the schema and a sample of rows alone*: times, locks and rows are not what they will be"


def _works(plan: PlanSummary, seen: Rehearsal) -> str:
    ran = f"{counted(len(seen.statements) + seen.more, 'statement')} in {counted(len(plan.migrations), 'migration')}"
    return f"{ran}; the backup restores, in {seconds(seen.restored)}"


def _locks(seen: Rehearsal) -> str:
    longest = dict[str, Barred]()
    for one in seen.locks:
        if one.relation not in longest or longest[one.relation].seconds < one.seconds:
            longest[one.relation] = one
    held = [_lock(one) for one in sorted(longest.values(), key=lambda one: -one.seconds)]
    if not held:
        return "nothing that bars reads or writes"
    waits = seen.outlook.queries
    about = f"about {waits:,} {'query' if waits == 1 else 'queries'} would wait" if waits else "nobody would wait"
    return f"{_few(held)}; {about}"


def _lock(one: Barred) -> str:
    return f"{mono(one.relation)} {said(one.mode)} for {seconds(one.seconds)}"


def _held(one: Barred) -> str:
    return f"{one.relation} {one.mode} from {seconds(one.at)} on, for {seconds(one.seconds)}"


def _changes(seen: Rehearsal) -> str:
    rows = [f"{mono(one.relation)} {counted(one.rows, 'row')}" for one in seen.changes]
    anew = dict.fromkeys(name for one in seen.statements for name in one.rewrites)
    return _few([*rows, *(f"{mono(name)} written anew" for name in anew)]) or "no rows"


def _left(seen: Rehearsal) -> Iterator[str]:
    yield from (f"⚠️ The index {mono(name)} is left invalid" for name in seen.invalid[:NAMED])
    yield from (f"⚠️ The constraint {mono(name)} is left not validated" for name in seen.unvalidated[:NAMED])
    if seen.outlook.hindrances:
        yield f"⚠️ *in the way now* {_few([spoken(one) for one in seen.outlook.hindrances])}"


def _ran(one: Ran) -> str:
    rows = f", {counted(one.rows, 'row')}" if one.rows is not None else ""
    wal = f", {size(one.wal)} of WAL" if one.wal is not None else ""
    anew = f", writes {', '.join(one.rewrites)} anew" if one.rewrites else ""
    return f"{one.migration}.sql:{one.line} {one.tag}, {seconds(one.seconds)}{rows}{wal}{anew}"


def _few(phrases: list[str]) -> str:
    return ", ".join(listed(phrases, show=NAMED))
