"""Every relation that a file locks so that others wait, with the mode; parents of foreign keys among them."""

from collections.abc import Iterator, Sequence
from typing import Any

from engine.hazards import locks
from engine.hazards.catalog import Relation
from engine.hazards.facts import Facts, created_by
from engine.hazards.locks import Mode

_MEANS = {
    Mode.SHARE: "reads go on, writes wait",
    Mode.SHARE_ROW_EXCLUSIVE: "reads go on, writes wait",
    Mode.EXCLUSIVE: "reads go on, writes wait",
    Mode.ACCESS_EXCLUSIVE: "reads and writes wait",
}


def find_in_file(statements: Sequence[tuple[Any, int]], facts: Facts) -> Iterator[tuple[int, str]]:
    """One sentence for the whole file, since locks are held until its transaction ends; at the line of the first."""
    first, pairs = 0, list[tuple[Relation, Mode]]()
    for node, line in statements:
        more = list(locks.taken(node, facts))
        first = first or (line if more else 0)
        pairs += more
        facts = facts.after(created_by(node))
    held = locks.strongest(iter(pairs))
    if held:
        parts = [_part(mode, [one for one, its in held if its is mode]) for mode in sorted(set(Mode), reverse=True)]
        said = " and ".join(part for part in parts if part)
        way_out = "Run it when nothing long runs there: while it waits, others queue behind it."
        yield first, f"locks {said} until it commits. {way_out}"


def _part(mode: Mode, relations: list[Relation]) -> str:
    if not relations:
        return ""
    named = ", ".join(f"{one} [{one.figures}]" if one.kind in "rpmf" else str(one) for one in relations)
    return f"{named} in {mode} ({_MEANS[mode]})"
