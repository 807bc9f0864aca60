"""The body of an observation, as one environment's worker writes it and the others read it."""

from collections.abc import Mapping
from typing import Any, Literal

from engine.snapshot import Snapshot
from engine.standing import Standing
from engine.validate import Seen
from ledger.request import Certification
from ledger.workflow import Environment

Body = Mapping[str, Any]


def clear(standing: Standing, schema: Snapshot | None = None) -> Body:
    """The environment was looked at; with the schema that was asked for, where it is known."""
    return {"state": "ok", "standing": standing.as_json(), "schema": schema and schema.as_json()}


def unread(standing: Standing, why: str) -> Body:
    """The environment was looked at by its history alone, since the folder cannot be read."""
    return {"state": "unread", "why": why, "standing": standing.as_json()}


def schema(body: Body) -> Snapshot | None:
    """The schema that came with a look, where it is known."""
    return Snapshot.from_json(body["schema"]) if body.get("schema") else None


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
        case {"state": "unread", "why": str(why), "standing": dict(said)}:
            return Seen(name, protected, "unread", why=why, history=Standing.from_json(said))
        case {"state": "unreachable" | "refused" as state, "why": str(why)}:
            return Seen(name, protected, state, why=why)
    return Seen(name, protected, "refused", why="A worker of another version looked. Start all workers anew.")
