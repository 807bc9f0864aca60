"""A four-byte key of a table that the file touches is more than seventy per cent used up."""

from collections.abc import Iterator, Sequence
from typing import Any

import postgast
from postgast import pg_query_pb2 as pg

from engine.hazards.facts import Facts

_ROOM = 2_147_483_647
_WORTH_SAYING = 0.7


def find_in_file(statements: Sequence[tuple[Any, int]], facts: Facts) -> Iterator[tuple[int, str]]:
    """One sentence per such key, at the line that first names its table."""
    full = {key.table: key for key in facts.catalog.keys if key.last / _ROOM >= _WORTH_SAYING} if facts.catalog else {}
    for node, line in statements if full else ():
        for relation in postgast.find_nodes(node, pg.RangeVar):
            here = facts.relation(relation)
            if here and (key := full.pop(here.oid, None)):
                yield (
                    line,
                    (
                        f"touches {here}, whose key {key.column} is a four-byte integer and "
                        f"{key.last / _ROOM:.0%} used up ({key.last:,} of {_ROOM:,}): after the last one every "
                        "INSERT fails. Plan its change to bigint now."
                    ),
                )
