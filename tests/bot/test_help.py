"""Help: what each command's explanation says, and that what it offers can be typed."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot import grammar, messages, phrasebook
from bot.outcomes import Helped
from bot.phrasebook import TABLE, Phrase
from ledger.workflow import Workflow
from tests.bot.conftest import a_workflow
from tests.bot.stories import lines

#: All of it, as a person reads it: a paragraph for each command.
SAID = (Path(__file__).parent / "help.txt").read_text(encoding="utf-8")


def test_every_command_is_explained_in_these_words(workflow: Workflow) -> None:
    said = (messages.reply(Helped(row.word), workflow).text for row in TABLE)
    assert "\n\n".join(said) + "\n" == SAID


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.word)
def test_what_is_offered_can_be_typed(row: Phrase, workflow: Workflow) -> None:
    places = phrasebook.places(workflow)
    assert len(row.examples) == (1 if not row.takes else 2)
    for example in row.examples:
        assert example.split()[0] == row.word
        grammar.parse(example.format(**places), workflow)


def test_each_form_is_a_line_and_what_it_says_is_harmless(workflow: Workflow) -> None:
    shown = messages.reply(Helped("rollback"), workflow)
    assert lines(shown)[:3] == [
        "`/migrate rollback &lt;environment&gt;`",
        "`/migrate rollback &lt;environment&gt; last &lt;n&gt;`",
        "`/migrate rollback &lt;environment&gt; to &lt;migration&gt;`",
    ]
    assert shown.text == "\n".join(lines(shown))


def test_where_there_is_one_environment_the_examples_name_it() -> None:
    flow = a_workflow()
    alone = replace(flow, environments=(replace(flow.environments[2], name="live", aliases=()),))
    assert "`/migrate freeze live the disk is full`" in messages.reply(Helped("freeze"), alone).text
