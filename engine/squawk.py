"""What squawk, a linter of SQL and a program of its own, says of migrations: its findings as our hazards."""

import json
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine import sections
from engine.files import Migration
from engine.hazards import Hazard

_SECONDS = 60

#: Said when squawk did not look; its page is docs/hazards/squawk.md like that of everything squawk says.
DID_NOT_RUN = "squawk_did_not_run"

#: squawk's rules that we leave out, and why; docs/hazards/squawk.md says the same.
LEFT_OUT: Mapping[str, str] = {
    "adding-field-with-default": "rewrites_table",
    "adding-foreign-key-constraint": "checks_every_row",
    "adding-not-nullable-field": "requires_value",
    "adding-required-field": "adds_required_column",
    "adding-serial-primary-key-field": "rewrites_table",
    "ban-char-field": "taste",
    "ban-concurrent-index-creation-in-transaction": "refused",
    "ban-drop-column": "drops_column",
    "ban-drop-database": "refused",
    "ban-drop-table": "drops_table",
    "ban-truncate-cascade": "truncates",
    "ban-uncommitted-transaction": "refused",
    "changing-column-type": "changes_column_type",
    "constraint-missing-not-valid": "checks_every_row",
    "prefer-bigint-over-int": "int4_key_runs_out",
    "prefer-bigint-over-smallint": "taste",
    "prefer-identity": "taste",
    "prefer-robust-stmts": "if_not_exists_skips",
    "prefer-text-field": "taste",
    "prefer-timestamp-tz": "taste",
    "renaming-column": "renames",
    "renaming-table": "renames",
    "require-concurrent-index-creation": "builds_index_blocking_writes",
    "require-lock-timeout": "every run has one",
    "require-statement-timeout": "every run has one",
    "require-timeout-settings": "every run has one",
    "syntax-error": "PostgreSQL's own parser judges",
    "transaction-nesting": "refused",
}


@dataclass(frozen=True, slots=True)
class Squawk:
    """The program; `path` is None where there is none, which every look then says."""

    path: Path | None

    def look(self, files: Sequence[Migration], *, server: str | None = None) -> Mapping[str, tuple[Hazard, ...]]:
        """Migration id → hazards. `server` such as "18.4". Where squawk cannot look, the first says so."""
        if not files:
            return {}
        if self.path is None:
            return _absent(files[0], "is not installed")
        try:
            said = _run(self.path, files, server)
        except (OSError, subprocess.SubprocessError, ValueError):
            return _absent(files[0], "did not answer")
        return {file.id: tuple(_hazards(said.get(file.file, []))) for file in files}


def _absent(first: Migration, why: str) -> Mapping[str, tuple[Hazard, ...]]:
    sentence = (
        f"squawk {why}, so its rules looked at none of these files. Install it (pip install squawk-cli) and ask again."
    )
    return {first.id: (Hazard(DID_NOT_RUN, 1, sentence),)}


def _run(program: Path, files: Sequence[Migration], server: str | None) -> dict[str, list[dict[str, Any]]]:
    """squawk's findings by file name, of the way up: what takes it back does not run.

    The texts are written into a folder where no configuration of anybody's lies.

    It is told of a transaction for files without one as well: every rule that hangs on that is left out.
    """
    version = [f"--pg-version={server}"] if server else []
    with tempfile.TemporaryDirectory(prefix="twokey-squawk-") as folder:
        for file in files:
            Path(folder, file.file).write_text(sections.cut(file.text).up.text, encoding="utf-8", newline="")
        ended = subprocess.run(
            [program, "--reporter=json", "--assume-in-transaction", *version, *(file.file for file in files)],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
            env={"LC_ALL": "C.UTF-8"},
        )
    found: dict[str, list[dict[str, Any]]] = {}
    for one in json.loads(ended.stdout):
        found.setdefault(one["file"], []).append(one)
    return found


def _hazards(said: Sequence[dict[str, Any]]) -> Iterator[Hazard]:
    for one in sorted(said, key=lambda one: (one["line"], one["rule_name"])):
        name, line = one["rule_name"], one["line"]
        if name not in LEFT_OUT:
            yield Hazard(f"squawk:{name}", line + 1, _sentence(one["message"], one["help"]))


def _sentence(message: str, way_out: str | None) -> str:
    parts = (" ".join(part.split()).rstrip(".!") + "." for part in (message, way_out) if part)
    return " ".join(parts)
