"""Who may have the evidence of a request, where it will stand, and where links lead."""

from dataclasses import replace

import pytest

from bot.archive import Archive
from bot.outcomes import HandedOut, Refused
from ledger.book import Book
from ledger.deliveries import CARD
from ledger.events import Exported
from ledger.request import Kind, Request
from ledger.states import State
from ledger.workflow import Environment, Workflow
from tests.bot.conftest import CHANNEL
from tests.support.ledger import BO, a_request_in, a_wish

CY = replace(BO, id="U0OBSERVER", name="cy")


@pytest.fixture
def archive(ledger: Book, workflow: Workflow) -> Archive:
    return Archive(ledger, workflow=workflow, site="https://acme.slack.com/")


@pytest.fixture
def request_of_two(ledger: Book) -> Request:
    return a_request_in(ledger, State.PLANNED, wish=a_wish(environment="production"), protected=True)


def ours(channel: str, environment: Environment) -> None:
    """No stranger reads there."""


def exports(book: Book) -> int:
    return sum(isinstance(told.event, Exported) for told in book.events(1))


def test_an_unknown_number(archive: Archive) -> None:
    no = Refused("There is no request #9. `/migrate requests` lists the open ones.")
    assert archive.export(9, CY, channel=CHANNEL, shared=ours) == no


@pytest.mark.usefixtures("request_of_two")
@pytest.mark.parametrize(
    ("kind", "why"),
    [
        (Kind.GUEST, "Guests cannot ask or decide here. Ask a full member of the workspace."),
        (Kind.OUTSIDER, "People of other workspaces cannot ask or decide here. Ask a full member of this workspace."),
        (Kind.BOT, "Bots and workflows cannot ask or decide here. A person has to do it."),
        (Kind.UNKNOWN, "Slack did not say whether this is a full member, so it does not count. Ask a colleague."),
    ],
)
def test_who_may_not(archive: Archive, ledger: Book, kind: Kind, why: str) -> None:
    assert archive.export(1, replace(CY, kind=kind), channel=CHANNEL, shared=ours) == Refused(why)
    assert exports(ledger) == 0


@pytest.mark.usefixtures("request_of_two")
def test_from_another_channel_nobody_may(archive: Archive, ledger: Book) -> None:
    no = Refused("Ask in <#C0MIGRATE>, where the evidence of #1 will stand.")
    assert archive.export(1, CY, channel="C0GENERAL", shared=ours) == no
    assert exports(ledger) == 0


@pytest.mark.usefixtures("request_of_two")
def test_every_full_member_may(archive: Archive, ledger: Book) -> None:
    assert archive.export(1, CY, channel=CHANNEL, shared=ours) == HandedOut(1, CHANNEL)
    assert exports(ledger) == 1


def test_an_environment_that_is_gone(archive: Archive, ledger: Book) -> None:
    a_request_in(ledger, State.ASKED, wish=a_wish(environment="staging"))
    assert archive.export(1, CY, channel=CHANNEL, shared=ours) == Refused(
        "staging is no longer in twokey.toml, so #1 has no channel. "
        "Whoever runs Twokey can say `python -m ledger export 1`."
    )


def test_a_link_leads_to_the_card(archive: Archive, ledger: Book, request_of_two: Request) -> None:
    assert archive.links([request_of_two]) == {}
    ledger.delivering(1, CARD, channel=CHANNEL)
    assert archive.links([request_of_two]) == {}
    ledger.delivered_as(1, CARD, ts="1712345678.000100", content_hash="", plan_ts="1712345678.000100")
    assert archive.links([request_of_two]) == {1: "https://acme.slack.com/archives/C0MIGRATE/p1712345678000100"}
