"""`python -m ledger verify` from outside: its words, its JSON, its exit codes."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger import __main__ as door
from ledger.book import Book
from ledger.states import State
from tests.support.ledger import a_request_in, role_url

Out = pytest.CaptureFixture[str]


@pytest.fixture
def url(ledger_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The ledger's address stands in the surroundings, for the smallest of the logins."""
    monkeypatch.setenv("LEDGER_DATABASE_URL", role_url(ledger_url, "twokey_sweep"))
    return ledger_url


def test_a_record_that_holds(url: str, ledger: Book, capsys: Out) -> None:
    assert door.main(["verify"]) == 0
    nothing = "The record holds: 0 requests, 0 events, 0 seals, 0 tallies. Since the last seal: 0 events.\n"
    assert capsys.readouterr().out == nothing
    a_request_in(ledger, State.APPLIED)
    ledger.seal()
    a_request_in(ledger, State.ASKED)
    assert door.main(["verify"]) == 0
    assert capsys.readouterr().out == (
        "The record holds: 2 requests, 6 events, 1 seal, 0 tallies. "
        f"Seal 1 is {ledger.all_seals()[0].hash}. Since the last seal: 1 event.\n"
    )


def test_a_record_that_does_not(
    url: str, ledger: Book, capsys: Out, owner_says: Callable[[str], None], tmp_path: Path
) -> None:
    request = a_request_in(ledger, State.APPLIED)
    kept = tmp_path / "tallies"
    kept.write_text(f"{ledger.tally(request.id)}\n")
    assert door.main(["verify", "--tallies", str(kept)]) == 0
    owner_says("SET LOCAL session_replication_role = replica; DELETE FROM events WHERE seq = 5")
    capsys.readouterr()
    assert door.main(["verify", "--tallies", str(kept)]) == 1
    assert capsys.readouterr().out == (
        "The record does not hold (1 request, 4 events, 0 seals, 1 tally). The first place first:\n"
        "#1 counts 5 events, and its story has 4.\n"
        "The tally knows event 5 of #1, which is missing: the end of that story was cut off.\n"
    )
    assert door.main(["verify", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["holds"] is False
    assert told["breaches"] == [{"request_id": 1, "seq": 5, "why": "#1 counts 5 events, and its story has 4."}]


def test_of_many_breaches_the_first_are_told(
    url: str, ledger: Book, capsys: Out, owner_says: Callable[[str], None]
) -> None:
    for _ in range(6):
        a_request_in(ledger, State.APPLIED)
    owner_says("SET LOCAL session_replication_role = replica; UPDATE events SET kind = 'Noted'")
    assert door.main(["verify"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("Event 1 of #1 (Noted, ")
    assert (len(lines), lines[-1]) == (22, "and 16 more")


def test_tallies_may_come_from_another_program(
    url: str, ledger: Book, capsys: Out, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = a_request_in(ledger, State.APPLIED)
    monkeypatch.setattr("sys.stdin", io.StringIO(str(ledger.tally(request.id))))
    assert door.main(["verify", "--tallies", "-"]) == 0
    assert "1 tally" in capsys.readouterr().out


def test_a_file_without_a_tally_is_said_to_be_one(url: str, capsys: Out, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.write_text("nothing here")
    assert door.main(["verify", "--tallies", str(empty)]) == 3
    assert capsys.readouterr().err == (
        f"{empty} holds no tally. One looks like this: #7.12 and the event's hash, or its beginning.\n"
    )
    assert door.main(["verify", "--tallies", str(tmp_path / "gone")]) == 3
    assert capsys.readouterr().err == f"{tmp_path / 'gone'} cannot be read: No such file or directory.\n"
    empty.write_bytes(b"\xff")
    assert door.main(["verify", "--tallies", str(empty)]) == 3
    assert capsys.readouterr().err == f"{empty} cannot be read: it is not text.\n"


def test_a_ledger_that_is_not_there_and_one_that_is_not_named(capsys: Out, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEDGER_DATABASE_URL", "postgresql://u:hunter2@127.0.0.1:1/ledger")
    assert door.main(["verify"]) == 3
    assert capsys.readouterr().err.startswith("The ledger's database cannot be reached.")
    monkeypatch.delenv("LEDGER_DATABASE_URL")
    assert door.main(["verify"]) == 2
    assert capsys.readouterr().err == (
        "LEDGER_DATABASE_URL is not set. It holds the ledger's address, postgresql://login:password@host:5432/ledger; "
        "an evidence file is verified without it: python -m ledger verify evidence.json\n"
    )


@pytest.mark.parametrize("words", [[], ["verfy"], ["verify", "--what"]])
def test_wrong_words_are_told_apart_from_a_broken_record(words: list[str], capsys: Out) -> None:
    with pytest.raises(SystemExit) as ended:
        door.main(words)
    assert ended.value.code == 2
    assert "usage: python -m ledger" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--help"], ["verify", "--help"]])
def test_help_shows_an_example_and_the_exit_codes(words: list[str], capsys: Out) -> None:
    with pytest.raises(SystemExit) as ended:
        door.main(words)
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert "python -m ledger verify --tallies -" in said
    assert "exit codes: 0 it holds, 1 it does not or its end is not proven, 2 wrong usage or setting, 3 it" in said
