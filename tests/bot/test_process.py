"""`python -m bot` as a process: it says what it waits for, listens, and ends cleanly on a signal."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.__main__ import HELP, main
from playground.client import Workspace
from tests.bot.conftest import CHANNEL, ROOT
from tests.bot.test_config import TOML
from tests.support.ledger import role_url


@contextmanager
def started(folder: Path, **variables: str) -> Iterator[subprocess.Popen[str]]:
    file = folder / "twokey.toml"
    file.write_text(TOML)
    env = {"TWOKEY_CONFIG": str(file), "PATH": os.environ["PATH"], **variables}
    bot = subprocess.Popen([sys.executable, "-m", "bot"], cwd=ROOT, env=env, stderr=subprocess.PIPE, text=True)
    try:
        yield bot
    finally:
        bot.kill()
        bot.communicate()


def test_it_listens_over_a_websocket_until_sigterm(
    slack: Workspace, ledger_url: str, redis_url: str, tmp_path: Path
) -> None:
    variables = slack.bot_variables() | {
        "LEDGER_DATABASE_URL": role_url(ledger_url, "twokey_bot"),
        "REDIS_URL": redis_url,
    }
    with started(tmp_path, **variables) as bot:
        slack.wait_for_bot(timeout=40)
        assert (
            slack.as_person("U0ENGINEER").slash("/migrate", "requests", channel=CHANNEL) == "There is no open request."
        )
        bot.send_signal(signal.SIGTERM)
        _, said = bot.communicate(timeout=40)
    assert bot.returncode == 0
    assert "Nobody may approve production: its approvers are empty, so it cannot be changed." in said
    assert "The bot listens in workspace T0TWOKEY." in said
    assert said.rstrip().endswith("The bot has ended.")
    assert "xoxb-" not in said
    assert "xapp-" not in said


def test_it_waits_for_the_ledger_and_says_so(slack: Workspace, redis_url: str, tmp_path: Path) -> None:
    nowhere = {"LEDGER_DATABASE_URL": "postgresql://bot:hush@127.0.0.1:1/ledger", "REDIS_URL": redis_url}
    with started(tmp_path, **slack.bot_variables(), **nowhere) as bot:
        assert bot.stderr is not None
        lines = [bot.stderr.readline(), bot.stderr.readline()]
        bot.send_signal(signal.SIGTERM)
        assert bot.wait(timeout=20) == 0
    assert "The ledger's database cannot be reached." in lines[1]
    assert "hush" not in "".join(lines)


def test_a_token_that_slack_refuses_ends_it(slack: Workspace, ledger_url: str, redis_url: str, tmp_path: Path) -> None:
    variables = slack.bot_variables() | {
        "SLACK_BOT_TOKEN": "xoxb-wrong",
        "LEDGER_DATABASE_URL": role_url(ledger_url, "twokey_bot"),
        "REDIS_URL": redis_url,
    }
    with started(tmp_path, **variables) as bot:
        _, said = bot.communicate(timeout=40)
    assert bot.returncode == 2
    assert said.endswith("SLACK_BOT_TOKEN was refused by Slack: invalid_auth.\n")


def test_it_takes_no_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert capsys.readouterr().out == HELP
    assert main(["extra"]) == 2
    assert capsys.readouterr().err == f"The bot takes no words.\n{HELP}"
