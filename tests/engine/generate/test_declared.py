"""Models are read in an interpreter of their own: what is wrong is one sentence, and what is ours they never see."""

import sys
from pathlib import Path

import pytest

from engine.generate import declared
from engine.generate.declared import Models
from engine.generate.errors import ModelsWrong
from tests.engine.generate.conftest import Desk

TABLE = "from sqlalchemy import *\nmetadata = MetaData()\nTable('t', metadata, Column('a', Integer))\n"


def wrong(models: Models) -> str:
    with pytest.raises(ModelsWrong) as caught:
        declared.read(models)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "import nowhere_to_be_found",
            (
                "there is no module nowhere_to_be_found to be found in {folder}. "
                f"Install it for {sys.executable}, or correct [generate] in twokey.toml."
            ),
        ),
        (
            "raise ZeroDivisionError('hunter2')",
            (
                'importing shop raised ZeroDivisionError. Run python -c "import shop" in {folder}, '
                "with no environment variable set, and mend what it says."
            ),
        ),
        (
            "import sys; sys.exit(3)",
            (
                'importing shop raised SystemExit. Run python -c "import shop" in {folder}, '
                "with no environment variable set, and mend what it says."
            ),
        ),
        (
            "import os; os._exit(0)",
            f"{sys.executable} ended without an answer. Import them by hand to see why.",
        ),
        (
            "other = 1",
            "shop has no metadata. Write the module, a colon, and the name of a MetaData or of a declarative base.",
        ),
        (
            "metadata = 7",
            (
                "it is a int and no MetaData. "
                "Write the module, a colon, and the name of a MetaData or of a declarative base."
            ),
        ),
        (
            TABLE + "Table('u', metadata, Column('a', ForeignKey('nowhere.id')))",
            (
                "SQLAlchemy raised NoReferencedTableError on the way to SQL. "
                "Compile them with SQLAlchemy's CreateTable for PostgreSQL to see why; shop is where they are."
            ),
        ),
    ],
)
def test_what_is_wrong_with_models_is_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "shop.py").write_text(text)
    sentence = wrong(Models("shop:metadata", tmp_path))
    assert sentence == f"The models shop:metadata could not be read: {said.format(folder=tmp_path)}"


def test_an_interpreter_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert wrong(Models("shop:metadata", tmp_path, Path("/nowhere/python"))) == (
        f"The models shop:metadata could not be read: /nowhere/python does not run in {tmp_path}. "
        "Correct `models_in` or `python` under [generate] in twokey.toml."
    )


def test_models_that_never_end_are_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(declared, "_SECONDS", 1)
    (tmp_path / "shop.py").write_text("import time; time.sleep(60)")
    assert wrong(Models("shop:metadata", tmp_path)) == (
        "The models shop:metadata could not be read: importing them took longer than 1 s. "
        "Importing them must only declare them; let nothing connect or wait there."
    )


def test_packages_called_as_ours_are_theirs_and_no_secret_is_in_sight(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRODUCTION_DATABASE_URL", "postgresql://app:hunter2@db/shop")
    (tmp_path / "bot").mkdir()
    (tmp_path / "bot" / "__init__.py").write_text(
        "print('loud'); import os; assert not os.environ.keys() - {'LC_ALL', 'LC_CTYPE'}"
    )
    (tmp_path / "engine.py").write_text(TABLE)
    (tmp_path / "bot" / "models.py").write_text("from engine import metadata\nclass Base: metadata = metadata\n")
    said = declared.read(Models("bot.models:Base", tmp_path))
    assert [statement.strip() for statement in said.statements] == ["CREATE TABLE t (\n\ta INTEGER\n)"]


def test_what_postgresql_refuses_is_named(desk: Desk) -> None:
    models = desk.write(TABLE.replace("Integer", "Integer, server_default=text('nine()')"))
    with pytest.raises(ModelsWrong) as caught:
        desk.draft(models, ())
    assert str(caught.value) == (
        "The models shop:metadata could not be read: PostgreSQL refused what they declare: function nine() does not "
        "exist. What they rest on (an extension, a function) must come in a migration by hand before."
    )
