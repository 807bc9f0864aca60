"""A card in a running corridor, and what an attacker does to it: the deeds, not what has to come of them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from engine import files
from engine.connection import Database, open_session
from tests.flows.conftest import ADA, BO, CHANNEL, GIL, Corridor, Manner
from tests.support.engine import bring

GROUP = "S0APPROVERS"


def edited(workflow: str) -> str:
    """A user group approves, too, in which Dee is; and Gil's account is another one of Ada's."""
    ada = f'[[person]]\nname = "Ada"\nslack = ["{ADA}", "{GIL}"]\n'
    return workflow.replace(f'approvers = ["{BO}"]', f'approvers = ["{BO}", "{GROUP}"]') + ada


MANNER = Manner(edited, over_http=True)


@dataclass(slots=True)
class Attacked:
    """One card that waits for its second key. What follows is tried on it, one after the other."""

    corridor: Corridor
    card: dict[str, object]
    number: int = 4

    def does(self, deed: str, who: str = BO, *, channel: str = CHANNEL, ts: object = None) -> None:
        """Bo or somebody else reacts to the card or to something else, or takes that back."""
        getattr(self.corridor.slack.as_person(who), deed)(channel, str(ts or self.card["ts"]), "white_check_mark")

    def is_approved(self) -> None:
        """Bo approves, and it waits for its start."""
        self.does("react")
        self.corridor.slack.wait_for(lambda: self.stands("approved"), timeout=20)

    def asked_anew(self) -> None:
        """The one before has ended, and another waits."""
        self.card = self.corridor.ask_for_production(f"once more after {self.number}")
        ((self.number,),) = self.corridor.ledger("SELECT max(id) FROM requests")  # pyright: ignore[reportAttributeAccessIssue]

    def stands(self, state: str) -> bool:
        return self.corridor.ledger(f"SELECT state FROM requests WHERE id = {self.number}") == [(state,)]

    def story(self) -> list[object]:
        told = self.corridor.ledger(f"SELECT kind FROM events WHERE request_id = {self.number} ORDER BY seq")
        return [kind for (kind,) in told]

    def heard(self) -> int:
        return len(self.corridor.ledger("SELECT FROM heard WHERE source = 'reaction'"))

    def held(self) -> None:
        """Whatever was heard is judged, the request waits, and nothing ran."""
        unjudged = "SELECT FROM heard WHERE judged_at IS NULL"
        self.corridor.slack.wait_for(lambda: not self.corridor.ledger(unjudged) and self.stands("planned"), timeout=20)
        assert "Started" not in self.story()
        assert self.corridor.applied("production") == []

    def last_reaction(self) -> dict[str, Any]:
        """Slack's event of the reaction that came last."""
        told = (one["payload"] for one in self.corridor.slack.deliveries("events_api"))
        return [one for one in told if one["event"]["type"] == "reaction_added"][-1]

    def status_of(self, body: bytes, headers: dict[str, str]) -> int:
        """What the bot answers to whoever says that this comes from Slack."""
        line = HTTPConnection("127.0.0.1", self.corridor.port, timeout=5)
        try:
            line.request("POST", "/slack/events", body, {"Content-Type": "application/json", **headers})
            return line.getresponse().status
        finally:
            line.close()

    def written_by_the_bot(self, who: str, marked: str) -> None:
        """An approval, written into the ledger by hand with the bot's own login."""
        forged = (
            "INSERT INTO decisions (request_id, requester_id, requester_marks, actor_id, actor_marks, actor_team,"
            " actor_name, actor_kind, verdict, digest, event_ts) SELECT id, actor_id, actor_marks, %s, %s, '', '',"
            " 'full_member', 'approve', digest, '1.1' FROM requests WHERE id = %s"
        )
        with psycopg.connect(self.corridor.parts.ledger_as("twokey_bot")["LEDGER_DATABASE_URL"]) as conn:
            conn.execute(forged, (who, [marked], self.number))


def just_after(payload: dict[str, Any]) -> str:
    """A moment just after the reaction, and before it was taken back."""
    seconds, digits = payload["event"]["event_ts"].split(".")
    return f"{seconds}.{int(digits) + 1:06d}"


def moves_on(corridor: Corridor) -> None:
    """Somebody else brings production the first migration, past Twokey's requests."""
    production = Database("production", protected=True, dsn=corridor.parts.dsn["production"])
    with open_session(production, purpose="twokey test") as session:
        assert bring(session, files.read(corridor.migrations)[:1]).failure is None


@contextmanager
def swapped(corridor: Corridor, environments: Sequence[str]) -> Iterator[None]:
    """Two databases have each other's names, as when somebody changed where an address leads."""
    one, other = (str(conninfo_to_dict(corridor.parts.dsn[name])["dbname"]) for name in environments)
    _swap(corridor, one, other)
    yield
    _swap(corridor, one, other)


def _swap(corridor: Corridor, one: str, other: str) -> None:
    with psycopg.connect(corridor.parts.postgres.url(), autocommit=True) as conn:
        for names in ((one, "between"), (other, one), ("between", other)):
            conn.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(*map(sql.Identifier, names)))
