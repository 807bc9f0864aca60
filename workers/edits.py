"""Which files changed after this environment applied them, and how: what a person reads before asking for a repair."""

from typing import Any

from engine import amend
from engine.amend import Edited
from engine.connection import open_session
from engine.errors import EngineError
from workers.hands import Hands

#: How many files are told of, and how many lines of what changed in each.
SHOWN, LINES = 10, 40


def listed(hands: Hands) -> dict[str, Any]:
    """The answer's body."""
    try:
        with open_session(hands.database, purpose="twokey look", limits=hands.looking) as session:
            found = amend.edited(session, hands.files())
    except EngineError as refused:
        return _body(hands, refusal=str(refused))
    return _body(hands, edited=[_entry(one) for one in found[:SHOWN]], more=max(0, len(found) - SHOWN))


def measure(one: Edited) -> str:
    """How much of it changed, as a phrase."""
    if one.diff is None:
        return "what ran is not known, another tool applied it"
    more, fewer = (sum(1 for line in one.diff[2:] if line.startswith(sign)) for sign in "+-")
    looks = ", whitespace and comments only" if one.looks_only else ""
    return f"lines: {more} came, {fewer} went{looks}"


def _body(hands: Hands, **found: Any) -> dict[str, Any]:
    nothing = {"edited": [], "more": 0, "refusal": None}
    return {"question": "repair", "environment": hands.environment.name, **nothing, **found}


def _entry(one: Edited) -> dict[str, Any]:
    diff = [] if one.diff is None else list(one.diff[2:])  # the first two name the file, as we do
    return {"id": one.id, "measure": measure(one), "diff": diff[:LINES], "more": max(0, len(diff) - LINES)}
