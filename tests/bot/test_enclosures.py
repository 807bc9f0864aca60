"""The SQL under a card is what the worker will run, to the letter, and stands there once."""

from dataclasses import replace
from typing import Any
from urllib.request import urlopen

import pytest

from bot import enclosures
from bot.announcer import Announcer
from bot.voice import Voice
from ledger import events, evidence
from ledger.book import Book
from ledger.request import Act, Request
from ledger.states import State
from ledger.workflow import Workflow
from playground.client import Workspace
from tests.bot.conftest import CHANNEL
from tests.bot.stories import BY_BO, PLANNED, a_request, slots
from tests.support.ledger import a_frozen, a_plan, a_request_in, a_wish
from tests.support.waiting import wait_for

NAME = "production-1-d1d1-d1d1-d1d1.sql"


@pytest.fixture
def announcer(ledger: Book, voice: Voice, workflow: Workflow) -> Announcer:
    return Announcer(ledger, voice=voice, workflow=workflow)


@pytest.fixture
def request_of_two_keys(ledger: Book) -> Request:
    return a_request_in(ledger, State.PLANNED, wish=a_wish(environment="production"), protected=True)


def told(announcer: Announcer, book: Book) -> None:
    def done() -> bool:
        announcer.announce()
        return not book.unannounced()

    wait_for(done)


def replies(slack: Workspace) -> list[dict[str, Any]]:
    """What stands under the newest card."""
    return slack.thread(CHANNEL, slack.messages(CHANNEL)[-1]["ts"])


def content(file: dict[str, Any]) -> str:
    with urlopen(file["url_private"]) as answer:
        return answer.read().decode()


def test_the_file_is_the_frozen_text_to_the_letter() -> None:
    frozen = {
        "digest": "d1" * 32,
        "migrations": [
            {"id": "20250101000000_a", "text": "SELECT 'ü';\r\n\n\n", "checksum": "a" * 64},
            {
                "id": "20250102000000_b",
                "text": "-- migrate:up\nSELECT 2;\n-- migrate:down\nSELECT 3",
                "checksum": "b" * 64,
            },
        ],
    }
    assert enclosures.sql(a_request(State.PLANNED), frozen) == (
        f"-- #7: apply production\n-- digest {'d1' * 32}\n"
        "-- What stands below a line `-- migrate:down` is the way back, and does not run now.\n\n"
        f"-- 1 of 2: 20250101000000_a.sql, sha256 {'a' * 64}\nSELECT 'ü';\r\n\n\n\n"
        f"-- 2 of 2: 20250102000000_b.sql, sha256 {'b' * 64}\n"
        "-- migrate:up\nSELECT 2;\n-- migrate:down\nSELECT 3\n"
    )


def test_of_a_rollback_nothing_is_said_of_ways_back() -> None:
    """Only they are frozen of it."""
    request = replace(a_request(State.PLANNED), act=Act.ROLLBACK)
    frozen = a_frozen(a_plan())
    frozen["migrations"][0]["text"] = "-- migrate:down\nDROP TABLE a;\n"
    assert "does not run now" not in enclosures.sql(request, frozen)


@pytest.mark.parametrize(
    ("environment", "act", "stands"),
    [
        ("production", Act.APPLY, True),
        ("production", Act.ROLLBACK, True),
        ("production", Act.BACKUP, False),
        ("development", Act.APPLY, False),
    ],
)
def test_it_stands_where_a_second_person_has_to_agree(environment: str, act: Act, stands: bool) -> None:
    assert ("sql" in slots(environment, State.PLANNED, PLANNED, act=act)) is stands


def test_the_approver_finds_it_under_the_card(
    announcer: Announcer, ledger: Book, slack: Workspace, request_of_two_keys: Request
) -> None:
    told(announcer, ledger)
    (reply,) = replies(slack)
    (file,) = reply["files"]
    assert reply["text"] == "The SQL of #1 as it is frozen, 2 migrations. *Digest* `d1d1·d1d1·d1d1`, as above."
    assert (file["name"], file["title"], file["alt_txt"]) == (NAME, *["The SQL of #1: apply production"] * 2)
    assert content(file) == enclosures.sql(request_of_two_keys, ledger.frozen_plan(1))


@pytest.mark.usefixtures("request_of_two_keys")
@pytest.mark.parametrize("method", ["files.getUploadURLExternal", "files.completeUploadExternal"])
def test_an_upload_that_was_not_answered_stands_there_once(
    announcer: Announcer, ledger: Book, slack: Workspace, method: str
) -> None:
    slack.fault(method, lose_answer=True)
    told(announcer, ledger)
    assert [file["name"] for reply in replies(slack) for file in reply["files"]] == [NAME]


@pytest.mark.usefixtures("request_of_two_keys")
def test_another_ones_file_of_that_name_is_not_taken_for_it(
    announcer: Announcer, ledger: Book, voice: Voice, slack: Workspace
) -> None:
    told(announcer, ledger)
    card = slack.messages(CHANNEL)[-1]["ts"]
    assert voice.find_file(CHANNEL, NAME, thread_ts=card) is not None
    voice._known = {**voice._identity(), "user_id": "U0ENGINEER"}
    assert voice.find_file(CHANNEL, NAME, thread_ts=card) is None


@pytest.mark.usefixtures("request_of_two_keys")
def test_slack_asks_to_wait(announcer: Announcer, ledger: Book, slack: Workspace) -> None:
    slack.fault("files.getUploadURLExternal", status=429, retry_after=1)
    announcer.announce()
    announcer.announce()
    assert len(slack.calls("files.getUploadURLExternal")) == 1
    told(announcer, ledger)
    assert len(replies(slack)) == 1


@pytest.mark.usefixtures("request_of_two_keys")
def test_where_slack_takes_no_file_that_is_said_and_holds_up_nothing(
    announcer: Announcer, ledger: Book, slack: Workspace
) -> None:
    slack.fault("files.getUploadURLExternal", error="missing_scope")
    told(announcer, ledger)
    (reply,) = replies(slack)
    assert reply["text"] == (
        f"⚠️ `{NAME}` cannot stand here: Slack says `missing_scope`. Whoever runs Twokey: allow files, or install the "
        "app again with `slack-manifest.yaml`. Until then `python -m ledger export 1` has all of it."
    )


@pytest.mark.usefixtures("request_of_two_keys")
def test_under_a_card_that_was_posted_anew_it_stands_again(
    announcer: Announcer, ledger: Book, slack: Workspace
) -> None:
    told(announcer, ledger)
    slack.delete_message(CHANNEL, slack.messages(CHANNEL)[-1]["ts"])
    ledger.move(1, State.APPROVED, why=BY_BO)
    told(announcer, ledger)
    assert [file["name"] for reply in replies(slack) for file in reply.get("files", [])] == [NAME]


def verified(text: str) -> int:
    """How many events an evidence file holds, once it is found whole."""
    found = evidence.verify(evidence.read(text))
    assert found.breaches == ()
    return found.events


@pytest.mark.usefixtures("request_of_two_keys")
def test_the_evidence_stands_under_the_card_and_verifies_by_itself(
    announcer: Announcer, ledger: Book, slack: Workspace
) -> None:
    ledger.tell(1, events.Exported("U0OBSERVER", "Cy <!here>"))
    told(announcer, ledger)
    *_, reply = replies(slack)
    (file,) = reply["files"]
    assert reply["text"] == (
        "The evidence of #1, for Cy &lt;!here&gt;. It verifies offline: `python -m ledger verify evidence-1-3.json`"
    )
    assert (file["name"], file["title"]) == ("evidence-1-3.json", "The evidence of #1")
    assert verified(content(file)) == 3


def test_where_no_card_stands_the_evidence_stands_in_the_channel_once(
    announcer: Announcer, ledger: Book, slack: Workspace
) -> None:
    a_request_in(ledger, State.ASKED)
    ledger.tell(1, events.Exported("U0OBSERVER", "Cy"))
    slack.fault("files.completeUploadExternal", lose_answer=True)
    told(announcer, ledger)
    (message,) = slack.messages(CHANNEL)
    assert verified(content(message["files"][0])) == 2


def test_whoever_asks_again_gets_what_has_come_since(announcer: Announcer, ledger: Book, slack: Workspace) -> None:
    a_request_in(ledger, State.EXPIRED, wish=a_wish(environment="production"), protected=True)
    for _ in range(2):
        ledger.tell(1, events.Exported("U0OBSERVER", "Cy"))
        told(announcer, ledger)
    files = [file for reply in replies(slack) for file in reply.get("files", []) if file["name"].endswith(".json")]
    assert [verified(content(file)) for file in files] == [4, 5]
