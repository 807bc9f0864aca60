"""What a worker may know of its surroundings, and what stops it at the door."""

import copy
import pickle
from pathlib import Path

import pytest

from workers import config
from workers.config import Misconfigured, Secret

LEDGER = "postgresql://worker:hunter2@ledger/ledger"
WORKFLOW = """
migrations = "migrations"
channel = "C0MIGRATE"
[[environment]]
name = "development"
aliases = ["dev"]
database_url = { env = "DEVELOPMENT_DATABASE_URL" }
[[environment]]
name = "production"
aliases = ["prod"]
database_url = { env = "PRODUCTION_DATABASE_URL" }
protected = true
approvers = ["U0APPROVER"]
"""


@pytest.fixture
def around(tmp_path: Path) -> dict[str, str]:
    file = tmp_path / "twokey.toml"
    file.write_text(WORKFLOW)
    return {
        "TWOKEY_CONFIG": str(file),
        "LEDGER_DATABASE_URL": LEDGER,
        "REDIS_URL": "redis://:hunter2@ring:6379/0",
        "PATH": "/usr/bin",
    }


def refusal(around: dict[str, str], *names: str) -> str:
    with pytest.raises(Misconfigured) as refused:
        config.for_hands(names, around)
    return str(refused.value)


@pytest.mark.parametrize("token", ["SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET"])
def test_no_process_here_starts_with_a_slack_token_in_sight(around: dict[str, str], token: str) -> None:
    around[token] = "xoxb-hunter2"
    sentence = (
        f"{token} is in sight of the workers. No process holds both a Slack token and a database's address: "
        "unset it here; it belongs to python -m bot."
    )
    assert refusal(around) == sentence
    for read in (config.for_sweep, config.for_prepare):
        with pytest.raises(Misconfigured) as refused:
            read(around)
        assert str(refused.value) == sentence


def test_an_unknown_environment_is_answered_with_the_known_ones(around: dict[str, str]) -> None:
    assert refusal(around, "staging") == ("twokey.toml has no environment 'staging'. It has development, production.")
    assert refusal(around, "produciton") == (
        "twokey.toml has no environment 'produciton'. It has development, production. Did you mean production?"
    )


def test_a_missing_database_names_its_variable_and_the_way_to_serve_the_others(around: dict[str, str]) -> None:
    around["DEVELOPMENT_DATABASE_URL"] = "postgresql://dev@host/app"
    assert refusal(around) == (
        "Not set: PRODUCTION_DATABASE_URL (production); it holds an environment's address: "
        "postgresql://login:password@host/database. "
        "To serve other environments alone, name them: python -m workers <environment …>."
    )
    del around["DEVELOPMENT_DATABASE_URL"]
    assert refusal(around) == (
        "Not set: DEVELOPMENT_DATABASE_URL (development), PRODUCTION_DATABASE_URL (production); each holds an "
        "environment's address: postgresql://login:password@host/database. "
        "To serve other environments alone, name them: python -m workers <environment …>."
    )


def test_a_database_that_is_no_url_is_named_and_not_shown(around: dict[str, str]) -> None:
    around["DEVELOPMENT_DATABASE_URL"] = "mysql://root:hunter2@host/app"
    assert refusal(around, "dev") == (
        "DEVELOPMENT_DATABASE_URL does not start with postgresql:// or postgres://. "
        "It holds the address of development's database: postgresql://login:password@host/database."
    )


@pytest.mark.parametrize(
    ("name", "wrong", "sentence"),
    [
        (
            "LEDGER_DATABASE_URL",
            "",
            "LEDGER_DATABASE_URL is not set; it holds the ledger's address: postgresql://login:password@host/ledger.",
        ),
        ("REDIS_URL", "", "REDIS_URL is not set; it holds the ring's address: redis://host:6379/0."),
        (
            "REDIS_URL",
            "ring:6379",
            (
                "REDIS_URL does not start with redis:// or rediss:// or unix://. "
                "It holds the ring's address: redis://host:6379/0."
            ),
        ),
        ("TWOKEY_CONFIG", "/nowhere/twokey.toml", None),
    ],
)
def test_each_missing_or_malformed_setting_is_one_sentence(
    around: dict[str, str], name: str, wrong: str, sentence: str | None
) -> None:
    around |= {name: wrong, "DEVELOPMENT_DATABASE_URL": "postgresql://dev@host/app"}
    said = refusal(around, "dev")
    assert said == sentence if sentence else "/nowhere/twokey.toml" in said


def test_a_worker_holds_the_databases_it_serves_and_no_other(around: dict[str, str]) -> None:
    around |= {"DEVELOPMENT_DATABASE_URL": "postgresql://dev@h/a", "PRODUCTION_DATABASE_URL": "postgresql://prod@h/a"}
    settings = config.for_hands(["prod", "production"], around)
    assert [e.name for e in settings.environments] == ["production"]
    assert {name: dsn.reveal() for name, dsn in settings.databases.items()} == {"production": "postgresql://prod@h/a"}
    assert list(config.for_hands([], around).databases) == ["development", "production"]


def test_the_sweep_refuses_an_environments_database(around: dict[str, str]) -> None:
    assert config.for_sweep(around).ledger.reveal() == LEDGER
    around["PRODUCTION_DATABASE_URL"] = "postgresql://prod:hunter2@host/app"
    with pytest.raises(Misconfigured) as refused:
        config.for_sweep(around)
    assert str(refused.value) == (
        "PRODUCTION_DATABASE_URL is in sight of the sweep, which needs no environment's database. "
        "Unset it here; it belongs to python -m workers."
    )


def test_the_scratch_server_is_for_hands_alone_and_they_can_do_without(around: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "twokey.toml").write_text(WORKFLOW + '[scratch]\ndatabase_url = { env = "SCRATCH_DATABASE_URL" }\n')
    around["DEVELOPMENT_DATABASE_URL"] = "postgresql://dev@h/a"
    assert config.for_hands(["dev"], around).scratch == {}
    seen = config.for_hands(["dev"], {**around, "HOME": "/h", "PGPASSWORD": "p"}).generator_sees
    assert (seen["HOME"], [name for name in seen if "PASSWORD" in name or "URL" in name]) == ("/h", [])
    around["SCRATCH_DATABASE_URL"] = "postgresql://scratch:hunter2@h/postgres"
    settings = config.for_hands(["dev"], around)
    assert settings.scratch["SCRATCH_DATABASE_URL"].reveal() == "postgresql://scratch:hunter2@h/postgres"
    assert "hunter2" not in repr(settings)
    del around["DEVELOPMENT_DATABASE_URL"]
    with pytest.raises(Misconfigured, match="SCRATCH_DATABASE_URL is in sight of the sweep"):
        config.for_sweep(around)
    around |= {"SCRATCH_DATABASE_URL": "mysql://h", "DEVELOPMENT_DATABASE_URL": "postgresql://dev@h/a"}
    assert refusal(around, "dev") == (
        "SCRATCH_DATABASE_URL does not start with postgresql:// or postgres://. "
        "It holds the address of a server for scratch databases: postgresql://login:password@host/postgres."
    )


def test_prepare_needs_the_owner_alone() -> None:
    settings = config.for_prepare({"LEDGER_OWNER_URL": LEDGER, "LEDGER_BOT_URL": "postgresql://bot@ledger/ledger"})
    assert settings.owner.reveal() == LEDGER
    assert list(settings.logins) == ["twokey_bot"]
    with pytest.raises(Misconfigured) as refused:
        config.for_prepare({})
    assert str(refused.value) == (
        "LEDGER_OWNER_URL is not set; "
        "it holds the address of the ledger's owner: postgresql://owner:password@host/ledger."
    )


def test_a_secret_is_shown_nowhere(around: dict[str, str]) -> None:
    around["DEVELOPMENT_DATABASE_URL"] = "postgresql://dev:hunter2@host/app"
    settings = config.for_hands(["development"], around)
    secret = settings.ledger
    for shown in (repr(settings), repr(secret), str(secret), f"{secret}", f"{secret:>40}", f"{secret!r}"):
        assert "hunter2" not in shown
    assert str(secret) == "Secret(…)"


def test_a_secret_does_not_leave_its_process() -> None:
    with pytest.raises(TypeError, match="a Secret does not leave the process that holds it"):
        pickle.dumps(Secret("hunter2"))
    with pytest.raises(TypeError):
        copy.copy(Secret("hunter2"))
    assert not hasattr(Secret("hunter2"), "__dict__")
