"""A scratch database on which the folder's migrations have run: there models are compared, and SQL is proven."""

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
from psycopg import sql

from engine import history, masking, scratch, sections
from engine.connection import Session
from engine.files import Migration
from engine.generate import shape, steps
from engine.generate.declared import Declared
from engine.generate.errors import ModelsWrong, NotProven
from engine.generate.shape import Shape, Table
from engine.history import Home
from engine.scratch import NotReplayed


@dataclass(frozen=True, slots=True)
class Bench:
    """`made` is what the files made there: its fingerprint, and its shape in the `schemas` that models name."""

    session: Session
    home: Home
    files: tuple[Migration, ...]
    schemas: tuple[str, ...]
    fingerprint: str
    made: Shape

    @classmethod
    def after(
        cls, session: Session, files: Sequence[Migration], *, schemas: tuple[str, ...], fingerprint: str
    ) -> "Bench":
        """The bench once the files have run on the session's scratch database."""
        home = history.prepare(session)
        return cls(session, home, tuple(files), schemas, fingerprint, shape.read(session, home, schemas))

    def now(self) -> Shape:
        """What is there at this moment."""
        return shape.read(self.session, self.home, self.schemas)


def wanted(bench: Bench, said: Declared, *, models: str) -> Shape:
    """What the models make in place of what is there, beside all that they do not know; then all is as it was.

    Raises ModelsWrong.
    """
    conn = bench.session.conn
    with conn.transaction(force_rollback=True):
        shape.empty(bench.session, bench.home, bench.made)
        try:
            for name in said.schemas:
                conn.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(name)))
            for statement in said.statements:
                conn.execute(statement.encode())
        except psycopg.Error as refused:
            message = masking.of(refused)
            step = "What they rest on (an extension, a function) must come in a migration by hand before."
            raise ModelsWrong(models, f"PostgreSQL refused what they declare: {message}", step) from None
        return bench.now()


def prove(bench: Bench, migration: Migration, *, there: Shape | None) -> tuple[str, ...]:
    """It runs up, to `there` if that is known; and if it has a way down, back to the very schema there was.

    Gives the tables whose columns then stand in another order, for which PostgreSQL has no statement. Raises NotProven.
    """
    try:
        scratch.replay(bench.session, (*bench.files, migration))
        if there and (left := steps.between(bench.now(), there)):
            raise NotProven(f"The models would still need: {'; '.join(left[:3])}.")
        if sections.cut(migration.text).down is None:
            return ()
        back = scratch.take_back(bench.session, migration)
    except NotReplayed as cause:
        raise NotProven(cause.sentence) from cause
    return () if back == bench.fingerprint else _reordered(bench)


def _reordered(bench: Bench) -> tuple[str, ...]:
    """Tables whose columns stand in another order than before, if that is all there is. Raises NotProven."""
    now = bench.now()
    tables = tuple(name for name, table in now.tables.items() if _order(table) != _order(bench.made.tables.get(name)))
    left = steps.between(now, bench.made)
    if left or not tables:
        said = f": {'; '.join(left[:3])}" if left else ""
        raise NotProven(f"Its way down does not lead back to the schema that was{said}.")
    return tables


def _order(table: Table | None) -> tuple[str, ...]:
    return tuple(table.columns) if table else ()
