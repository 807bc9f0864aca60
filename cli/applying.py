"""Apply from a terminal: the same engine, gates, lock and backup as a worker's, but never where two keys must turn."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from cli import backing, elsewhere, looking, plan_words, planning
from cli.answer import Answer, Code, no
from cli.surroundings import Surroundings, here
from cli.terminal import say
from engine import apply as engine
from engine import lock
from engine.connection import open_session
from engine.errors import WouldUnprotect
from engine.refusals import UpToDate
from engine.report import Step
from ledger.workflow import Environment

#: A person at a terminal sees who holds the lock and can press Ctrl-C, so waiting costs nobody anything.
WAIT = timedelta(minutes=5)


def apply(word: str, *, aloud: bool) -> Answer:
    """What may come now is on the environment, or why not. `aloud`: say each step as it happens."""
    around = here()
    environment = around.environment(word)
    if environment.protected:
        return _two_keys(environment.name, f"{environment.name} is protected and needs two keys.")
    tell: Callable[[Step], None] = (lambda step: say(plan_words.step(step))) if aloud else (lambda _: None)
    try:
        return _apply(around, environment, tell)
    except UpToDate as nothing:
        return plan_words.nothing(environment.name, nothing)
    except WouldUnprotect as marked:  # whatever the workflow file says
        return _two_keys(marked.environment, str(marked))


def promote(word: str, *, aloud: bool) -> Answer:
    """The same act, said of an environment that has one before it."""
    around = here()
    environment = around.environment(word)
    if around.workflow.before(environment) is None:
        sentence = f"{environment.name} is the first environment, so nothing is promoted to it."
        return no(Code.WRONG_USAGE, sentence, f"Say: twokey apply {environment.name}", environment=environment.name)
    return apply(word, aloud=aloud)


def _two_keys(environment: str, because: str) -> Answer:
    ask = f"Nothing protected is changed from a terminal. Ask in Slack: /migrate apply {environment}"
    return no(Code.REFUSED, because, ask, environment=environment)


def _apply(around: Surroundings, environment: Environment, tell: Callable[[Step], None]) -> Answer:
    purpose = f"twokey apply by {around.person}"
    with (
        open_session(around.database(environment), purpose=purpose, limits=around.limits) as session,
        lock.only_one(session, wait=WAIT, tell=tell),
    ):
        plan = planning.drawn(around, environment, session)
        report = engine.run(
            session,
            plan,
            backup=backing.into(around, environment),
            actor=around.person,
            request=None,
            tell=tell,
        )
        agreed = looking.agreement(around, environment, report)
    if report.failure:
        report = replace(report, failure=elsewhere.told(around, environment, report.failure))
    return plan_words.report(plan, report, agreed)
