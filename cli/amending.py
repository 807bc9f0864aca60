"""baseline and repair: a history set right by a person, in words. Never where two keys must turn."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from cli.answer import Answer, Code, Line, Tone, line, no
from cli.surroundings import Surroundings, here
from engine import amend, lock
from engine.amend import Edited
from engine.connection import Session, open_session
from engine.errors import WouldUnprotect
from ledger.workflow import Environment

_NEXT = "Whether its schema really is what these files make: twokey validate"


def baseline(word: str, migration: str) -> Answer:
    """Every pending file up to the named one is written down as applied; none of them runs."""
    around = here()
    environment, through = around.environment(word), migration.removesuffix(".sql")

    def act(session: Session) -> Answer:
        taken = amend.baseline(session, around.files(), through=through, actor=around.person, request=None)
        counted = "1 migration" if len(taken) == 1 else f"{len(taken)} migrations"
        said = f"{environment.name}: {counted} written down as applied; nothing ran. The last is {taken[-1]}."
        body = {"environment": environment.name, "act": "baseline", "migrations": list(taken), "refusal": None}
        return Answer(Code.DONE, (line(said, Tone.GOOD), line(_NEXT)), body)

    return _changing(around, environment, "baseline", act)


def repair(word: str, accept: Sequence[str]) -> Answer:
    """What changed in files after they were applied; and with `accept`, that they count as they are now."""
    around = here()
    environment, files = around.environment(word), around.files()
    accepted = tuple(dict.fromkeys(id_.removesuffix(".sql") for id_ in accept))
    if not accepted:
        with open_session(around.database(environment), purpose=_purpose(around, "look"), limits=around.limits) as one:
            return _shown(environment, amend.edited(one, files))

    def act(session: Session) -> Answer:
        done = amend.repair(session, files, accept=accepted, actor=around.person, request=None)
        said = f"{environment.name}: {', '.join(done)} now counts as it is in the folder. Nothing ran."
        body = {"environment": environment.name, "act": "repair", "migrations": list(done), "refusal": None}
        return Answer(Code.DONE, (line(said, Tone.GOOD),), body)

    return _changing(around, environment, "repair", act)


def _changing(around: Surroundings, environment: Environment, act: str, do: Callable[[Session], Answer]) -> Answer:
    """Do it under the lock, unless the environment is protected: by the workflow file or by what its database says."""
    if environment.protected:
        return _two_keys(act, environment.name, f"{environment.name} is protected and needs two keys.")
    try:
        with (
            open_session(around.database(environment), purpose=_purpose(around, act), limits=around.limits) as session,
            lock.only_one(session),
        ):
            return do(session)
    except WouldUnprotect as marked:
        return _two_keys(act, marked.environment, str(marked))


def _two_keys(act: str, environment: str, because: str) -> Answer:
    instead = f"Nothing protected is changed from a terminal. Ask in Slack: /migrate {act} {environment}"
    return no(Code.REFUSED, because, instead, environment=environment)


def _purpose(around: Surroundings, act: str) -> str:
    return f"twokey {act} by {around.person}"


def _shown(environment: Environment, found: Sequence[Edited]) -> Answer:
    body: dict[str, Any] = {
        "environment": environment.name,
        "act": "repair",
        "edited": [_body(one) for one in found],
        "refusal": None,
    }
    if not found:
        said = f"No file changed after {environment.name} applied it. There is nothing to repair."
        return Answer(Code.DONE, (line(said, Tone.GOOD),), body)
    told = (told for one in found for told in _words(environment, one))
    return Answer(Code.REFUSED, (*told, line("Nothing was changed.")), body)


def _body(one: Edited) -> dict[str, Any]:
    diff = None if one.diff is None else list(one.diff)
    return {"id": one.id, "ran": one.ran, "now": one.now, "diff": diff, "whitespace_and_comments_only": one.looks_only}


_TONES = {"+": Tone.GOOD, "-": Tone.BAD, "@": Tone.QUIET}


def _words(environment: Environment, one: Edited) -> Iterator[Line]:
    looks = " Whitespace and comments only." if one.looks_only else ""
    yield line(f"{one.id}.sql changed after {environment.name} applied it.{looks}", Tone.STRONG)
    if one.diff is None:
        yield line("  What ran is not known: another tool applied it.")
    for text in one.diff or ():
        yield line(f"  {text}", _TONES.get(text[:1], Tone.PLAIN))
    yield line("  Restore the file as it ran, or put the change in a new migration.")
    if not environment.protected:
        accept = f"twokey repair {environment.name} --accept {one.id}"
        yield line(f"  If the database already is as the file says now: {accept}")
    else:
        ask = f"/migrate repair {environment.name} {one.id}"
        yield line(f"  If the database already is as the file says now, ask in Slack: {ask}")
