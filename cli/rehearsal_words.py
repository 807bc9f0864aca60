"""A rehearsal in words and as JSON. Pure."""

from collections.abc import Iterator

from cli import plan_words, restore_words
from cli.answer import Answer, Code, Line, Span, Tone, line
from engine import report as steps
from engine import restore
from engine.rehearsal import Progress, Undoing
from engine.rehearsal.forecast import Forecast
from engine.rehearsal.receipt import File, Lock, Ran, Receipt
from engine.report import Step

#: So many of a kind are named on one line.
_NAMED = 4
#: Locks that keep somebody's reads or writes waiting.
_BARS = {"SHARE", "SHARE ROW EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE"}


def step(said: Step | Progress) -> list[Line]:
    """What a rehearsal says while it goes."""
    match said:
        case restore.Loading() | restore.Comparing():
            return restore_words.step(said)
        case Undoing():
            return [line("Trying the way back on the copy …", Tone.QUIET)]
        case steps.MigrationDone(id, position, of, seconds):
            return [line(f"[{position}/{of}] {id}.sql ran on the copy in {seconds:.2f} s", Tone.GOOD)]
        case _:
            return plan_words.step(said)


def rehearsed(receipt: Receipt, forecast: Forecast, planned: Answer) -> Answer:
    """The plan's own answer, and what the rehearsal saw: what an approver reads first, then each statement."""
    lines = (*_short(receipt), *_forecast(forecast), *(told for one in receipt.files for told in _file(one)))
    body = {**planned.body, "receipt": receipt.as_json(), "hash": receipt.hash, "undo": receipt.undo}
    return Answer(Code.DONE, (*planned.lines, *lines), {**body, "forecast": forecast.as_json()})


def _short(receipt: Receipt) -> Iterator[Line]:
    proof, part = receipt.proof, "" if receipt.extent == "whole" else ", schema and a sample of the rows"
    yield line(f"Rehearsed on a copy from {proof.backup}{part}:", Tone.STRONG)
    count = sum(len(one.statements) for one in receipt.files)
    works = f"{plan_words.counted(receipt.files)}, {_many(count, 'statement')}; the backup restores"
    yield _fact("works", works, Tone.GOOD)
    wal = sum(one.wal for file in receipt.files for one in file.statements)
    takes = f"{_seconds(receipt.seconds)}, {_size(wal)} of WAL; a restore {_seconds(proof.seconds)}"
    yield _fact("takes", f"{takes} for {_size(receipt.bytes)}")
    yield _fact("locks", _listed([_lock(one) for one in _barring(receipt)]) or "nothing that bars reads or writes")
    yield _fact("changes", _listed(list(_changes(receipt))) or "no rows")
    yield _fact("undo", _undo(receipt), Tone.GOOD if receipt.undo == "lossless" else Tone.WARN)
    if receipt.unnamed:
        yield _fact("NOTE", f"rows of {', '.join(receipt.unnamed)} change, and the plan does not name them", Tone.BAD)
    for what, names in (("index", receipt.invalid), ("constraint", receipt.unvalidated)):
        word = "invalid" if what == "index" else "not validated"
        yield from (_fact("NOTE", f"the {what} {name} is left {word}", Tone.WARN) for name in names)
    yield line(f"It ran as it would on {receipt.environment}, which was not touched. The copy is gone.", Tone.QUIET)


def _fact(name: str, text: str, tone: Tone = Tone.PLAIN) -> Line:
    return (Span(f"  {name:<8}", Tone.STRONG), Span(text, tone))


def _barring(receipt: Receipt) -> list[Lock]:
    """The longest of each relation, the longest first."""
    longest: dict[str, Lock] = {}
    for one in (one for file in receipt.files for one in file.locks if one.mode in _BARS):
        if one.relation not in longest or longest[one.relation].seconds < one.seconds:
            longest[one.relation] = one
    return sorted(longest.values(), key=lambda one: -one.seconds)


def _lock(one: Lock) -> str:
    return f"{one.relation} {one.mode} for {_seconds(one.seconds)}"


def _changes(receipt: Receipt) -> Iterator[str]:
    touched: dict[str, int] = {}
    for one in (one for file in receipt.files for one in file.changes):
        touched[one.relation] = touched.get(one.relation, 0) + one.touched
    yield from (f"{name} {_many(count, 'row')}" for name, count in touched.items())
    anew = (name for file in receipt.files for one in file.statements for name in one.rewrites)
    yield from (f"{name} written anew" for name in dict.fromkeys(anew))


def _undo(receipt: Receipt) -> str:
    match receipt.undo:
        case "lossless":
            return f"lossless, in {_seconds(receipt.undo_seconds)}"
        case "loses":
            return f"loses {_listed(list(receipt.loses))}, in {_seconds(receipt.undo_seconds)}"
        case verdict:
            (first, *_) = (one for one in receipt.trips if one.verdict == verdict)
            return f"{verdict}: {first.why or f'{first.id}.sql has no way down'}"


def _forecast(said: Forecast) -> Iterator[Line]:
    about = f"about {_many(said.queries, 'query', 'queries')} would wait, {_seconds(said.longest)} at most"
    yield line(f"With the traffic of the last {said.sampled:.0f} s {about}.", Tone.WARN if said.queries else Tone.QUIET)
    for one in said.hindrances:
        age = f" for {one.seconds:.0f} s" if one.seconds is not None else ""
        holds = f", holds {_listed(list(one.holds))}" if one.holds else ""
        yield line(f"  in the way: {one.kind} (pid {one.pid}, role {one.role}{age}{holds})", Tone.WARN)
    for one in said.replicas:
        behind = "does not say how far it is behind" if one.bytes is None else f"is {_size(one.bytes)} behind"
        yield line(f"  the replica {one.name} {behind}", Tone.QUIET)


def _file(one: File) -> Iterator[Line]:
    yield line(f"  {one.id}.sql, {_seconds(one.seconds)}", Tone.QUIET)
    yield from (line(f"    {_ran(each)}", Tone.QUIET) for each in one.statements)


def _ran(one: Ran) -> str:
    rows = f", {_many(one.rows, 'row')}" if one.rows is not None else ""
    anew = f", writes {', '.join(one.rewrites)} anew" if one.rewrites else ""
    return f"line {one.line}: {one.tag}, {_seconds(one.seconds)}{rows}, {_size(one.wal)} of WAL{anew}"


def _listed(phrases: list[str]) -> str:
    more = len(phrases) - _NAMED
    return ", ".join(phrases[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _many(count: int, one: str, more: str = "") -> str:
    return f"1 {one}" if count == 1 else f"{count:,} {more or f'{one}s'}"


def _seconds(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:,.0f} s"


def _size(size: int) -> str:
    return f"{size:,} bytes" if size < 10_000 else f"{size / 1e6:,.1f} MB"
