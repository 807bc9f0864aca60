"""The demo says in a sentence why it does not begin, and why it ends; nothing is started for that."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from playground import demo


def test_a_checkout_that_cannot_be_written_to_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(demo, "FOLDER", tmp_path / "file" / ".playground")  # as good as read-only, for root too
    assert demo.main() == 1
    assert capsys.readouterr().err == (
        f"The demo cannot write into {tmp_path / 'file'} (Not a directory). "
        "Clone into a folder of yours, then start there.\n"
    )


def test_a_second_demo_of_one_checkout_is_told_of_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "FOLDER", tmp_path / ".playground")
    with demo.only_one():
        assert demo.main() == 1
    assert capsys.readouterr().err == (
        f"A demo is open already; its files are in {tmp_path / '.playground'}. "
        "End it with Ctrl-C where it runs, then start again.\n"
    )


class Seen(Exception):
    pass


def looked() -> Iterator[str]:
    yield "workers"
    raise Seen


def test_after_the_story_it_stays_for_a_terminal_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs, ours = os.openpty()
    with open(theirs, "rb"), open(ours) as terminal:  # noqa: PTH123  descriptors, no paths
        monkeypatch.setattr("sys.stdin", terminal)
        with pytest.raises(Seen):
            demo.stay(looked)
    assert capsys.readouterr().out == (
        "It stays open: on the page, choose at the top who you act as, and type /migrate help below the channel. "
        "Add files to its migrations folder. Ctrl-C ends it all.\n"
        "workers ended and was started again. What was asked for is in the ledger and goes on.\n"
    )
    with open(os.devnull) as nobody:  # noqa: PTH123  a device
        monkeypatch.setattr("sys.stdin", nobody)
        demo.stay(looked)
    assert capsys.readouterr().out == "It ends here: standard input is no terminal, so nobody is there to go on.\n"
