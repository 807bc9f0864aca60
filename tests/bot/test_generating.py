"""What a person reads of a migration that was generated, and the file that comes with it."""

from dataclasses import replace

import pytest

from bot import acts, enclosures, messages
from bot.announcer import Announcer
from bot.enclosures import Enclosure, Of
from bot.messages import Slot
from bot.voice import Voice
from ledger import events
from ledger.book import Book
from ledger.events import Event
from ledger.request import Act, Fact
from ledger.states import State
from ledger.workflow import Verbosity, Workflow
from playground.client import Workspace
from tests.bot.stories import ASKED, PLANNED, STARTED, WORKFLOW, a_request, a_summary, lines, told
from tests.bot.test_enclosures import content, replies
from tests.bot.test_enclosures import told as all_told
from tests.support.ledger import a_request_in, a_wish

TEXT = "-- migrate:up\nCREATE TABLE ports (id bigint);\n\n-- migrate:down\nDROP TABLE ports;\n"
NAME = "20261123090001_add_ports"
DRAFT = events.Generated(NAME, TEXT, "c" * 64, back=True, reordered=(), hazards=(), seconds=1.2)


def generated(
    state: State, *story: Event, verbosity: Verbosity = Verbosity.NORMAL, about: tuple[str, ...] = ("add_ports",)
) -> dict[str, Slot]:
    """The messages of a request to generate a migration."""
    environment = replace(WORKFLOW.environments[0], verbosity=verbosity)
    plan = replace(a_summary(environment), migrations=(), held=(), facts=(Fact("From", "shop:metadata"),))
    asked = replace(a_request(state, environment="development"), act=Act.GENERATE, about=about, plan=plan)
    flow = replace(WORKFLOW, environments=(environment, *WORKFLOW.environments[1:]))
    return {slot.name: slot for slot in messages.project(asked, environment, told=told(*story), workflow=flow)}


def test_it_is_asked_for_by_the_name_alone() -> None:
    asked = replace(a_request(State.ASKED, environment="development"), act=Act.GENERATE, about=("add_ports",))
    assert (asked.words, acts.wish(asked)) == ("generate add_ports", "generate a migration for development (#7)")


def test_the_draft_comes_as_a_file_under_the_name_that_it_has_to_have() -> None:
    found = generated(State.APPLIED, ASKED, PLANNED, STARTED, events.Generating("Reading shop:metadata"), DRAFT)
    assert lines(found["progress"].body) == ["• Reading shop:metadata"]
    assert "✅ Generated " in lines(found["card"].body)[1]
    assert "*From* shop:metadata" in lines(found["card"].body)
    assert lines(found["said:5"].body)[0] == (
        f"✅ *development* · generate #7 · <@U0ENGINEER> `{NAME}.sql` is proven up and down on a scratch database in "
        "1.2 s. It is the file below; no folder has it yet. Put it into the migrations folder under its name, read it "
        "and commit it; then it travels like any other."
    )
    title = "Drafted for #7: generate add_ports"
    assert found["draft"].encloses == Enclosure(Of.DRAFT, f"{NAME}.sql", title, alt=title)
    assert found["draft"].body.text == (
        f"The draft, to the letter: sha256 `{'c' * 64}`. Nothing has run it but a scratch database."
    )
    assert list(found)[-1] == "draft"


def test_the_file_comes_in_a_quiet_channel_too() -> None:
    assert list(generated(State.APPLIED, ASKED, PLANNED, STARTED, DRAFT, verbosity=Verbosity.QUIET)) == [
        "card",
        "draft",
    ]


@pytest.mark.parametrize(
    ("drawn", "says"),
    [
        (
            replace(DRAFT, back=False, hazards=("line 2, drops_table: Drops *users*.",)),
            [
                "⚠️ line 2, drops_table: Drops ∗users∗.",
                "⚠️ It has no way down: a rollback will refuse it, and a restore is the way back.",
            ],
        ),
        (
            replace(DRAFT, reordered=("users", "ports")),
            ["⚠️ After its way down the columns of `users`, `ports` stand in another order."],
        ),
    ],
)
def test_what_who_commits_it_should_know_is_said(drawn: events.Generated, says: list[str]) -> None:
    shown = lines(generated(State.APPLIED, ASKED, PLANNED, STARTED, drawn)["said:4"].body)
    assert shown[1:-1] == says
    assert ("proven up on a scratch" in shown[0]) is not drawn.back


def test_where_there_is_no_difference_there_is_no_file() -> None:
    found = generated(State.APPLIED, ASKED, PLANNED, STARTED, events.NothingGenerated("shop:metadata"))
    assert found["said:4"].body.text.startswith(
        "✅ *development* · generate #7 · <@U0ENGINEER> development already is what `shop:metadata` says. "
        "Nothing was generated. `/migrate status dev` shows what is there."
    )
    assert "✅ Nothing to generate " in lines(found["card"].body)[1]
    assert "draft" not in found


def test_one_that_failed_or_fell_silent_is_asked_for_again_by_its_name() -> None:
    found = generated(State.FAILED, ASKED, PLANNED, STARTED, events.Failed("No.", "Try."))
    assert lines(found["card"].body)[-1] == "[Ask again twokey_generate=add_ports]"
    assert "Nothing was generated." in lines(found["said:4"].body)


def test_the_file_in_slack_is_the_draft_to_the_letter(
    ledger: Book, voice: Voice, workflow: Workflow, slack: Workspace
) -> None:
    wish = replace(a_wish(act=Act.GENERATE), about=("add_ports",))
    request = a_request_in(ledger, State.APPLYING, wish=wish)
    ledger.move(request.id, State.APPLIED, why=DRAFT)
    all_told(Announcer(ledger, voice=voice, workflow=workflow), ledger)
    [file] = [file for message in replies(slack) for file in message.get("files", [])]
    assert (file["name"], content(file)) == (f"{NAME}.sql", TEXT)
    assert enclosures.instead(Enclosure(Of.DRAFT, file["name"], "", ""), request.id, "x").endswith("has all of it.")
