"""A row of three environments with databases of their own, and hands for each, on a real ledger and a real bell."""

import os
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import psycopg

from engine import apply, lock, plan, standing, tools
from engine.backup import NothingToLose
from engine.connection import Database, open_session
from engine.scratch import Server
from ledger import words, workflow_file
from ledger.book import Book
from ledger.doorbell import Doorbell
from ledger.events import Approved, Event
from ledger.request import Act, Decision, Request, Verdict, Wish, Witness
from ledger.states import State
from tests.support import kept
from tests.support.dumped import text_of
from tests.support.ledger import ADA, BO, a_wish
from workers import foreman, observer
from workers.hands import Hands

FIRST, SECOND, THIRD = (
    "20250818130001_create_users",
    "20250818140001_add_user_columns",
    "20250818150001_create_audit_table",
)


@dataclass
class Row:
    """Three environments in a row, one folder of migrations, one ledger. Everybody's worker answers at once."""

    folder: Path
    ledger: Book
    ledger_url: str
    redis_url: str
    dsn: dict[str, str]
    scratch: Server | None = None  # where plans are rehearsed; None: nobody knows where
    asleep: set[str] = field(default_factory=set)  # environments whose look worker does not answer

    @property
    def config(self) -> Path:
        return self.folder / "twokey.toml"

    @property
    def migrations(self) -> Path:
        return self.folder / "migrations"

    def hands(self, name: str) -> Hands:
        workflow = workflow_file.load(self.config)
        environment = workflow.environment(name)
        assert environment
        return Hands(
            environment=environment,
            workflow=workflow,
            database=Database(name, environment.protected, self.dsn[name], environment.differs, workflow.differing),
            tools=tools.find(None, os.environ["PATH"]),
            book=self.ledger,
            doorbell=AnsweredBell(self),
            rehearsal=self.scratch,
        )

    def file(self, name: str, sql: str) -> str:
        """Put a migration into the folder; gives its id."""
        (self.migrations / f"{name}.sql").write_text(sql)
        return name

    def wish(self, name: str, act: Act = Act.APPLY, **more: object) -> Wish:
        """A wish of Ada's."""
        return replace(a_wish(environment=name, act=act), **more)  # pyright: ignore[reportArgumentType]

    def ask(self, name: str, act: Act = Act.APPLY, **more: object) -> int:
        """Write a wish down, as the bot does; gives the request's number."""
        wish, protected = self.wish(name, act, **more), self.hands(name).environment.protected
        return self.ledger.open(wish, expires_in=timedelta(hours=4), protected=protected)[0].id

    def ring(self, request_id: int) -> Request:
        """What the worker does when it is rung for the request; gives the request as it stands then."""
        foreman.run(self.hands(self.ledger.request(request_id).environment), request_id)
        return self.ledger.request(request_id)

    def do(self, name: str, act: Act = Act.APPLY, **more: object) -> Request:
        """Ask and ring."""
        return self.ring(self.ask(name, act, **more))

    def bring(self, *names: str) -> None:
        """Bring environments the whole folder, by the engine alone: of nothing there is no backup to wait for.

        What that leaves behind in an empty one is kept, and written once more when the same is to be brought there.
        """
        for name in names:
            hands = self.hands(name)
            brought = (self.dsn[name], *((file.id, file.checksum) for file in hands.files()))
            empty = self.sql(name, "SELECT to_regclass('schema_migrations')") == [(None,)]
            if empty and brought in _LEFT_BEHIND:
                with psycopg.connect(self.dsn[name], autocommit=True) as conn:  # which it leaves with its settings
                    conn.execute(_LEFT_BEHIND[brought])
                continue
            _by_the_engine(hands)
            if empty:
                _LEFT_BEHIND[brought] = text_of(self.dsn[name])

    def promote(self, *names: str) -> Request:
        """Have environments brought everything they may get by requests; gives the last one."""
        requests = [self.do(name) for name in names]
        assert {request.state for request in requests} == {State.APPLIED}
        return requests[-1]

    def approve(
        self, request_id: int, *, seen: bool = True, decided: bool = True, starts_in: timedelta = timedelta()
    ) -> None:
        """Bo approves; with `seen`, the bot has looked just now; without `decided`, the bot made it up."""
        shown, now = self.ledger.request(request_id).plan, self.ledger.now()
        assert shown
        said = Decision(request_id, BO, Verdict.APPROVE, shown.digest, f"{now.timestamp():.6f}", None)
        assert not decided or self.ledger.decide(said)
        starts_at = now + starts_in
        why = Approved(BO.id, BO.name, starts_at.isoformat(), word=words.hash_of(said))
        self.ledger.move(request_id, State.APPROVED, why=why, starts_at=starts_at)
        if seen:
            self.witness(request_id)

    def witness(self, request_id: int) -> None:
        """The bot looks at Slack, and Bo's reaction stands there."""
        seen = Witness(request_id, self.ledger.now(), approving=(BO,), rejecting=(), ours=True, asking=ADA)
        self.ledger.witness(seen)

    def told(self, request_id: int) -> list[Event]:
        """The request's story."""
        return [told.event for told in self.ledger.events(request_id)]

    def last(self, request_id: int) -> Event:
        """How the request's story stands."""
        return self.told(request_id)[-1]

    def sql(self, name: str, statement: str) -> list[tuple]:
        """Run one statement in an environment, past Twokey."""
        return kept.run(self.dsn[name], statement)

    def history(self, name: str) -> list[str]:
        """Ids of what an environment's own history holds."""
        return [id_ for (id_,) in self.sql(name, "SELECT migration_id FROM schema_migrations ORDER BY id")]


#: Address and files → what bringing them there leaves behind.
_LEFT_BEHIND: dict[tuple[object, ...], bytes] = {}


def _by_the_engine(hands: Hands) -> None:
    with open_session(hands.database, purpose="twokey test") as session, lock.only_one(session):
        here = standing.look(session, hands.files())
        drawn = plan.draw(here, hands.files(), before=None, limits=hands.limits)
        assert apply.run(session, drawn, backup=NothingToLose(), actor="test", request=None).failure is None


class AnsweredBell(Doorbell):
    """A bell whose looks and answers come before the ring returns."""

    def __init__(self, row: Row) -> None:
        super().__init__(row.redis_url)
        self._row = row

    def ring_look(self, observation_id: int, environment: str) -> bool:
        if environment not in self._row.asleep:
            observer.look(self._row.hands(environment), observation_id)
        return True

    def ring_answer(self, inquiry_id: int, environment: str) -> bool:
        if environment not in self._row.asleep:
            observer.answer(self._row.hands(environment), inquiry_id)
        return True
