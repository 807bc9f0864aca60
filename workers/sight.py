"""The body of an observation, as one environment's worker writes it and the others read it."""

from collections.abc import Mapping
from typing import Any, Literal

from engine.standing import Standing
from engine.validate import Seen
from ledger.request import Certification
from ledger.workflow import Environment

Body = Mapping[str, Any]


def clear(standing: Standing) -> Body:
    """The environment was looked at."""
    return {"state": "ok", "standing": standing.as_json()}


def blocked(state: Literal["unreachable", "refused"], why: str) -> Body:
    """It was not: its database is away, or is not to be worked with."""
    return {"state": state, "why": why}


def read(environment: Environment, body: Body | None, *, certification: Certification | None) -> Seen:
    """What is known of an environment by its observation; `body` is None when no worker gave one."""
    name, protected = environment.name, environment.protected
    match body:
        case None:
            return Seen(name, protected, "unobserved", why=f"No worker answers. Start one: python -m workers {name}")
        case {"state": "ok", "standing": dict(said)}:
            certified = dict(certification.covers) if certification else None
            return Seen(name, protected, "ok", standing=Standing.from_json(said), certified=certified)
        case {"state": "unreachable" | "refused" as state, "why": str(why)}:
            return Seen(name, protected, state, why=why)
    return Seen(name, protected, "refused", why="A worker of another version looked. Start all workers anew.")
