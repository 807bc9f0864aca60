"""plan --rehearse: the plan runs on a copy restored from a backup taken now; the environment is read by pg_dump."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from cli import backing, elsewhere, plan_words, planning, rehearsal_words
from cli.answer import Answer
from cli.surroundings import Surroundings, here
from cli.terminal import say
from engine import backup, history, identity, lock, plan, rehearsal
from engine.connection import Session, open_session
from engine.refusals import PlanRefused
from engine.rehearsal import Bench, Progress, RehearsalFailed, forecast, traffic
from engine.rehearsal.forecast import Forecast
from engine.rehearsal.receipt import Receipt
from engine.rehearsal.traffic import Traffic
from engine.report import BackupStarted, BackupTaken, Step
from engine.restore import Source
from ledger.workflow import Environment, Extent

Tell = Callable[[Step | Progress], None]


def rehearse(word: str, *, aloud: bool) -> Answer:
    """What an apply would run, and what it did on the copy; or why it would be refused."""
    around = here()
    environment = around.environment(word)
    around.scratch(environment.rehearsals.server)  # refused before a dump was taken for nothing
    tell: Tell = (lambda step: say(rehearsal_words.step(step))) if aloud else (lambda _: None)
    try:
        drawn = planning.as_of_now(around, environment)
    except PlanRefused as refused:
        return plan_words.refused(environment.name, refused)
    source, bench, first = _prepared(around, environment, tell)
    try:
        done = rehearsal.rehearse(drawn, source, bench, limits=around.limits, now=datetime.now(UTC), tell=tell)
    except RehearsalFailed as failed:
        raise replace(failed, failure=elsewhere.told(around, environment, failed.failure)) from None
    bound = plan.rehearsed(drawn, done.receipt.hash)
    said = _forecast(around, environment, done.receipt, first)
    return rehearsal_words.rehearsed(done.receipt, said, plan_words.plan(bound, backups=around.workflow.backups))


def _prepared(around: Surroundings, environment: Environment, tell: Tell) -> tuple[Source, Bench, Traffic]:
    """A backup taken now, what a copy of it must be like, and the first look at the traffic."""
    server = around.scratch(environment.rehearsals.server)
    sample = environment.rehearsals.extent is Extent.SCHEMA
    with (
        _opened(around, environment) as session,
        lock.only_one(session, wait=backing.WAIT, tell=tell),
    ):
        identity.meet(session, history.prepare(session))
        tell(BackupStarted())
        taken = backup.take(session, into=backing.asked_for(around, environment), now=datetime.now(UTC))
        tell(BackupTaken(taken))
        source = Source(Path(taken.path), around.tools, environment.backup.parallel)
        bench = Bench(server, rehearsal.likeness(session), extent="schema" if sample else "whole")
        return source, bench, traffic.read(session)


def _forecast(around: Surroundings, environment: Environment, receipt: Receipt, first: Traffic) -> Forecast:
    """Who would wait, by what went on while the plan was rehearsed, and who stands in the way now."""
    with _opened(around, environment) as session:
        said = forecast.of(receipt, first, traffic.read(session))
        hindrances = traffic.hindrances(session, forecast.relations(receipt))
        return forecast.beside(said, hindrances, traffic.replicas(session))


def _opened(around: Surroundings, environment: Environment) -> AbstractContextManager[Session]:
    database, purpose = around.database(environment), f"twokey rehearsal by {around.person}"
    return open_session(database, purpose=purpose, limits=around.limits)
