"""The chain that holds a request's story together, and the seals that hold all stories together, recomputed.

The ledger's own database links both as they are written (schema/20261123003000_the_story_is_chained.sql). This says the
same a second time, in another language and from nothing but what is written, so that neither has to be believed.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

#: How a tally is written where it is kept: `#7.12 ` and the hash, whole or its beginning, in groups or not.
_TALLY = re.compile(r"#(\d{1,18})\.(\d{1,9})\s+((?:[0-9a-f][\s·]*){12,64})")


@dataclass(frozen=True, slots=True)
class Link:
    """One event as it was chained. `at` is ISO 8601 in UTC with microseconds, `hash` 64 hex digits."""

    request_id: int
    seq: int
    at: str
    kind: str
    body: Mapping[str, Any]
    hash: str


@dataclass(frozen=True, slots=True)
class Seal:
    """The ends of the stories that grew since the seal before it: request → (number of its last event, its hash)."""

    id: int
    at: str
    heads: Mapping[str, tuple[int, str]]
    before: str | None  # the hash of the seal before
    hash: str


@dataclass(frozen=True, slots=True)
class Tally:
    """Where a story stood when it ended, kept outside of the ledger too, so that an end that is cut off is missed.

    `hash` may be the beginning of one, twelve digits at least.
    """

    request_id: int
    seq: int
    hash: str

    def __str__(self) -> str:
        return f"#{self.request_id}.{self.seq} {self.hash}"


@dataclass(frozen=True, slots=True)
class Breach:
    """One place where the record does not hold. `why` is a sentence; `seq` is the number of the event."""

    request_id: int | None
    seq: int | None
    why: str


def tallies(text: str) -> tuple[Tally, ...]:
    """Every tally in a text, whatever stands around it."""
    found = _TALLY.finditer(text)
    return tuple(Tally(int(one[1]), int(one[2]), re.sub(r"[\s·]", "", one[3])) for one in found)


def canonical(value: Any) -> str:
    """JSON as PostgreSQL's jsonb prints it: shorter keys first, a blank after each sign, numbers without exponent."""
    match value:
        case bool() | None | str():
            return json.dumps(value, ensure_ascii=False)
        case int():
            return str(value)
        case float() | Decimal():
            return format(Decimal(str(value)), "f")
        case Mapping():
            keys = sorted(value, key=lambda key: (len(key.encode()), key.encode()))
            return "{" + ", ".join(f"{canonical(key)}: {canonical(value[key])}" for key in keys) + "}"
        case _:
            return "[" + ", ".join(map(canonical, value)) + "]"


def read_json(text: str | bytes) -> Any:
    """JSON in which every number keeps the digits it was written with, and no key stands twice. Raises ValueError."""
    return json.loads(text, parse_float=Decimal, object_pairs_hook=_once)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"{json.dumps(key)} stands in it twice, and readers differ in which they take")
        found[key] = value
    return found


def hash_of(value: Any) -> str:
    """SHA-256 in hex over the canonical form."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def hash_of_link(link: Link, *, before: str | None) -> str:
    """What stands beside an event when the event before it has that hash; None for the first."""
    return hash_of([before, link.request_id, link.seq, link.at, link.kind, link.body])


def hash_of_seal(seal: Seal) -> str:
    """What stands beside a seal."""
    return hash_of([seal.before, seal.id, seal.at, seal.heads])


def breaks(links: Iterable[Link], known: dict[tuple[int, int], str]) -> Iterator[Breach]:
    """Where stories, each in its order and from its beginning, are not what they were. Puts every hash into `known`."""
    last: Link | None = None
    for link in links:
        same = last is not None and last.request_id == link.request_id
        expected = last.seq + 1 if last and same else 1
        if link.seq != expected:
            yield Breach(link.request_id, expected, f"Event {expected} of #{link.request_id} is missing.")
        elif (now := hash_of_link(link, before=last.hash if last and same else None)) != link.hash:
            yield Breach(link.request_id, link.seq, _changed(link, now))
        known[link.request_id, link.seq] = link.hash
        last = link


def broken_seals(
    seals: Iterable[Seal], known: Mapping[tuple[int, int], str], *, of: int | None = None
) -> Iterator[Breach]:
    """Where seals are not what they were, or name an event that is gone or another. `of`: one request's alone."""
    for seal in seals:
        if (now := hash_of_seal(seal)) != seal.hash:
            why = f"Seal {seal.id} was changed: it hashes to {_short(now)}, and {_short(seal.hash)} stands beside it."
            yield Breach(None, None, why)
        for key, (seq, hash_) in seal.heads.items():
            if of in {None, int(key)}:
                yield from _missed(Tally(int(key), seq, hash_), known, witness=f"Seal {seal.id}")


def unbroken(seals: Iterable[Seal]) -> Iterator[Breach]:
    """Where a seal is missing in the row of all."""
    for expected, seal in enumerate(seals, start=1):
        if seal.id != expected:
            yield Breach(None, None, f"Seal {expected} is missing.")
            return


def missed(kept: Iterable[Tally], known: Mapping[tuple[int, int], str]) -> Iterator[Breach]:
    """What was kept elsewhere, and is not here or is another here."""
    for tally in kept:
        yield from _missed(tally, known, witness="The tally")


def miscounted(
    known: Iterable[tuple[int, int]], *, at_least: Mapping[int, int], at_most: Mapping[int, int]
) -> Iterator[Breach]:
    """Requests whose own row counts more events than their story has, or fewer; a story may grow while it is read."""
    found: dict[int, int] = {}
    for request_id, seq in known:
        found[request_id] = max(seq, found.get(request_id, 0))
    for request_id, counted in sorted(at_most.items()):
        there = found.get(request_id, 0)
        if not at_least.get(request_id, 0) <= there <= counted:
            why = f"#{request_id} counts {counted} events, and its story has {there}."
            yield Breach(request_id, min(counted, there) + 1, why)


def _missed(tally: Tally, known: Mapping[tuple[int, int], str], *, witness: str) -> Iterator[Breach]:
    here, name = known.get((tally.request_id, tally.seq)), f"event {tally.seq} of #{tally.request_id}"
    if here is None:
        why = f"{witness} knows {name}, which is missing: the end of that story was cut off."
    elif not here.startswith(tally.hash):
        why = (
            f"{witness} has {_short(tally.hash)} for {name}, and the ledger {_short(here)}: the story was written anew."
        )
    else:
        return
    yield Breach(tally.request_id, tally.seq, why)


def _changed(link: Link, now: str) -> str:
    return (
        f"Event {link.seq} of #{link.request_id} ({link.kind}, {link.at}) does not hold: it hashes to {_short(now)}, "
        f"and {_short(link.hash)} stands beside it. It was changed, or the one before it was."
    )


def _short(hash_: str) -> str:
    return f"{hash_[:12]}…"
