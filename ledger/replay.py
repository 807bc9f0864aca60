"""Where a request stands by its story alone: which events move it, and to which state."""

from collections.abc import Iterable, Iterator

from ledger.chain import Breach, Link
from ledger.events import KINDS
from ledger.states import FINAL, MOVES, State

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
        case "Withdrawn" if stands is State.APPROVED:
            return State.PLANNED
        case _ if stands is None or kind not in BRINGS:
            return stands
        case _:
            return BRINGS[kind] if BRINGS[kind] in MOVES[stands] else None


class Walk:
    """What stories say by themselves, once their links were read along it.

    `stands`: request → its state after its last event; `ends`: request → the number of the event that ended it;
    `thaws`: the request of each freeze → those that lifted it; `strays`: in each story that cannot be, the first event
    that could not stand where it does. Such a story stands nowhere.
    """

    def __init__(self) -> None:
        self.stands: dict[int, State] = {}
        self.ends: dict[int, int] = {}
        self.thaws: dict[int, set[int]] = {}
        self.strays: dict[int, Breach] = {}

    def along(self, links: Iterable[Link]) -> Iterator[Link]:
        """The same links, in the same order."""
        for link in links:
            self._step(link)
            yield link

    def _step(self, link: Link) -> None:
        stood = self.stands.pop(link.request_id, None)
        stands = state_after(stood, link.kind) if link.request_id not in self.strays else None
        if stands is None:
            where = f"where #{link.request_id} was {stood}" if stood else "at the beginning"
            why = f"Event {link.seq} of #{link.request_id} ({link.kind}) cannot stand there, {where}."
            self.strays.setdefault(link.request_id, Breach(link.request_id, link.seq, why))
            return
        self.stands[link.request_id] = stands
        if stands in FINAL:
            self.ends.setdefault(link.request_id, link.seq)
        if link.kind == "Frozen":
            self.thaws.setdefault(link.request_id, set())
        for freeze in _thawed(link):
            self.thaws.setdefault(freeze, set()).add(link.request_id)


def _thawed(link: Link) -> tuple[int, ...]:
    """The freezes that an event says are lifted; none where it was changed, which its chain tells."""
    if link.kind != "Thawed":
        return ()
    try:
        return tuple(int(one.removeprefix("#")) for one in link.body["freezes"])
    except (AttributeError, KeyError, TypeError, ValueError):
        return ()
