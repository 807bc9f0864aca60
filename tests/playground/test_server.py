"""How the workspace starts, and where it refuses to."""

import os
import signal
import subprocess
import sys
import textwrap

import pytest

from playground import granted, people, server
from playground.workspace import running


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.7", "::", "example.org", ""])
def test_it_listens_on_loopback_only(host):
    with pytest.raises(server.NotLoopback) as caught:
        server.Server(host=host)
    said = f"The playground has no passwords and listens on loopback only, not on {host}. Use 127.0.0.1."
    assert str(caught.value) == said


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_these_are_loopback(host):
    server.check_loopback(host)


def start(*words):
    return subprocess.Popen(
        [sys.executable, "-m", "playground", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"PATH": os.environ["PATH"]},
    )


def test_the_command_line_says_why_it_does_not_start():
    _, said = (process := start("--host", "0.0.0.0")).communicate(timeout=20)
    assert process.returncode == 1
    assert said == (
        "python -m playground: The playground has no passwords and listens on loopback only, not on 0.0.0.0. "
        "Use 127.0.0.1.\n"
    )


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_the_command_line_says_how_to_point_a_bot_at_it_and_ends_cleanly(sign):
    with start("--port", "0") as process:
        assert process.stdout
        assert process.stderr
        lines = [process.stdout.readline() for _ in range(6)]
        process.send_signal(sign)
        assert process.wait(20) == 0
        assert process.stderr.read() == ""
    address = lines[0].split()[4]
    assert lines[0] == f"The workspace is at {address} (Ctrl-C ends it). Point a bot at it with:\n"
    assert lines[2:] == [
        f"export SLACK_API_URL={address}/api/\n",
        "export SLACK_BOT_TOKEN=xoxb-playground\n",
        "export SLACK_APP_TOKEN=xapp-playground\n",
        "export SLACK_SIGNING_SECRET=playground-signing-secret\n",
    ]


def test_a_port_that_is_taken():
    with running() as slack, pytest.raises(OSError, match="in use"):
        server.Server(port=int(slack.address.rsplit(":", 1)[1]))


def test_two_workspaces_do_not_know_each_other():
    with running() as one, running() as two:
        one.as_person("U0ENGINEER").say("C0MIGRATE", "here")
        assert two.messages("C0MIGRATE") == []


def test_a_manifest_says_what_is_granted(tmp_path):
    manifest = tmp_path / "slack-manifest.yaml"
    manifest.write_text(
        textwrap.dedent("""
        features:
          slash_commands:
            - command: /migrate  # the one
              description: Promote SQL migrations
        oauth_config:
          scopes:
            bot:
              - chat:write
              - "commands"
        settings:
          event_subscriptions:
            bot_events:
              - reaction_added
          interactivity:
            is_enabled: true
        """)
    )
    assert granted.read(manifest) == granted.Grant(
        frozenset({"chat:write", "commands"}), frozenset({"reaction_added"}), frozenset({"/migrate"}), home=False
    )
    manifest.write_text("features:\n  app_home:\n    home_tab_enabled: true  # what waits\n")
    assert granted.read(manifest).home


def test_everybody_has_a_name():
    assert people.names()["U0ENGINEER"] == "Ada Engineer"
