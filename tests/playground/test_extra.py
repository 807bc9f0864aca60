"""What a plain install says when it is asked for the playground."""

import pytest

from playground import __main__, extra


def test_what_is_not_installed_is_named_with_the_way_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert extra.missing() == ""
    sentence = (
        "The playground needs nothing_like_it, which a plain install leaves out. Run: pip install '.[playground]'"
    )
    assert extra.missing(("starlette", "nothing_like_it")) == sentence
    monkeypatch.setattr("sys.argv", ["playground"])
    monkeypatch.setattr(extra, "missing", lambda: sentence)
    assert __main__.main() == 1
    assert capsys.readouterr().err == f"python -m playground: {sentence}\n"
