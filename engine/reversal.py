"""What a way back would do, as a value: printing it is the dry run, and its digest is what an approval binds to."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from engine import VERSION, hazards, plan, sections, statements
from engine.connection import Limits, milliseconds
from engine.hazards.catalog import Catalog
from engine.plan import Planned
from engine.refusals import PlanAltered
from engine.standing import Standing


@dataclass(frozen=True, slots=True)
class Reversal:
    """Down sections for one environment as it was when this was drawn, newest migration first.

    The text of each is its way down alone, as it was kept when the migration ran; its checksum is over that text.
    `digest` is over all that a Plan's is, and over the direction. Timeouts are in milliseconds.
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

    def as_json(self) -> dict[str, Any]:
        """The same in JSON's own kinds of value, texts and all."""
        return asdict(self)

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> "Reversal":
        """The Reversal that `as_json` described. Raises PlanAltered when texts and digest do not belong together."""
        drawn = cls(**{**said, "migrations": tuple(map(plan.planned, said["migrations"]))})
        if digest(drawn) != drawn.digest or any(plan.checksum(one.text) != one.checksum for one in drawn.migrations):
            raise PlanAltered(drawn.environment, drawn.digest)
        return drawn


def draw(here: Standing, chosen: Sequence[Planned], *, limits: Limits, catalog: Catalog | None = None) -> Reversal:
    """How this environment would be brought back past what `revert.choose` gave."""
    drawn = Reversal(
        environment=here.environment,
        protected=here.protected,
        database=here.database,
        server=here.server,
        system_identifier=here.system_identifier,
        schema=here.schema,
        head=here.head,
        fingerprint=here.fingerprint,
        migrations=tuple(_way_down(one, catalog) for one in chosen),
        lock_timeout=milliseconds(limits.lock_timeout),
        statement_timeout=milliseconds(limits.statement_timeout),
        bytes=here.bytes,
        tool_version=VERSION,
        digest="",
    )
    return replace(drawn, digest=digest(drawn))


def digest(drawn: Reversal) -> str:
    """SHA-256 in hex over canonical JSON, as a plan's is; an approval of one can never be one of the other."""
    return plan.sealed(
        {
            "act": "revert",
            "environment": drawn.environment,
            "protected": drawn.protected,
            "database": drawn.database,
            "system_identifier": drawn.system_identifier,
            "schema": drawn.schema,
            "head": drawn.head,
            "fingerprint": drawn.fingerprint,
            "migrations": [[one.id, one.checksum] for one in drawn.migrations],
            "hazards": plan.lasting(drawn.migrations),
            "lock_timeout": drawn.lock_timeout,
            "statement_timeout": drawn.statement_timeout,
            "tool_version": drawn.tool_version,
        }
    )


def _way_down(one: Planned, catalog: Catalog | None) -> Planned:
    """The migration with its way down for a text, which stands on the lines where it stands in the file."""
    down = sections.cut(one.text).down
    assert down is not None  # revert.choose refuses what has none
    found = hazards.find(((each.node, each.line) for each in statements.fit(f"{one.id}.sql", down)), catalog)
    return Planned(one.id, one.name, down.text, plan.checksum(down.text), down.lines, found)
