"""Restoring from a terminal, never where two keys must turn; and dropping what a restore kept."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cli import looking, restore_words
from cli.answer import Answer, Code, no
from cli.surroundings import NoAddress, Surroundings, here
from cli.terminal import say
from engine import former, history, identity, lock, manifest, reach, restore, shelf
from engine.connection import open_session
from engine.errors import EngineError, WouldUnprotect, near
from engine.form import Form
from engine.report import Step
from engine.restore import Progress, Source
from ledger.workflow import Environment

#: As for an apply: who waits sees for whom, and can press Ctrl-C.
WAIT = timedelta(minutes=5)
NOT_HERE = (
    "Nothing protected is restored or dropped from a terminal. Ask in Slack: /migrate restore, or /migrate discard."
)


def back(word: str, backup: str, *, into: str | None, aloud: bool) -> Answer:
    """The environment, or a database beside it, holds what the backup held."""
    around = here()
    environment = around.environment(word)
    if environment.protected:
        return no(Code.REFUSED, f"{environment.name} is protected.", NOT_HERE, environment=environment.name)
    path = _found(around, backup)
    if path is None:
        return _unknown(around, environment, backup)
    tell = (lambda step: say(restore_words.step(step))) if aloud else (lambda _: None)
    try:
        return _restore(around, environment, path, into=into, tell=tell)
    except WouldUnprotect as marked:  # whatever the workflow file says
        return no(Code.REFUSED, str(marked), NOT_HERE, environment=environment.name)


def discard(word: str, database: str | None) -> Answer:
    """A database that a restore kept is gone; without a name, which there are."""
    around = here()
    environment = around.environment(word)
    if environment.protected and database:
        return no(Code.REFUSED, f"{environment.name} is protected.", NOT_HERE, environment=environment.name)
    purpose = f"twokey discard by {around.person}"
    with open_session(around.database(environment), purpose=purpose, limits=around.limits) as session:
        if database is None:
            return restore_words.kept(environment.name, former.kept(session))
        try:
            with lock.only_one(session, wait=WAIT):
                identity.meet(session, history.prepare(session))
                gone = former.drop(session, database, actor=around.person, request=None)
        except WouldUnprotect as marked:
            return no(Code.REFUSED, str(marked), NOT_HERE, environment=environment.name)
    return restore_words.discarded(environment.name, gone)


def _restore(
    around: Surroundings,
    environment: Environment,
    backup: Path,
    *,
    into: str | None,
    tell: Callable[[Step | Progress], None],
) -> Answer:
    purpose = f"twokey restore by {around.person}"
    source = Source(backup, around.tools, environment.backup.parallel)
    with (
        open_session(around.database(environment), purpose=purpose, limits=around.limits) as session,
        lock.only_one(session, wait=WAIT, tell=tell),
    ):
        identity.meet(session, history.prepare(session))
        reach.guard(session, meant=environment.on_protected_server)
        if into:
            return restore_words.done(restore.beside(session, source, name=into, tell=tell))
        gone = looking.look(session, ()).after(manifest.read(backup).contents.head) or ()
        by = around.person
        restored = restore.run(session, source, now=datetime.now(UTC), actor=by, request=None, tell=tell)
    return restore_words.done(restored, further_on=tuple(_further_on(around, environment, gone)))


def _further_on(around: Surroundings, environment: Environment, gone: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Which environments after this one keep what went, and which; said of them and not refused, as in the channel."""
    environments = around.workflow.environments
    for one in environments[environments.index(environment) + 1 :]:
        with suppress(NoAddress, EngineError):  # nobody is kept from a restore by who cannot be looked at
            there = looking.at(around, one, ())
            if still := [id_ for id_ in gone if there.has(id_)]:
                yield one.name, ", ".join(still)


def _found(around: Surroundings, backup: str) -> Path | None:
    """A backup by its name in the folder, or by its path."""
    paths = (around.workflow.backups / backup, Path(backup))
    return next((path for path in paths if path.exists() and path.suffix in _suffixes()), None)


def _suffixes() -> set[str]:
    return {form.suffix for form in Form}


def _unknown(around: Surroundings, environment: Environment, backup: str) -> Answer:
    known = [one.path.name for one in shelf.listed(around.workflow.backups, environment.name) if one.manifest]
    meant = near(backup, known)
    newest = f"The newest is {known[0]}." if known else f"There is none of {environment.name}."
    said = f"{around.workflow.backups} holds no backup {backup}. {f'Did you mean {meant}?' if meant else newest}"
    return no(Code.WRONG_USAGE, said, f"See them all: twokey backups {environment.name}", environment=environment.name)
