"""The demo says in a sentence why it does not begin; nothing is started for that."""

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
