"""Where a request stands by its story alone: which events move it, and to which state."""

from ledger.events import KINDS
from ledger.states import MOVES, State

#: The state to which an event brings a request, wherever that is a move; what is not here leaves it where it stands.
BRINGS: dict[str, State] = {
    "Approved": State.APPROVED,
    "Started": State.APPLYING,
    "Applied": State.APPLIED,
    "Reverted": State.APPLIED,
    "TakenOver": State.APPLIED,
    "Repaired": State.APPLIED,
    "Discarded": State.APPLIED,
    "Generated": State.APPLIED,
    "NothingGenerated": State.APPLIED,
    "Restored": State.APPLIED,
    "BackupKept": State.APPLIED,
    "Certified": State.APPLIED,
    "Thawed": State.APPLIED,
    "Failed": State.FAILED,
    "Interrupted": State.INTERRUPTED,
    "Rejected": State.REJECTED,
    "Denied": State.REJECTED,
    "Cancelled": State.CANCELLED,
    "Expired": State.EXPIRED,
    "Stale": State.STALE,
}
assert BRINGS.keys() <= KINDS.keys()


def state_after(stands: State | None, kind: str) -> State | None:
    """The state after an event, for a request that stood there before it; None before its first event.

    None where the event cannot be said of a request that stands there. A freeze alone is done when it is asked for,
    and a yes that is taken back moves only what was approved.
    """
    match kind:
        case "Asked":
            return State.ASKED if stands is None else None
        case "Planned":
            return State.PLANNED if stands is State.ASKED else None
        case "Frozen":
            return State.APPLIED if stands is State.ASKED else None
        case "Withdrawn":
            return State.PLANNED if stands in {State.PLANNED, State.APPROVED} else None
        case _ if stands is None or kind not in BRINGS:
            return stands
        case _:
            return BRINGS[kind] if BRINGS[kind] in MOVES[stands] else None
