"""A real ledger for every room's tests, and builders that put things into it by the ways that production has."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from ledger import schema
from ledger.book import Book
from ledger.events import (
    Applied,
    Approved,
    Cancelled,
    Event,
    Expired,
    Failed,
    Interrupted,
    Planned,
    Rejected,
    Stale,
    Started,
)
from ledger.request import Act, Actor, Hazard, Held, Kind, PlannedMigration, PlanSummary, Request, Wish
from ledger.states import State
from ledger.tables import metadata
from playground import embedded

ROLES = ("twokey_bot", "twokey_worker", "twokey_sweep")

# As the engine makes it in every database; only its first two columns matter here.
_HISTORY = """
CREATE TABLE schema_migrations (
  id SERIAL PRIMARY KEY,
  migration_id VARCHAR(255) UNIQUE NOT NULL,
  name VARCHAR(255) NOT NULL,
  applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  checksum VARCHAR(64) NOT NULL,
  environment VARCHAR(50) NOT NULL
)"""
_REMEMBER = "INSERT INTO schema_migrations (migration_id, name, checksum, environment) VALUES (%s, %s, '', 'ledger')"

# Replica, else the trigger that keeps events would keep these. Deleting a few rows is quicker than TRUNCATE.
EMPTY = sql.SQL("SET session_replication_role = replica; {}").format(
    sql.SQL("; ").join(
        [sql.SQL("DELETE FROM {}").format(sql.Identifier(name)) for name in metadata.tables]
        + [
            sql.SQL("SELECT setval(pg_get_serial_sequence({}, 'id'), 1, false)").format(sql.Literal(name))
            for name, table in metadata.tables.items()
            if table.columns.get("id") is not None and table.c.id.identity
        ]
    )
)

ADA = Actor(id="U0ENGINEER", team="T0TWOKEY", name="ada", kind=Kind.FULL_MEMBER)
BO = Actor(id="U0APPROVER", team="T0TWOKEY", name="bo", kind=Kind.FULL_MEMBER)
DIGEST = "d1" * 32

_keys = count(1)


def schema_files() -> tuple[Path, ...]:
    """The files of ledger/schema in their order."""
    return tuple(sorted(Path(next(iter(schema.__path__))).glob("*.sql")))


def prepare(url: str, files: Iterable[Path] | None = None) -> None:
    """What `python -m workers prepare` does to an empty ledger, without the engine. `files`: of an older version."""
    with psycopg.connect(url) as conn:
        conn.execute(_HISTORY)
        for role in ROLES:
            _make_role(conn, role)
        for file in schema_files() if files is None else files:
            conn.execute(file.read_bytes())
            conn.execute(_REMEMBER, (file.stem, file.stem.partition("_")[2]))


def _make_role(conn: psycopg.Connection, role: str) -> None:
    if conn.execute("SELECT FROM pg_roles WHERE rolname = %s", (role,)).fetchone() is None:
        conn.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))


@pytest.fixture(scope="session")
def prepared_ledger(postgres: embedded.Postgres) -> embedded.Postgres:
    """The session's PostgreSQL with a prepared database `twokey_ledger` on it, which ends with the server."""
    prepare(postgres.create("twokey_ledger"))
    return postgres


@pytest.fixture(scope="session")
def broom(prepared_ledger: embedded.Postgres) -> Iterator[psycopg.Connection]:
    """The owner's own session in the prepared ledger, kept: a new one would read the catalogs first, each time."""
    with psycopg.connect(prepared_ledger.url("twokey_ledger"), autocommit=True) as conn:
        yield conn


@pytest.fixture
def ledger_url(prepared_ledger: embedded.Postgres, broom: psycopg.Connection) -> str:
    """The owner's connection string of a prepared ledger with nothing in it."""
    broom.execute(EMPTY)
    return prepared_ledger.url("twokey_ledger")


@pytest.fixture(scope="session")
def standing_book(prepared_ledger: embedded.Postgres) -> Iterator[Book]:
    """One book for all tests: SQLAlchemy words a statement once per engine, and the server reads its catalogs once."""
    with closing(Book(prepared_ledger.url("twokey_ledger"), name="tests")) as book:
        yield book


@pytest.fixture
def ledger(standing_book: Book, ledger_url: str) -> Book:  # which empties it
    """A book on a prepared ledger with nothing in it, as the owner."""
    return standing_book


def role_url(url: str, role: str) -> str:
    """The same ledger as another login sees it."""
    return url.replace("postgres@", f"{role}@", 1)


def a_wish(
    *,
    environment: str = "development",
    act: Act = Act.APPLY,
    actor: Actor = ADA,
    key: str | None = None,
    reason: str | None = None,
    channel: str = "C0MIGRATE",
) -> Wish:
    """A wish with a key of its own."""
    return Wish(
        act=act,
        environment=environment,
        actor=actor,
        channel=channel,
        key=key or f"wish-{next(_keys)}",
        reason=reason,
    )


def a_plan(*, environment: str = "development", protected: bool = False, digest: str = DIGEST) -> PlanSummary:
    """A plan of two files with one hazard, one file held back, and no certification."""
    return PlanSummary(
        environment=environment,
        protected=protected,
        digest=digest,
        database="shop",
        server="18.0",
        head="20250818120001_create_users",
        migrations=(
            PlannedMigration(
                id="20250818140001_add_user_columns",
                name="add_user_columns",
                checksum="a" * 64,
                lines=4,
                hazards=(Hazard(name="rewrite", line=2, sentence="Rewrites users."),),
            ),
            PlannedMigration(
                id="20250818150001_create_audit_table", name="create_audit_table", checksum="b" * 64, lines=9
            ),
        ),
        held=(Held(id="20250818160001_later", why="20250818160001_later.sql is not certified on test."),),
        certified=None,
        backup_folder="migrations/schema-backups",
        database_bytes=None,
        lock_timeout="2s",
        statement_timeout="30min",
    )


def a_frozen(plan: PlanSummary) -> dict[str, Any]:
    """What a worker freezes beside a plan, as far as others than workers read it."""
    texts = [{"id": one.id, "text": f"SELECT '{one.name}';\n", "checksum": one.checksum} for one in plan.migrations]
    return {"digest": plan.digest, "migrations": texts}


#: From which state a request comes to each, and with what event.
WAY: dict[State, tuple[State, Event]] = {
    State.PLANNED: (State.ASKED, Planned(digest=DIGEST, migrations=("20250818140001_add_user_columns",))),
    State.APPROVED: (State.PLANNED, Approved(actor_id=BO.id, actor_name=BO.name, starts_at="2026-11-22T10:00:00Z")),
    State.APPLYING: (State.APPROVED, Started(worker="host:1")),
    State.APPLIED: (State.APPLYING, Applied(migrations=("20250818140001_add_user_columns",), seconds=0.5)),
    State.FAILED: (State.APPLYING, Failed(why="It failed.", next_step="Fix it.")),
    State.INTERRUPTED: (State.APPLYING, Interrupted(why="It fell silent.", done=(), left=())),
    State.REJECTED: (State.PLANNED, Rejected(actor_id=BO.id, actor_name=BO.name)),
    State.CANCELLED: (State.ASKED, Cancelled(actor_id=ADA.id, actor_name=ADA.name)),
    State.EXPIRED: (State.PLANNED, Expired()),
    State.STALE: (State.PLANNED, Stale(what="A file changed.")),
}


def a_request_in(
    book: Book,
    state: State,
    *,
    wish: Wish | None = None,
    protected: bool = False,
    plan: PlanSummary | None = None,
    expires_in: timedelta = timedelta(hours=4),
) -> Request:
    """A request that came to `state` by legal moves alone."""
    if state is State.ASKED:
        return book.open(wish or a_wish(), expires_in=expires_in, protected=protected)[0]
    come_from, why = WAY[state]
    request = a_request_in(book, come_from, wish=wish, protected=protected, plan=plan, expires_in=expires_in)
    if isinstance(why, Planned):
        summary = plan or a_plan(environment=request.environment, protected=protected)
        why = Planned(digest=summary.digest, migrations=tuple(one.id for one in summary.migrations))
        return book.lay_plan(request.id, summary=summary, frozen=a_frozen(summary), why=why)
    return book.move(request.id, state, why=why)
