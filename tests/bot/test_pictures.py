"""The picture of a rehearsal stands under its card once, and nothing waits for it."""

import os
import struct
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.request import urlopen

import pytest

from bot import timeline
from bot.announcer import Announcer
from bot.easel import BRUSH, Easel, NotDrawn
from bot.voice import Voice
from ledger.book import Book
from ledger.rehearsed import Barred, Ran, Rehearsal
from ledger.request import Request
from ledger.states import State
from ledger.workflow import Workflow
from playground.client import Workspace
from tests.bot.conftest import CHANNEL
from tests.bot.stories import BY_BO
from tests.bot.test_receipts import SEEN
from tests.bot.test_timeline import of
from tests.support.ledger import a_plan, a_request_in, a_wish
from tests.support.waiting import wait_for

PNG = b"\x89PNG\r\n\x1a\n"
QUICK, FAILS, HANGS = (
    (sys.executable, "-S", "-c", code)
    for code in (
        r"import sys; sys.stdout.buffer.write(b'\x89PNG\r\n\x1a\n')",
        "import sys; sys.stderr.write('Traceback\\nValueError: no brush\\n'); sys.exit(1)",
        "import time; time.sleep(60)",
    )
)
ABOVE = "The rehearsal of #1 in time: what ran when, and what kept others waiting meanwhile."


@pytest.fixture
def easel() -> Iterator[Easel]:
    one = Easel(QUICK)
    yield one
    one.close()


@pytest.fixture
def request_of_two_keys(ledger: Book) -> Request:
    return a_rehearsed_request(ledger, SEEN)


def a_rehearsed_request(ledger: Book, seen: Rehearsal) -> Request:
    wish, plan = a_wish(environment="production"), a_plan(environment="production", protected=True)
    return a_request_in(ledger, State.PLANNED, wish=wish, protected=True, plan=replace(plan, rehearsal=seen))


def an_announcer(ledger: Book, voice: Voice, workflow: Workflow, easel: Easel) -> Announcer:
    return Announcer(ledger, voice=voice, workflow=workflow, easel=easel)


def told(announcer: Announcer, book: Book) -> None:
    def done() -> bool:
        announcer.announce()
        return not book.unannounced()

    wait_for(done, 60)


def replies(slack: Workspace) -> list[dict[str, Any]]:
    return slack.thread(CHANNEL, slack.messages(CHANNEL)[-1]["ts"])


def pictures(slack: Workspace) -> list[dict[str, Any]]:
    files = [file for reply in replies(slack) for file in reply.get("files", [])]
    return [file for file in files if file["mimetype"] == "image/png"]


def drawn(easel: Easel, picture: timeline.Timeline, number: int = 1) -> bytes:
    wait_for(lambda: easel.picture(number, picture) is not None)
    return easel.picture(number, picture) or b""


def size(png: bytes) -> tuple[int, int]:
    """Width and height, as its first chunk says them."""
    assert png.startswith(PNG)
    return struct.unpack(">II", png[16:24])


def test_the_approver_finds_it_under_the_card_whatever_names_are_in_it(
    ledger: Book, voice: Voice, workflow: Workflow, slack: Workspace, caplog: pytest.LogCaptureFixture
) -> None:
    """What would be mathematics, or no letter of the font's, is neither a fault nor a formula."""
    names = (r"public.$\frac{1}{0}$", "public.日本語", "public.%s", "x" * 300)
    held = tuple(Barred(name, mode, 0.0, 1.0) for name in names for mode in ("SHARE", "ACCESS EXCLUSIVE"))
    ran = tuple(Ran(rf"1_$\sqrt{n}", n, "UPDATE", n / 100, 0.01, n) for n in range(200))
    seen, easel = replace(SEEN, statements=ran, locks=held), Easel()
    a_rehearsed_request(ledger, seen)
    told(an_announcer(ledger, voice, workflow, easel), ledger)
    easel.close()
    (file,) = pictures(slack)
    assert (file["name"], file["title"]) == ("rehearsal-1.png", "The rehearsal of #1: apply production")
    assert file["alt_txt"] == timeline.in_words(timeline.of(1, "production", seen))
    assert [reply["text"] for reply in replies(slack) if file in reply.get("files", [])] == [ABOVE]
    with urlopen(file["url_private"]) as answer:
        width, height = size(answer.read())
    assert (width, height < 3000, caplog.text) == (1080, True, "")


@pytest.mark.usefixtures("request_of_two_keys")
@pytest.mark.parametrize("method", ["files.getUploadURLExternal", "files.completeUploadExternal"])
def test_an_upload_that_was_not_answered_stands_there_once_also_after_a_restart(
    ledger: Book, voice: Voice, workflow: Workflow, slack: Workspace, easel: Easel, method: str
) -> None:
    first = an_announcer(ledger, voice, workflow, easel)
    wait_for(lambda: first.announce() or easel.picture(1, of()) is not None)
    slack.fault(method, lose_answer=True)
    first.announce()
    told(an_announcer(ledger, voice, workflow, easel), ledger)
    assert [file["name"] for file in pictures(slack)] == ["rehearsal-1.png"]


@pytest.mark.usefixtures("request_of_two_keys")
def test_under_a_card_that_was_posted_anew_it_stands_again(
    ledger: Book, voice: Voice, workflow: Workflow, slack: Workspace, easel: Easel
) -> None:
    announcer = an_announcer(ledger, voice, workflow, easel)
    told(announcer, ledger)
    slack.delete_message(CHANNEL, slack.messages(CHANNEL)[-1]["ts"])
    ledger.move(1, State.APPROVED, why=BY_BO)
    told(announcer, ledger)
    assert len(pictures(slack)) == 1


@pytest.mark.usefixtures("request_of_two_keys")
def test_card_receipt_and_approval_stand_while_a_drawing_hangs_and_then_the_thread_says_so(
    ledger: Book, voice: Voice, workflow: Workflow, slack: Workspace
) -> None:
    easel = Easel(HANGS, within=1.5)
    announcer = an_announcer(ledger, voice, workflow, easel)
    announcer.announce()
    assert [reply["text"].partition(" ")[0] for reply in replies(slack)] == ["The", "*Receipt*"]
    ledger.move(1, State.APPROVED, why=BY_BO)
    announcer.announce()
    assert "Approved by" in str(slack.messages(CHANNEL)[-1]["blocks"])
    assert len(replies(slack)) == 2
    told(announcer, ledger)
    easel.close()
    assert replies(slack)[-1]["text"] == (
        "⚠️ The picture of the rehearsal of #1 could not be drawn: it took more than 2 s. All that it would show "
        "stands in the receipt above. Whoever runs Twokey: the bot's log says more."
    )


def why_not(easel: Easel) -> str:
    with pytest.raises(NotDrawn) as undrawn:
        wait_for(lambda: easel.picture(1, of()) is not None)
    easel.close()
    return undrawn.value.why


def test_a_drawing_that_fails_is_logged_in_one_line(caplog: pytest.LogCaptureFixture) -> None:
    assert why_not(Easel(FAILS)) == "the program that draws it failed"
    assert caplog.messages == ["A picture was not drawn: ValueError: no brush"]
    assert why_not(Easel(("/nowhere/brush",))) == "nothing could be started for it: No such file or directory"


def test_what_draws_sees_nothing_of_what_the_bot_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-secret")
    easel = Easel((sys.executable, "-S", "-c", "import os; print(sorted(os.environ))"))
    seen = drawn(easel, of()).decode()
    easel.close()
    assert "SLACK" not in seen
    assert "MPLCONFIGDIR" in seen


def test_the_bot_ends_at_once_whatever_is_being_drawn() -> None:
    easel, began = Easel(HANGS), time.monotonic()
    assert easel.picture(1, of()) is None
    assert easel.picture(2, of()) is None
    wait_for(lambda: easel._drawing)
    child = easel._drawing
    easel.close()
    assert time.monotonic() - began < 10
    assert child
    with pytest.raises(ProcessLookupError):
        os.kill(child.pid, 0)


def test_the_bot_itself_never_imports_what_draws() -> None:
    assert BRUSH[1:] == ("-m", "bot.brush")
    assert "matplotlib" not in sys.modules
