"""A program of its own: imports declared models where they are at home and writes what PostgreSQL would make of them.

    python -I -B loader.py FOLDER MODULE:NAME DESCRIPTOR

Run by path, never imported: here a package called `bot` or `engine` is the models', not ours. Writes one JSON object
to the descriptor: {"schemas": […], "statements": […]}, or {"wrong": a kind, "error": an error type}.
"""

import importlib
import json
import os
import re
import sys
from collections.abc import Iterator
from typing import Any

_CONCURRENTLY = re.compile(r"^\s*(CREATE (?:UNIQUE )?INDEX) CONCURRENTLY\b")


def main(folder: str, models: str, descriptor: str) -> None:
    """Say what there is to say."""
    sys.path.insert(0, folder)
    with os.fdopen(int(descriptor), "w", encoding="utf-8") as out:
        json.dump(_told(models), out)


def _told(models: str) -> dict[str, Any]:
    module, _, name = models.partition(":")
    try:
        found = importlib.import_module(module)
    except BaseException as error:  # whatever a module does when it is imported, even leave
        return {"wrong": "import", "error": type(error).__name__, "missing": getattr(error, "name", None) or ""}
    try:
        for part in name.split("."):
            found = getattr(found, part)
    except AttributeError:
        return {"wrong": "name"}
    try:
        return _declared(getattr(found, "metadata", found))
    except Exception as error:
        return {"wrong": "declare", "error": type(error).__name__}


def _declared(metadata: Any) -> dict[str, Any]:
    from sqlalchemy import MetaData, create_mock_engine

    if not isinstance(metadata, MetaData):
        return {"wrong": "kind", "error": type(metadata).__name__}
    statements: list[str] = []

    def collect(statement: Any, *_: Any, **__: Any) -> None:
        text = str(statement.compile(dialect=engine.dialect)) if hasattr(statement, "compile") else str(statement)
        statements.append(_CONCURRENTLY.sub(r"\1", text))

    # With `named` parameters a % stays one; the psycopg drivers would have it doubled.
    engine = create_mock_engine("postgresql://", collect, paramstyle="named")
    # What a dialect learns from a server when it is connected to one: a backslash stands for itself.
    vars(engine.dialect)["_backslash_escapes"] = False
    metadata.create_all(engine, checkfirst=False)
    return {"schemas": sorted(set(_schemas(metadata))), "statements": statements}


def _schemas(metadata: Any) -> Iterator[str]:
    """Every schema that a table, a sequence or a type is declared in; the one found first has no name here."""
    sequences = getattr(metadata, "_sequences", {}).values()
    types = (column.type for table in metadata.tables.values() for column in table.columns)
    for one in (*metadata.tables.values(), *sequences, *types):
        if schema := getattr(one, "schema", None):
            yield schema


if __name__ == "__main__":
    main(*sys.argv[1:])
