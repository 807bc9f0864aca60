"""Every table's rows before and after a run, and whose rows changed without being named by the plan."""

from collections.abc import Iterator, Mapping, Sequence

from engine.rehearsal import lookout, named
from engine.rehearsal.lookout import Table, Tables
from engine.rehearsal.measured import Course
from engine.rehearsal.named import Names
from engine.rehearsal.receipt import File, Rows


def rows(course: Course, after: Mapping[str, int]) -> tuple[Rows, ...]:
    """Every table by the name that it has now, whatever it was called; a dropped one by the name that it had."""
    found = dict[str, Rows]()
    for oid in course.first.keys() | course.tables.keys():
        then, now = course.first.get(oid), course.tables.get(oid)
        known = now or then
        if known and known.plain:
            was = course.copy.rows.get(then.called) if then else None
            is_now = after.get(now.called) if now else None
            other = found.get(known.called, Rows(known.called, None, None))  # dropped, and made anew by the same name
            found[known.called] = Rows(
                known.called, other.before if was is None else was, other.after if is_now is None else is_now
            )
    return tuple(found[name] for name in sorted(found))


def unnamed(course: Course, files: Sequence[File], after: Mapping[str, int]) -> tuple[str, ...]:
    """Tables whose rows changed though no file names them, or one that they are a part of."""
    changed = {one.relation for file in files for one in file.changes if one.touched}
    changed |= {one.table for one in rows(course, after) if (one.before or 0) != (one.after or 0)}
    names = named.of(course.plan.migrations)
    return tuple(sorted(one for one in changed if not any(_named(names, one, course))))


def _named(names: Names, called: str, course: Course) -> Iterator[bool]:
    """Whether it is named as it was or as it is; what came and went in between has no other name."""
    known = list[tuple[Table, Tables]]()
    for oid in course.first.keys() | course.tables.keys():
        both = [(among[oid], among) for among in (course.first, course.tables) if oid in among]
        if any(table.called == called for table, _ in both):
            known += both
    if not known:
        schema, _, name = called.partition(".")
        yield names.has(schema, name, visible=True)
    for table, among in known:
        yield lookout.is_named(names, table, among)
