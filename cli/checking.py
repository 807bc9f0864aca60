"""check: everything a run needs, looked at one by one, with the way to mend what is wrong."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from cli.answer import Answer, Code, Line, Span, Tone, line
from cli.surroundings import NoAddress, Surroundings, here, tools
from engine import checkup, scratch
from engine.checkup import Finding
from engine.errors import ConnectionLost, EngineError, Unreachable
from engine.files import Migration
from engine.scratch import NoScratch
from ledger.workflow import Environment, WorkflowError

#: Where a finding belongs, and the finding.
Found = tuple[str, Finding]

_TONES = {"ok": Tone.GOOD, "wrong": Tone.BAD, "unreachable": Tone.WARN, "skipped": Tone.QUIET}


def check(word: str | None) -> Answer:
    """What is fine, what is wrong and how to mend it; of one environment or of all. Raises UnknownEnvironment."""
    found = [("twokey", _squawk())]
    try:
        around = here()
    except WorkflowError as wrong:
        return _answer([*found, *(("twokey", Finding("workflow file", "wrong", one)) for one in wrong.sentences)])
    environments = (around.environment(word),) if word else around.workflow.environments
    count = len(around.workflow.environments)
    found.append(("twokey", Finding("workflow file", "ok", f"{count} environments.")))
    folder, files = _folder(around)
    found += [("twokey", folder), ("twokey", _scratch(around))]
    with ThreadPoolExecutor(max_workers=len(environments)) as pool:
        each = pool.map(lambda one: [(one.name, said) for said in _environment(around, one, files)], environments)
        return _answer([*found, *(pair for pairs in each for pair in pairs)])


def _squawk() -> Finding:
    program = tools().squawk
    if program is None:
        way_out = "squawk is not installed, so plans miss its hazards, and say so. Install it: pip install squawk-cli"
        return Finding("squawk", "wrong", f"{way_out}.")
    return Finding("squawk", "ok", f"{program}.")


def _scratch(around: Surroundings) -> Finding:
    """Whether a scratch database can be made; one is, and dropped again."""
    try:
        with scratch.database(around.scratch(), "check"):
            return Finding("scratch", "ok", "A scratch database was made and dropped again.")
    except (NoScratch, NoAddress) as unset:
        without = (
            "Without a scratch server there is no generate, no round trip (twokey lint --round-trip), no rehearsal "
            "(twokey plan --rehearse), and no replay of a history (twokey validate)."
        )
        return Finding("scratch", "skipped", f"{without} {unset}")
    except (Unreachable, ConnectionLost) as away:
        return Finding("scratch", "unreachable", str(away))
    except EngineError as wrong:
        return Finding("scratch", "wrong", str(wrong))


def _folder(around: Surroundings) -> tuple[Finding, tuple[Migration, ...]]:
    try:
        files = around.files()
    except EngineError as wrong:
        return Finding("folder", "wrong", str(wrong)), ()
    counted = "1 migration" if len(files) == 1 else f"{len(files)} migrations"
    return Finding("folder", "ok", f"{around.workflow.migrations} has {counted}."), files


def _environment(around: Surroundings, environment: Environment, files: Sequence[Migration]) -> Iterator[Finding]:
    try:
        database = around.database(environment)
    except NoAddress as unset:
        yield Finding("address", "wrong", str(unset))
        return
    yield Finding("address", "ok", f"{environment.dsn_variable} is set.")
    yield from checkup.look(
        database,
        files,
        tools=around.tools,
        limits=around.limits,
        on_protected_server=environment.on_protected_server,
    )


def _answer(found: Sequence[Found]) -> Answer:
    states = {finding.state for _, finding in found}
    code = Code.REFUSED if "wrong" in states else Code.UNREACHABLE if "unreachable" in states else Code.DONE
    body = {
        "question": "check",
        "fine": code is Code.DONE,
        "findings": [
            {"of": of, "subject": one.subject, "state": one.state, "sentence": one.sentence} for of, one in found
        ],
    }
    return Answer(code, (*map(_line, found), _end(found)), body)


def _line(found: Found) -> Line:
    of, one = found
    return (Span(f"{one.state:<12}", _TONES[one.state]), Span(f"{of} {one.subject}: ", Tone.STRONG), Span(one.sentence))


def _end(found: Sequence[Found]) -> Line:
    amiss = sum(1 for _, one in found if one.state not in ("ok", "skipped"))
    if amiss:
        return line(f"{amiss} of {len(found)} to mend.", Tone.BAD)
    return line("Everything a run needs is there.", Tone.GOOD)
