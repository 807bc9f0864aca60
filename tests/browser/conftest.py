"""The page in a real Chromium. Without one these tests are not collected, and the summary says so."""

import os
import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient

from playground import workspace
from playground.client import Workspace
from playground.people import APP_TOKEN, BOT_TOKEN, SIGNING_SECRET
from tests.support.waiting import wait_for

#: The first is the same browser without its own windows and toolbars, and takes a third of the processor's time.
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser")
CHROMIUM = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
QUIETLY = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--renderer-process-limit=1", "--in-process-gpu", "--disable-extensions",
)  # fmt: skip

if not CHROMIUM:
    collect_ignore_glob = ["test_*.py"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say that the page was not looked at."""
    if not CHROMIUM:
        terminalreporter.write_line("tests/browser: not collected, no chromium on PATH and CHROMIUM is not set")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A running Chromium."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIETLY))
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def served() -> Iterator[Workspace]:
    """A running workspace with an app that knows /migrate. Both end with these tests.

    A connected app logs what it does not listen to, and draws from `random` for each frame it sends: tests that read
    the log or check on chance in the same process would see it.
    """
    with workspace.running() as slack:
        app = App(client=WebClient(token=BOT_TOKEN, base_url=slack.api_url), signing_secret=SIGNING_SECRET)
        _teach(app)
        web_client = WebClient(token=APP_TOKEN, base_url=slack.api_url)
        handler = SocketModeHandler(app, APP_TOKEN, web_client=web_client)
        handler.connect()
        slack.wait_for_bot()
        yield slack
        handler.client.auto_reconnect_enabled = False
        slack.disconnect(reason=None)
        wait_for(lambda: not handler.client.is_connected())  # two who close one socket at once trip over each other
        handler.close()


def _teach(app: App) -> None:
    """`/migrate status` is answered, `/migrate apply` opens a modal that wants the word production."""

    @app.command("/migrate")
    def migrate(ack, command, client):
        if command["text"] == "apply":
            client.views_open(trigger_id=command["trigger_id"], view=VIEW)
            ack()
        else:
            ack(f"You typed *{command['text']}*.")

    @app.view("confirm")
    def confirm(ack, view):
        if view["state"]["values"]["name"]["typed"]["value"] == "production":
            ack()
        else:
            ack(response_action="errors", errors={"name": "Type the environment's name: production."})

    @app.action("again")
    def again(ack, respond):
        ack()
        respond(text="Pressed.", response_type="in_channel", replace_original=False)


def _plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


_TYPED = {"type": "plain_text_input", "action_id": "typed"}
VIEW = {
    "type": "modal",
    "callback_id": "confirm",
    "title": _plain("Apply to production"),
    "submit": _plain("Ask"),
    "blocks": [{"type": "input", "block_id": "name", "label": _plain("Environment"), "element": _TYPED}],
}


@pytest.fixture
def slack(served: Workspace) -> Workspace:
    """The workspace as new."""
    served.reset()
    return served


@pytest.fixture
def client(slack: Workspace) -> WebClient:
    """The app's client."""
    return WebClient(token=BOT_TOKEN, base_url=slack.api_url)


@pytest.fixture(scope="session")
def contexts(browser: Browser) -> Iterator[dict[tuple[tuple[str, str], ...], BrowserContext]]:
    """Browsers' contexts by what they prefer (`reduced_motion="reduce"`), for all tests: to make one takes a second."""
    made: dict[tuple[tuple[str, str], ...], BrowserContext] = {}
    yield made
    for context in made.values():
        context.close()


@pytest.fixture
def visit(
    browser: Browser, contexts: dict[tuple[tuple[str, str], ...], BrowserContext], slack: Workspace
) -> Iterator[Callable[..., Page]]:
    """Open the page as a person, `visit("U0APPROVER", width=390)`. A complaint on the console fails the test."""
    complaints: list[str] = []
    pages: list[Page] = []

    def open_page(person: str = "U0ENGINEER", *, width: int = 1280, height: int = 800, **look: str) -> Page:
        prefers = tuple(sorted(look.items()))
        if prefers not in contexts:
            contexts[prefers] = browser.new_context(**look)
        page = contexts[prefers].new_page()
        pages.append(page)
        page.set_viewport_size({"width": width, "height": height})
        page.set_default_timeout(5000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
        page.goto(f"{slack.page_url}?as={person}")
        page.get_by_role("heading", name="# migrations").wait_for()
        return page

    yield open_page
    for page in pages:
        page.close()
    assert complaints == []
