"""What a file would be told before it ever meets a database: whether it will run at all, and its hazards."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from pathlib import Path

from cli.answer import Answer, Code, Line, Span, Tone, line
from cli.surroundings import here, tools
from engine import bounds, files, hazards, statements
from engine.connection import Limits
from engine.errors import EngineError
from engine.files import BadName, Migration, NoFolder, NoSuchFile, Unreadable
from engine.hazards import Hazard
from engine.squawk import Squawk
from ledger.workflow import WorkflowError


@dataclass(frozen=True, slots=True)
class Looked:
    """One file: its hazards, or why it will not run."""

    file: str
    refusal: str | None
    hazards: tuple[Hazard, ...] = ()


def lint(paths: Sequence[str], *, strict: bool) -> Answer:
    """Each file's hazards; without paths, of the workflow's whole folder. A file that will not run is a failure."""
    parsed = list(_each(paths))
    runs = [one for one in parsed if isinstance(one, Migration)]
    squawked = Squawk(tools().squawk).look(runs)
    looked = [one if isinstance(one, Looked) else _look(one, squawked) for one in parsed]
    refused = any(one.refusal for one in looked)
    found = sum(len(one.hazards) for one in looked)
    failed = refused or (strict and found > 0)
    body = {"question": "lint", "files": [asdict(one) for one in looked]}
    return Answer(Code.REFUSED if failed else Code.DONE, tuple(_words(looked, found)), body)


def _each(paths: Sequence[str]) -> Iterator[Migration | Looked]:
    """What can be read and parsed and keeps within bounds, and why the rest does not."""
    limits = _limits()
    for path in map(Path, paths) if paths else _folder():
        try:
            migration = _read(path)
            bounds.check(migration, statements.parse(migration), schema="public", limits=limits)
            yield migration
        except EngineError as wrong:
            yield Looked(path.name, str(wrong))


def _limits() -> Limits:
    """The workflow's, or the usual ones where there is no workflow file."""
    try:
        return here().limits
    except WorkflowError:
        return Limits()


def _folder() -> list[Path]:
    """The files of the workflow's folder, which must be one that a plan could be drawn from: raises BadFile."""
    folder = here().workflow.migrations
    return [folder / one.file for one in files.read(folder)]


def _read(path: Path) -> Migration:
    """One file by itself, under the rules of the folder. Raises a child of BadFile."""
    if path.is_dir():
        raise NoFolder(str(path))
    if not files.well_named(path.name):
        raise BadName(path.name)
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        there = [one.name for one in path.parent.glob("*.sql")]
        raise NoSuchFile(str(path), next(iter(get_close_matches(path.name, there, n=1)), None)) from None
    except OSError as cause:
        raise Unreadable(path.name) from cause
    return files.parse(path.name, raw)


def _look(migration: Migration, squawked: Mapping[str, tuple[Hazard, ...]]) -> Looked:
    parsed = statements.parse(migration)
    ours = hazards.find((one.node, one.line) for one in parsed)
    found = sorted((*ours, *squawked.get(migration.id, ())), key=lambda one: one.line)
    return Looked(migration.file, None, tuple(found))


def _words(looked: Sequence[Looked], found: int) -> Iterator[Line]:
    for one in looked:
        if one.refusal:
            yield line(one.refusal, Tone.BAD)
        for hazard in one.hazards:
            told = f"{hazard.name}: {hazard.sentence}"
            yield (Span(f"{one.file}:{hazard.line}: ", Tone.STRONG), Span(told, Tone.WARN))
    refused = sum(1 for one in looked if one.refusal)
    will_not = f"{_counted(refused, 'will not run', 'will not run')}, " if refused else ""
    yield line(
        f"{_counted(len(looked), 'file', 'files')}: {will_not}{_counted(found, 'hazard', 'hazards')}. "
        "Without a database: what rows, sizes and locks are at stake, a plan says.",
        Tone.QUIET,
    )


def _counted(count: int, one: str, more: str) -> str:
    return f"{count} {one if count == 1 else more}"
