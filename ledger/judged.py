"""What became of people's words on a request: events like those of ledger/events.py."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Approved:
    """The second key turned, or, where nothing is protected, the rules said yes (actor `policy`)."""

    actor_id: str
    actor_name: str
    starts_at: str  # ISO 8601, UTC
    source: str = "reaction"
    word: str | None = None  # the hash of the word it came of (ledger/words.py); None in a story from before


@dataclass(frozen=True, slots=True)
class Agreed:
    """One of several people approved; `missing` more are needed."""

    actor_id: str
    actor_name: str
    missing: int
    word: str | None = None  # likewise


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The approval was taken back before the start; `missing` people are needed now."""

    actor_id: str
    actor_name: str
    source: str = "reaction"
    missing: int = 1


@dataclass(frozen=True, slots=True)
class Refused:
    """A reaction or a wish that did not count, and why; the request stays where it is."""

    actor_id: str
    actor_name: str
    why: str
    deed: str = "reaction"
    word: str | None = None  # of one that was written down all the same


@dataclass(frozen=True, slots=True)
class Noted:
    """A reaction that came or went after the start: recorded, without effect."""

    actor_id: str
    actor_name: str
    what: str
    word: str | None = None  # of a yes that was not needed


@dataclass(frozen=True, slots=True)
class Rejected:
    """An approver said no."""

    actor_id: str
    actor_name: str
    source: str = "reaction"
    word: str | None = None  # likewise


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The requester or an approver took the request back."""

    actor_id: str
    actor_name: str
