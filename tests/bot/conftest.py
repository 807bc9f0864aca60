"""The bot itself, in this program, between a real ledger, a real Valkey and the playground's Slack."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread

import pytest
from slack_sdk import WebClient

from bot import loop
from bot.__main__ import compose
from bot.archive import Archive
from bot.config import Settings
from bot.desk import Desk
from bot.ears import HttpEar
from bot.identity import Directory
from bot.voice import Voice
from ledger.book import Book
from ledger.doorbell import Doorbell
from ledger.turn import Turn
from ledger.workflow import Environment, Verbosity, Workflow
from playground import granted, workspace
from playground.client import Workspace
from tests.support.ledger import role_url

ROOT = Path(__file__).parents[2]
CHANNEL = "C0MIGRATE"


def an_environment(
    name: str, *, alias: str = "", protected: bool = False, verbosity: Verbosity = Verbosity.NORMAL
) -> Environment:
    return Environment(
        name=name,
        aliases=(alias,) if alias else (),
        dsn_variable=f"{name.upper()}_DATABASE_URL",
        protected=protected,
        approvers=("U0APPROVER", "U0SECOND") if protected else (),
        channel=CHANNEL,
        verbosity=verbosity,
    )


def a_workflow(*, verbosity: Verbosity = Verbosity.NORMAL, start_delay: float = 15.0) -> Workflow:
    return Workflow(
        migrations=Path("migrations"),
        backups=Path("migrations/schema-backups"),
        channel=CHANNEL,
        requests_expire=timedelta(hours=4),
        start_delay=timedelta(seconds=start_delay),
        approve_with="white_check_mark",
        reject_with="x",
        lock_timeout=timedelta(seconds=2),
        statement_timeout=timedelta(minutes=30),
        environments=(
            an_environment("development", alias="dev", verbosity=verbosity),
            an_environment("test"),
            an_environment("production", alias="prod", protected=True),
        ),
    )


@pytest.fixture
def workflow() -> Workflow:
    return a_workflow()


@pytest.fixture(scope="session")
def the_slack() -> Iterator[Workspace]:
    """One workspace for the session; the app has exactly what slack-manifest.yaml asks for."""
    with workspace.running(grant=granted.read(ROOT / "slack-manifest.yaml")) as slack:
        yield slack


@pytest.fixture
def slack(the_slack: Workspace) -> Workspace:
    """The workspace, empty."""
    the_slack.reset()
    return the_slack


@pytest.fixture
def client(slack: Workspace) -> WebClient:
    variables = slack.bot_variables()
    return WebClient(variables["SLACK_BOT_TOKEN"], base_url=variables["SLACK_API_URL"], timeout=2, retry_handlers=[])


@pytest.fixture
def voice(client: WebClient) -> Voice:
    return Voice(client)


@dataclass(frozen=True, slots=True)
class Running:
    """A bot that runs, and what it runs between. `book` is the owner's, so a test can be the worker."""

    slack: Workspace
    book: Book
    bell: Doorbell
    port: int  # where it hears Slack's requests; 0 on a websocket


@pytest.fixture
def settings(slack: Workspace, ledger_url: str, redis_url: str) -> Settings:
    variables = slack.bot_variables()
    return Settings(
        workflow=a_workflow(start_delay=0.3),
        slack_url=variables["SLACK_API_URL"],
        port=0,
        bot_token=variables["SLACK_BOT_TOKEN"],
        app_token=None,
        signing_secret=variables["SLACK_SIGNING_SECRET"],
        ledger_url=role_url(ledger_url, "twokey_bot"),
        redis_url=redis_url,
    )


@pytest.fixture
def bot(settings: Settings, slack: Workspace, ledger: Book, client: WebClient, voice: Voice) -> Iterator[Running]:
    """The bot that hears Slack over HTTP, which is quick to close."""
    with running(settings, slack=slack, ledger=ledger, client=client, voice=voice) as one:
        yield one


@pytest.fixture
def bot_on_a_websocket(
    settings: Settings, slack: Workspace, ledger: Book, client: WebClient, voice: Voice
) -> Iterator[Running]:
    """The bot that hears Slack over Socket Mode."""
    socket = replace(settings, port=None, app_token=slack.bot_variables()["SLACK_APP_TOKEN"], signing_secret=None)
    with running(socket, slack=slack, ledger=ledger, client=client, voice=voice) as one:
        slack.wait_for_bot()
        yield one


@contextmanager
def running(
    settings: Settings, *, slack: Workspace, ledger: Book, client: WebClient, voice: Voice
) -> Iterator[Running]:
    """The bot with its loop and its ear, under the ledger role that it has in production."""
    book, bell, ended = Book(settings.ledger_url, name="bot"), Doorbell(settings.redis_url), Event()
    parts = compose(settings, book=book, bell=bell, voice=voice, client=client, home=voice.home())
    turn = Turn(settings.ledger_url)
    steps, told = tuple(map(turn.only, parts.steps)), {"until": ended, "wait_for_news": turn.wait_for_news}
    clock = Thread(target=loop.run, args=(steps,), kwargs=told)
    clock.start()
    parts.ear.open()
    port = parts.ear.port if isinstance(parts.ear, HttpEar) else 0
    if port:
        slack.settings(request_url=f"http://127.0.0.1:{port}/slack/events")
    try:
        yield Running(slack, ledger, bell, port)
    finally:
        ended.set()
        parts.ear.close()
        parts.easel.close()
        parts.aside.shutdown()
        clock.join()
        turn.close()
        book.close()
        bell.close()


@pytest.fixture
def desk(ledger: Book, voice: Voice, redis_url: str, workflow: Workflow) -> Iterator[Desk]:
    """A desk alone, with nobody at it."""
    bell = Doorbell(redis_url)
    archive = Archive(ledger, workflow=workflow, site="https://acme.slack.com/")
    yield Desk(ledger, bell=bell, directory=Directory(voice, home="T0TWOKEY"), workflow=workflow, archive=archive)
    bell.close()
