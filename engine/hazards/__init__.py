"""Things in a migration that an approver should know. One file per hazard, named like its page in docs/hazards/."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from engine.hazards import (
    adds_required_column,
    builds_index_blocking_writes,
    changes_column_type,
    checks_every_row,
    deletes_every_row,
    drops_by_cascade,
    drops_column,
    drops_owned,
    drops_schema,
    drops_table,
    locks_table,
    renames,
    requires_value,
    runs_unread_code,
    truncates,
    updates_every_row,
)
from engine.hazards.facts import Facts, created_by

#: Each rule's `find` is a pure function of one statement's tree and the facts.
RULES = (
    adds_required_column,
    builds_index_blocking_writes,
    changes_column_type,
    checks_every_row,
    deletes_every_row,
    drops_by_cascade,
    drops_column,
    drops_owned,
    drops_schema,
    drops_table,
    locks_table,
    renames,
    requires_value,
    runs_unread_code,
    truncates,
    updates_every_row,
)

#: The name of each hazard that is looked for; where none is found, nothing else was looked for either.
NAMES = tuple(rule.__name__.rpartition(".")[2] for rule in RULES)


@dataclass(frozen=True, slots=True)
class Hazard:
    """One thing to know before saying yes. `sentence` ends with the way out; `line` counts from 1."""

    name: str
    line: int
    sentence: str


def find(statements: Iterable[tuple[Any, int]]) -> tuple[Hazard, ...]:
    """Every hazard in one migration's statements, given as syntax tree and line, in the order of the file."""
    facts = Facts()
    hazards: list[Hazard] = []
    for node, line in statements:
        for name, rule in zip(NAMES, RULES, strict=True):
            hazards += (Hazard(name, line, sentence) for sentence in rule.find(node, facts))
        facts = facts.after(created_by(node))
    return tuple(hazards)
