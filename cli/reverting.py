"""The way back from a terminal: the same rules, lock and backup as an apply's, and never where two keys must turn."""

from collections.abc import Callable, Sequence

from cli import backing, looking, plan_words
from cli.answer import Answer, Code, no
from cli.applying import WAIT
from cli.surroundings import Surroundings, WrongUsage, here
from cli.terminal import say
from engine import lock, reach, reversal, revert
from engine.connection import open_session
from engine.errors import WouldUnprotect
from engine.report import Step
from engine.revert import Last, To
from ledger.workflow import Environment


class UnknownWay(WrongUsage):
    """What stands after the environment is neither `to MIGRATION` nor `last N`."""

    def __str__(self) -> str:
        return "Say how far back: twokey rollback ENVIRONMENT, … last 2, or … to 20250818130001_create_users."


def rollback(word: str, words: Sequence[str], *, aloud: bool) -> Answer:
    """The newest migrations are taken back, or why not. `aloud`: say each step as it happens."""
    around, how = here(), _how(words)
    environment = around.environment(word)
    if environment.protected:
        return _two_keys(environment.name, f"{environment.name} is protected and needs two keys.")
    tell: Callable[[Step], None] = (lambda step: say(plan_words.step(step))) if aloud else (lambda _: None)
    try:
        return _rollback(around, environment, how, tell)
    except WouldUnprotect as marked:  # whatever the workflow file says
        return _two_keys(marked.environment, str(marked))


def _how(words: Sequence[str]) -> Last | To:
    match words:
        case []:
            return Last(1)
        case ["last", count] if count.isdecimal() and int(count) > 0:
            return Last(int(count))
        case ["to", migration]:
            return To(migration)
    raise UnknownWay


def _two_keys(environment: str, because: str) -> Answer:
    instead = f"Nothing protected is changed from a terminal. Ask in Slack: /migrate rollback {environment}"
    return no(Code.REFUSED, because, instead, environment=environment)


def _rollback(around: Surroundings, environment: Environment, how: Last | To, tell: Callable[[Step], None]) -> Answer:
    environments, files = around.workflow.environments, around.files()
    following = environments[environments.index(environment) + 1 :]
    with (
        open_session(
            around.database(environment), purpose=f"twokey rollback by {around.person}", limits=around.limits
        ) as session,
        lock.only_one(session, wait=WAIT, tell=tell),
    ):
        after = [looking.at(around, one, files) for one in following]
        chosen = revert.choose(session, how, after=after, folder=around.workflow.backups)
        drawn = reversal.draw(looking.look(session, files), chosen, limits=around.limits)
        reach.guard(session, meant=environment.on_protected_server)
        into = backing.into(around, environment)
        report = revert.run(session, drawn, into=into, actor=around.person, request=None, tell=tell)
        agreed = looking.agreement(around, environment, report)
    return plan_words.reverted(environment.name, report, agreed)
