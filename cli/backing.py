"""Backing up from a terminal, which changes nothing in a database, and looking through what there is."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cli import backup_words, plan_words
from cli.answer import Answer
from cli.surroundings import Surroundings, here
from cli.terminal import say
from engine import backup as engine
from engine import history, identity, lock, manifest, shelf
from engine.backup import Into
from engine.connection import open_session
from engine.form import Form
from engine.report import BackupStarted, Step
from engine.shelf import Keep
from ledger.workflow import Environment

#: As for an apply: who waits sees for whom, and can press Ctrl-C.
WAIT = timedelta(minutes=5)


def into(around: Surroundings, environment: Environment) -> Into:
    """Where and how an environment is backed up, and what of that stays."""
    ours = environment.backup
    keep = Keep(ours.keep, ours.keep_for)
    return Into(around.workflow.backups, around.tools, form=Form(ours.form), parallel=ours.parallel, keep=keep)


def asked_for(around: Surroundings, environment: Environment) -> Into:
    """The same for a backup that no run follows: of a protected one it takes none away, for nobody agreed to that."""
    every = into(around, environment)
    return replace(every, keep=Keep()) if environment.protected else every


def backup(word: str, *, aloud: bool) -> Answer:
    """A backup stands in the folder, with its manifest."""
    around = here()
    environment = around.environment(word)
    tell: Callable[[Step], None] = (lambda step: say(plan_words.step(step))) if aloud else (lambda _: None)
    purpose = f"twokey backup by {around.person}"
    with (
        open_session(around.database(environment), purpose=purpose, limits=around.limits) as session,
        lock.only_one(session, wait=WAIT, tell=tell),
    ):
        identity.meet(session, history.prepare(session))
        tell(BackupStarted())
        receipt = engine.take(session, into=asked_for(around, environment), now=datetime.now(UTC))
    return backup_words.taken(receipt, manifest.read(Path(receipt.path)))


def backups(word: str) -> Answer:
    """Every backup of an environment, read to its last byte and held against its manifest."""
    around = here()
    environment, folder = around.environment(word), around.workflow.backups
    return backup_words.listed(environment.name, folder, tuple(shelf.verified(folder, environment.name)))
