"""A small shop with something of every kind that a lock can reach; rolled back after each test."""

import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from engine import catalog, statements
from engine.connection import Database, Session, open_session
from engine.hazards import Hazard, find
from engine.hazards.catalog import Catalog
from playground.embedded import Postgres
from tests.support.engine import migration

SHOP = """
CREATE TABLE customers (id serial PRIMARY KEY, name varchar(20), born timestamp, note text, code int UNIQUE);
CREATE TABLE orders (id bigserial PRIMARY KEY, customer int NOT NULL REFERENCES customers (id), total numeric(12,2));
CREATE TABLE lines (id bigserial PRIMARY KEY, "order" bigint CONSTRAINT lines_order REFERENCES orders (id), n int);
CREATE INDEX orders_customer ON orders (customer);
CREATE VIEW big AS SELECT id, total FROM orders WHERE total > 100;
CREATE VIEW bigger AS SELECT id FROM big WHERE total > 1000;
CREATE MATERIALIZED VIEW totals AS SELECT customer, sum(total) AS total FROM orders GROUP BY customer;
CREATE UNIQUE INDEX ON totals (customer);
CREATE TABLE events (id bigint, at date) PARTITION BY RANGE (at);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE events_2024 (id bigint, at date);
CREATE FUNCTION noop() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER watch BEFORE INSERT ON lines FOR EACH ROW EXECUTE FUNCTION noop();
CREATE POLICY mine ON lines USING (true);
INSERT INTO customers (name) SELECT 'c' || i FROM generate_series(1, 1000) i;
INSERT INTO orders (customer, total) SELECT id, 5 FROM customers;
ANALYZE;
"""


@pytest.fixture(scope="module")
def open_shop(postgres: Postgres) -> Iterator[Session]:
    """A session on a database with the shop in it, made once: what a test does there is rolled back after it."""
    there = Database("development", protected=False, dsn=postgres.create("hazards"))
    with open_session(there, purpose="twokey test") as session:
        session.conn.execute(SHOP)
        yield session
    postgres.drop("hazards")


@pytest.fixture
def shop(open_shop: Session) -> Iterator[Session]:
    """The shop as it was made, inside a transaction that is rolled back."""
    with open_shop.conn.transaction(force_rollback=True):
        yield open_shop


@pytest.fixture
def shop_alone(session: Session) -> Session:
    """A shop of one's own, for what cannot be undone or needs other sessions to see it."""
    session.conn.execute(SHOP)
    return session


@pytest.fixture
def known(shop: Session) -> Catalog:
    """The shop's catalog."""
    return catalog.read(shop)


def flush_statistics(session: Session) -> None:
    """What the session counted so far is seen by all; before PostgreSQL 15 that takes half a second."""
    if session.server >= 150000:
        session.conn.execute("SELECT pg_stat_force_next_flush()")
    else:
        time.sleep(1)  # a session sends it when it ends a transaction, but not twice in half a second
        session.conn.execute("SELECT 1")
        time.sleep(0.6)  # and a writer passes it on
    session.conn.execute("SELECT pg_stat_clear_snapshot()")


def hazards_of(sql: str, session: Session) -> list[Hazard]:
    """The hazards of one migration's text on the session's database as it is by now."""
    parsed = statements.parse(migration("20250101000000_x", sql))
    return list(find([(one.node, one.line) for one in parsed], catalog.read(session)))


Found = Callable[[str], list[Hazard]]


@pytest.fixture
def found(shop: Session) -> Found:
    """The hazards of one migration's text on the shop as it is by then."""
    return partial(hazards_of, session=shop)
