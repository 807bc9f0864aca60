"""Whatever the bot says with an emoji, the page draws, whichever fonts a machine has."""

import re
from pathlib import Path

import pytest

from bot.voice import emoji
from playground.emoji import KNOWN

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "playground" / "page"
#: Pictures among the characters; arrows, check marks and the like are in every font.
PICTURES = re.compile("[\U0001f300-\U0001faff\u231a-\u23ff\u2600-\u26ff\u2705\u270f\u274c\u2744\u27a1\u21a9]\ufe0f?")


def said() -> list[tuple[str, str]]:
    """Each emoji in the bot's words, and the file that says it."""
    found = {
        (one, file.name) for file in (ROOT / "bot").glob("*.py") for one in PICTURES.findall(file.read_text("utf-8"))
    }
    return sorted(found)


@pytest.mark.parametrize(("character", "file"), said())
def test_an_emoji_of_the_bot_is_known_and_drawn(character: str, file: str) -> None:
    bare = {shown.replace("\ufe0f", ""): name for name, shown in KNOWN.items()}
    name = bare.get(character.replace("\ufe0f", ""))
    assert name, f"{file} says {character}, which the playground does not know"
    script, drawings = ((PAGE / one).read_text("utf-8") for one in ("mrkdwn.js", "emoji.svg"))
    assert f'"{name}"' in script
    assert f'<symbol id="{name}"' in drawings


def test_the_bot_says_some() -> None:
    assert {"\u2705", "\u274c", "\u2744\ufe0f", "\U0001f6a8"} <= {character for character, _ in said()}
    assert emoji("white_check_mark") in KNOWN
