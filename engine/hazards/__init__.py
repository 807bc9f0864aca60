"""Things in a migration that an approver should know. One file per hazard, named like its page in docs/hazards/."""

from collections.abc import Sequence
from dataclasses import dataclass

from engine.hazards import (
    adds_required_column,
    builds_index_blocking_writes,
    changes_column_type,
    drops_column,
    drops_table,
    truncates,
)
from engine.hazards.facts import Facts, created_by
from engine.statements import Statement

#: Each rule's `find` is a pure function of one statement's tree and the facts.
RULES = (
    adds_required_column,
    builds_index_blocking_writes,
    changes_column_type,
    drops_column,
    drops_table,
    truncates,
)


@dataclass(frozen=True, slots=True)
class Hazard:
    """One thing to know before saying yes. `sentence` ends with the way out; `line` counts from 1."""

    name: str
    line: int
    sentence: str


def find(statements: Sequence[Statement]) -> tuple[Hazard, ...]:
    """Every hazard in one migration's statements, in the order of the file."""
    facts = Facts()
    hazards: list[Hazard] = []
    for statement in statements:
        for rule in RULES:
            hazards += (
                Hazard(rule.__name__.rpartition(".")[2], statement.line, sentence)
                for sentence in rule.find(statement.node, facts)
            )
        facts = facts.after(created_by(statement.node))
    return tuple(hazards)
