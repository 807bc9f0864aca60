"""The documents say what is so. `make docs` writes what is generated; a stale page fails here."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot import grammar
from ledger.states import FINAL, MOVES, State
from ledger.workflow import WorkflowError
from ledger.workflow_file import load

ROOT = Path(__file__).parent.parent
STATES = ROOT / "docs" / "states.md"
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")

#: What a setting looks like where it is read.
SETTING = re.compile(r'"((?:TWOKEY|SLACK|LEDGER|REDIS|PG)_[A-Z_]+|PORT)"')


def states_page() -> str:
    """docs/states.md, drawn from the table in ledger/states.py."""
    return "\n".join(
        [
            "# The life of a request",
            "",
            "Drawn by `make docs` from the table in [ledger/states.py](../ledger/states.py). Nothing else moves one.",
            "",
            "```mermaid",
            "stateDiagram-v2",
            f"    [*] --> {next(iter(State))}",
            *(f"    {here} --> {there}" for here in State for there in State if there in MOVES[here]),
            *(f"    {state} --> [*]" for state in State if state in FINAL),
            "```",
            "",
        ]
    )


def test_the_states_are_drawn_as_the_table_has_them() -> None:
    assert STATES.read_text(encoding="utf-8") == states_page(), "run make docs"


def test_every_link_leads_somewhere() -> None:
    def dead(page: Path) -> Iterator[str]:
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
            if not target.startswith("http") and not (page.parent / target).exists():
                yield f"{page.relative_to(ROOT)}: {target}"

    assert [link for page in PAGES for link in dead(page)] == []


def test_every_command_of_the_readme_is_understood() -> None:
    said = re.findall(r"^/migrate (.*?)(?:  .*| a person .*)$", README, re.MULTILINE)
    assert len(said) == 16
    for line in said:
        grammar.parse(line, load(ROOT / "twokey.toml"))


def test_the_readme_shows_the_workflow_file_as_it_is() -> None:
    _, ours = (ROOT / "twokey.toml").read_text(encoding="utf-8").split("\n", 1)
    assert f"```toml\n# twokey.toml\n{ours}```" in README


@pytest.mark.parametrize("file", ["bot/config.py", "workers/config.py", "cli/surroundings.py"])
def test_the_runbook_names_every_setting(file: str) -> None:
    read = set(SETTING.findall((ROOT / file).read_text(encoding="utf-8")))
    assert read
    assert {name for name in read if f"`{name}`" not in RUNBOOK} == set()


def test_the_runbook_names_every_key_of_the_workflow_file(tmp_path: Path) -> None:
    ours, file = (ROOT / "twokey.toml").read_text(encoding="utf-8"), tmp_path / "twokey.toml"
    for wrong in ("nonsense = 1\n" + ours, ours + "nonsense = 1\n"):
        file.write_text(wrong, encoding="utf-8")
        with pytest.raises(WorkflowError) as caught:
            load(file)
        known = str(caught.value).rpartition("write one of ")[2].rstrip(".").split(", ")
        assert len(known) > 5
        assert {key for key in known if not re.search(rf"`\[*{key}\b", RUNBOOK)} == set()


def test_every_rule_of_the_security_page_is_held_by_tests_that_are_there() -> None:
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    rules = re.split(r"^- ", page.partition("## What is not held")[0], flags=re.MULTILINE)[1:]
    assert len(rules) > 20
    assert [rule for rule in rules if "`test_" not in rule] == []
    tests = "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / "tests").rglob("test_*.py"))
    there = set(re.findall(r"^def (test_\w+)\(", tests, re.MULTILINE))
    assert set(re.findall(r"`(test_\w+)`", page)) - there == set()


def test_every_entry_of_the_changelog_ends_in_what_an_operator_must_do() -> None:
    entries = re.split(r"^- ", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    assert [entry for entry in entries if not entry.partition("\n## ")[0].rstrip().endswith(".*")] == []


if __name__ == "__main__":
    STATES.write_text(states_page(), encoding="utf-8")
