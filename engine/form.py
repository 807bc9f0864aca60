"""How pg_dump writes a backup, and what its file is then called. Light: nothing of the database's driver."""

import re
from enum import StrEnum
from pathlib import Path


class Form(StrEnum):
    """How pg_dump writes a backup: one readable file, one compressed file, or a folder that is written in parallel."""

    PLAIN = "plain"
    CUSTOM = "custom"
    DIRECTORY = "directory"

    @property
    def suffix(self) -> str:
        """What a backup's name ends in."""
        return {Form.PLAIN: ".sql", Form.CUSTOM: ".dump", Form.DIRECTORY: ".dir"}[self]


def backups(folder: Path, environment: str) -> list[Path]:
    """The names that backups of the environment have or had, newest first."""
    suffixes = "|".join(re.escape(form.suffix) for form in Form)
    pattern = re.compile(
        rf"({re.escape(environment)}-backup-(\d{{4}}-\d\d-\d\dT\d\d-\d\d-\d\d)(?:-(\d+))?(?:{suffixes}))(?:\.json)?"
    )
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    found = {match[1]: (match[2], int(match[3] or 1)) for one in names if (match := pattern.fullmatch(one))}
    return [folder / one for one in sorted(found, key=lambda one: found[one], reverse=True)]
