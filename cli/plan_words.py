"""A plan, and the run of one, in words and as JSON. Pure."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cli.answer import Answer, Code, Line, Span, Tone, line, sentence
from engine import notes, sections
from engine import report as steps
from engine.agreement import Agreement
from engine.plan import Plan, Planned
from engine.refusals import PlanRefused, UpToDate
from engine.report import Report, Step


def plan(drawn: Plan, *, backups: Path) -> Answer:
    """What an apply would run; nothing has run."""
    body = {"question": "plan", "environment": drawn.environment, "plan": _summary(drawn, backups), "refusal": None}
    return Answer(
        Code.DONE,
        (
            line(f"An apply to {drawn.environment} would run {counted(drawn.migrations)}:", Tone.STRONG),
            *(told for one in drawn.migrations for told in _planned(one)),
            *(line(f"  stays pending: {held.why}", Tone.WARN) for held in drawn.held),
            *(line(f"  note: {note}", Tone.QUIET) for note in notes.of(drawn)),
            line(
                f"Database {drawn.database} on PostgreSQL {drawn.server}; digest {_grouped(drawn.digest)}.", Tone.QUIET
            ),
            line(f"A backup comes first, into {backups}. Nothing has run.", Tone.QUIET),
            *_next(drawn),
        ),
        body,
    )


def _grouped(digest: str) -> str:
    """The beginning of a digest as a card in Slack shows it, so that the two can be compared."""
    return "·".join(digest[i : i + 4] for i in (0, 4, 8))


def _next(drawn: Plan) -> list[Line]:
    if not drawn.protected:
        return [line(f"Run it: twokey apply {drawn.environment}")]
    certified = "Only what is certified passes; that stands in the ledger, which a terminal does not see."
    return [line(certified, Tone.WARN), line(f"Ask in Slack: /migrate apply {drawn.environment}")]


_ALONE = "runs statement by statement, without lock_timeout; when one fails, those before it stay"


def _planned(one: Planned) -> list[Line]:
    lines = "1 line" if one.lines == 1 else f"{one.lines} lines"
    told = (Span(f"  {one.id}.sql"), Span(f"  {lines}, sha256 {one.checksum[:12]}", Tone.QUIET))
    alone = [] if sections.cut(one.text).up.together else [line(f"    {_ALONE}", Tone.WARN)]
    said = notes.impact(one.text)
    impact = [line(f"    impact: {said}", Tone.STRONG)] if said else []
    return [
        told,
        *impact,
        *alone,
        *(line(f"    line {h.line}, {h.name}: {h.sentence}", Tone.WARN) for h in one.hazards),
    ]


def _summary(drawn: Plan, backups: Path) -> dict[str, Any]:
    """The plan as JSON without its texts."""
    said = drawn.as_json()
    said["migrations"] = [
        {**{key: part for key, part in one.items() if key != "text"}, "impact": notes.impact(one["text"])}
        for one in said["migrations"]
    ]
    return {**said, "notes": list(notes.of(drawn)), "backup_folder": str(backups)}


def counted(migrations: Sequence[object]) -> str:
    """So many migrations."""
    return "1 migration" if len(migrations) == 1 else f"{len(migrations)} migrations"


def refused(environment: str, why: PlanRefused) -> Answer:
    """No plan can be drawn, and what to do about it. Having everything is no failure."""
    code, tone = (Code.DONE, Tone.GOOD) if isinstance(why, UpToDate) else (Code.REFUSED, Tone.BAD)
    body = {"question": "plan", "environment": environment, "plan": None, "refusal": sentence(why)}
    return Answer(code, (line(sentence(why), tone),), body)


def nothing(environment: str, why: UpToDate) -> Answer:
    """An apply found everything there already; for a script that is as good as done."""
    return Answer(
        Code.DONE, (line(str(why), Tone.GOOD),), {"environment": environment, "outcome": "nothing", "done": []}
    )


def step(said: Step) -> list[Line]:
    """What a run says while it goes."""
    match said:
        case steps.Waiting(holder):
            return [line(f"Waiting: {holder} holds the lock. Ctrl-C gives up.", Tone.WARN)]
        case steps.BackupStarted():
            return [line("Backing up …", Tone.QUIET)]
        case steps.BackupTaken(receipt):
            size = f"{receipt.bytes:,} bytes in {receipt.seconds:.1f} s"
            return [line(f"Backed up to {receipt.path} ({size}, read back).")]
        case steps.MigrationStarted(id, position, of):
            return [line(f"[{position}/{of}] {id}.sql …", Tone.QUIET)]
        case steps.Reverted(id, position, of, seconds):
            return [line(f"[{position}/{of}] {id}.sql taken back in {seconds:.2f} s", Tone.GOOD)]
        case steps.Blocked(id, by):
            return [line(f"{id}.sql waits for a lock. In its way: {', '.join(map(str, by))}.", Tone.WARN)]
        case steps.TriedAgain(id, number, of, seconds):
            told = f"{id}.sql gave way and was rolled back; try {number} of {of} in {seconds:.1f} s."
            return [line(told, Tone.WARN)]
        case steps.StatementRan(id, number, of):
            return [line(f"{id}.sql: statement {number} of {of} ran and stays")]
        case steps.MigrationDone(id, position, of, seconds):
            return [line(f"[{position}/{of}] {id}.sql applied in {seconds:.2f} s", Tone.GOOD)]


def report(drawn: Plan, ended: Report, agreed: Agreement | None = None) -> Answer:
    """How a run ended: what is in, what was rolled back, what was not tried."""
    body = {
        "environment": drawn.environment,
        "outcome": "failed" if ended.failure else "applied",
        "done": [{"id": one.id, "seconds": one.seconds} for one in ended.done],
        "left": list(ended.left),
        "held": [{"id": held.id, "why": held.why} for held in drawn.held],
        "backup": _receipt(ended),
        "failure": _failure(ended),
        "seconds": ended.seconds,
        "schema": agreed and agreed.as_json(),
    }
    code = Code.REFUSED if ended.failure else Code.DONE
    return Answer(code, (*_end(drawn, ended), *_agreed(agreed)), body)


def _agreed(agreed: Agreement | None) -> list[Line]:
    """How the schema compares with what the same history made elsewhere. A difference takes nothing back."""
    if agreed is None or agreed.state == "same":
        return [line(agreed.sentence, Tone.QUIET)] if agreed else []
    return [line(agreed.sentence, Tone.WARN), *(line(f"  {one.sentence}", Tone.WARN) for one in agreed.differences)]


def reverted(environment: str, ended: Report, agreed: Agreement | None = None) -> Answer:
    """How a way back ended: what was taken back, and why it stopped if it did."""
    body = {
        "environment": environment,
        "outcome": "failed" if ended.failure else "reverted",
        "done": [{"id": one.id, "seconds": one.seconds} for one in ended.done],
        "left": list(ended.left),
        "backup": _receipt(ended),
        "failure": _failure(ended),
        "seconds": ended.seconds,
        "schema": agreed and agreed.as_json(),
    }
    back = f"{environment}: {counted(ended.done)} taken back in {ended.seconds:.1f} s."
    if ended.failure is None:
        return Answer(Code.DONE, (line(back, Tone.GOOD), *_agreed(agreed)), body)
    left = [line("Not tried: " + ", ".join(ended.left))] if ended.left else []
    said = (line(ended.failure.sentence, Tone.BAD), line(back), *left, line(ended.failure.next_step), *_agreed(agreed))
    return Answer(Code.REFUSED, said, body)


def _end(drawn: Plan, ended: Report) -> tuple[Line, ...]:
    if ended.failure is None:
        done = f"{drawn.environment}: {counted(ended.done)} applied in {ended.seconds:.1f} s."
        return (line(done, Tone.GOOD), *(line(f"Stays pending: {held.why}", Tone.WARN) for held in drawn.held))
    stays = f"{counted(ended.done)} before it committed and stayed: " + ", ".join(one.id for one in ended.done)
    left = "Not tried: " + ", ".join(ended.left)
    return (
        line(ended.failure.sentence, Tone.BAD),
        *([line(stays)] if ended.done else []),
        *([line(left)] if ended.left else []),
        line(ended.failure.next_step),
    )


def _receipt(ended: Report) -> dict[str, Any] | None:
    receipt = ended.receipt
    return receipt and {"path": receipt.path, "bytes": receipt.bytes, "sha256": receipt.sha256}


def _failure(ended: Report) -> dict[str, Any] | None:
    failure = ended.failure
    parts = ("migration", "line", "sqlstate", "message", "sentence", "next_step")
    return failure and {part: getattr(failure, part) for part in parts}
