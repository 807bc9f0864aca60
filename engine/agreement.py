"""After a run: whether the live schema is the one that another had with the same history. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

from engine import drift, snapshot
from engine.connection import server_name
from engine.drift import Difference
from engine.snapshot import Settled, Snapshot


@dataclass(frozen=True, slots=True)
class Agreement:
    """`sentence` says how it is, or why it is not known. `against` is the environment that was compared with."""

    state: Literal["same", "differs", "unknown"]
    against: str
    sentence: str
    differences: tuple[Difference, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The same in JSON's own kinds of value."""
        differences = [one.as_json() for one in self.differences]
        return {
            "state": self.state,
            "against": self.against,
            "sentence": self.sentence,
            "differences": differences,
        }


def of(settled: Settled, there: Snapshot | None, *, against: str, declared: Collection[str]) -> Agreement:
    """What a run left beside what the history made of `against`; `there` is None where that was never written down."""
    live = settled.live
    if there is None:
        return unknown(against, f"no run ended on {against} with this history")
    if not snapshot.comparable(live.server, there.server):
        return unknown(against, f"{against} is PostgreSQL {server_name(there.server)}, this {server_name(live.server)}")
    found = drift.compare(live.things, there.things, declared=declared)
    if not found:
        return Agreement("same", against, f"Its schema is the one that {against} had with this history.")
    counted = "1 object differs" if len(found) == 1 else f"{len(found)} objects differ"
    sentence = (
        f"Its schema is not the one that {against} had with this history (there): {counted}. What committed stays."
    )
    return Agreement("differs", against, sentence, found)


def unread(environment: str) -> Agreement:
    """What a run left could not be looked at."""
    return Agreement(
        "unknown", environment, "What its schema is now could not be written down, so nothing was compared."
    )


def unknown(against: str, why: str) -> Agreement:
    """Nothing could be compared. `why` is half a sentence."""
    return Agreement("unknown", against, f"Its schema could not be held against {against}'s: {why}.")
