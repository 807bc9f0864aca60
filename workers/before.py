"""What a plan must know of the environment before its own: a fresh observation, and what was certified there."""

import time
from dataclasses import dataclass
from datetime import timedelta

from engine.gate import Gate
from engine.validate import Seen
from ledger.request import Certification
from ledger.workflow import Environment
from workers import sight
from workers.hands import Hands

PATIENCE = timedelta(seconds=10)
#: A plan drawn again later than this asks anew.
FRESH_FOR = timedelta(seconds=30)
_POLL = 0.05


@dataclass(frozen=True, slots=True)
class Before:
    """The environment before as it was seen, and the newest certification there if one is needed."""

    seen: Seen
    must_be_certified: bool
    certification: Certification | None

    @property
    def gate(self) -> Gate:
        """The same for the engine: who was not seen lets nothing through."""
        covers = dict(self.certification.covers) if self.certification else {}
        return Gate(self.seen.name, self.seen.standing, covers if self.must_be_certified else None)


@dataclass(frozen=True, slots=True)
class Known:
    """What was found out before a plan was drawn, and when (monotonic seconds). Nobody is before the first."""

    before: Before | None
    at: float

    def is_fresh(self) -> bool:
        """Whether a plan may still be drawn by it."""
        return self.before is None or time.monotonic() - self.at < FRESH_FOR.total_seconds()


def ask(hands: Hands) -> Known:
    """Have the environment before looked at by its own worker, now; waits for at most `PATIENCE`."""
    at = time.monotonic()
    environment = hands.workflow.before(hands.environment)
    return Known(environment and of(hands, environment, body=observed(hands, environment)), at)


def of(hands: Hands, environment: Environment, *, body: sight.Body | None) -> Before:
    """`environment` as the one before ours, by its observation."""
    after = hands.workflow.environments[hands.workflow.environments.index(environment) + 1]
    certification = hands.book.certification(environment.name) if after.protected else None
    seen = sight.read(environment, body, certification=certification)
    return Before(seen=seen, must_be_certified=after.protected, certification=certification)


def observed(
    hands: Hands, environment: Environment, *, schema_of: str | None = None, patience: timedelta = PATIENCE
) -> sight.Body | None:
    """The body of an observation asked for now, or None when no worker gave one in time."""
    observation_id = hands.book.ask_observation(environment.name, schema_of=schema_of)
    hands.doorbell.ring_look(observation_id, environment.name)
    until = time.monotonic() + patience.total_seconds()
    while time.monotonic() < until:
        if (body := hands.book.observation(observation_id).body) is not None:
            return body
        time.sleep(_POLL)
    return None
