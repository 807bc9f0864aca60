"""After a run: its schema beside the one that the same history made earlier, here or on the environment before."""

import logging
from datetime import timedelta

from engine import agreement
from engine.agreement import Agreement
from engine.report import Report
from ledger.errors import LedgerError
from ledger.workflow import Environment
from workers import neighbours, reporting, sight
from workers.craft import Run
from workers.hands import Hands

log = logging.getLogger("twokey.run")

#: What committed has committed; nobody is kept waiting long for what only compares it.
PATIENCE = timedelta(seconds=4)


def tell(run: Run, report: Report) -> None:
    """What came of it is told of the run, if there was anything to compare."""
    if agreed := after(run.hands, report):
        run.tell(reporting.compared(agreed))


def after(hands: Hands, report: Report) -> Agreement | None:
    """How the schemas agree; None where nothing was changed, or there is nothing to hold it against. Raises nothing."""
    try:
        return _after(hands, report)
    except Exception:  # what committed is to be told, whatever becomes of the comparison
        log.exception("an error that nobody expected, while schemas were compared")
        return agreement.unread(hands.environment.name)


def _after(hands: Hands, report: Report) -> Agreement | None:
    settled, ours = report.settled, hands.environment
    if settled is None:
        return agreement.unread(ours.name) if report.done else None
    if settled.earlier:
        return agreement.of(settled, settled.earlier, against=ours.name, declared=ours.differs)
    earlier = hands.workflow.before(ours)
    if earlier is None:
        return None
    body = _asked(hands, earlier, settled.live.history)
    if body is None or body["state"] != "ok":
        return agreement.unknown(earlier.name, f"its worker did not answer ({body['why']})" if body else _SILENT)
    declared = {*ours.differs, *earlier.differs}
    return agreement.of(settled, sight.schema(body), against=earlier.name, declared=declared)


_SILENT = "its worker did not answer"


def _asked(hands: Hands, environment: Environment, name: str) -> sight.Body | None:
    try:
        return neighbours.observed(hands, (environment,), schema_of=name, patience=PATIENCE)[0]
    except LedgerError as away:
        log.warning("The schema of %s could not be asked for: %s", environment.name, away)
        return None
