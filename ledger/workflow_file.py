"""twokey.toml → Workflow, or a WorkflowError that names each key and says what to write."""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from ledger.toml_table import TomlTable
from ledger.workflow import (
    GROUP,
    PERSON,
    Backups,
    Environment,
    Extent,
    Generate,
    Person,
    Rehearsals,
    Scratch,
    Trouble,
    Unreadable,
    Verbosity,
    Workflow,
    WorkflowError,
    emoji,
    is_group,
)

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,49}")  # schema_migrations.environment holds 50 characters
_CHANNEL = re.compile(r"[CG][A-Z0-9]{2,}")
_APPROVER = re.compile(rf"{PERSON.pattern}|{GROUP.pattern}")
_EMAIL = re.compile(r"[^@\s<>]+@[^@\s<>]+")
_EMOJI = re.compile(r"[a-z0-9_+'-]+")
_OBJECT = re.compile(r"[a-z]+( [a-z]+)? \S.*")
_FORM = re.compile(r"plain|custom|directory")
_MODELS = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")
_EXTENTS = {"true": Extent.WHOLE, "false": Extent.OFF, '"schema"': Extent.SCHEMA}
#: Slack shows it to a person there.
_A_CHANNEL = '"C…", the id at the foot of the channel\'s details in Slack'
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def load(path: Path) -> Workflow:
    """Read a workflow file. Relative folders in it are relative to the file itself. Raises WorkflowError."""
    troubles: list[Trouble] = []
    table = TomlTable(_parse(path), at="", troubles=troubles)
    channel = table.text("channel", matching=_CHANNEL, like=_A_CHANNEL)
    verbosity = _verbosity(table, default=Verbosity.NORMAL)
    backup = _keep(table, Backups())
    people = _people(table)
    migrations = _folder(path, table.text("migrations", like='"migrations"'))
    workflow = Workflow(
        migrations=migrations,
        backups=_folder(
            path, table.text("backups", like='"schema-backups"', default=str(migrations / "schema-backups"))
        ),
        channel=channel,
        requests_expire=table.duration("requests_expire", default=timedelta(hours=4)),
        start_delay=table.duration("start_delay", default=timedelta(seconds=15)),
        approve_with=_emoji(table, "approve_with", default="white_check_mark"),
        reject_with=_emoji(table, "reject_with", default="x"),
        lock_timeout=table.duration("lock_timeout", default=timedelta(seconds=2)),
        statement_timeout=table.duration("statement_timeout", default=timedelta(minutes=30)),
        environments=tuple(
            replace(_environment(one, channel=channel, verbosity=verbosity, backup=backup), people=people)
            for one in table.tables("environment")
        ),
        scratch=_scratch(table),
        generate=_generate(table, path),
        approve_button=table.truth("approve_button"),
        people=people,
    )
    table.nothing_else()
    _no_name_twice(table, workflow.environments)
    if emoji(workflow.approve_with) == emoji(workflow.reject_with):
        table.wrong("reject_with", "is the same emoji as approve_with; write another one")
    if troubles:
        raise WorkflowError(str(path), *troubles)
    return workflow


def warnings(workflow: Workflow) -> tuple[str, ...]:
    """What is legal and probably not meant: a sentence each, to be said at start."""
    protected = (environment for environment in workflow.environments if environment.protected)
    return tuple(filter(None, map(_warning, protected)))


def _warning(environment: Environment) -> str | None:
    if not environment.approvers:
        return (
            f"Nobody may approve {environment.name}: its approvers are empty, so it cannot be changed. "
            "Add Slack user ids to approvers in twokey.toml."
        )
    if len(environment.approvers) < environment.approvals and not any(map(is_group, environment.approvers)):
        return (
            f"{environment.name} takes {environment.approvals} approvals and lists fewer approvers, so it cannot be "
            "changed. Add people to approvers in twokey.toml, or lower approvals."
        )
    return None


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        instead = "is not there; set TWOKEY_CONFIG to the workflow file, or write one as the README shows it"
        raise Unreadable(str(path), instead) from error
    except OSError as error:
        raise Unreadable(str(path), "cannot be read; set TWOKEY_CONFIG to the workflow file") from error
    except UnicodeDecodeError as error:
        raise Unreadable(str(path), "is not UTF-8; save it as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise Unreadable(str(path), f"is not TOML: {error}") from error


def _environment(table: TomlTable, *, channel: str, verbosity: Verbosity, backup: Backups) -> Environment:
    name = table.text("name", matching=_NAME, like='"production": small letters, digits, - and _')
    environment = Environment(
        name=name,
        aliases=table.texts("aliases", matching=_NAME, like='["prod"]'),
        dsn_variable=_dsn_variable(table, f"{name.upper().replace('-', '_') or 'TEST'}_DATABASE_URL"),
        protected=table.truth("protected"),
        approvers=_listed(table, "approvers"),
        certifiers=_listed(table, "certifiers") if table.has("certifiers") else None,
        approvals=table.number("approvals", default=1),
        authors_may_approve=table.truth("authors_may_approve"),
        on_protected_server=table.truth("on_protected_server"),
        channel=table.text("channel", matching=_CHANNEL, like=_A_CHANNEL, default=channel),
        verbosity=_verbosity(table, default=verbosity),
        backup=_backup(table, backup),
        rehearsals=_rehearsals(table),
        differs=table.texts(
            "differs", matching=_OBJECT, like='["index public.users_email"], as twokey validate says it'
        ),
    )
    table.nothing_else()
    return environment


def _scratch(table: TomlTable) -> Scratch | None:
    inner = table.table("scratch")
    if inner is None:
        return None
    return _server(inner, _dsn_variable(inner, "SCRATCH_DATABASE_URL"))


def _server(inner: TomlTable, variable: str) -> Scratch:
    scratch = Scratch(variable, on_protected_server=inner.truth("on_protected_server"), room=inner.size("room"))
    inner.nothing_else()
    return scratch


def _rehearsals(table: TomlTable) -> Rehearsals:
    like = '{ env = "REHEARSAL_DATABASE_URL" }'
    inner = table.table("rehearsal", like=like, secret=True)
    server = inner and _server(inner, inner.text("env", matching=_VARIABLE, like='"REHEARSAL_DATABASE_URL"'))
    return Rehearsals(
        extent=table.choice("rehearse", _EXTENTS, default=None),
        server=server,
        good_for=table.duration("rehearsal_good_for", default=None),
    )


def _generate(table: TomlTable, path: Path) -> Generate | None:
    inner = table.table("generate")
    if inner is None:
        return None
    models = inner.text("models", matching=_MODELS, like='"models:Base"', default="")
    folder = _folder(path, inner.text("models_in", like='"src"', default="."))
    python = inner.text("python", like='".venv/bin/python"', default="")
    command = inner.words("command", like='["npx", "print-sql"]')
    inner.nothing_else()
    if inner.fine and bool(models) == bool(command):
        table.wrong("generate", 'takes either models = "models:Base" or command = ["npx", "print-sql"]')
    # Not resolved: a virtual environment's python is a link, and is that environment only by its own name.
    return Generate(models or None, folder, path.parent.absolute() / python if python else None, command)


def _keep(table: TomlTable, default: Backups) -> Backups:
    return replace(
        default,
        keep=table.number("keep_backups", default=default.keep),
        keep_for=table.duration("keep_backups_for", default=default.keep_for),
    )


def _backup(table: TomlTable, default: Backups) -> Backups:
    form = table.text("backup_format", matching=_FORM, like='"plain", "custom" or "directory"', default=default.form)
    parallel = table.number("backup_jobs", default=1)
    if table.fine and parallel > 1 and form != "directory":
        table.wrong("backup_jobs", 'is for backup_format = "directory" alone; leave it out, or write that')
    return replace(_keep(table, default), form=form, parallel=parallel)


def _dsn_variable(table: TomlTable, usual: str) -> str:
    """The name of the variable that holds the address; the address itself has no place in a committed file."""
    like = f'{{ env = "{usual}" }}'
    inner = table.secret_table("database_url", like=like, instead="must not stand in this file")
    if inner is None:
        return ""
    variable = inner.text("env", matching=_VARIABLE, like=f'"{usual}", the name of a variable')
    inner.nothing_else()
    return variable


def _verbosity(table: TomlTable, *, default: Verbosity) -> Verbosity:
    words = re.compile("|".join(Verbosity))
    return Verbosity(table.text("verbosity", matching=words, like='"quiet", "normal" or "all"', default=default))


def _emoji(table: TomlTable, key: str, *, default: str) -> str:
    return table.text(key, matching=_EMOJI, like=f'"{default}", an emoji\'s name without colons', default=default)


def _folder(path: Path, folder: str) -> Path:
    return (path.parent / folder).resolve()


def _listed(table: TomlTable, key: str) -> tuple[str, ...]:
    like = '["U0APPROVER", "S0APPROVERS"], Slack ids of people and user groups'
    return table.texts(key, matching=_APPROVER, like=like)


def _people(table: TomlTable) -> tuple[Person, ...]:
    people = tuple(map(_person, table.tables("person", needed=False)))
    taken: set[str] = set()
    for person in people:
        for known in (*person.slack, *person.emails):
            if known in taken:
                table.wrong("person", f'has "{known}" twice; give each account and address to one person')
            taken.add(known)
    return people


def _person(table: TomlTable) -> Person:
    name = table.text("name", like='"Ada Engineer"')
    slack = table.texts("slack", matching=PERSON, like='["U0ENGINEER"], Slack user ids')
    emails = table.texts("emails", matching=_EMAIL, like='["ada@example.com"], e-mail addresses')
    table.nothing_else()
    if table.fine and not slack and not emails:
        table.wrong("slack", "is missing, and so is emails; write at least one, or leave the person out")
    return Person(name, slack, tuple(email.lower() for email in emails))


def _no_name_twice(table: TomlTable, environments: Iterable[Environment]) -> None:
    taken: set[str] = set()
    for environment in environments:
        for name in filter(None, (environment.name, *environment.aliases)):  # one that is malformed is empty
            if name in taken:
                table.wrong("environment", f'uses the name or alias "{name}" twice; give each its own')
            taken.add(name)
