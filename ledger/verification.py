"""Whether the record holds: every event recomputed, every story replayed, every seal and every tally held to them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain as joined

from ledger import chain
from ledger.chain import Breach, Seal, Tally
from ledger.replay import Walk
from ledger.seals import Seals
from ledger.states import State


@dataclass(frozen=True, slots=True)
class Findings:
    """What was looked at, and where it does not hold, the first place first. `unsealed`: events after the last seal.

    Of one request's evidence besides: where it `stands` by its story, and whether its end, if it has one, is `proven`:
    a seal or a tally knows it. Nothing else shows that a story does not go on.
    """

    requests: int
    events: int
    seals: int
    unsealed: int
    head: Seal | None
    breaches: tuple[Breach, ...]
    stands: State | None = None
    proven: bool = True

    @property
    def holds(self) -> bool:
        """Whether nothing was found, and an end that is told is proven."""
        return self.proven and not self.breaches


def of_ledger(book: Seals, *, kept: Iterable[Tally] = ()) -> Findings:
    """The whole ledger, while others write in it. `kept` are tallies from elsewhere. Raises LedgerUnreachable."""
    seals, before = book.all_seals(), book.standings()  # before the events: what they name must be there then
    known: dict[tuple[int, int], str] = {}
    walk = Walk()
    broken = tuple(chain.breaks(walk.along(book.all_links()), known))
    lifted, now = book.lifted(), book.standings()  # in this order: a thaw that ends in between has grown by then
    rest = joined(
        chain.unbroken(seals),
        chain.broken_seals(seals, known),
        chain.miscounted(known, at_least=_lengths(before), at_most=_lengths(now)),
        chain.missed(kept, known),
        walk.strays.values(),
        _misplaced(walk, now, known),
        _wrongly_lifted(walk, lifted, now, known),
    )
    return findings(known, seals, (*broken, *rest))


def _lengths(standings: Mapping[int, tuple[int, State]]) -> dict[int, int]:
    return {request_id: version for request_id, (version, _) in standings.items()}


def _misplaced(
    walk: Walk, standings: Mapping[int, tuple[int, State]], known: Mapping[tuple[int, int], str]
) -> Iterator[Breach]:
    """Requests whose own row has another state than their story, where the story has not grown since it was read."""
    for request_id, (version, state) in sorted(standings.items()):
        stands = walk.stands.get(request_id)
        if stands is not state and stands and _whole(request_id, version, known):
            why = f"#{request_id} is {state} by its row, and {stands} by its story up to event {version}."
            yield Breach(request_id, version, why)


def _wrongly_lifted(
    walk: Walk,
    lifted: Mapping[int, int | None],
    standings: Mapping[int, tuple[int, State]],
    known: Mapping[tuple[int, int], str],
) -> Iterator[Breach]:
    """Freezes that are lifted by their row and not by the story of a thaw, or the other way round."""
    for freeze, thaws in sorted(walk.thaws.items()):
        by = lifted.get(freeze)
        if freeze not in lifted:
            yield Breach(freeze, None, f"The freeze of #{freeze} is gone.")
        elif by is None and thaws:
            told = f"the story of #{max(thaws)} tells that it was lifted"
            yield Breach(freeze, None, f"The freeze of #{freeze} stands by its row, and {told}.")
        elif by is not None and by not in thaws and _whole(by, standings.get(by, (0, None))[0], known):
            told = "no event of that thaw tells of it"
            yield Breach(freeze, None, f"The freeze of #{freeze} was lifted by #{by} by its row, and {told}.")


def _whole(request_id: int, version: int, known: Mapping[tuple[int, int], str]) -> bool:
    """Whether the story was read to the event its row counts, and no further."""
    return (request_id, version) in known and (request_id, version + 1) not in known


def findings(
    known: Iterable[tuple[int, int]],
    seals: tuple[Seal, ...],
    breaches: Iterable[Breach],
    *,
    stands: State | None = None,
    proven: bool = True,
) -> Findings:
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
        stands=stands,
        proven=proven,
    )
