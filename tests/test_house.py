"""The house rules that no other tool checks, read off the syntax of every file."""

import ast
import re
import statistics
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from ledger.events import KINDS

ROOT = Path(__file__).parent.parent
ROOMS = ("bot", "ledger", "workers", "engine", "cli", "playground")

#: What each room may use of others'. What it may use of ours is import-linter's to say (pyproject.toml).
OTHERS = {
    "bot": {"slack_bolt", "slack_sdk"},
    "bot.brush": {"matplotlib"},
    "ledger": {"sqlalchemy"},
    "ledger.doorbell": {"redis", "rq"},
    "workers": {"rq", "redis"},
    "engine": {"psycopg", "postgast"},
    "engine.generate.loader": {"sqlalchemy"},
    "cli": {"click", "rich"},
}

#: Where the surroundings of the process may be read.
READS_SURROUNDINGS = re.compile(r"(bot|ledger|workers)\.config|cli(\..*)?|playground(\..*)?")

#: Modules that are functions of their arguments, with everything of ours that they import.
PURE = re.compile(r"bot\.(grammar|messages)|ledger\.(policy|states|request|events|records|workflow)|engine\.hazards.*")
PURE_LIBRARIES = {
    "__future__", "collections", "dataclasses", "datetime", "difflib", "enum", "functools", "hashlib", "itertools",
    "json", "re", "string", "typing", "unicodedata",
}  # fmt: skip
#: The exceptions: a path as a value, and the parser whose tree a hazard judges.
PURE_ALSO = {"ledger.workflow": {"pathlib"}, "engine.hazards": {"postgast", "google"}}

BANNED = {"util", "helper", "common", "manager", "handler", "process", "data", "misc", "perform"}
NOT_OUR_WORDS = {"job", "task", "target", "stage", "user"}
#: RQ's words belong to its doorway, Slack's to its stand-in: that room speaks Slack's protocol in Slack's own names.
SPEAKS_ANOTHERS_WORDS = re.compile(r"workers\.(tasks|doorway|stations)|playground(\..*)?")
#: Names that others gave: RQ's methods, which ours override; and the operating system's processes, which are processes.
GIVEN = {
    "workers.doorway: raw_data",
    "playground.stack: process",
    "playground.stack: processes",
}

#: Events without words of their own: what was asked stands on the card, and what follows tells how it was witnessed.
SILENT = {"Asked", "Ready", "Witnessed"}


@cache
def tree(module: str) -> ast.Module:
    """The syntax tree of one of our modules."""
    return ast.parse(path(module).read_text(encoding="utf-8"))


def path(module: str) -> Path:
    """The file of one of our modules."""
    stem = ROOT.joinpath(*module.split("."))
    return stem / "__init__.py" if stem.is_dir() else stem.with_suffix(".py")


def modules(*rooms: str) -> list[str]:
    """Every module of the rooms, by dotted name."""
    files = sorted(file for room in rooms for file in (ROOT / room).rglob("*.py"))
    return [".".join(f.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for f in files]


def imported(module: str) -> Iterator[str]:
    """The dotted names a module imports, wherever in it that stands; `from a import b` gives both a and a.b."""
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def others(module: str) -> set[str]:
    """The top-level packages a module uses that are neither ours nor Python's."""
    return {name.split(".")[0] for name in imported(module)} - set(ROOMS) - sys.stdlib_module_names


def functions() -> Iterator[tuple[str, int]]:
    """Each function of ours as `module:line name` with the number of its lines, docstring left out."""
    for module in modules(*ROOMS):
        for node in ast.walk(tree(module)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                first = node.body[0]
                said = first if ast.get_docstring(node) is not None else None
                docstring = (said.end_lineno or 0) - said.lineno + 1 if said else 0
                yield f"{module}:{node.lineno} {node.name}", (node.end_lineno or 0) - node.lineno + 1 - docstring


def names(module: str) -> Iterator[str]:
    """Every name a module gives: its own, its classes', functions', parameters' and variables'."""
    yield module.split(".")[-1]
    for node in ast.walk(tree(module)):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()):
                yield name


def words(name: str) -> set[str]:
    """`RequestHandlers` → request, handlers, handler."""
    found = {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)}
    return found.union(*({word.removesuffix("s"), word.removesuffix("es")} for word in found))


@pytest.mark.parametrize("room", ["bot", "ledger", "workers", "engine", "cli"])
def test_a_room_uses_of_others_only_what_the_house_allows(room: str) -> None:
    wrong = {m: extra for m in modules(room) if (extra := others(m) - OTHERS[room] - OTHERS.get(m, set()))}
    assert wrong == {}


@pytest.mark.parametrize(
    ("room", "lists"),
    [("bot", "bot"), ("ledger", "ledger"), ("workers", "ledger engine"), ("engine", "engine"), ("cli", "cli engine")],
)
def test_the_packages_an_image_installs_for_a_room_are_those_it_imports(room: str, lists: str) -> None:
    text = "\n".join((ROOT / "requirements" / f"{name}.txt").read_text() for name in lists.split())
    listed = {
        found[0].replace("-", "_") for found in re.findall(r"^([a-z][a-z0-9-]*)(\[\w+\])?[<>=]", text, re.MULTILINE)
    }
    assert set().union(*(others(m) for m in modules(room))) <= listed


def test_the_surroundings_are_read_in_the_configs_and_at_the_side_door_alone() -> None:
    def reads(module: str) -> bool:
        spoken = {ast.unparse(node) for node in ast.walk(tree(module)) if isinstance(node, ast.Attribute)}
        return bool({"os.environ", "os.getenv"} & {*spoken, *imported(module)})

    assert [m for m in modules(*ROOMS) if reads(m) and not READS_SURROUNDINGS.fullmatch(m)] == []


def test_imports_are_absolute() -> None:
    relative = [
        f"{m}:{node.lineno}"
        for m in modules(*ROOMS)
        for node in ast.walk(tree(m))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert relative == []


def test_what_is_pure_rests_on_what_is_pure() -> None:
    ours = set(modules(*ROOMS))
    todo, seen, wrong = [m for m in ours if PURE.fullmatch(m)], set[str](), list[str]()
    while todo:
        module = todo.pop()
        seen.add(module)
        wanted = set(imported(module))
        allowed = PURE_LIBRARIES.union(*(more for place, more in PURE_ALSO.items() if module.startswith(place)))
        foreign = {name.split(".")[0] for name in wanted} - set(ROOMS) - allowed
        wrong += [f"{module} imports {name}" for name in sorted(foreign)]
        todo += (wanted & ours) - seen
    assert wrong == []


def test_no_function_is_longer_than_forty_lines_and_half_are_eight_or_less() -> None:
    lengths = dict(functions())
    assert {name: length for name, length in lengths.items() if length > 40} == {}
    assert statistics.median(lengths.values()) <= 8


def test_no_file_is_longer_than_three_hundred_lines() -> None:
    files = [file for folder in (*ROOMS, "tests", "benchmarks") for file in (ROOT / folder).rglob("*.py")]
    lengths = {str(f.relative_to(ROOT)): len(f.read_text(encoding="utf-8").splitlines()) for f in files}
    assert {name: length for name, length in lengths.items() if length > 300} == {}


def test_no_name_is_a_drawer_in_which_anything_fits() -> None:
    assert {f"{m}: {name}" for m in modules(*ROOMS) for name in names(m) if words(name) & BANNED} <= GIVEN


def test_things_are_called_by_the_words_of_the_glossary() -> None:
    ours = [m for m in modules(*ROOMS) if not SPEAKS_ANOTHERS_WORDS.fullmatch(m)]
    assert {f"{m}: {name}" for m in ours for name in names(m) if words(name) & NOT_OUR_WORDS} == set()


def test_every_event_is_told_in_slack_or_known_to_be_silent() -> None:
    spoken = {
        node.attr
        for m in modules("bot")
        for node in ast.walk(tree(m))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "events"
    }
    assert set(KINDS) - spoken == SILENT
