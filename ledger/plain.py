"""Frozen values ↔ plain JSON: what a row holds is what the value was, for every value of this room."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

Value = TypeVar("Value")

_hints = cache(get_type_hints)


def dump(value: Any) -> Any:
    """A value as JSON: a dataclass becomes an object, a tuple a list, a moment its ISO 8601 text."""
    if is_dataclass(value):
        return {field.name: dump(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple):
        return [dump(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return value


def load(shape: type[Value], body: Mapping[str, Any]) -> Value:
    """The value that `dump` was given. Raises KeyError, TypeError or ValueError when `body` is not of this shape."""
    hints = _hints(shape)
    return shape(**{name: _load(hints[name], item) for name, item in body.items()})


def _load(shape: Any, item: Any) -> Any:
    """One field, read by its annotation."""
    if get_origin(shape) in {Union, UnionType}:
        if item is None:
            return None
        (shape,) = (one for one in get_args(shape) if one is not NoneType)
    if get_origin(shape) is tuple:
        return _load_tuple(get_args(shape), item)
    if is_dataclass(shape) and isinstance(shape, type):
        return load(shape, item)
    if shape is datetime:
        return datetime.fromisoformat(item)
    return shape(item) if isinstance(shape, type) and issubclass(shape, StrEnum) else item


def _load_tuple(shapes: tuple[Any, ...], items: list[Any]) -> tuple[Any, ...]:
    """`tuple[X, ...]` takes any length, `tuple[X, Y]` exactly its own."""
    if shapes[-1] is Ellipsis:
        return tuple(_load(shapes[0], item) for item in items)
    return tuple(_load(shape, item) for shape, item in zip(shapes, items, strict=True))
