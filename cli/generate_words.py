"""What `generate` says, in words and as JSON. Pure."""

from dataclasses import asdict
from pathlib import Path

from cli.answer import Answer, Code, Line, Tone, line
from engine import generate as steps
from engine.generate import Draft, Progress, naming


def step(said: Progress) -> list[Line]:
    """What it says while it goes."""
    match said:
        case steps.Reading(what):
            return [line(f"Reading {what} …", Tone.QUIET)]
        case steps.Replaying(count):
            counted = "1 migration" if count == 1 else f"{count} migrations"
            return [line(f"Replaying {counted} on a scratch database …", Tone.QUIET)]
        case steps.Proving(file):
            return [line(f"Proving {file}, up and down …", Tone.QUIET)]


def nothing(environment: str, source: str) -> Answer:
    """There is nothing to generate."""
    said = f"No change: {environment} already is what {source} says. Nothing was written."
    body = {"environment": environment, "outcome": "no change", "migration": None, "refusal": None}
    return Answer(Code.DONE, (line(said, Tone.GOOD),), body)


def written(environment: str, drawn: Draft, path: Path, *, said: str) -> Answer:
    """The file, its whole text, and what a reviewer should know of it. `said` is how its name was typed."""
    migration = drawn.migration
    body = {
        "environment": environment,
        "outcome": "generated",
        "migration": migration.id,
        "path": str(path),
        "text": migration.text,
        "checksum": migration.checksum,
        "down": drawn.down,
        "reordered": list(drawn.reordered),
        "hazards": [asdict(one) for one in drawn.hazards],
        "seconds": drawn.seconds,
        "refusal": None,
    }
    otherwise = naming.changed(said)
    proven = "up, down" if drawn.down else "up"
    return Answer(
        Code.DONE,
        (
            line(f"{path} was written: proven {proven} on a scratch database in {drawn.seconds:.1f} s.", Tone.GOOD),
            *([line(otherwise, Tone.WARN)] if otherwise else []),
            *(line(f"  {text}") for text in migration.text.splitlines()),
            *(line(f"line {one.line}, {one.name}: {one.sentence}", Tone.WARN) for one in drawn.hazards),
            *_way_back(drawn),
            line(f"Read it, commit it, then: twokey apply {environment}"),
        ),
        body,
    )


def _way_back(drawn: Draft) -> list[Line]:
    if not drawn.down:
        return [line("It has no way down: a rollback will refuse it, and a restore is the way back.", Tone.WARN)]
    if drawn.reordered:
        tables = ", ".join(drawn.reordered)
        return [line(f"After its way down the columns of {tables} stand in another order.", Tone.WARN)]
    return []
