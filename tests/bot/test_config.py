"""Settings: each missing or malformed one is a sentence that names it and never shows a value."""

import re
import socket
import sys
from pathlib import Path
from subprocess import run
from typing import Any

import pytest

from bot import config
from ledger.workflow import WorkflowError
from playground.client import Workspace
from tests.support.ledger import role_url

TOML = """
migrations = "migrations"
channel = "C0MIGRATE"

[[environment]]
name = "production"
database_url = { env = "PRODUCTION_DATABASE_URL" }
protected = true

[scratch]
database_url = { env = "SCRATCH_DATABASE_URL" }
"""


@pytest.fixture
def good(tmp_path: Path) -> dict[str, str]:
    file = tmp_path / "twokey.toml"
    file.write_text(TOML)
    return {
        "TWOKEY_CONFIG": str(file),
        "SLACK_BOT_TOKEN": "xoxb-hush",
        "SLACK_APP_TOKEN": "xapp-hush",
        "LEDGER_DATABASE_URL": "postgresql://bot:hush@db/ledger",
        "REDIS_URL": "redis://:hush@redis:6379/0",
    }


HTTP = {"SLACK_APP_TOKEN": "", "SLACK_SIGNING_SECRET": "hush", "PORT": "3000"}


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"SLACK_BOT_TOKEN": ""}, "SLACK_BOT_TOKEN is not set; it is the bot's token, which begins with xoxb-."),
        (
            {"SLACK_BOT_TOKEN": "xoxp-hush"},
            "SLACK_BOT_TOKEN must begin with xoxb-: it is the bot's token, not a person's.",
        ),
        (
            {"SLACK_APP_TOKEN": "hush"},
            "SLACK_APP_TOKEN must begin with xapp-: it is the app-level token, for Socket Mode.",
        ),
        (
            HTTP | {"SLACK_SIGNING_SECRET": ""},
            (
                "SLACK_SIGNING_SECRET is not set; "
                "it is needed without SLACK_APP_TOKEN, to tell Slack's requests from anyone's."
            ),
        ),
        (
            HTTP | {"PORT": ""},
            "PORT is not set; it is needed without SLACK_APP_TOKEN: the port on which Slack's requests arrive.",
        ),
        (HTTP | {"PORT": "http"}, "PORT must be a number from 1 to 65535."),
        (HTTP | {"PORT": "70000"}, "PORT must be a number from 1 to 65535."),
        ({"SLACK_API_URL": "slack.com"}, "SLACK_API_URL must be a URL such as https://slack.com/api/."),
        ({"LEDGER_DATABASE_URL": ""}, "LEDGER_DATABASE_URL is not set; it is a URL that begins with postgresql://."),
        ({"LEDGER_DATABASE_URL": "hush"}, "LEDGER_DATABASE_URL must be a URL that begins with postgresql://."),
        ({"REDIS_URL": ""}, "REDIS_URL is not set; it is a URL that begins with redis://."),
        ({"REDIS_URL": "http://hush"}, "REDIS_URL must be a URL that begins with redis://."),
        (
            {"PRODUCTION_DATABASE_URL": "postgresql://hush"},
            "PRODUCTION_DATABASE_URL is set, and the bot must not see the address of production; only a worker may.",
        ),
        (
            {"SCRATCH_DATABASE_URL": "postgresql://hush"},
            (
                "SCRATCH_DATABASE_URL is set, and the bot must not see the address of the scratch server; "
                "only a worker may."
            ),
        ),
        (
            {"LEDGER_OWNER_URL": "postgresql://hush"},
            "LEDGER_OWNER_URL is set, and only `python -m workers prepare` may see it.",
        ),
    ],
)
def test_a_wrong_setting_is_named_and_not_shown(good: dict[str, str], changed: dict[str, str], sentence: str) -> None:
    with pytest.raises(config.Misconfigured, match=f"^{re.escape(sentence)}$") as caught:
        config.read(good | changed)
    assert "hush" not in str(caught.value)


def test_a_missing_workflow_file_is_named(good: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(WorkflowError, match=r"nowhere\.toml"):
        config.read(good | {"TWOKEY_CONFIG": str(tmp_path / "nowhere.toml")})


def test_socket_mode_is_the_default_and_slack_is_slack(good: dict[str, str]) -> None:
    settings = config.read(good)
    assert (settings.app_token, settings.port, settings.slack_url) == ("xapp-hush", None, "https://slack.com/api/")


def test_http_mode_without_an_app_token(good: dict[str, str]) -> None:
    settings = config.read(good | HTTP | {"SLACK_API_URL": "http://127.0.0.1:1/api"})
    assert (settings.app_token, settings.port, settings.slack_url) == (None, 3000, "http://127.0.0.1:1/api/")


def test_secrets_hide_in_repr(good: dict[str, str]) -> None:
    assert "hush" not in repr(config.read(good)) + repr(config.read(good | HTTP))


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"SLACK_BOT_TOKEN": ""}, "SLACK_BOT_TOKEN is not set; it is the bot's token, which begins with xoxb-.\n"),
        (
            {"LEDGER_DATABASE_URL": "postgresql://bot:hush@db"},
            (
                "LEDGER_DATABASE_URL is not a URL that Twokey understands. "
                "Write it like postgresql://login:password@host:5432/ledger.\n"
            ),
        ),
    ],
)
def test_the_process_ends_with_that_one_sentence(good: dict[str, str], changed: dict[str, Any], sentence: str) -> None:
    ended = run(
        [sys.executable, "-m", "bot"], env=good | changed, capture_output=True, text=True, timeout=20, check=False
    )
    assert ended.returncode == 2
    assert ended.stderr.endswith(sentence)
    assert ended.stdout == ""


def test_a_port_that_is_taken_is_named(slack: Workspace, good: dict[str, str], ledger_url: str, redis_url: str) -> None:
    with socket.create_server(("", 0)) as taken:
        port = taken.getsockname()[1]
        real = slack.bot_variables() | {
            "LEDGER_DATABASE_URL": role_url(ledger_url, "twokey_bot"),
            "REDIS_URL": redis_url,
        }
        env = good | real | HTTP | {"PORT": str(port)}
        ended = run([sys.executable, "-m", "bot"], env=env, capture_output=True, text=True, timeout=20, check=False)
    assert ended.returncode == 2
    sentence = f"PORT is {port}, and the bot cannot listen there: Address already in use.\n"
    assert ended.stderr.endswith(sentence)
