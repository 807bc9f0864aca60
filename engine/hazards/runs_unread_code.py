"""DO: its body is a text to us. What it does, and what it puts together and EXECUTEs, is not looked through."""

from collections.abc import Iterator
from typing import Any

from postgast import pg_query_pb2 as pg

from engine.hazards.facts import Facts


def find(node: Any, _: Facts) -> Iterator[str]:
    """One sentence per block."""
    if isinstance(node, pg.DoStmt):
        texts = [arg.def_elem.arg.string.sval for arg in node.args if arg.def_elem.defname == "as"]
        puts = " and runs statements that it puts together itself" if "execute" in " ".join(texts).casefold() else ""
        yield (
            f"is a DO block{puts}: no hazard is looked for inside. "
            "Read it as you would a program, or write its statements into the file themselves."
        )
