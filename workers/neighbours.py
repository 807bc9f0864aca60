"""What must be known of the environments around ours: each is observed by its own worker, now, or counts as unseen."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from engine.gate import Gate
from engine.validate import Seen
from ledger.request import Certification
from ledger.workflow import Environment
from workers import sight
from workers.hands import Hands

PATIENCE = timedelta(seconds=10)
#: What is drawn again later than this asks anew.
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
    """What was found out about the environment before or about all those after, and when (monotonic seconds)."""

    at: float = 0.0
    before: Before | None = None
    after: tuple[Seen, ...] = ()

    def is_fresh(self) -> bool:
        """Whether it may still be drawn by. Where nobody is, nothing changes."""
        nobody = self.before is None and not self.after
        return nobody or time.monotonic() - self.at < FRESH_FOR.total_seconds()


def nobody(_hands: Hands) -> Known:
    """For what concerns its own environment alone."""
    return Known()


def before(hands: Hands) -> Known:
    """Have the environment before looked at by its own worker, now; waits for at most `PATIENCE`."""
    at, environment = time.monotonic(), hands.workflow.before(hands.environment)
    if environment is None:
        return Known(at)
    (body,) = observed(hands, (environment,))
    return Known(at, before=of(hands, environment, body=body))


def after(hands: Hands) -> Known:
    """Have every environment further on looked at by its own worker, now; waits for at most `PATIENCE`."""
    at, row = time.monotonic(), hands.workflow.environments
    following = row[row.index(hands.environment) + 1 :]
    bodies = zip(following, observed(hands, following), strict=True)
    return Known(at, after=tuple(sight.read(one, body, certification=None) for one, body in bodies))


def of(hands: Hands, environment: Environment, *, body: sight.Body | None) -> Before:
    """`environment` as the one before ours, by its observation."""
    ours = hands.workflow.after(environment)
    must_be_certified = ours is not None and ours.protected
    certification = hands.book.certification(environment.name) if must_be_certified else None
    seen = sight.read(environment, body, certification=certification)
    return Before(seen=seen, must_be_certified=must_be_certified, certification=certification)


def observed(
    hands: Hands,
    environments: Sequence[Environment],
    *,
    schema_of: str | None = None,
    patience: timedelta | None = None,
) -> tuple[sight.Body | None, ...]:
    """The body of an observation of each asked for now; None where no worker gave one within `patience` (PATIENCE)."""
    asked = [(hands.book.ask_observation(one.name, schema_of=schema_of), one.name) for one in environments]
    for observation_id, name in asked:
        hands.doorbell.ring_look(observation_id, name)
    until = time.monotonic() + (PATIENCE if patience is None else patience).total_seconds()
    while True:
        bodies = tuple(hands.book.observation(observation_id).body for observation_id, _ in asked)
        if None not in bodies or time.monotonic() >= until:
            return bodies
        time.sleep(_POLL)
