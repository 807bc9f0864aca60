"""A restore in words and as JSON. Pure."""

from collections.abc import Sequence
from datetime import datetime

from cli import plan_words
from cli.answer import Answer, Code, Line, Tone, line
from engine import restore as steps
from engine.former import Former
from engine.report import Step
from engine.restore import Progress, Restored


def step(said: Step | Progress) -> list[Line]:
    """What a restore says while it goes."""
    match said:
        case steps.LeftoverCleared(database):
            return [line(f"Dropped {database}, which an interrupted restore had left.", Tone.WARN)]
        case steps.Loading(database, size):
            return [line(f"The backup is as its manifest says. Loading {size:,} bytes into {database} …", Tone.QUIET)]
        case steps.Comparing(tables):
            return [line(f"Comparing: schema, history, and the rows of {tables} tables …", Tone.QUIET)]
        case steps.Swapping(kept):
            return [line(f"Swapping: sessions are ended, and the old database becomes {kept} …", Tone.QUIET)]
        case _:
            return plan_words.step(said)


def done(restored: Restored, *, further_on: Sequence[tuple[str, str]] = ()) -> Answer:
    """What stands where now, and what is only in the old database, or only further on: (environment, migrations)."""
    head = restored.manifest.contents.head
    upto = f"history up to {head}" if head else "no migration yet"
    moment = f"{datetime.fromisoformat(restored.manifest.at):%Y-%m-%d %H:%M:%S} UTC"
    what = f"the backup of {moment} ({upto}), in {restored.seconds:.1f} s"
    body = {
        "environment": restored.environment,
        "outcome": "restored" if restored.kept else "restored beside",
        "database": restored.database,
        "kept": restored.kept,
        "head": head,
        "as_of": restored.manifest.at,
        "seconds": restored.seconds,
        "further_on": dict(further_on),
    }
    if restored.kept is None:
        return Answer(
            Code.DONE, (line(f"Database {restored.database} is {what}.", Tone.GOOD), _untouched(restored)), body
        )
    lines = (
        line(f"{restored.environment} is {what}.", Tone.GOOD),
        line(f"What was written since is in {restored.kept} alone."),
        *(line(f"{name} keeps {still}. Apply {restored.environment} again.", Tone.WARN) for name, still in further_on),
        line(f"When nothing of it is needed: twokey discard {restored.environment} {restored.kept}"),
    )
    return Answer(Code.DONE, lines, body)


def _untouched(restored: Restored) -> Line:
    return line(f"{restored.environment} itself was not touched.")


def kept(environment: str, found: Sequence[Former]) -> Answer:
    """Which databases restores kept."""
    body = {"environment": environment, "kept": [{"database": one.name, "bytes": one.bytes} for one in found]}
    if not found:
        return Answer(Code.DONE, (line(f"No restore of {environment} kept a database."),), body)
    lines = (line(f"{one.name}  {one.bytes:,} bytes") for one in found)
    return Answer(Code.DONE, (*lines, line(f"Drop one: twokey discard {environment} {found[0].name}")), body)


def discarded(environment: str, gone: Former) -> Answer:
    """One of them is gone."""
    body = {"environment": environment, "discarded": gone.name, "bytes": gone.bytes}
    return Answer(Code.DONE, (line(f"{gone.name} is gone, {gone.bytes:,} bytes.", Tone.GOOD),), body)
