"""Who is the same person as who: by the map in twokey.toml and by e-mail addresses, of which only hashes are kept.

A mark is a Slack id or the hash of an e-mail address. Who has a mark in common is one person.
"""

import hashlib
import unicodedata
from collections.abc import Iterable
from dataclasses import replace
from functools import reduce

from ledger.request import Actor
from ledger.workflow import Person

Marks = frozenset[str]


def mark(email: str) -> str:
    """SHA-256 in hex of an e-mail address: it can be compared and not be read.

    Whatever its case, and however its letters are put together in Unicode (UAX #15, NFKC).
    """
    return hashlib.sha256(unicodedata.normalize("NFKC", email.strip().lower()).encode()).hexdigest()


def marks(known: Iterable[str], people: Iterable[Person]) -> Marks:
    """These marks and all others of whoever in the map has one of them."""
    of_map = (_marks_of(person) for person in people)
    given = frozenset(known)
    return given.union(*(theirs for theirs in of_map if theirs & given))


def of(actor: Actor, people: Iterable[Person]) -> Marks:
    """All marks of somebody who did something."""
    return marks((actor.id, *actor.marks), people)


def since(then: Actor, now: Actor) -> Actor:
    """Somebody as they were written down, with what they are now, and also all that they go by now."""
    return replace(then, kind=now.kind, marks=tuple(sorted({*then.marks, *now.marks})))


def count(actors: Iterable[Actor], people: Iterable[Person]) -> int:
    """How many different persons these are."""
    return len(reduce(_merged, (of(actor, people) for actor in actors), ()))


def _merged(persons: tuple[Marks, ...], one: Marks) -> tuple[Marks, ...]:
    same = [person for person in persons if person & one]
    return (*(person for person in persons if person not in same), one.union(*same))


def _marks_of(person: Person) -> Marks:
    return frozenset((*person.slack, *map(mark, person.emails)))
