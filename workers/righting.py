"""What a baseline and a repair have in common: a history is set right, nothing runs, and it is done whole or not."""

from dataclasses import replace

from engine import deeds, history
from engine.amendment import Amendment
from engine.connection import Session
from ledger.request import Fact, PlannedMigration, PlanSummary, Request
from workers import drawing, reporting
from workers.craft import Found
from workers.hands import Hands


def summarize(hands: Hands, drawn: Amendment, *facts: Fact) -> PlanSummary:
    """What a person is shown of it."""
    files = tuple(PlannedMigration(one.id, one.name, one.checksum, one.lines) for one in drawn.migrations)
    alone = drawing.alone(hands, drawn, facts=facts, digest=drawn.digest)
    return replace(alone, migrations=files, origin=drawing.origin(drawn.origin))


def find_out(hands: Hands, request: Request, session: Session) -> Found:
    """The deed is written in the transaction that does it."""
    drawn = Amendment.from_json(hands.book.frozen_plan(request.id))
    ids = tuple(one.id for one in drawn.migrations)
    done = deeds.every(session, history.prepare(session))
    if any(one.act == request.act and one.request == f"#{request.id}" for one in done):
        return Found(ids, (), "Everything of it was done.")
    return Found((), ids, f"Nothing of it was done. Ask again: {reporting.again(request)}.")
