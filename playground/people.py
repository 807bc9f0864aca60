"""Who is in the workspace, as Slack's user objects say it: https://docs.slack.dev/reference/objects/user-object/"""

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

TEAM = "T0TWOKEY"
OTHER_TEAM = "T0OTHER"
DOMAIN = "twokey-playground"
APP = "A0TWOKEY"
BOT = "B0TWOKEY"
BOT_USER = "U0TWOKEY"
MIGRATIONS = "C0MIGRATE"
GENERAL = "C0GENERAL"

APPROVERS = "S0APPROVERS"

BOT_TOKEN = "xoxb-playground"
APP_TOKEN = "xapp-playground"
SIGNING_SECRET = "playground-signing-secret"

_BORN = 1760000000
_FULL_MEMBER: Json = {
    "deleted": False,
    "is_admin": False,
    "is_owner": False,
    "is_primary_owner": False,
    "is_restricted": False,
    "is_ultra_restricted": False,
    "is_bot": False,
    "is_app_user": False,
    "is_email_confirmed": True,
    "has_2fa": True,
}
#: Slack tells less of those who left, and less still of those who are met through a shared channel.
_GONE: Json = {"deleted": True, "is_bot": False, "is_app_user": False}
_STRANGER: Json = {
    "deleted": False,
    "is_stranger": True,
    "is_restricted": False,
    "is_ultra_restricted": False,
    "is_bot": False,
    "is_app_user": False,
}
_THE_BOT: Json = {**_FULL_MEMBER, "is_bot": True, "is_email_confirmed": False, "has_2fa": False}


@dataclass(slots=True)
class Person:
    """Someone the workspace knows. `flags` are the booleans of Slack's user object, which tests may change."""

    id: str
    name: str
    real_name: str
    part: str
    color: str
    team: str = TEAM
    flags: Json = field(default_factory=lambda: dict(_FULL_MEMBER))
    other_email: str = ""

    @property
    def email(self) -> str:
        """The address of the account."""
        return self.other_email or f"{self.name}@example.com"

    def set(self, flags: Json) -> None:
        """Change flags; None takes a flag away, as Slack does when it does not say. `email` is the address."""
        self.other_email = flags.pop("email", self.other_email)
        self.flags.update(flags)
        self.flags = {name: value for name, value in self.flags.items() if value is not None}

    def as_slack(self) -> Json:
        """The user object of `users.info`, without the e-mail address, which takes a scope of its own."""
        profile: Json = {
            "title": self.part,
            "phone": "",
            "skype": "",
            "real_name": self.real_name,
            "real_name_normalized": self.real_name,
            "display_name": self.name,
            "display_name_normalized": self.name,
            "fields": None,
            "status_text": "",
            "status_emoji": "",
            "status_expiration": 0,
            "avatar_hash": f"g{self.id.lower()}",
            "team": self.team,
        }
        if self.flags.get("is_bot"):
            profile |= {"api_app_id": APP, "bot_id": BOT, "always_active": True}
        return {
            "id": self.id,
            "team_id": self.team,
            "name": self.name,
            "color": self.color,
            "real_name": self.real_name,
            "tz": "Europe/London",
            "tz_label": "Greenwich Mean Time",
            "tz_offset": 0,
            "profile": profile,
            "updated": _BORN,
            "who_can_share_contact_card": "EVERYONE",
            **self.flags,
        }


def everyone() -> dict[str, Person]:
    """The people of a new workspace by id, in the order in which the page offers them."""
    people = (
        Person("U0ENGINEER", "ada", "Ada Engineer", "Engineer", "7a4fd0"),
        Person("U0APPROVER", "bo", "Bo Approver", "Approver", "0b7a75"),
        Person("U0OBSERVER", "cy", "Cy Observer", "Observer", "b3541e"),
        Person("U0SECOND", "dee", "Dee Second", "Second approver", "2f6f3e"),
        Person("U0GUEST", "gil", "Gil Guest", "Guest", "8a5a00", flags=_FULL_MEMBER | {"is_restricted": True}),
        Person("U0STRANGER", "sol", "Sol Stranger", "Of another workspace", "a3245c", OTHER_TEAM, dict(_STRANGER)),
        Person("U0GONE", "gus", "Gus Gone", "Deactivated", "6b7280", flags=dict(_GONE)),
        Person(BOT_USER, "twokey", "Twokey", "App", "1f4e8c", flags=dict(_THE_BOT)),
    )
    return {person.id: person for person in people}


def user_groups() -> dict[str, list[str]]:
    """The user groups of a new workspace, by id, with their members."""
    return {APPROVERS: ["U0APPROVER", "U0SECOND"]}


def names() -> dict[str, str]:
    """What people are called, by id."""
    return {person.id: person.real_name for person in everyone().values()}
