"""Who somebody is, by Slack's flags; what Slack does not say is not granted."""

from typing import Any

import pytest

from bot.identity import Directory, as_actor
from bot.voice import SlackFailed, Voice
from ledger.request import Actor, Kind
from playground.client import Workspace

MEMBER: dict[str, Any] = {
    "id": "U1",
    "team_id": "T0TWOKEY",
    "name": "ada",
    "deleted": False,
    "is_bot": False,
    "is_restricted": False,
    "is_ultra_restricted": False,
}


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({}, Kind.FULL_MEMBER),
        ({"is_bot": True}, Kind.BOT),
        ({"is_workflow_bot": True}, Kind.BOT),
        ({"is_connector_bot": True}, Kind.BOT),
        ({"id": "USLACKBOT"}, Kind.BOT),
        ({"deleted": True}, Kind.DEACTIVATED),
        ({"is_restricted": True}, Kind.GUEST),
        ({"is_ultra_restricted": True}, Kind.GUEST),
        ({"is_stranger": True}, Kind.OUTSIDER),
        ({"team_id": "T0OTHER"}, Kind.OUTSIDER),
        ({"is_invited_user": True}, Kind.UNKNOWN),
        ({"team_id": None}, Kind.UNKNOWN),
        ({"deleted": None}, Kind.UNKNOWN),
        ({"is_bot": None}, Kind.UNKNOWN),
        ({"is_restricted": None}, Kind.UNKNOWN),
        ({"is_ultra_restricted": None}, Kind.UNKNOWN),
    ],
)
def test_flags_make_the_kind_and_a_missing_flag_makes_nobody(changed: dict[str, Any], kind: Kind) -> None:
    person = {name: value for name, value in (MEMBER | changed).items() if value is not None}
    assert as_actor("U1", person, home="T0TWOKEY").kind is kind


def test_a_name_is_decoration_and_an_id_will_do() -> None:
    assert as_actor("U1", {"profile": {"display_name": "", "real_name": "Ada L."}}, home="T").name == "Ada L."
    assert as_actor("U1", {}, home="T") == Actor("U1", "", "U1", Kind.UNKNOWN)


def test_a_command_believes_for_a_minute_and_an_approval_asks_again(slack: Workspace, voice: Voice) -> None:
    now = [0.0]
    directory = Directory(voice, home="T0TWOKEY", clock=lambda: now[0])
    assert directory.actor("U0APPROVER").kind is Kind.FULL_MEMBER
    slack.set_person("U0APPROVER", deleted=True)
    now[0] = 59
    assert directory.actor("U0APPROVER").kind is Kind.FULL_MEMBER
    assert directory.fresh("U0APPROVER").kind is Kind.DEACTIVATED
    assert directory.actor("U0APPROVER").kind is Kind.DEACTIVATED
    slack.set_person("U0APPROVER", deleted=False)
    now[0] = 120
    assert directory.actor("U0APPROVER").kind is Kind.FULL_MEMBER


def test_whom_slack_does_not_show_is_unknown(slack: Workspace, voice: Voice) -> None:
    assert Directory(voice, home="T0TWOKEY").actor("U0NOBODY") == Actor("U0NOBODY", "", "U0NOBODY", Kind.UNKNOWN)


def test_a_silent_slack_is_a_sentence(slack: Workspace, voice: Voice) -> None:
    slack.fault("users.info", error="internal_error")
    with pytest.raises(SlackFailed) as caught:
        Directory(voice, home="T0TWOKEY").actor("U0ENGINEER")
    assert str(caught.value) == (
        "Slack did not say who this is: internal_error. Nothing is lost; try again in a moment."
    )
