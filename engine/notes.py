"""What a reader of a plan may want to know and nobody is refused for. Pure; no part of a digest."""

import re
from collections.abc import Iterator, Sequence

from engine.plan import Plan, Planned

#: What the application must know, as the author of a file says it; several lines are one text.
_IMPACT = re.compile(r"^[ \t]*--[ \t]*impact:[ \t]*(.*?)[ \t]*$", re.IGNORECASE | re.MULTILINE)
_IMPACT_SHOWN = 300

#: More than this is hard to read before saying yes.
MANY_MIGRATIONS = 20
MANY_LINES = 1000

#: A name of these words alone says nothing.
_VAGUE = {
    "add", "adjust", "alter", "change", "changes", "db", "fix", "fixes", "hotfix", "migrate", "migration", "misc",
    "more", "new", "schema", "stuff", "temp", "test", "tmp", "update", "updates", "wip",
}  # fmt: skip
_NAMED = 5


def impact(text: str) -> str | None:
    """What a file's `-- impact:` lines say; None without any, or with nothing in them."""
    said = " ".join(filter(None, _IMPACT.findall(text)))
    return (said if len(said) <= _IMPACT_SHOWN else f"{said[: _IMPACT_SHOWN - 1]}…") or None


def of(plan: Plan) -> tuple[str, ...]:
    """A sentence each, about the plan as a whole or about some of its files."""
    return (*_size(plan), *_names(plan.migrations), *_silent(plan.migrations))


def _size(plan: Plan) -> Iterator[str]:
    lines = sum(one.lines for one in plan.migrations)
    if len(plan.migrations) > MANY_MIGRATIONS or lines > MANY_LINES:
        counted = f"{len(plan.migrations)} migrations with {lines:,} lines"
        yield f"This is a large plan: {counted}. When one fails, those before it stay; consider fewer at once."


def _names(migrations: Sequence[Planned]) -> Iterator[str]:
    vague = [f"{one.id}.sql" for one in migrations if _is_vague(one.name)]
    if vague:
        yield f"{_listed(vague)} {'says' if len(vague) == 1 else 'say'} in the name nothing of what will change."


def _is_vague(name: str) -> bool:
    words = [word for word in re.split(r"[_\W\d]+", name.lower()) if word]
    return all(word in _VAGUE for word in words)


def _silent(migrations: Sequence[Planned]) -> Iterator[str]:
    silent = [f"{one.id}.sql" for one in migrations if impact(one.text) is None]
    if silent:
        has = "has" if len(silent) == 1 else "have"
        yield f"{_listed(silent)} {has} no `-- impact:` line, so nobody reads here what the application must know."


def _listed(files: Sequence[str]) -> str:
    more = len(files) - _NAMED
    return ", ".join(files) if more <= 0 else f"{', '.join(files[:_NAMED])} and {more} more"
