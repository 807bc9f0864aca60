"""After a run: what its rehearsal had promised, beside what came of it."""

import logging

from engine.rehearsal import agree
from engine.rehearsal.watch import Actual
from engine.report import Report
from engine.snapshot import Snapshot
from ledger.events import Event, Foretold, Unlike
from ledger.rehearsed import Rehearsal
from workers import rehearsing, reporting
from workers.craft import Run

log = logging.getLogger("twokey.run")


def tell(run: Run, report: Report, actual: Actual) -> None:
    """How the whole run compares with its rehearsal, if it was rehearsed. Raises nothing."""
    shown = run.request.plan and run.request.plan.rehearsal
    if shown is None or report.failure:
        return
    run.tell(foretold(shown, report, actual))
    try:
        for event in _unlike(run, shown, report):
            run.tell(event)
    except Exception:  # the migrations are in; that is to be told
        log.exception("#%d: an error that nobody expected, while its rehearsal was compared", run.request.id)


def foretold(shown: Rehearsal, report: Report, actual: Actual) -> Foretold:
    """What was promised beside what came, as the ledger keeps it."""
    took = round(sum(one.seconds for one in report.done), 3)
    seen = actual.looks > 0
    return Foretold(
        seconds=shown.seconds,
        took=took,
        error=round(took / shown.seconds - 1, 3) if shown.seconds else None,
        queries=shown.outlook.queries,
        waited=actual.queries if seen else None,
        longest=actual.longest if seen else None,
    )


def _unlike(run: Run, shown: Rehearsal, report: Report) -> tuple[Event, ...]:
    if report.settled is None:
        return ()  # that nobody could look is told by the comparison with other environments
    _, kept = rehearsing.of(run.hands, run.request.id, bound=shown.receipt)
    found = agree(Snapshot.from_json(kept.schema), report.settled.live)
    return (Unlike(reporting.told(found)),) if found else ()
