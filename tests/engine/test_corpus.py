"""Awkward files, each with what becomes of it on a real server: corpus/outcomes.txt is the table."""

import re
from pathlib import Path

import pytest

from engine import files, statements
from engine.connection import Session
from engine.files import BadFile
from engine.statements import BadStatement
from tests.support.engine import bring

CORPUS = Path(__file__).parent / "corpus"
OUTCOMES = dict(line.split(maxsplit=1) for line in (CORPUS / "outcomes.txt").read_text().splitlines())


def outcome(session: Session, name: str) -> str:
    """ "applied 2", "failed 42703:3", "Forbidden:1"; a number after a colon is the line."""
    try:
        file = files.parse(f"20250101000000_{name}.sql", (CORPUS / f"{name}.sql").read_bytes())
        count = len(statements.parse(file))
        failure = bring(session, [file]).failure
    except (BadFile, BadStatement) as refused:
        line = getattr(refused, "line", None)
        return type(refused).__name__ + (f":{line}" if line else "")
    if failure is None:
        return f"applied {count}"
    return f"failed {failure.sqlstate}" + (f":{failure.line}" if failure.line else "")


def test_every_file_has_its_outcome_and_there_are_many() -> None:
    assert sorted(OUTCOMES) == sorted(path.stem for path in CORPUS.glob("*.sql"))
    assert len(OUTCOMES) >= 60


@pytest.mark.parametrize("name", sorted(OUTCOMES))
def test_what_becomes_of_it(session: Session, name: str) -> None:
    assert re.fullmatch(OUTCOMES[name], outcome(session, name))
