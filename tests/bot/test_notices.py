"""What was done at a terminal is told in the channel: in whose name, what and when, once, and in order."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from bot import messages
from bot.noticeboard import NoticeBoard
from bot.voice import Voice
from ledger.book import Book
from ledger.records import Deed, Notice
from ledger.workflow import Workflow
from playground.client import Workspace
from tests.bot.conftest import CHANNEL

AT = datetime(2026, 11, 22, 14, 3, tzinfo=UTC)
WHEN = f"<!date^{int(AT.timestamp())}^{{date_short_pretty}} {{time}}|2026-11-22 14:03 UTC>"

FIFTEEN = ", ".join(f"`{n}`" for n in range(15))


def a_deed(number: int, act: str, *what: str, by: str = "ada (terminal)") -> Deed:
    return Deed(id=f"deed-{number}", at=AT + timedelta(seconds=number), act=act, what=what, by=by)


def words(act: str, *runs: Sequence[str], earlier: bool = False, by: str = "ada (terminal)") -> tuple[str, str]:
    """What is read aloud, and what is seen."""
    deeds = tuple(a_deed(0, act, *what, by=by) for what in runs)
    shown = messages.notice(Notice(1, "test", earlier, deeds, "key"))
    return shown.text, shown.blocks[0]["text"]["text"]


@pytest.mark.parametrize(
    ("act", "runs", "said"),
    [
        ("apply", [("1_a",)], "applied 1 migration: `1_a`"),
        ("apply", [("1_a",), ("2_b",)], "applied 2 migrations: `1_a`, `2_b`"),
        ("rollback", [("2_b",), ("1_a",)], "took 2 migrations back: `2_b`, `1_a`"),
        ("baseline", [("1_a",)], "wrote 1 file down as applied, and ran nothing: `1_a`"),
        ("repair", [("1_a", "2_b")], "let 2 edited files count as it is now, and ran nothing: `1_a`, `2_b`"),
        ("restore", [("x.sql", "shop_before")], "restored the backup `x.sql`; what was there is kept as `shop_before`"),
        ("restore", [("x.sql",)], "restored the backup `x.sql`"),
        ("restore", [()], "restored a backup"),
        ("discard", [("shop_before",)], "dropped what a restore had kept: `shop_before`"),
        ("paint", [("it",)], "paint: `it`"),
        ("apply", [[str(n) for n in range(17)]], f"applied 17 migrations: {FIFTEEN}, and 2 more"),
    ],
)
def test_who_did_what_and_when(act: str, runs: Sequence[Sequence[str]], said: str) -> None:
    assert words(act, *runs) == (
        f"test · done at the terminal by ada: {said}.",
        f"🖥️ *test* · done at the terminal by ada {WHEN}: {said}.",
    )


def test_what_was_done_before_the_first_look_is_one_line() -> None:
    text, shown = words("apply", ("1_a",), ("2_b",), ("3_c",), earlier=True)
    said = "3 things were done at the terminal before Twokey first looked here, the last of them by ada"
    assert text == f"test · {said}."
    assert shown == f"🖥️ *test* · {said} {WHEN}."


def test_a_single_earlier_thing_is_told_as_it_is() -> None:
    assert (
        words("apply", ("1_a",), earlier=True)[0] == "test · done at the terminal by ada: applied 1 migration: `1_a`."
    )


def test_no_name_can_forge_a_mark_or_a_mention() -> None:
    text, shown = words("apply", ("`*x* <!channel>",), by="<!channel> *bo*")
    for one in (text, shown):
        assert "<!channel>" not in one
        assert "*bo*" not in one
        assert "`'*x* &lt;!channel&gt;`" in one


@pytest.fixture
def board(ledger: Book, voice: Voice, workflow: Workflow, slack: Workspace) -> NoticeBoard:
    del slack
    return NoticeBoard(ledger, voice=voice, workflow=workflow)


def texts(slack: Workspace) -> list[str]:
    return [message["text"].partition(": ")[2] for message in slack.messages(CHANNEL)]


def found(ledger: Book, *runs: Sequence[Deed], environment: str = "test") -> None:
    """The environment was looked at before, and now this is found there."""
    ledger.notice(environment, [])
    ledger.notice(environment, runs)


def test_each_notice_is_posted_once_and_in_order(board: NoticeBoard, ledger: Book, slack: Workspace) -> None:
    found(ledger, [a_deed(1, "apply", "1_a"), a_deed(2, "apply", "2_b")], [a_deed(3, "rollback", "2_b")])
    found(ledger, [a_deed(4, "discard", "x")], environment="development")
    board.post()
    board.post()
    assert texts(slack) == [
        "applied 2 migrations: `1_a`, `2_b`.",
        "took 1 migration back: `2_b`.",
        "dropped what a restore had kept: `x`.",
    ]


def test_a_post_whose_answer_was_lost_is_found_by_another_process(
    board: NoticeBoard, ledger: Book, voice: Voice, workflow: Workflow, slack: Workspace
) -> None:
    found(ledger, [a_deed(1, "apply", "1_a")], [a_deed(2, "apply", "2_b")])
    slack.fault("chat.postMessage", lose_answer=True)
    board.post()
    assert len(texts(slack)) == 1  # and the second has not overtaken it
    NoticeBoard(ledger, voice=voice, workflow=workflow).post()
    assert texts(slack) == ["applied 1 migration: `1_a`.", "applied 1 migration: `2_b`."]


def test_while_slack_asks_to_wait_nobody_overtakes(board: NoticeBoard, ledger: Book, slack: Workspace) -> None:
    found(ledger, [a_deed(1, "apply", "1_a")], [a_deed(2, "apply", "2_b")])
    slack.fault("chat.postMessage", status=429, retry_after=60)
    board.post()
    board.post()
    assert texts(slack) == []
    assert len(slack.calls("chat.postMessage")) == 1


def test_an_environment_that_the_bot_does_not_know_waits(board: NoticeBoard, ledger: Book, slack: Workspace) -> None:
    found(ledger, [a_deed(1, "apply", "1_a")], environment="staging")
    found(ledger, [a_deed(2, "apply", "2_b")])
    board.post()
    assert texts(slack) == ["applied 1 migration: `2_b`."]
    assert [one.environment for one in ledger.notices(["staging"])] == ["staging"]
