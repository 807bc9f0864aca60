"""What a run would do, as a value: printing it is the dry run, and its digest is what an approval binds to."""

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from engine import VERSION, bounds, gate, hazards, statements
from engine.checkout import Checkout, Origin
from engine.commits import Author
from engine.connection import Limits, milliseconds
from engine.files import Migration
from engine.gate import Gate, Held
from engine.hazards import Hazard
from engine.hazards.catalog import Catalog
from engine.refusals import CheckoutUnread, NotCommitted, PlanAltered
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn(ABC):
    """Migrations for one environment as it was when they were drawn, and all that an approval of them binds to.

    `digest` is 64 hex digits over everything here that says what runs, where and on what; not over `server` and
    `bytes`, which change by themselves. Timeouts are in milliseconds; `bytes` is the database's size. `origin` is None
    where no commit tells of these migrations.
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
    lock_timeout: int
    statement_timeout: int
    bytes: int
    tool_version: str
    digest: str
    origin: Origin | None = None

    @property
    @abstractmethod
    def bound(self) -> Mapping[str, Any]:
        """What the digest of its own kind is over besides, so that no two kinds ever share one."""

    @classmethod
    def at(cls, here: Standing, migrations: Sequence[Planned], *, limits: Limits, **more: Any) -> Self:
        """These, drawn on this standing, with their digest."""
        drawn = cls(
            environment=here.environment,
            protected=here.protected,
            database=here.database,
            server=here.server,
            system_identifier=here.system_identifier,
            schema=here.schema,
            head=here.head,
            fingerprint=here.fingerprint,
            migrations=tuple(migrations),
            lock_timeout=milliseconds(limits.lock_timeout),
            statement_timeout=milliseconds(limits.statement_timeout),
            bytes=here.bytes,
            tool_version=VERSION,
            digest="",
            **more,
        )
        return replace(drawn, digest=digest(drawn))

    def as_json(self) -> dict[str, Any]:
        """The same in JSON's own kinds of value, texts and all."""
        return asdict(self)

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        """What `as_json` described. Raises PlanAltered when texts and digest do not belong together."""
        ours = {"migrations": tuple(map(_planned, said["migrations"])), "origin": _commit(said.get("origin"))}
        drawn = cls(**{**said, **ours, **cls.more_from_json(said)})
        if digest(drawn) != drawn.digest or any(checksum(one.text) != one.checksum for one in drawn.migrations):
            raise PlanAltered(drawn.environment, drawn.digest)
        return drawn

    @staticmethod
    def more_from_json(said: Mapping[str, Any]) -> Mapping[str, Any]:
        """The fields of its own kind that JSON tells otherwise."""
        del said
        return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan(Drawn):
    """An ordered set of migrations for one environment. `held`, which the digest leaves out, stay pending.

    `receipt` is the hash of its rehearsal's, None without one.
    """

    held: tuple[Held, ...]
    receipt: str | None = None

    @property
    def bound(self) -> Mapping[str, Any]:
        """What was seen to work; no name, which the first kind there was needs not."""
        return {"receipt": self.receipt}

    @staticmethod
    def more_from_json(said: Mapping[str, Any]) -> Mapping[str, Any]:
        """Who is held."""
        return {"held": tuple(Held(**one) for one in said["held"])}


@dataclass(frozen=True, slots=True)
class Advice:
    """What is known besides the files: for the hazards the live catalog and squawk, and what git says of the folder.

    Each may be left out.
    """

    catalog: Catalog | None = None
    squawk: Squawk | None = None
    checkout: Checkout | None = None


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
    known = advice or Advice()
    origin = committed(here, passing, known.checkout)
    return Plan.at(here, _judged(passing, parsed, known, server=here.server), limits=limits, held=held, origin=origin)


def committed(here: Standing, meant: Sequence[Migration], checkout: Checkout | None) -> Origin | None:
    """Which commit brought these files, and whose they are; what counts in a protected environment stands in one."""
    found = written(here, [file.id for file in meant], checkout)
    loose = tuple(file.file for file in meant if checkout and file.id not in checkout.committed)
    if here.protected and loose:
        raise NotCommitted(here.environment, loose)
    return found


def written(here: Standing, ids: Iterable[str], checkout: Checkout | None) -> Origin | None:
    """Who wrote migrations of these names. Where git should know and cannot say, a protected environment waits."""
    if here.protected and checkout and checkout.trouble:
        raise CheckoutUnread(here.environment, checkout.trouble)
    return checkout.origin(ids) if checkout else None


def digest(drawn: Drawn) -> str:
    """SHA-256 in hex over canonical JSON. Source of what goes in: house rule 9."""
    return sealed(
        {
            "environment": drawn.environment,
            "protected": drawn.protected,
            "database": drawn.database,
            "system_identifier": drawn.system_identifier,
            "schema": drawn.schema,
            "head": drawn.head,
            "fingerprint": drawn.fingerprint,
            "migrations": [[one.id, one.checksum] for one in drawn.migrations],
            "hazards": _lasting(drawn.migrations),
            "lock_timeout": drawn.lock_timeout,
            "statement_timeout": drawn.statement_timeout,
            "tool_version": drawn.tool_version,
            **({"origin": asdict(drawn.origin)} if drawn.origin else {}),
            **drawn.bound,
        }
    )


def rehearsed(drawn: Plan, receipt: str) -> Plan:
    """The same plan with the hash of the receipt of its rehearsal, which its digest then stands for too."""
    bound = replace(drawn, receipt=receipt)
    return replace(bound, digest=digest(bound))


def sealed(bound: Mapping[str, Any]) -> str:
    """SHA-256 in hex over canonical JSON: keys sorted, no blanks, UTF-8."""
    return checksum(json.dumps(bound, sort_keys=True, separators=(",", ":"), ensure_ascii=False))


def checksum(text: str) -> str:
    """SHA-256 in hex over a text in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()


def _lasting(migrations: Sequence[Planned]) -> list[list[str]]:
    """[id, name] of every hazard that does not hang on figures which change by themselves."""
    return [
        [one.id, hazard.name] for one in migrations for hazard in one.hazards if hazard.name not in hazards.BY_FIGURES
    ]


def _commit(said: Mapping[str, Any] | None) -> Origin | None:
    return Origin(said["commit"], tuple(Author(**author) for author in said["authors"])) if said else None


def _planned(said: Mapping[str, Any]) -> Planned:
    return Planned(**{**said, "hazards": tuple(Hazard(**hazard) for hazard in said["hazards"])})


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
