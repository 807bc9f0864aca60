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
    drops_used_index,
    if_not_exists_skips,
    int4_key_runs_out,
    locks_table,
    meets_invalid_index,
    narrows_column_type,
    renames,
    requires_value,
    rewrites_table,
    runs_unread_code,
    takes_locks,
    truncates,
    updates_every_row,
)
from engine.hazards.catalog import Catalog
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
    drops_used_index,
    if_not_exists_skips,
    locks_table,
    meets_invalid_index,
    narrows_column_type,
    renames,
    requires_value,
    rewrites_table,
    runs_unread_code,
    truncates,
    updates_every_row,
)

#: These look at the whole file: `find_in_file` is a pure function of all its statements and the facts.
FILE_RULES = (
    int4_key_runs_out,
    takes_locks,
)

#: Whether these speak at all hangs on figures that change by themselves, so a plan's digest leaves them out.
BY_FIGURES = frozenset({"drops_used_index", "int4_key_runs_out"})
#: The name of each hazard that is looked for; where none is found, nothing else was looked for either.
NAMES = tuple(rule.__name__.rpartition(".")[2] for rule in (*RULES, *FILE_RULES))


@dataclass(frozen=True, slots=True)
class Hazard:
    """One thing to know before saying yes. `sentence` ends with the way out; `line` counts from 1."""

    name: str
    line: int
    sentence: str


def find(statements: Iterable[tuple[Any, int]], catalog: Catalog | None = None) -> tuple[Hazard, ...]:
    """Every hazard in one migration's statements, given as syntax tree and line, in the order of the file."""
    parsed = tuple(statements)
    before = facts = Facts(catalog=catalog)
    hazards: list[Hazard] = []
    for node, line in parsed:
        for rule in RULES:
            hazards += (Hazard(name_of(rule), line, sentence) for sentence in rule.find(node, facts))
        facts = facts.after(created_by(node))
    for rule in FILE_RULES:
        hazards += (Hazard(name_of(rule), line, sentence) for line, sentence in rule.find_in_file(parsed, before))
    return tuple(sorted(hazards, key=lambda one: one.line))


def name_of(rule: Any) -> str:
    """A rule's name: its module's."""
    return rule.__name__.rpartition(".")[2]
