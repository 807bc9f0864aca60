"""Two children per environment: one that runs, one that looks."""

import logging
from functools import partial

from engine import tools
from engine.connection import Database
from engine.scratch import Server
from ledger import workflow_file
from ledger.book import Book
from ledger.doorbell import Doorbell
from ledger.workflow import Environment, Scratch
from workers import doorway, reaching
from workers.config import HandsSettings
from workers.crew import Crew, Post
from workers.hands import Hands
from workers.tasks import TASKS

log = logging.getLogger("twokey.workers")


def serve(settings: HandsSettings) -> None:
    """Serve the environments until told to end, once the ledger is prepared; raises LedgerError."""
    for sentence in workflow_file.warnings(settings.workflow):
        log.warning(sentence)
    Doorbell(settings.redis.reveal()).close()  # a malformed address is to stop us here, and not each child again
    waiting = Book(settings.ledger.reveal(), name="twokey workers")
    waiting.wait_until_prepared(log.info)
    for environment in settings.environments:
        waiting.watch(environment.name)
    waiting.close()
    log.info("Serving %s.", ", ".join(e.name for e in settings.environments))
    Crew([post for e in settings.environments for post in _posts(settings, e)]).keep()


def _posts(settings: HandsSettings, environment: Environment) -> tuple[Post, Post]:
    name = environment.name
    return (
        Post(f"run.{name}", partial(_run, settings, environment)),
        Post(f"look.{name}", partial(_look, settings, environment)),
    )


def _run(settings: HandsSettings, environment: Environment) -> None:
    hands = _hands(settings, environment)
    tasks = _bound(hands, "workers.tasks.run")
    doorway.listen(
        f"run.{environment.name}", redis_url=settings.redis.reveal(), tasks=tasks, after_fork=hands.book.after_fork
    )


def _look(settings: HandsSettings, environment: Environment) -> None:
    names = ("workers.tasks.look", "workers.tasks.answer", "workers.tasks.watch", "workers.tasks.inspect_run")
    hands = _hands(settings, environment)
    reaching.warn(hands)
    tasks = _bound(hands, *names)
    doorway.listen(f"look.{environment.name}", redis_url=settings.redis.reveal(), tasks=tasks)


def _bound(hands: Hands, *names: str) -> doorway.Tasks:
    return {name: (partial(TASKS[name][0], hands), TASKS[name][1]) for name in names}


def _hands(settings: HandsSettings, environment: Environment) -> Hands:
    dsn = settings.databases[environment.name].reveal()
    return Hands(
        environment=environment,
        workflow=settings.workflow,
        database=Database(
            environment.name, environment.protected, dsn, environment.differs, settings.workflow.differing
        ),
        tools=tools.find(settings.pg_bin, settings.path),
        book=Book(settings.ledger.reveal(), name=f"twokey worker {environment.name}"),
        doorbell=Doorbell(settings.redis.reveal()),
        scratch=_scratch(settings, settings.workflow.scratch),
        rehearsal=_scratch(settings, environment.rehearsals.server or settings.workflow.scratch),
        generator_sees=settings.generator_sees,
    )


def _scratch(settings: HandsSettings, ours: Scratch | None) -> Server | None:
    """Where scratch databases live, guarded by what else these hands serve."""
    if ours is None or ours.dsn_variable not in settings.scratch:
        return None
    protected = (e for e in settings.environments if e.protected)
    guarded = tuple(Database(e.name, e.protected, settings.databases[e.name].reveal()) for e in protected)
    return Server(settings.scratch[ours.dsn_variable].reveal(), guarded, ours.on_protected_server, ours.room)
