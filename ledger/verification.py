"""Whether the record holds: every event recomputed, every seal held against the events, every tally against both."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain as joined

from ledger import chain
from ledger.chain import Breach, Seal, Tally
from ledger.seals import Seals


@dataclass(frozen=True, slots=True)
class Findings:
    """What was looked at, and where it does not hold, the first place first. `unsealed`: events after the last seal."""

    requests: int
    events: int
    seals: int
    unsealed: int
    head: Seal | None
    breaches: tuple[Breach, ...]


def of_ledger(book: Seals, *, kept: Iterable[Tally] = ()) -> Findings:
    """The whole ledger, while others write in it. `kept` are tallies from elsewhere. Raises LedgerUnreachable."""
    seals, at_least = book.all_seals(), book.lengths()  # before the events: what they name must be there then
    known: dict[tuple[int, int], str] = {}
    broken = tuple(chain.breaks(book.all_links(), known))
    rest = joined(
        chain.unbroken(seals),
        chain.broken_seals(seals, known),
        chain.miscounted(known, at_least=at_least, at_most=book.lengths()),
        chain.missed(kept, known),
    )
    return findings(known, seals, (*broken, *rest))


def findings(known: Iterable[tuple[int, int]], seals: tuple[Seal, ...], breaches: Iterable[Breach]) -> Findings:
    """The counts beside the breaches; a breach that two witnesses name is told once by each."""
    sealed: dict[int, int] = {}
    for seal in seals:
        sealed |= {int(request): seq for request, (seq, _) in seal.heads.items()}
    places = tuple(known)
    return Findings(
        requests=len({request for request, _ in places}),
        events=len(places),
        seals=len(seals),
        unsealed=sum(seq > sealed.get(request, 0) for request, seq in places),
        head=seals[-1] if seals else None,
        breaches=tuple(breaches),
    )
