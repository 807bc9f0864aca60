"""What the engine says → what the ledger is told: the one translation between the two rooms."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from engine import report
from engine.agreement import Agreement
from engine.drift import Difference
from engine.errors import EngineError
from engine.report import Failure, Report
from ledger import events
from ledger.events import Event
from ledger.request import Request
from ledger.states import State
from ledger.underway import Blocker

#: An event is a row that stays; who must know of more objects asks `/migrate validate`.
_DIFFERENCES_TOLD = 100


def step(said: report.Step) -> Event | None:
    """The event of a step; None for one that only a terminal shows."""
    match said:
        case report.Waiting(holder):
            return events.Waiting(holder)
        case report.BackupTaken(receipt):
            return events.BackedUp(
                file=Path(receipt.path).name, bytes=receipt.bytes, sha256=receipt.sha256, seconds=receipt.seconds
            )
        case report.MigrationDone(migration, position, of, seconds):
            return events.MigrationApplied(migration, position, of, seconds)
        case report.Blocked(migration, by):
            return events.Blocked(migration, tuple(Blocker(one.pid, one.role, one.seconds) for one in by))
        case report.TriedAgain(migration, number, of, seconds):
            return events.TriedAgain(migration, number, of, seconds)
        case report.StatementRan(migration, number, of):
            return events.StatementRan(migration, number, of)
        case report.Reverted(migration, position, of, seconds):
            return events.MigrationReverted(migration, position, of, seconds)
        case _:
            return None


def applied(ended: Report) -> tuple[State, Event]:
    """How an apply ended, as the move and its reason."""
    if ended.failure:
        return State.FAILED, _failed(ended, ended.failure)
    return State.APPLIED, events.Applied(migrations=_done(ended), seconds=ended.seconds)


def reverted(ended: Report) -> tuple[State, Event]:
    """How a rollback ended, likewise."""
    if ended.failure:
        return State.FAILED, _failed(ended, ended.failure)
    return State.APPLIED, events.Reverted(migrations=_done(ended), seconds=ended.seconds)


def compared(agreed: Agreement) -> events.Compared:
    """How a run's schema agrees with what the same history made elsewhere."""
    return events.Compared(agreed.against, agreed.state, agreed.sentence, told(agreed.differences))


def told(differences: Sequence[Difference]) -> tuple[str, ...]:
    """A sentence each, as many as an event holds."""
    sentences = tuple(one.sentence for one in differences[:_DIFFERENCES_TOLD])
    more = len(differences) - len(sentences)
    return (*sentences, f"and {more} more") if more else sentences


def trouble(request: Request, error: EngineError, *, left: Iterable[str] = ()) -> events.Failed:
    """The world's trouble before anything ran; the engine's own sentence says how to put it right."""
    why = sentence(error)
    return events.Failed(
        why=why, next_step=anew(request, said=why, otherwise="After that, ask again"), left=tuple(left)
    )


def sentence(error: EngineError) -> str:
    """The engine's sentence, and the command that helps, as it is typed in Slack."""
    hint = error.hint
    return f"{error} {hint.why}: `/migrate {hint.words}`." if hint else str(error)


def again(request: Request) -> str:
    """What a person types for the same wish once more."""
    return f"`/migrate {request.words}`"


def anew(request: Request, *, said: str, otherwise: str = "Ask again") -> str:
    """The command for once more; where what was said has told people already to ask again, that alone."""
    return f"{'To type' if 'sk again' in said else otherwise}: {again(request)}."


def _failed(ended: Report, failure: Failure) -> events.Failed:
    return events.Failed(
        why=failure.sentence,
        next_step=failure.next_step,
        migration=failure.migration,
        line=failure.line,
        sqlstate=failure.sqlstate,
        done=_done(ended),
        left=ended.left,
    )


def _done(ended: Report) -> tuple[str, ...]:
    return tuple(one.id for one in ended.done)
