"""slack-manifest.yaml asks for what the code uses, and for nothing else."""

import re

from bot import listeners
from playground import granted
from tests.bot.conftest import ROOT

#: The scopes that Slack's method pages name; views.open, chat.update's own messages and auth.test need no other.
SCOPES = {
    "chat_postMessage": {"chat:write"},
    "chat_update": {"chat:write"},
    "chat_postEphemeral": {"chat:write"},
    "conversations_history": {"channels:history", "groups:history"},
    "conversations_replies": {"channels:history", "groups:history"},
    "files_upload_v2": {"files:write"},
    "reactions_get": {"reactions:read"},
    "conversations_info": {"channels:read", "groups:read"},
    "usergroups_users_list": {"usergroups:read"},
    # The e-mail address of a person is shown to whoever has the second scope.
    "users_info": {"users:read", "users:read.email"},
    "views_open": set(),
    "views_publish": set(),
    "auth_test": set(),
}


def test_the_scopes_are_those_of_the_methods_that_the_bot_calls() -> None:
    called = set(re.findall(r"self\._client\.(\w+)\(", (ROOT / "bot" / "voice.py").read_text()))
    assert called == set(SCOPES)
    # Slack sends reaction events to whoever may read reactions, and slash commands to whoever has `commands`.
    assert granted.read(ROOT / "slack-manifest.yaml").scopes == {"commands"}.union(*SCOPES.values())


def test_the_events_and_the_command_are_those_that_are_heard() -> None:
    grant = granted.read(ROOT / "slack-manifest.yaml")
    assert grant.events == {*listeners.EVENTS, listeners.HOME}
    assert grant.commands == {listeners.COMMAND}


def test_socket_mode_and_buttons_are_on() -> None:
    text = (ROOT / "slack-manifest.yaml").read_text()
    assert "socket_mode_enabled: true" in text
    assert re.search(r"interactivity:\n +is_enabled: true", text)
