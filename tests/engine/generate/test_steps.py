"""Each kind of difference as statements, run on a real server: up to what was wanted, and down to what was."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from engine import fingerprint, history
from engine.connection import Session
from engine.generate import shape, steps
from engine.generate.shape import Shape
from engine.generate.steps import Unsayable

SCHEMAS = ("public", "Billing")
WAYS = Path(__file__).with_name("ways.txt").read_text(encoding="utf-8")
_WAY = r"^== (.*?)\n(.*?)-- becomes\n(.*?)-- by\n(.*?)-- and back by\n(.*?)(?=^== |\Z)"
CASES = {name: rest for name, *rest in re.findall(_WAY, WAYS, re.DOTALL | re.MULTILINE)}


@pytest.mark.parametrize("case", CASES)
def test_a_difference_goes_up_and_down(session: Session, case: str) -> None:
    before, after, up, down = CASES[case]
    assert [*map(written, there_and_back(session, before, after))] == [up.strip(), down.strip()]


def written(statements: Sequence[str]) -> str:
    """As a file has them."""
    return "\n".join(f"{statement};" for statement in statements)


def there_and_back(session: Session, before: str, after: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The way up and the way down, both tried."""
    home = history.prepare(session)
    run(session, before)
    old, was = shape.read(session, home, SCHEMAS), fingerprint.read(session, home)
    new = declared(session, old, after)
    up, down = steps.between(old, new), steps.between(new, old)
    run(session, ";".join(up))
    assert steps.between(shape.read(session, home, SCHEMAS), new) == ()
    run(session, ";".join(down))
    assert steps.between(shape.read(session, home, SCHEMAS), old) == ()
    assert fingerprint.read(session, home) == was
    return up, down


def declared(session: Session, old: Shape, after: str) -> Shape:
    """The shape that the text makes in place of what is there."""
    home = history.prepare(session)
    with session.conn.transaction(force_rollback=True):
        shape.empty(session, home, old)
        run(session, after)
        return shape.read(session, home, SCHEMAS)


def run(session: Session, text: str) -> None:
    with session.conn.transaction():
        session.conn.execute(text.encode())


@pytest.mark.parametrize(
    ("before", "after", "named"),
    [
        (
            "CREATE DOMAIN d AS text",
            "CREATE DOMAIN d AS varchar(7) NOT NULL",
            "domain d is text and would be character varying(7) NOT NULL",
        ),
        (
            "CREATE TABLE t (a int)",
            "CREATE UNLOGGED TABLE t (a int)",
            "table t is stored as usual and would be UNLOGGED",
        ),
        (
            "CREATE TABLE t (a int) WITH (fillfactor=70)",
            "CREATE TABLE t (a int) PARTITION BY LIST (a)",
            "table t is stored WITH (fillfactor=70) and would be PARTITION BY LIST (a)",
        ),
    ],
)
def test_what_is_not_generated_is_named(session: Session, before: str, after: str, named: str) -> None:
    run(session, before)
    old = shape.read(session, history.prepare(session), SCHEMAS)
    with pytest.raises(Unsayable) as caught:
        steps.between(old, declared(session, old, after))
    assert caught.value.what == (named,)


def test_what_models_cannot_know_is_no_part_of_a_shape(session: Session) -> None:
    home = history.prepare(session)
    before = shape.read(session, home, SCHEMAS)
    run(
        session,
        "CREATE VIEW v AS SELECT 1 AS one; CREATE MATERIALIZED VIEW m AS SELECT 1 AS one;"
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql RETURN 1; CREATE SCHEMA shop; CREATE TABLE shop.t (a int)",
    )
    assert shape.read(session, home, SCHEMAS) == before
    run(
        session,
        "CREATE TABLE t (a int) PARTITION BY RANGE (a); CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (1) TO (2)",
    )
    assert list(shape.read(session, home, SCHEMAS).tables) == ["t"]
