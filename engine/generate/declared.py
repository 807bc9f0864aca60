"""Declared models, told by an interpreter of their own as the statements that would make them."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.generate.errors import ModelsWrong

_LOADER = Path(__file__).with_name("loader.py")
_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Models:
    """`name` is MODULE:NAME, found in `folder`; `python` is the interpreter that has what they import."""

    name: str
    folder: Path
    python: Path | None = None


@dataclass(frozen=True, slots=True)
class Declared:
    """What the models would make of an empty database, and the schemas they name besides the first."""

    schemas: tuple[str, ...]
    statements: tuple[str, ...]


def read(models: Models) -> Declared:
    """What the models declare. They see no variable of our process: no address, no password. Raises ModelsWrong."""
    told = _told(models)
    if "wrong" in told:
        raise _wrong(models, told)
    return Declared(tuple(told["schemas"]), tuple(told["statements"]))


def _told(models: Models) -> Mapping[str, Any]:
    python = models.python or Path(sys.executable)
    with tempfile.TemporaryFile() as answer:
        # -B: two changes within a second of one length would be one to a compiled file, and the folder is not ours.
        program = [python, "-I", "-B", _LOADER, models.folder, models.name, str(answer.fileno())]
        try:
            subprocess.run(
                program,
                cwd=models.folder,
                env={"LC_ALL": "C.UTF-8"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(answer.fileno(),),
                timeout=_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as cause:
            step = "Importing them must only declare them; let nothing connect or wait there."
            raise ModelsWrong(models.name, f"importing them took longer than {_SECONDS} s", step) from cause
        except OSError as cause:
            step = "Correct `models_in` or `python` under [generate] in twokey.toml."
            raise ModelsWrong(models.name, f"{python} does not run in {models.folder}", step) from cause
        answer.seek(0)
        said = answer.read()
    if not said:
        raise ModelsWrong(models.name, f"{python} ended without an answer", "Import them by hand to see why.")
    return json.loads(said)


def _wrong(models: Models, told: Mapping[str, Any]) -> ModelsWrong:
    module, _, name = models.name.partition(":")
    error, by_hand = told.get("error", ""), f'python -c "import {module}"'
    match told["wrong"]:
        case "import" if error == "ModuleNotFoundError":
            missing = told["missing"]
            step = f"Install it for {models.python or sys.executable}, or correct [generate] in twokey.toml."
            return ModelsWrong(models.name, f"there is no module {missing} to be found in {models.folder}", step)
        case "import":
            step = f"Run {by_hand} in {models.folder}, with no environment variable set, and mend what it says."
            return ModelsWrong(models.name, f"importing {module} raised {error}", step)
        case "name":
            step = "Write the module, a colon, and the name of a MetaData or of a declarative base."
            return ModelsWrong(models.name, f"{module} has no {name}", step)
        case "kind":
            step = "Write the module, a colon, and the name of a MetaData or of a declarative base."
            return ModelsWrong(models.name, f"it is a {error} and no MetaData", step)
    step = f"Compile them with SQLAlchemy's CreateTable for PostgreSQL to see why; {module} is where they are."
    return ModelsWrong(models.name, f"SQLAlchemy raised {error} on the way to SQL", step)
