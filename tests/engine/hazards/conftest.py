"""A small shop with something of every kind that a lock can reach; rolled back after each test."""

import time
from collections.abc import Callable, Iterator

import psycopg
import pytest

from engine import catalog, statements
from engine.connection import Session
from engine.hazards import Hazard, find
from engine.hazards.catalog import Catalog
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


@pytest.fixture
def shop(session: Session) -> Iterator[Session]:
    """A session on a database with the shop in it."""
    session.conn.execute(SHOP)
    yield session
    if not session.conn.closed and session.conn.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
        session.conn.execute("ROLLBACK")


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


Found = Callable[[str], list[Hazard]]


@pytest.fixture
def found(shop: Session) -> Found:
    """The hazards of one migration's text on the shop as it is by then."""

    def look(sql: str) -> list[Hazard]:
        parsed = statements.parse(migration("20250101000000_x", sql))
        return list(find([(one.node, one.line) for one in parsed], catalog.read(shop)))

    return look
