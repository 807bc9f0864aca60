"""What a way back would do, as a value: printing it is the dry run, and its digest is what an approval binds to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine import hazards, plan, sections, statements
from engine.connection import Limits
from engine.hazards.catalog import Catalog
from engine.plan import Advice, Drawn, Planned
from engine.standing import Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Reversal(Drawn):
    """Down sections for one environment as it was when this was drawn, newest migration first.

    The text of each is its way down alone, as it was kept when the migration ran; its checksum is over that text.
    """

    @property
    def bound(self) -> Mapping[str, Any]:
        """The direction: an approval of a way back can never be one of a plan."""
        return {"act": "revert"}


def draw(here: Standing, chosen: Sequence[Planned], *, limits: Limits, advice: Advice | None = None) -> Reversal:
    """How this environment would be brought back past what `revert.choose` gave. Raises CheckoutUnread.

    The texts are those that ran, whatever the folder has: of git it is asked alone who wrote files of these names.
    """
    known = advice or Advice()
    origin = plan.written(here, [one.id for one in chosen], known.checkout)
    return Reversal.at(here, [_way_down(one, known.catalog) for one in chosen], limits=limits, origin=origin)


def _way_down(one: Planned, catalog: Catalog | None) -> Planned:
    """The migration with its way down for a text, which stands on the lines where it stands in the file."""
    down = sections.cut(one.text).down
    assert down is not None  # revert.choose refuses what has none
    found = hazards.find(((each.node, each.line) for each in statements.fit(f"{one.id}.sql", down)), catalog)
    return Planned(one.id, one.name, down.text, plan.checksum(down.text), down.lines, found)
