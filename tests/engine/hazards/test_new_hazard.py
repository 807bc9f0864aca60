"""The stubs that `make hazard` writes are a rule that is listed, a test and a page."""

import shutil
from pathlib import Path

import pytest

from tests.support import new_hazard


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A copy of the rules, and empty folders for the rest."""
    shutil.copytree(new_hazard.ROOT / "engine" / "hazards", tmp_path / "engine" / "hazards")
    (tmp_path / "tests" / "engine" / "hazards").mkdir(parents=True)
    (tmp_path / "docs" / "hazards").mkdir(parents=True)
    return tmp_path


def test_the_rule_is_listed_once_among_the_others(root: Path) -> None:
    made = new_hazard.write("drops_view", root)
    assert [path.name for path in made] == ["drops_view.py", "test_drops_view.py", "drops_view.md"]
    listing = (root / "engine" / "hazards" / "__init__.py").read_text()
    assert listing.count("    drops_used_index,\n    drops_view,\n    if_not_exists_skips,\n") == 2
    for path in made[:2]:
        compile(path.read_text(), path, "exec")
    assert made[2].read_text().startswith("# Drops view\n")


@pytest.mark.parametrize("name", ["", "Drops", "drops", "../x", "drops_table"])
def test_a_name_that_will_not_do_writes_nothing(root: Path, name: str) -> None:
    with pytest.raises(SystemExit, match=r"Say what the migration does|is there already\."):
        new_hazard.write(name, root)
