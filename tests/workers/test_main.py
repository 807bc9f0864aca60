"""The words after `python -m workers`, and the sentences that end it at once."""

import pytest

from tests.support.ledger import role_url
from tests.workers.row import Row
from workers.__main__ import HELP, main


@pytest.mark.parametrize(
    ("words", "variables", "sentence"),
    [
        (["--all"], {}, "There is no option --all. Try: python -m workers --help"),
        (["dev"], {"SLACK_BOT_TOKEN": "xoxb-hunter2"}, "SLACK_BOT_TOKEN is in sight of the workers."),
        (["sweep"], {"TEST_DATABASE_URL": "postgresql://hunter2"}, "TEST_DATABASE_URL is in sight of the sweep"),
        (["prepare"], {}, "LEDGER_OWNER_URL is not set; it holds the address of the ledger's owner: "),
        (["dev"], {"REDIS_URL": "redis://host:hunter2"}, "REDIS_URL is not a URL that Twokey understands."),
        (["dev"], {"LEDGER_DATABASE_URL": "postgresql://hunter2"}, "LEDGER_DATABASE_URL is not a URL"),
    ],
)
def test_a_wrong_setting_gives_2_and_one_sentence(
    row: Row,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    variables: dict[str, str],
    sentence: str,
) -> None:
    around = {
        "TWOKEY_CONFIG": str(row.config),
        "LEDGER_DATABASE_URL": role_url(row.ledger_url, "twokey_worker"),
        "REDIS_URL": row.redis_url,
    }
    if words == ["dev"]:
        around["DEVELOPMENT_DATABASE_URL"] = row.dsn["development"]
    for name, value in {**around, **variables}.items():
        monkeypatch.setenv(name, value)
    assert main(words) == 2
    said = capsys.readouterr().err
    assert said.startswith(sentence)
    assert len(said.splitlines()) == 1
    assert "hunter2" not in said


def test_a_ledger_that_is_down_gives_1(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("LEDGER_OWNER_URL", "postgresql://owner:hunter2@127.0.0.1:1/ledger")
    assert main(["prepare"]) == 1
    assert capsys.readouterr().err.startswith("The ledger is not prepared. ")


def test_help_teaches_every_word_and_setting(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dev", "--help"]) == 0
    assert capsys.readouterr().out == HELP
