"""The second key as a user group, as several people, and in the hands of one person with two accounts."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from bot import messages
from bot.archive import Archive
from bot.desk import Asker, Desk, Filled
from bot.identity import Directory, as_actor
from bot.judge import Judge
from bot.outcomes import Refused, WrittenDown
from bot.voice import SlackFailed, Voice
from bot.witness import WitnessStand
from ledger import evidence, people
from ledger.book import Book
from ledger.doorbell import Doorbell
from ledger.errors import OwnDecision
from ledger.events import Agreed, Approved, Asked, Expired, Noted, Ready, Withdrawn, Witnessed
from ledger.events import Refused as Denied
from ledger.records import Heard
from ledger.request import Act, Decision, Group, Kind, Request, Verdict, Wish
from ledger.states import State
from ledger.workflow import Environment, Person, Workflow
from playground.client import Workspace
from tests.bot.conftest import CHANNEL, a_workflow
from tests.bot.stories import ASKED, PLANNED, lines, told
from tests.bot.test_identity import MEMBER
from tests.support.ledger import ADA, BO, DIGEST, a_request_in, a_wish

S, DEE = "S0APPROVERS", "U0SECOND"
BOTH = Group(S, (BO.id, DEE))
TS = "1712345678.000100"
_later = count(1)


def with_keys(**keys: Any) -> Workflow:
    """The workflow with other keys to production."""
    flow = a_workflow(start_delay=60)
    *others, production = flow.environments
    return replace(flow, environments=(*others, replace(production, **keys)), people=keys.get("people", ()))


def production(flow: Workflow) -> Environment:
    return flow.environments[-1]


def a_card(ledger: Book, **wish: Any) -> Request:
    """A request for production whose card stands in Slack."""
    asked = replace(a_wish(environment="production"), **wish)
    request = a_request_in(ledger, State.PLANNED, wish=asked, protected=True)
    ledger.delivering(request.id, "card", channel=CHANNEL)
    ledger.delivered_as(request.id, "card", ts=TS, content_hash="", plan_ts=TS)
    return request


def reacts(ledger: Book, judge: Judge, person: str, *, added: bool = True) -> None:
    """Somebody's reaction on the card comes or goes, and is judged."""
    at = f"{1712345679 + next(_later)}.000100"
    ledger.hear(Heard("T0TWOKEY", CHANNEL, TS, person, "white_check_mark", added, at, f"Ev{at}"))
    judge.judge()


def a_judge(ledger: Book, voice: Voice, flow: Workflow) -> Judge:
    directory = Directory(voice, home="T0TWOKEY", people=flow.people)
    return Judge(ledger, voice=voice, directory=directory, workflow=flow)


def story(ledger: Book, request: Request) -> list[Any]:
    return [one.event for one in ledger.events(request.id)]


@pytest.fixture
def desk(ledger: Book, voice: Voice, redis_url: str) -> Iterator[Desk]:
    flow, bell = with_keys(approvers=(S,)), Doorbell(redis_url)
    archive = Archive(ledger, workflow=flow, site="https://acme.slack.com/")
    yield Desk(ledger, bell=bell, directory=Directory(voice, home="T0TWOKEY"), workflow=flow, archive=archive)
    bell.close()


ASKER = Asker("U0ENGINEER", CHANNEL, "key")
FORM = Filled("production", "production", "It broke", Act.ROLLBACK, ("last", "1"))


def test_who_was_in_the_group_is_written_down_with_the_request(desk: Desk, ledger: Book) -> None:
    written = desk.confirm(FORM, ASKER)
    assert isinstance(written, WrittenDown)
    assert ledger.request(written.request.id).groups == (BOTH,)
    asked = story(ledger, written.request)[0]
    assert isinstance(asked, Asked)
    assert asked.groups == ("S0APPROVERS U0APPROVER U0SECOND",)


def test_an_empty_group_is_nobody_and_so_is_none(desk: Desk, slack: Workspace, voice: Voice) -> None:
    slack.set_group(S, "U0ENGINEER")
    nobody = Refused(
        "Nobody else may approve production now: nobody else is listed, or in the user groups that its approvers in "
        "twokey.toml name. Add a person."
    )
    assert desk.confirm(FORM, ASKER) == nobody
    slack.set_group(S)
    assert desk.confirm(FORM, ASKER) == nobody
    assert Directory(voice, home="T0TWOKEY").groups((BO.id, "S0NONE")) == (Group("S0NONE", ()),)


def test_a_group_that_slack_does_not_show_is_no_empty_group(slack: Workspace, voice: Voice) -> None:
    slack.fault("usergroups.users.list", error="missing_scope")
    with pytest.raises(SlackFailed) as caught:
        Directory(voice, home="T0TWOKEY").groups((S,))
    assert str(caught.value) == (
        "Slack did not say who is in the user group: missing_scope. Nothing is lost; try again in a moment."
    )


def test_a_member_of_the_group_approves_and_one_who_was_removed_does_not(
    ledger: Book, voice: Voice, slack: Workspace
) -> None:
    judge, request = a_judge(ledger, voice, with_keys(approvers=(S,))), a_card(ledger, groups=(BOTH,))
    slack.set_group(S, BO.id, "U0OBSERVER")
    reacts(ledger, judge, DEE)
    reacts(ledger, judge, "U0OBSERVER")  # a member by now, and none when it was asked
    refused = [event for event in story(ledger, request) if isinstance(event, Denied)]
    why = "You are not an approver of production. Those who may: <@U0APPROVER>."
    assert [(one.actor_id, one.why) for one in refused] == [(DEE, why), ("U0OBSERVER", why)]
    reacts(ledger, judge, BO.id)
    assert ledger.request(request.id).state is State.APPROVED


def dies_after_deciding(ledger: Book, request: Request) -> Heard:
    """Bo's yes is written down, and there the bot dies: what it heard is not judged yet."""
    at = f"{1712345679 + next(_later)}.000100"
    ledger.decide(Decision(request.id, replace(BO, name="Bo Approver"), Verdict.APPROVE, DIGEST, at, None))
    said = Heard("T0TWOKEY", CHANNEL, TS, BO.id, "white_check_mark", added=True, event_ts=at, event_id=f"Ev{at}")
    ledger.hear(said)
    return said


def test_a_yes_that_was_written_down_and_not_told_of_is_told_of_the_next_time(ledger: Book, voice: Voice) -> None:
    judge, request = a_judge(ledger, voice, with_keys(approvals=2)), a_card(ledger)
    for _ in range(2):
        dies_after_deciding(ledger, request)
        judge.judge()
        reacts(ledger, judge, BO.id)
        reacts(ledger, judge, BO.id, added=False)
    assert [type(one).__name__ for one in story(ledger, request)][2:] == ["Agreed", "Withdrawn"] * 2
    assert evidence.verify(evidence.gather(ledger, request.id)).breaches == ()


def test_where_it_takes_two_the_first_is_told_who_is_missing_and_the_second_starts_it(
    ledger: Book, voice: Voice
) -> None:
    judge, request = a_judge(ledger, voice, with_keys(approvals=2)), a_card(ledger)
    reacts(ledger, judge, BO.id)
    agreed = story(ledger, request)[-1]
    assert isinstance(agreed, Agreed)
    assert (agreed, bool(agreed.word)) == (Agreed(BO.id, "Bo Approver", 1, agreed.word), True)
    assert ledger.request(request.id).state is State.PLANNED
    reacts(ledger, judge, BO.id)
    assert isinstance(story(ledger, request)[-1], Agreed)
    assert [one.withdrawn_ts is None for one in ledger.decisions(request.id)] == [False, True]
    reacts(ledger, judge, BO.id, added=False)
    assert story(ledger, request)[-1] == Withdrawn(BO.id, "Bo Approver", missing=2)
    reacts(ledger, judge, BO.id)
    reacts(ledger, judge, DEE)
    assert isinstance(story(ledger, request)[-1], Approved)
    assert ledger.request(request.id).state is State.APPROVED
    reacts(ledger, judge, BO.id, added=False)
    assert story(ledger, request)[-1] == Withdrawn(BO.id, "Bo Approver", missing=1)
    assert ledger.request(request.id).state is State.PLANNED
    assert evidence.verify(evidence.gather(ledger, request.id)).breaches == ()


def test_more_than_enough_approvals_bear_the_loss_of_one(ledger: Book, voice: Voice) -> None:
    flow = with_keys(approvals=2, approvers=(BO.id, DEE, "U0OBSERVER"))
    judge, request = a_judge(ledger, voice, flow), a_card(ledger)
    for person in (BO.id, DEE, "U0OBSERVER"):
        reacts(ledger, judge, person)
    as_well = story(ledger, request)[-1]
    assert isinstance(as_well, Noted)
    assert replace(as_well, word=None) == Noted("U0OBSERVER", "Cy Observer", "approves as well.")
    reacts(ledger, judge, DEE, added=False)
    assert story(ledger, request)[-1] == Noted(DEE, "Dee Second", "took the reaction back; enough approvals stand.")
    assert ledger.request(request.id).state is State.APPROVED


def test_a_second_account_is_refused_by_the_rules_and_by_the_ledger(
    ledger: Book, voice: Voice, slack: Workspace
) -> None:
    flow = with_keys(people=(Person("Ada", ("U0ENGINEER",), ("ada@work.example",)),))
    slack.set_person(DEE, email="Ada@Work.example")
    ada = Directory(voice, home="T0TWOKEY", people=flow.people).actor("U0ENGINEER")
    assert set(ada.marks) == {people.mark("ada@work.example"), people.mark("ada@example.com")}
    judge, request = a_judge(ledger, voice, flow), a_card(ledger, actor=ada)
    reacts(ledger, judge, DEE)
    assert ledger.request(request.id).state is State.PLANNED
    refused = story(ledger, request)[-1]
    assert isinstance(refused, Denied)
    assert refused.why.startswith("You asked for #1, so the second key is not yours. Those who may: <@U0APPROVER>")
    dee = Directory(voice, home="T0TWOKEY", people=flow.people).fresh(DEE)
    for by in (dee, replace(BO, marks=("U0ENGINEER",)), replace(BO, id=ada.marks[0])):
        with pytest.raises(OwnDecision):
            ledger.decide(Decision(request.id, by, Verdict.APPROVE, DIGEST, "1.1", None))


@pytest.mark.parametrize(
    ("changed", "marks"),
    [
        ({"is_email_confirmed": True}, (people.mark("ada@example.com"),)),
        ({"is_email_confirmed": False}, ()),
        ({}, ()),
        ({"is_email_confirmed": True, "profile": {}}, ()),
    ],
)
def test_only_an_address_that_slack_calls_confirmed_is_a_mark(changed: dict[str, Any], marks: tuple[str, ...]) -> None:
    person = MEMBER | {"profile": {"email": "ada@example.com"}} | changed
    assert as_actor("U1", person, home="T0TWOKEY").marks == marks


def test_the_witness_says_who_is_in_the_group_now(ledger: Book, voice: Voice, slack: Workspace) -> None:
    flow, request = with_keys(approvers=(S,)), a_card(ledger, groups=(BOTH,))
    ts = slack.as_person("U0ENGINEER").say(CHANNEL, "The card")["ts"]
    ledger.delivered_as(request.id, "card", ts=ts, content_hash="", plan_ts=ts)
    for person in (BO.id, DEE):
        slack.as_person(person).react(CHANNEL, ts, "white_check_mark")
    slack.set_group(S, DEE)
    ledger.move(request.id, State.APPROVED, why=Approved(BO.id, BO.name, "2026-11-22T10:00:00+00:00"))
    ledger.tell(request.id, Ready())
    WitnessStand(ledger, voice=voice, directory=Directory(voice, home="T0TWOKEY"), workflow=flow).look()
    witness = ledger.latest_witness(request.id)
    assert witness is not None
    assert witness.groups == (Group(S, (DEE,)),)
    assert witness.ours
    assert [(one.id, one.kind) for one in witness.approving] == [(DEE, Kind.FULL_MEMBER)]
    seen = story(ledger, request)[-1]
    assert isinstance(seen, Witnessed)
    assert seen.groups == ("S0APPROVERS U0SECOND",)


def test_the_witness_says_whether_the_channel_is_still_ours_alone(ledger: Book, voice: Voice, slack: Workspace) -> None:
    flow, request = with_keys(), a_card(ledger)
    card = slack.as_person("U0ENGINEER").say(CHANNEL, "The card")["ts"]
    ledger.delivered_as(request.id, "card", ts=card, content_hash="", plan_ts=card)
    ledger.move(request.id, State.APPROVED, why=Approved(BO.id, BO.name, "2026-11-22T10:00:00+00:00"))
    directory = Directory(voice, home="T0TWOKEY")
    assert directory.is_ours(CHANNEL)  # a minute ago
    slack.set_channel(CHANNEL, is_ext_shared=True)
    ledger.tell(request.id, Ready())
    slack.fault("conversations.info", error="internal_error")
    WitnessStand(ledger, voice=voice, directory=directory, workflow=flow).look()
    assert ledger.witnesses(request.id) == ()  # a Slack that does not answer is no witness
    WitnessStand(ledger, voice=voice, directory=directory, workflow=flow).look()
    assert [one.ours for one in ledger.witnesses(request.id)] == [False]
    assert story(ledger, request)[-1].ours is False


def test_a_wish_keeps_whose_account_it_was(ledger: Book) -> None:
    known = replace(ADA, marks=("U0ADATWO", "hash"))
    wish = Wish(Act.APPLY, "production", known, CHANNEL, "k", groups=(BOTH,))
    request = a_request_in(ledger, State.ASKED, wish=wish, protected=True)
    assert (request.actor, request.groups) == (known, (BOTH,))


def shown(flow: Workflow, ledger: Book, *events: Any) -> list[str]:
    request = a_request_in(ledger, State.PLANNED, wish=replace(a_wish(environment="production"), groups=(BOTH,)))
    [card, *_] = messages.project(request, production(flow), told=told(ASKED, PLANNED, *events), workflow=flow)
    return lines(card.body)


def test_a_card_says_how_many_and_names_a_group_by_its_name(ledger: Book) -> None:
    flow = with_keys(approvers=("U0ENGINEER", S, BO.id), approvals=2)
    card = shown(flow, ledger)
    assert card[1] == "⏳ Waiting for 2 people: :white_check_mark: starts it, :x: rejects it"
    assert (
        "*Second key* :white_check_mark: by 2 different people of <!subteam^S0APPROVERS> or <@U0APPROVER> "
        "starts it 60 s later, :x: rejects it."
    ) in card


def test_a_card_says_how_many_are_still_missing(ledger: Book) -> None:
    flow = with_keys(approvals=3, approvers=(BO.id, DEE, "U0OBSERVER"))
    card = shown(flow, ledger, Agreed(BO.id, "bo", 2), Agreed(DEE, "dee", 1))
    assert card[1] == (
        "~Waiting~ → ~Approved by bo <!date^1795341603^{time}|10:00 UTC>~ → "
        "⏳ Approved by dee, waiting for 1 more person: :white_check_mark: starts it, :x: rejects it"
    )
    card = shown(flow, ledger, Agreed(BO.id, "bo", 2))
    assert card[1].endswith("waiting for 2 more people: :white_check_mark: starts it, :x: rejects it")
    card = shown(flow, ledger, Agreed(BO.id, "bo", 2), Withdrawn(BO.id, "bo", missing=3))
    assert card[1].endswith(
        "Waiting again for 3 people, bo took the key back: :white_check_mark: starts it, :x: rejects it"
    )


def test_what_expired_between_two_keys_says_so(ledger: Book) -> None:
    card = shown(with_keys(approvals=2), ledger, Agreed(BO.id, "bo", 1), Expired())
    assert card[1].endswith("⌛ Expired: too few people turned the second key in time")
