"""What the Tab key offers: names from the workflow file and from folders. No database is asked, nothing is said aloud.

Where the workflow file or a folder cannot be read, nothing is offered: a person in the middle of a line is told why
when the line is sent.
"""

from collections.abc import Callable, Iterable
from typing import Any

import click


def environments(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
    """Environments and their aliases."""
    return _offered(begun, _environments)


def migrations(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
    """Migrations of the folder, oldest first."""
    return _offered(begun, _migrations)


def backups(context: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
    """Backups of the environment that the line names, newest first."""
    return _offered(begun, lambda: _backups(context.params))


def how_far(context: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
    """`to` and `last`; after `to`, migrations."""
    said = context.params.get("how") or ()
    if not said:
        return _offered(begun, lambda: ["to", "last"])
    return _offered(begun, _migrations) if said == ("to",) else []


# Each command loads this module, and only the Tab key needs what is loaded below.


def _environments() -> list[str]:
    from cli import workflow

    return [name for one in workflow.read().environments for name in (one.name, *one.aliases)]


def _migrations() -> list[str]:
    from cli import workflow
    from engine import files

    return files.ids(workflow.read().migrations)


def _backups(said: dict[str, Any]) -> list[str]:
    from cli import workflow
    from engine import form

    ours = workflow.read()
    found = ours.environment(said.get("environment") or "")
    known = form.backups(ours.backups, found.name) if found else []
    return [path.name for path in known if path.exists()]


def _offered(begun: str, known: Callable[[], Iterable[str]]) -> list[str]:
    from ledger.workflow import WorkflowError

    try:
        return [name for name in known() if name.startswith(begun)]
    except (WorkflowError, OSError):
        return []
