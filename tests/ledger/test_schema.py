"""The tables in SQL and the tables in Python are the same tables, and the words in CHECKs are the words in code."""

import re

import pytest
from sqlalchemy import DateTime, MetaData, Table, inspect
from sqlalchemy.engine import Inspector

from ledger.book import Book
from ledger.records import Question
from ledger.request import Act, Verdict
from ledger.states import FINAL, State
from ledger.tables import metadata
from tests.support.ledger import schema_files


@pytest.fixture
def made(ledger: Book) -> Inspector:
    """What the SQL files made, as the server tells it."""
    return inspect(ledger._engine)


def _columns(table: Table) -> dict[str, tuple[str, bool, bool]]:
    """Name → type, nullable, filled by the server."""
    return {
        column.name: (
            type(column.type).__name__ + str(getattr(column.type, "timezone", "")),
            bool(column.nullable),
            column.server_default is not None or column.identity is not None,
        )
        for column in table.columns
    }


def _references(table: Table) -> set[tuple[str, str]]:
    """Column → what it alone refers to."""
    return {
        (element.parent.name, element.target_fullname)
        for constraint in table.foreign_key_constraints
        if len(constraint.elements) == 1
        for element in constraint.elements
    }


@pytest.mark.parametrize("name", metadata.tables)
def test_a_table_is_what_the_sql_made(made: Inspector, name: str) -> None:
    ours = metadata.tables[name]
    theirs = Table(name, MetaData(), autoload_with=made.bind)
    generic = {key: (_generic(kind), *rest) for key, (kind, *rest) in _columns(theirs).items()}
    assert generic == {key: (_generic(kind), *rest) for key, (kind, *rest) in _columns(ours).items()}
    assert [column.name for column in theirs.primary_key] == [column.name for column in ours.primary_key]
    assert _references(ours) >= _references(theirs)


def _generic(kind: str) -> str:
    """PostgreSQL's names for what SQLAlchemy spells its own way."""
    return kind.upper().replace("DATETIME", "TIMESTAMP").replace("BIGINTEGER", "BIGINT")


def test_the_sql_makes_no_other_table(made: Inspector) -> None:
    assert set(made.get_table_names()) == {*metadata.tables, "schema_migrations"}


def test_every_moment_knows_its_zone(made: Inspector) -> None:
    kinds = [column["type"] for name in metadata.tables for column in made.get_columns(name)]
    moments = [kind for kind in kinds if isinstance(kind, DateTime)]
    assert len(moments) > 10
    assert all(kind.timezone for kind in moments)


@pytest.mark.parametrize(
    ("table", "column", "words"),
    [
        ("requests", "state", set(State)),
        ("requests", "act", set(Act)),
        ("decisions", "verdict", set(Verdict)),
        ("inquiries", "question", set(Question)),
    ],
)
def test_a_check_allows_the_words_of_the_code(made: Inspector, table: str, column: str, words: set[str]) -> None:
    checks = {check["name"]: check["sqltext"] for check in made.get_check_constraints(table)}
    assert set(re.findall(r"'(\w+)'::text", checks[f"{table}_{column}_check"])) == words


def test_the_indexes_of_open_requests_name_every_open_state() -> None:
    text = schema_files()[0].read_text(encoding="utf-8")
    lists = re.findall(r"state IN \(('asked', 'planned', 'approved', 'applying')\)", text)
    assert len(lists) == 2
    assert set(re.findall(r"\w+", lists[0])) == set(State) - FINAL


def test_the_files_follow_the_rules_of_migrations() -> None:
    assert all(re.fullmatch(r"\d{14}_[a-z0-9_]+\.sql", file.name) for file in schema_files())
    assert len({file.name[:14] for file in schema_files()}) == len(schema_files())
