"""Every error carries its facts through a pickle: RQ and multiprocessing need that."""

import pickle
from dataclasses import fields, is_dataclass

import pytest

from engine import apply, backup, errors, files, refusals, statements, tools, transaction

MODULES = (apply, backup, errors, files, refusals, statements, tools, transaction)
#: Facts that are not text.
OTHERS = {"seconds": 1.0, "problems": ("One.",), "lacking": ("id",), "looked": ("/bin",), "line": 3, "column": 4}

KINDS = sorted(
    {
        kind
        for module in MODULES
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, errors.EngineError) and is_dataclass(kind)
    },
    key=lambda kind: kind.__name__,
)


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_pickles_with_its_facts_and_its_sentence(kind: type[errors.EngineError]) -> None:
    error = kind(*(OTHERS.get(field.name, field.name) for field in fields(kind)))  # pyright: ignore[reportArgumentType]
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert str(again) == str(error)
