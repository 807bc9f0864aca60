"""One empty environment called development, and a session on it."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from engine.connection import Database, Session, open_session
from playground.embedded import Postgres
from tests.support import kept
from tests.support.engine import bring, real_files

# Emptying one database takes milliseconds; making and dropping one for each test would take most of the time.
_EMPTY = "DROP SCHEMA IF EXISTS public, shop CASCADE; CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO PUBLIC"


@pytest.fixture(scope="session")
def engine_database(postgres: Postgres) -> Iterator[str]:
    """The connection string of the database that the engine's tests share."""
    yield postgres.create("engine_room")
    postgres.drop("engine_room")


@pytest.fixture
def development(engine_database: str) -> Database:
    """An empty, unprotected environment."""
    kept.run(engine_database, _EMPTY)
    return Database("development", protected=False, dsn=engine_database)


@pytest.fixture
def session(development: Database) -> Iterator[Session]:
    """A session on the empty environment."""
    with open_session(development, purpose="twokey test") as opened:
        yield opened


@pytest.fixture(scope="session")
def furnished(postgres: Postgres) -> Iterator[str]:
    """The name of a database with three migrations and two users in, to be copied: quicker than bringing them."""
    there = Database("development", protected=False, dsn=postgres.create("furnished"))
    with open_session(there, purpose="twokey test") as session:
        bring(session, real_files())
        session.conn.execute("INSERT INTO users (email) VALUES ('ä''@x'), (E'a\\nb')")
    yield "furnished"
    postgres.drop("furnished")


@pytest.fixture
def shop(postgres: Postgres, postmaster: psycopg.Connection, furnished: str) -> Iterator[Database]:
    """An environment of its own with three migrations and two users in; restores may rename it."""
    postmaster.execute(sql.SQL("CREATE DATABASE shop TEMPLATE {}").format(sql.Identifier(furnished)))
    yield Database("development", protected=False, dsn=postgres.url("shop"))
    left = postmaster.execute("SELECT datname FROM pg_database WHERE datname LIKE 'shop%'").fetchall()
    for (name,) in left:
        postgres.drop(name)


@pytest.fixture
def postmaster(postgres: Postgres) -> Iterator[psycopg.Connection]:
    with psycopg.connect(postgres.url(), autocommit=True) as conn:
        yield conn
