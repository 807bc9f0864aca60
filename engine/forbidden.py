"""Statements that are refused by name, because a migration runs inside our transaction and under our lock."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import postgast
from postgast import pg_query_pb2 as pg

_ALONE = "cannot run inside a transaction"
_BY_HAND = "Run it by hand, outside a migration"
