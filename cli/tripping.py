"""lint --round-trip: every migration up, down and up again on a scratch database, and what its way back is worth."""

from collections.abc import Iterator, Sequence

from cli.answer import Answer, Code, Line, Span, Tone, line
from cli.surroundings import WrongUsage, here
from engine import roundtrip
from engine.roundtrip import Result, Trip

_TONES = {"lossless": Tone.GOOD, "loses": Tone.WARN, "irreversible": Tone.WARN, "broken": Tone.BAD}


class WholeFolder(WrongUsage):
    """Files were named, but each migration stands on those before it."""

    def __str__(self) -> str:
        return "A round trip is of the whole folder, since each migration stands on those before it. Name no file."


def lint(paths: Sequence[str], *, strict: bool) -> Answer:
    """The class of each migration of the folder. A broken way back is a failure; `strict`, all but lossless are."""
    if paths:
        raise WholeFolder
    around = here()
    result = roundtrip.run(around.scratch(), around.files(), limits=around.limits)
    wrong = {"broken", "loses", "irreversible"} if strict else {"broken"}
    failed = any(one.verdict in wrong for one in result.trips)
    body = {
        "question": "round trip",
        "migrations": [one.as_json() for one in result.trips],
        "unfilled": [{"table": table, "sqlstate": sqlstate} for table, sqlstate in result.unfilled],
    }
    return Answer(Code.REFUSED if failed else Code.DONE, tuple(_words(result)), body)


def _words(result: Result) -> Iterator[Line]:
    for one in result.trips:
        yield (Span(f"{one.id}.sql: ", Tone.STRONG), Span(_said(one), _TONES[one.verdict]))
        yield from (line(f"  {difference.sentence}") for difference in one.differences)
        if one.why:
            yield line(f"  {one.why}")
    for table, sqlstate in result.unfilled:
        yield line(f"{table} took no row ({sqlstate}), so what a way back does to its rows is not known.", Tone.WARN)
    counts = [f"{sum(one.verdict == verdict for one in result.trips)} {verdict}" for verdict in _TONES]
    yield line(f"{len(result.trips)} migrations: {', '.join(counts)}.", Tone.QUIET)


def _said(trip: Trip) -> str:
    match trip.verdict:
        case "lossless":
            return "lossless"
        case "loses":
            return f"its way back loses {', '.join(trip.loses)}"
        case "irreversible":
            return "irreversible" if trip.why else "irreversible: it has no `-- migrate:down` section"
        case _:
            lost = f"; it loses {', '.join(trip.loses)}" if trip.loses else ""
            return f"its way back is none{lost}"
