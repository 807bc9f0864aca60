"""Where a wish may be spoken, whose word counts in which place, and which emoji on which message at what time."""

from dataclasses import replace

import pytest
from sqlalchemy import text

from bot import messages
from bot.announcer import Announcer
from bot.archive import Archive
from bot.commands import Cancel, Do, Export
from bot.desk import Desk
from bot.identity import Directory
from bot.outcomes import Refused, TakenBack, WrittenDown
from bot.voice import SlackFailed, Voice, emoji
from ledger.book import Book
from ledger.doorbell import Doorbell
from ledger.events import Event, Exported, Planned, Unanswered, Waiting
from ledger.events import Refused as Denied
from ledger.records import Heard
from ledger.request import Act
from ledger.states import State
from playground.client import Workspace
from tests.bot.conftest import CHANNEL, a_workflow
from tests.bot.stories import ASKED, PLANNED, lines, told
from tests.bot.test_holders import ASKER, BOTH, DEE, FORM, TS, S, a_card, a_judge, desk, production, story, with_keys
from tests.support.ledger import BO, DIGEST, a_frozen, a_plan, a_request_in, a_wish, schema_files

__all__ = ["desk"]

AT = "1712345699.000100"


def test_only_a_channel_that_slack_calls_ours_takes_a_wish(desk: Desk, slack: Workspace) -> None:
    refused = Refused(
        "<#C0MIGRATE> may be shared with other organisations: Slack does not say that it is not. Nothing is asked for "
        "where strangers read. Unshare it, or name another channel in twokey.toml."
    )
    slack.set_channel(CHANNEL, is_ext_shared=True)
    assert desk.ask(Do(Act.APPLY, "development"), ASKER) == refused
    assert desk.confirm(FORM, ASKER) == refused
    slack.set_channel(CHANNEL, is_ext_shared=False)


def test_no_evidence_is_put_where_strangers_read(desk: Desk, ledger: Book, slack: Workspace) -> None:
    a_request_in(ledger, State.PLANNED)
    slack.set_channel(CHANNEL, is_ext_shared=True)
    refused = desk.ask(Export(1), ASKER)
    assert isinstance(refused, Refused)
    assert refused.why.startswith("<#C0MIGRATE> may be shared with other organisations")
    assert not any(isinstance(told.event, Exported) for told in ledger.events(1))


@pytest.mark.parametrize("flag", ["is_ext_shared", "is_pending_ext_shared", "is_shared"])
@pytest.mark.parametrize("said", [True, None, "no"])
def test_a_channel_with_a_flag_wanting_counts_as_shared(
    voice: Voice, monkeypatch: pytest.MonkeyPatch, flag: str, said: object
) -> None:
    ours = {"is_ext_shared": False, "is_pending_ext_shared": False, "is_shared": False}
    monkeypatch.setattr(voice, "channel", lambda _: {**ours, flag: said})
    assert not Directory(voice, home="T0TWOKEY").is_ours(CHANNEL)
    monkeypatch.setattr(voice, "channel", lambda _: ours)
    assert Directory(voice, home="T0TWOKEY").is_ours(CHANNEL)
    monkeypatch.setattr(voice, "channel", lambda _: {})
    assert not Directory(voice, home="T0TWOKEY").is_ours(CHANNEL)


def test_a_channel_that_slack_does_not_tell_of_takes_nothing(desk: Desk, slack: Workspace) -> None:
    slack.fault("conversations.info", error="channel_not_found")
    with pytest.raises(SlackFailed) as caught:
        desk.ask(Do(Act.APPLY, "development"), ASKER)
    assert str(caught.value) == (
        "Slack did not say what this channel is: channel_not_found. Nothing is lost; try again in a moment."
    )


def test_cancelling_is_for_the_configured_channels_and_a_refusal_is_kept(desk: Desk, ledger: Book) -> None:
    request = a_card(ledger, groups=(BOTH,))
    assert desk.ask(Cancel(request.id), replace(ASKER, channel="C0GENERAL")) == Refused(
        "Cancel #1 in <#C0MIGRATE>, where everyone concerned sees it."
    )
    why = (
        "#1 can be cancelled by <@U0ENGINEER>, who asked, or by an approver of production: <@U0APPROVER>, <@U0SECOND>."
    )
    assert desk.ask(Cancel(request.id), replace(ASKER, actor_id="U0OBSERVER")) == Refused(why)
    kept = story(ledger, request)[-1]
    assert kept == Denied("U0OBSERVER", "Cy Observer", why, deed="cancelling")
    [*_, line] = messages.project(
        request, production(with_keys()), told=told(ASKED, PLANNED, kept), workflow=with_keys()
    )
    assert lines(line.body)[0].startswith("🚫 Cy Observer's cancelling did not count: “#1 can be cancelled by <@U0ENG")
    assert isinstance(desk.ask(Cancel(request.id), replace(ASKER, actor_id=DEE)), TakenBack)
    before = len(story(ledger, request))
    assert isinstance(desk.ask(Cancel(request.id), replace(ASKER, actor_id="U0OBSERVER")), Refused)
    assert len(story(ledger, request)) == before  # what is over is not talked to


def test_whom_the_certifiers_do_not_name_cannot_certify(
    ledger: Book, voice: Voice, redis_url: str, slack: Workspace
) -> None:
    flow, bell = a_workflow(), Doorbell(redis_url)
    dev, test, prod = flow.environments
    flow = replace(flow, environments=(dev, replace(test, certifiers=(S,)), prod))
    archive = Archive(ledger, workflow=flow, site="https://acme.slack.com/")
    desk = Desk(ledger, bell=bell, directory=Directory(voice, home="T0TWOKEY"), workflow=flow, archive=archive)
    assert desk.ask(Do(Act.CERTIFY, "test"), ASKER) == Refused(
        "You are not a certifier of test. Those who may: <@U0APPROVER>, <@U0SECOND>."
    )
    written = desk.ask(Do(Act.CERTIFY, "test"), replace(ASKER, actor_id=DEE))
    assert isinstance(written, WrittenDown)
    assert written.request.groups == (BOTH,)
    bell.close()


@pytest.mark.parametrize("name", ["+1", "+1::skin-tone-2", "+1::skin-tone-6", "thumbsup", "thumbsup::skin-tone-4"])
def test_an_emoji_counts_in_every_skin_and_under_every_name(ledger: Book, voice: Voice, name: str) -> None:
    flow = replace(with_keys(), approve_with="thumbsup")
    judge, request = a_judge(ledger, voice, flow), a_card(ledger)
    ledger.hear(Heard("T0TWOKEY", CHANNEL, TS, BO.id, emoji(name), True, AT, "Ev-skin"))
    judge.judge()
    assert ledger.request(request.id).state is State.APPROVED


@pytest.mark.parametrize(
    "elsewhere",
    [{"team": "T0OTHER"}, {"team": ""}, {"channel": "C0GENERAL"}, {"message_ts": "1712345678.000099"}],
)
def test_a_reaction_of_another_team_channel_or_message_is_nobodys(
    ledger: Book, voice: Voice, elsewhere: dict[str, str]
) -> None:
    judge, request = a_judge(ledger, voice, with_keys()), a_card(ledger)
    heard = Heard("T0TWOKEY", CHANNEL, TS, BO.id, "white_check_mark", True, "1712345699.000100", "Ev-elsewhere")
    ledger.hear(replace(heard, **elsewhere))
    before = story(ledger, request)
    judge.judge()
    assert story(ledger, request) == before


def test_a_reaction_on_the_thread_is_not_one_on_the_card(ledger: Book, voice: Voice) -> None:
    judge, request = a_judge(ledger, voice, with_keys()), a_card(ledger)
    ledger.delivering(request.id, "said:3", channel=CHANNEL)
    ledger.delivered_as(request.id, "said:3", ts="1712345680.000100", content_hash="")
    reply, at = "1712345680.000100", "1712345699.000100"
    ledger.hear(Heard("T0TWOKEY", CHANNEL, reply, BO.id, "white_check_mark", True, at, "Ev-reply"))
    judge.judge()
    assert ledger.request(request.id).state is State.PLANNED


@pytest.mark.parametrize("posts", [Unanswered(60), Waiting("twokey apply #1 (pid 7)")])
def test_a_reaction_from_before_the_plan_stood_there_is_no_approval(ledger: Book, voice: Voice, posts: Event) -> None:
    flow = with_keys()
    judge, announcer = a_judge(ledger, voice, flow), Announcer(ledger, voice=voice, workflow=flow)
    request = a_request_in(ledger, State.ASKED, wish=a_wish(environment="production"), protected=True)
    ledger.tell(request.id, posts)
    announcer.announce()  # so the card is posted, without a plan
    plan = a_plan(environment="production", protected=True)
    ledger.lay_plan(request.id, summary=plan, frozen=a_frozen(plan), why=Planned(digest=DIGEST, migrations=()))
    reacts_now(ledger, request.id)  # the plan is laid, and Slack does not show it yet
    judge.judge()
    refused = story(ledger, request)[-1]
    assert isinstance(refused, Denied)
    assert refused.why == "#1 had no plan when you reacted. Read it, then take the reaction away and give it again."
    assert ledger.deliveries(request.id)["card"].plan_ts is None
    announcer.announce()
    reacts_now(ledger, request.id)
    judge.judge()
    assert ledger.request(request.id).state is State.APPROVED


def test_a_card_that_is_posted_with_its_plan_takes_a_reaction_at_once(ledger: Book, voice: Voice) -> None:
    request = a_request_in(ledger, State.PLANNED, wish=a_wish(environment="production"), protected=True)
    Announcer(ledger, voice=voice, workflow=with_keys()).announce()
    card = ledger.deliveries(request.id)["card"]
    assert card.plan_ts == card.ts
    ledger.lost(request.id, "card")
    assert ledger.deliveries(request.id)["card"].plan_ts is None


def test_a_card_of_which_nobody_wrote_down_since_when_its_plan_stands_there_is_edited(
    ledger: Book, voice: Voice
) -> None:
    """Of an older bot, or posted before its plan: the first reaction counts for nothing, and has that put right."""
    flow = with_keys()
    judge, announcer = a_judge(ledger, voice, flow), Announcer(ledger, voice=voice, workflow=flow)
    request = a_request_in(ledger, State.PLANNED, wish=a_wish(environment="production"), protected=True)
    announcer.announce()
    with ledger._engine.begin() as tx:
        tx.execute(text("UPDATE deliveries SET plan_ts = NULL"))
    for state in (State.PLANNED, State.APPROVED):
        reacts_now(ledger, request.id)
        judge.judge()
        assert ledger.request(request.id).state is state
        announcer.announce()
        assert ledger.deliveries(request.id)["card"].plan_ts is not None


def test_the_ledger_of_a_version_before_forgets_since_when_a_card_shows_what_it_did_not_show(
    ledger: Book, voice: Voice
) -> None:
    flow = with_keys()
    announcer = Announcer(ledger, voice=voice, workflow=flow)
    early = a_request_in(ledger, State.ASKED, wish=a_wish(environment="production"), protected=True)
    ledger.tell(early.id, Unanswered(60))
    announcer.announce()
    plan = a_plan(environment="production", protected=True)
    ledger.lay_plan(early.id, summary=plan, frozen=a_frozen(plan), why=Planned(digest=DIGEST, migrations=()))
    with_plan = a_request_in(ledger, State.PLANNED, wish=a_wish(environment="production"), protected=False)
    announcer.announce()
    [file] = [one for one in schema_files() if one.stem.endswith("_no_plan_stood_there_yet")]
    with ledger._engine.begin() as tx:
        tx.execute(text("UPDATE deliveries SET plan_ts = ts"))  # as the version before wrote them all down
        tx.execute(text(file.read_text(encoding="utf-8").replace("::", r"\:\:")))
    assert ledger.deliveries(early.id)["card"].plan_ts is None
    assert ledger.deliveries(with_plan.id)["card"].plan_ts is not None
    assert ledger.unannounced() == (early.id,)
    announcer.announce()
    assert ledger.deliveries(early.id)["card"].plan_ts is not None


def reacts_now(ledger: Book, request_id: int) -> None:
    at, card = f"{ledger.now().timestamp():.6f}", ledger.deliveries(request_id)["card"]
    ledger.hear(Heard("T0TWOKEY", CHANNEL, card.ts or "", BO.id, "white_check_mark", True, at, f"Ev-{at}"))
