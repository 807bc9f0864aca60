"""What a run would do, as a value: printing it is the dry run, and its digest is what an approval binds to."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from engine import VERSION, bounds, gate, hazards, statements
from engine.connection import Limits, milliseconds
from engine.files import Migration
from engine.gate import Gate, Held
from engine.hazards import Hazard
from engine.hazards.catalog import Catalog
from engine.refusals import PlanAltered
from engine.squawk import Squawk
from engine.standing import Standing
from engine.statements import Statement


@dataclass(frozen=True, slots=True)
class Planned:
    """One migration of a plan, with the text that will run."""

    id: str
    name: str
    text: str
    checksum: str
    lines: int
    hazards: tuple[Hazard, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """An ordered set of migrations for one environment as it was when the plan was drawn.

    `digest` is 64 hex digits over everything here that says what runs, where and on what; not over `server`, `bytes`
    and `held`, which change by themselves. Timeouts are in milliseconds; `bytes` is the database's size. `receipt` is
    the hash of the rehearsal's, None without one.
    """

    environment: str
    protected: bool
    database: str
    server: str
    system_identifier: str | None
    schema: str
    head: str | None
    fingerprint: str
    migrations: tuple[Planned, ...]
    held: tuple[Held, ...]
    lock_timeout: int
    statement_timeout: int
    bytes: int
    tool_version: str
    digest: str
    receipt: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The same in JSON's own kinds of value, texts and all."""
        return asdict(self)

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> "Plan":
        """The Plan that `as_json` described. Raises PlanAltered when texts and digest do not belong together."""
        parts = dict(said)
        parts["migrations"] = tuple(map(planned, said["migrations"]))
        parts["held"] = tuple(Held(**one) for one in said["held"])
        plan = cls(**parts)
        if digest(plan) != plan.digest or any(checksum(one.text) != one.checksum for one in plan.migrations):
            raise PlanAltered(plan.environment, plan.digest)
        return plan


@dataclass(frozen=True, slots=True)
class Advice:
    """What the hazards are judged by, besides the files: the live catalog, and squawk. Each may be left out."""

    catalog: Catalog | None = None
    squawk: Squawk | None = None


def draw(
    here: Standing, files: Sequence[Migration], *, before: Gate | None, limits: Limits, advice: Advice | None = None
) -> Plan:
    """The plan that brings this environment what may come now; `before` is None for the first of the row.

    Every pending file is parsed, the held ones too. Raises a child of PlanRefused, SyntaxFault or Forbidden.
    """
    waiting = gate.pending(here, files)
    parsed = {file.id: statements.parse(file) for file in waiting}
    for file in waiting:
        bounds.check(file, parsed[file.id], schema=here.schema, limits=limits)
    passing, held = gate.pass_through(before, here, waiting) if before else (waiting, ())
    plan = Plan(
        environment=here.environment,
        protected=here.protected,
        database=here.database,
        server=here.server,
        system_identifier=here.system_identifier,
        schema=here.schema,
        head=here.head,
        fingerprint=here.fingerprint,
        migrations=_judged(passing, parsed, advice or Advice(), server=here.server),
        held=held,
        lock_timeout=milliseconds(limits.lock_timeout),
        statement_timeout=milliseconds(limits.statement_timeout),
        bytes=here.bytes,
        tool_version=VERSION,
        digest="",
    )
    return replace(plan, digest=digest(plan))


def digest(plan: Plan) -> str:
    """SHA-256 in hex over canonical JSON. Source of what goes in: house rule 9."""
    return sealed(
        {
            "environment": plan.environment,
            "protected": plan.protected,
            "database": plan.database,
            "system_identifier": plan.system_identifier,
            "schema": plan.schema,
            "head": plan.head,
            "fingerprint": plan.fingerprint,
            "migrations": [[one.id, one.checksum] for one in plan.migrations],
            "hazards": lasting(plan.migrations),
            "lock_timeout": plan.lock_timeout,
            "statement_timeout": plan.statement_timeout,
            "tool_version": plan.tool_version,
            "receipt": plan.receipt,
        }
    )


def rehearsed(plan: Plan, receipt: str) -> Plan:
    """The same plan with the hash of the receipt of its rehearsal, which its digest then stands for too."""
    bound = replace(plan, receipt=receipt)
    return replace(bound, digest=digest(bound))


def sealed(bound: Mapping[str, Any]) -> str:
    """SHA-256 in hex over canonical JSON: keys sorted, no blanks, UTF-8."""
    return checksum(json.dumps(bound, sort_keys=True, separators=(",", ":"), ensure_ascii=False))


def lasting(migrations: Sequence[Planned]) -> list[list[str]]:
    """[id, name] of every hazard that does not hang on figures which change by themselves."""
    return [
        [one.id, hazard.name] for one in migrations for hazard in one.hazards if hazard.name not in hazards.BY_FIGURES
    ]


def planned(said: Mapping[str, Any]) -> Planned:
    """One migration of a plan, from JSON's own kinds of value."""
    return Planned(**{**said, "hazards": tuple(Hazard(**hazard) for hazard in said["hazards"])})


def checksum(text: str) -> str:
    """SHA-256 in hex over a text in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()


def _judged(
    files: Sequence[Migration], parsed: Mapping[str, Sequence[Statement]], advice: Advice, *, server: str
) -> tuple[Planned, ...]:
    said = advice.squawk.look(files, server=server) if advice.squawk else {}
    judged = list[Planned]()
    for file in files:
        ours = hazards.find(((one.node, one.line) for one in parsed[file.id]), advice.catalog)
        found = tuple(sorted((*ours, *said.get(file.id, ())), key=lambda one: one.line))
        judged.append(Planned(file.id, file.name, file.text, file.checksum, file.lines, found))
    return tuple(judged)
