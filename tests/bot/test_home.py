"""What one person reads in the app's own tab, and that it is there when they open it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot import home
from bot.archive import Archive
from bot.blocks import Body
from bot.outcomes import SHOWN, Entry, Home, Refused, Station
from ledger import events
from ledger.book import Book
from ledger.request import Act, Certification, CertifiedBy, Freeze, Kind, Request
from ledger.states import State
from ledger.workflow import Workflow
from tests.bot.conftest import Running
from tests.bot.stories import ASKED, BACKED_UP, PLANNED, STARTED, WORKFLOW, T, a_request, lines, told
from tests.support.ledger import ADA, BO, a_request_in, a_wish

DAY = "<!date^1795341600^{date_short_pretty} {time}|2026-11-22 10:00 UTC>"
EMPTY = Home((), (), (), (), T)


def read(shown: Home | Refused) -> list[str]:
    return lines(Body("", tuple(home.view(shown, WORKFLOW)["blocks"])))


@pytest.fixture
def archive(ledger: Book, workflow: Workflow) -> Archive:
    return Archive(ledger, workflow=workflow, site="https://acme.slack.com/")


@pytest.fixture
def waiting(ledger: Book) -> Request:
    return a_request_in(ledger, State.PLANNED, wish=a_wish(environment="production", reason="r"), protected=True)


def test_nothing_is_said_in_words() -> None:
    assert read(EMPTY) == [
        "*Waits for you*",
        "Nothing waits for you.",
        "*Open*",
        "No request is open.",
        "*Environments*",
        "*Ended last*",
        "Nothing has ended yet.",
        (
            "As the ledger knew it <!date^1795341600^{time}|10:00 UTC>. "
            "`/migrate status` looks at the environments themselves."
        ),
    ]


def test_what_waits_for_you_stands_first_and_once() -> None:
    one = Entry(a_request(State.PLANNED), told(ASKED, PLANNED), "https://acme.slack.com/archives/C0/p1")
    shown = read(replace(EMPTY, waiting=(one,), open=(one,)))
    assert shown[:4] == [
        "*Waits for you*",
        (
            f"*<https://acme.slack.com/archives/C0/p1|#7>* apply production · ada {DAY} · "
            "⏳ Waiting for a second person: :white_check_mark: starts it, :x: rejects it"
            " · expires <!date^1795356000^{time}|14:00 UTC>"
        ),
        "*Open*",
        "No other request is open.",
    ]


def test_an_environment_is_told_by_its_last_run_and_who_tested_it() -> None:
    test, production = WORKFLOW.environments[1:]
    ended = (STARTED, BACKED_UP, events.Applied(("20250818120001_create_users",), 1.0), events.Exported("U0", "cy"))
    ended += (events.Refused("U0", "cy", "#7 is applied, so a reaction changes nothing."),)
    ran = Entry(a_request(State.APPLIED, environment="test"), told(*ended), "https://acme.slack.com/archives/C0/p1")
    by = Certification(8, "test", (), CertifiedBy("U0", "*Cy*", T, None))
    frost = Freeze(9, "production", "*Dee*", "the fair", T, None)
    shown = read(replace(EMPTY, stations=(Station(test, ran, by), Station(production, None, None, frost))))
    assert shown[5:7] == [
        (
            "*test* · last run <https://acme.slack.com/archives/C0/p1|#7> apply "
            "<!date^1795341603^{date_short_pretty} {time}|2026-11-22 10:00 UTC>, newest `20250818120001_create_users`"
            f" · certified by ∗Cy∗ {DAY}, before that run"
        ),
        "🔒 *production* · no run from here yet · ❄️ Frozen by ∗Dee∗: the fair",
    ]
    later = replace(by, by=replace(by.by, at=T + timedelta(days=1)))
    assert not any("before that run" in one for one in read(replace(EMPTY, stations=(Station(test, ran, later),))))


@pytest.mark.usefixtures("waiting")
def test_it_waits_for_whoever_may_turn_the_second_key(archive: Archive) -> None:
    for actor, count in ((BO, 1), (ADA, 0), (replace(BO, id="U0OBSERVER"), 0)):
        shown = archive.home(actor)
        assert isinstance(shown, Home)
        assert (len(shown.waiting), len(shown.open)) == (count, 1)


@pytest.mark.usefixtures("waiting")
def test_what_waits_is_found_under_however_many_came_later(archive: Archive, ledger: Book) -> None:
    for _ in range(SHOWN + 1):
        a_request_in(ledger, State.ASKED)
    shown = archive.home(BO)
    assert isinstance(shown, Home)
    assert [one.request.id for one in shown.waiting] == [1]
    assert 1 not in {one.request.id for one in shown.open}


def test_what_nobody_has_to_agree_to_waits_for_nobody(archive: Archive, ledger: Book) -> None:
    a_request_in(ledger, State.PLANNED)
    shown = archive.home(BO)
    assert isinstance(shown, Home)
    assert (shown.waiting, len(shown.open)) == ((), 1)


def test_of_each_environment_the_last_run_is_shown_and_no_other_act(archive: Archive, ledger: Book) -> None:
    a_request_in(ledger, State.FAILED)
    a_request_in(ledger, State.REJECTED)
    a_request_in(ledger, State.APPLIED, wish=a_wish(act=Act.BACKUP))
    shown = archive.home(BO)
    assert isinstance(shown, Home)
    assert [station.last and station.last.request.id for station in shown.stations] == [1, None, None]
    assert [one.request.id for one in shown.ended] == [3, 2, 1]


def test_strangers_are_shown_nothing(archive: Archive) -> None:
    no = archive.home(replace(BO, kind=Kind.OUTSIDER))
    assert isinstance(no, Refused)
    assert read(no) == ["🚫 Twokey answers the members of its own workspace."]


def test_whoever_opens_the_tab_sees_it(bot: Running) -> None:
    a_request_in(bot.book, State.PLANNED, wish=a_wish(environment="production", reason="r"), protected=True)
    bo = bot.slack.as_person("U0APPROVER")
    bo.open_home()
    published = bot.slack.wait_for(lambda: bot.slack.state()["homes"].get("U0APPROVER"))
    shown = lines(Body("", tuple(published["blocks"])))
    assert shown[0] == "*Waits for you*"
    assert "apply production" in shown[1]
    assert bot.slack.calls("views.publish")[-1]["answer"]["ok"]
