"""After a run its schema is held against the one that the environment before had with the same history."""

from dataclasses import replace
from datetime import timedelta

import pytest

from engine import history, snapshot
from engine.connection import open_session
from engine.report import Done, Report
from engine.snapshot import Settled
from ledger.events import Applied, Compared
from tests.workers.row import Row
from workers import comparing, observer


def compared(row: Row, environment: str) -> Compared | None:
    told = row.told(row.promote(environment).id)
    assert isinstance(told[-1], Applied)
    return next((event for event in told if isinstance(event, Compared)), None)


def test_the_first_environment_is_held_against_nothing(row: Row) -> None:
    assert compared(row, "development") is None


def test_the_same_schema_is_told_to_be_the_same(row: Row) -> None:
    row.bring("development")
    said = compared(row, "test")
    sentence = "Its schema is the one that development had with this history."
    assert said == Compared("development", "same", sentence, ())


def test_what_differs_is_told_object_by_object_and_what_is_declared_is_not(row: Row) -> None:
    row.bring("development")
    row.sql("test", "CREATE TABLE by_hand (); CREATE TABLE meant ()")
    text = row.config.read_text()
    row.config.write_text(text.replace('name = "test"', 'name = "test"\ndiffers = ["table public.meant"]'))
    said = compared(row, "test")
    assert said == Compared(
        "development",
        "differs",
        "Its schema is not the one that development had with this history (there): 1 object differs. "
        "What committed stays.",
        ("table public.by_hand is here and not there",),
    )


def test_drift_is_seen_by_every_look(row: Row) -> None:
    row.bring("development")
    row.sql("development", "CREATE TABLE by_hand ()")
    drift = observer.observe(row.hands("development"))["standing"]["drift"]
    assert (drift["state"], drift["by"]) == ("drifted", "snapshot")
    assert [one["sentence"] for one in drift["differences"]] == ["table public.by_hand is here and not there"]


def test_a_worker_that_sleeps_after_the_run_or_knows_nothing_leaves_it_unknown(
    row: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparing, "PATIENCE", timedelta(0))
    row.bring("development", "test")
    row.asleep.add("development")
    report = Report((Done("a", 0.1),), None, None, (), 0.1, settled(row))
    said = comparing.after(row.hands("test"), report)
    assert said
    assert said.sentence == "Its schema could not be held against development's: its worker did not answer."
    row.asleep.clear()
    monkeypatch.setattr(comparing, "PATIENCE", timedelta(seconds=4))
    row.sql("development", "DROP TABLE twokey_schemas")
    said = comparing.after(row.hands("test"), report)
    assert said
    assert (said.state, said.sentence) == (
        "unknown",
        "Its schema could not be held against development's: no run ended on development with this history.",
    )
    row.dsn["development"] = "postgresql://nobody@127.0.0.1:1/app"
    said = comparing.after(row.hands("test"), report)
    assert said
    assert said.sentence.startswith(
        "Its schema could not be held against development's: its worker did not answer (development (127.0.0.1,"
    )
    said = comparing.after(row.hands("test"), replace(report, settled=None))
    assert said
    assert said.sentence == "What its schema is now could not be written down, so nothing was compared."


def settled(row: Row) -> Settled:
    with open_session(row.hands("test").database, purpose="x") as session:
        return Settled(snapshot.look(session, history.prepare(session)), None)
