"""The bot's settings: the only place in this room that reads the environment's variables.

There is no field in which the address of a migrated database could be put, and the bot does not start where one is
in sight: who holds a Slack token must not hold a key to production.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from ledger.workflow import Workflow
from ledger.workflow_file import load

SLACK = "https://slack.com/api/"


class Misconfigured(Exception):
    """A setting is missing or malformed, or one is there that must not be. Names it and never shows its value."""

    def __init__(self, setting: str, what: str) -> None:
        super().__init__(setting, what)
        self.setting, self.what = setting, what

    def __str__(self) -> str:
        return f"{self.setting} {self.what}."


@dataclass(frozen=True, slots=True)
class Settings:
    """All that the bot is told at start. Socket Mode where there is an app token, HTTP otherwise."""

    workflow: Workflow
    slack_url: str
    port: int | None
    bot_token: str = field(repr=False)
    app_token: str | None = field(repr=False)
    signing_secret: str | None = field(repr=False)
    ledger_url: str = field(repr=False)
    redis_url: str = field(repr=False)


def read(surroundings: Mapping[str, str] = os.environ) -> Settings:
    """Settings from the process's variables. Raises Misconfigured, and WorkflowError for the file."""
    workflow = load(Path(surroundings.get("TWOKEY_CONFIG") or "twokey.toml"))
    _no_other_keys(surroundings, workflow)
    app_token = surroundings.get("SLACK_APP_TOKEN") or None
    if app_token is not None and not app_token.startswith("xapp-"):
        raise Misconfigured("SLACK_APP_TOKEN", "must begin with xapp-: it is the app-level token, for Socket Mode")
    return Settings(
        workflow=workflow,
        slack_url=_slack_url(surroundings.get("SLACK_API_URL") or SLACK),
        bot_token=_bot_token(surroundings),
        app_token=app_token,
        signing_secret=None if app_token else _signing_secret(surroundings),
        port=None if app_token else _port(surroundings),
        ledger_url=_url(surroundings, "LEDGER_DATABASE_URL", schemes=("postgresql", "postgres")),
        redis_url=_url(surroundings, "REDIS_URL", schemes=("redis", "rediss", "unix")),
    )


def _no_other_keys(surroundings: Mapping[str, str], workflow: Workflow) -> None:
    for environment in workflow.environments:
        if surroundings.get(environment.dsn_variable):
            what = f"is set, and the bot must not see the address of {environment.name}; only a worker may"
            raise Misconfigured(environment.dsn_variable, what)
    for server in workflow.scratch_servers:
        if surroundings.get(server.dsn_variable):
            what = "is set, and the bot must not see the address of the scratch server; only a worker may"
            raise Misconfigured(server.dsn_variable, what)
    if surroundings.get("LEDGER_OWNER_URL"):
        raise Misconfigured("LEDGER_OWNER_URL", "is set, and only `python -m workers prepare` may see it")


def _needed(surroundings: Mapping[str, str], name: str, *, what: str) -> str:
    value = surroundings.get(name)
    if not value:
        raise Misconfigured(name, f"is not set; it is {what}")
    return value


def _bot_token(surroundings: Mapping[str, str]) -> str:
    token = _needed(surroundings, "SLACK_BOT_TOKEN", what="the bot's token, which begins with xoxb-")
    if not token.startswith("xoxb-"):
        raise Misconfigured("SLACK_BOT_TOKEN", "must begin with xoxb-: it is the bot's token, not a person's")
    return token


def _signing_secret(surroundings: Mapping[str, str]) -> str:
    what = "needed without SLACK_APP_TOKEN, to tell Slack's requests from anyone's"
    return _needed(surroundings, "SLACK_SIGNING_SECRET", what=what)


def _port(surroundings: Mapping[str, str]) -> int:
    value = _needed(
        surroundings, "PORT", what="needed without SLACK_APP_TOKEN: the port on which Slack's requests arrive"
    )
    if not (value.isascii() and value.isdigit() and 0 < int(value) < 65536):
        raise Misconfigured("PORT", "must be a number from 1 to 65535")
    return int(value)


def _slack_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise Misconfigured("SLACK_API_URL", f"must be a URL such as {SLACK}")
    return value if value.endswith("/") else f"{value}/"


def _url(surroundings: Mapping[str, str], name: str, *, schemes: tuple[str, ...]) -> str:
    value = _needed(surroundings, name, what=f"a URL that begins with {schemes[0]}://")
    if value.partition("://")[0] not in schemes:
        raise Misconfigured(name, f"must be a URL that begins with {schemes[0]}://")
    return value
