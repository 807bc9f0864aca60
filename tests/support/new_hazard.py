"""`make hazard name=drops_view`: the stubs of a rule, its test and its page, and its place in the list of rules."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

RULE = '''"""WHICH STATEMENT: what it does to whom."""

from collections.abc import Iterator
from typing import Any

from engine.hazards.facts import Facts


def find(node: Any, facts: Facts) -> Iterator[str]:
    """One sentence per …"""
    raise NotImplementedError(node, facts)
'''

TEST = '''"""WHAT IS SHOWN HERE."""

from tests.engine.hazards.conftest import Found


def test_it_is_told(found: Found) -> None:
    assert [hazard.sentence for hazard in found("SQL THAT HAS IT") if hazard.name == "{name}"] == ["WHOLE SENTENCE"]


def test_what_almost_has_it_is_not_told(found: Found) -> None:
    assert [hazard for hazard in found("SQL THAT ALMOST HAS IT") if hazard.name == "{name}"] == []
'''

PAGE = """# {title}

A migration says …

## Why it matters

…

## A way out

…
"""


def write(name: str, root: Path = ROOT) -> list[Path]:
    """The three new files. Raises SystemExit when the name cannot be one or is taken."""
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)+", name):
        raise SystemExit("Say what the migration does, as in: make hazard name=drops_view")
    rules = root / "engine" / "hazards"
    stubs = {
        rules / f"{name}.py": RULE,
        root / "tests" / "engine" / "hazards" / f"test_{name}.py": TEST.format(name=name),
        root / "docs" / "hazards" / f"{name}.md": PAGE.format(title=name.replace("_", " ").capitalize()),
    }
    if taken := [path for path in stubs if path.exists()]:
        raise SystemExit(f"{taken[0]} is there already.")
    listing = rules / "__init__.py"
    listing.write_text(_listed(listing.read_text(encoding="utf-8"), name), encoding="utf-8")
    for path, text in stubs.items():
        path.write_text(text, encoding="utf-8")
    return list(stubs)


def _listed(text: str, name: str) -> str:
    """The package's text with the name in its import and in RULES, in alphabetical order."""
    for start in ("from engine.hazards import (\n", "RULES = (\n"):
        before, after = text.split(start, 1)
        inside, rest = after.split(")\n", 1)
        lines = sorted({*inside.splitlines(keepends=True), f"    {name},\n"})
        text = f"{before}{start}{''.join(lines)})\n{rest}"
    return text


if __name__ == "__main__":
    for made in write(sys.argv[1] if len(sys.argv) > 1 else ""):
        sys.stdout.write(f"Wrote {made.relative_to(ROOT)}\n")
