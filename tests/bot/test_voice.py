"""Whatever Slack does not do is one error, whose sentence says what and that nothing is lost."""

from collections.abc import Callable

import pytest

from bot.blocks import plain
from bot.voice import SlackFailed, Voice
from playground.client import Workspace
from tests.bot.conftest import CHANNEL

HELLO = plain("Hello.")


@pytest.mark.parametrize(
    ("method", "deed", "words"),
    [
        ("chat.postMessage", lambda voice: voice.post(CHANNEL, HELLO, key="k"), "post"),
        ("chat.update", lambda voice: voice.edit(CHANNEL, "1712345678.000100", HELLO), "edit"),
        ("conversations.history", lambda voice: voice.find(CHANNEL, key="k"), "look back"),
        ("chat.postEphemeral", lambda voice: voice.whisper(CHANNEL, "U0ENGINEER", HELLO), "whisper"),
        ("reactions.get", lambda voice: voice.reactions(CHANNEL, "1712345678.000100"), "show the reactions"),
        ("users.info", lambda voice: voice.person("U0ENGINEER"), "say who this is"),
        ("auth.test", lambda voice: voice.home(), "say where this is"),
        (
            "views.publish",
            lambda voice: voice.publish("U0ENGINEER", {"type": "home", "blocks": []}),
            "show the app's tab",
        ),
        ("views.open", lambda voice: voice.open_modal("1.2.3", {"type": "modal"}), "open the form"),
    ],
)
def test_what_slack_did_not_do(
    voice: Voice, slack: Workspace, method: str, deed: Callable[[Voice], object], words: str
) -> None:
    slack.fault(method, error="fatal_error")
    with pytest.raises(SlackFailed) as caught:
        deed(voice)
    assert str(caught.value) == f"Slack did not {words}: fatal_error. Nothing is lost; try again in a moment."


def test_a_wait_that_slack_asks_for_is_remembered(voice: Voice, slack: Workspace) -> None:
    slack.fault("auth.test", status=429, retry_after=7)
    with pytest.raises(SlackFailed) as caught:
        voice.home()
    assert (caught.value.error, caught.value.retry_after) == ("ratelimited", 7)


def test_an_answer_to_an_address_that_is_used_up(voice: Voice, slack: Workspace) -> None:
    with pytest.raises(
        SlackFailed, match=r"^Slack did not answer: http 404\. Nothing is lost; try again in a moment\.$"
    ):
        voice.respond(f"{slack.address}/commands/T0TWOKEY/1/gone", HELLO)
