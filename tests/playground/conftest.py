"""One workspace for all tests of the playground, emptied before each, and a real Bolt app to talk to it."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from playground import workspace
from playground.client import Workspace
from playground.people import APP_TOKEN, BOT_TOKEN, SIGNING_SECRET


@pytest.fixture(scope="session")
def served() -> Iterator[Workspace]:
    """A running workspace."""
    with workspace.running() as slack:
        yield slack


@pytest.fixture
def slack(served: Workspace) -> Workspace:
    """The workspace as new."""
    served.reset()
    return served


@pytest.fixture
def client(slack: Workspace) -> WebClient:
    """The app's client, which does not try again by itself."""
    return WebClient(token=BOT_TOKEN, base_url=slack.api_url, retry_handlers=[], timeout=5)


@pytest.fixture
def refusal() -> Callable[..., Any]:
    """Make a call that Slack must refuse; gives the body of the answer."""

    def call(method: Callable[..., Any], **arguments: Any) -> Any:
        with pytest.raises(SlackApiError) as caught:
            method(**arguments)
        return caught.value.response.data

    return call


@pytest.fixture
def app(client: WebClient) -> App:
    """A Bolt app without listeners, which acks an event only after its listener has run."""
    logger = logging.getLogger("bolt-in-tests")
    logger.setLevel(logging.CRITICAL + 1)
    return App(client=client, signing_secret=SIGNING_SECRET, process_before_response=True, logger=logger)


@pytest.fixture(scope="session")
def line(served: Workspace) -> Iterator[SocketModeHandler]:
    """Bolt's Socket Mode client, not connected. One for all tests, since ending one takes a second."""
    logger = logging.getLogger("line-in-tests")
    logger.setLevel(logging.CRITICAL + 1)
    placeholder = App(client=WebClient(token=BOT_TOKEN, base_url=served.api_url), signing_secret=SIGNING_SECRET)
    web_client = WebClient(token=APP_TOKEN, base_url=served.api_url)
    handler = SocketModeHandler(placeholder, APP_TOKEN, web_client=web_client, logger=logger, ping_interval=0.2)
    yield handler
    handler.close()


@pytest.fixture
def connect(app: App, slack: Workspace, line: SocketModeHandler) -> Iterator[Callable[[], None]]:
    """Connect the app until the test ends."""

    def dial() -> None:
        line.app = app
        line.client.connect_to_new_endpoint(force=True)
        slack.wait_for_bot()

    yield dial
    line.client.auto_reconnect_enabled = False
    slack.disconnect(reason=None)
