"""What the hands are given by the environment variables around them; nothing else in this room reads those.

The three processes get three values, and none has a field for what it must not hold: the sweep has no
database of an environment, `prepare` has no Redis, and a Slack token stops all of them at the door.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from ledger import workflow_file
from ledger.workflow import GENERATOR_SEES, Environment, Workflow, WorkflowError

SLACK_TOKENS = ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET")
POSTGRES = ("postgresql://", "postgres://")
REDIS = ("redis://", "rediss://", "unix://")


class Misconfigured(Exception):
    """A setting is missing or malformed. The sentence names the setting and never its value."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence

    def __str__(self) -> str:
        return self.sentence


class Secret:
    """A text that hides itself wherever a text could be shown; only `reveal` gives it away.

    It refuses to be pickled, so it cannot reach a queue, and compares as itself alone.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself, for the one call that needs it."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(…)"

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("a Secret does not leave the process that holds it")


@dataclass(frozen=True, slots=True)
class HandsSettings:
    """For `python -m workers`: the databases of the environments it serves, and of no other."""

    workflow: Workflow
    environments: tuple[Environment, ...]
    databases: Mapping[str, Secret]
    ledger: Secret
    redis: Secret
    pg_bin: str | None
    path: str
    scratch: Mapping[str, Secret] = field(default_factory=dict)  # by the variable, those that are set
    generator_sees: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class SweepSettings:
    """For `python -m workers sweep`: the ledger and the ring."""

    workflow: Workflow
    ledger: Secret
    redis: Secret


@dataclass(frozen=True, slots=True)
class PrepareSettings:
    """For `python -m workers prepare`: the ledger's owner, and the addresses that others will use, by role.

    `backups` is the folder in which a ledger that holds something is backed up before its schema changes.
    """

    owner: Secret
    logins: Mapping[str, Secret]
    backups: Path | None = None
    pg_bin: str | None = None
    path: str = ""


def for_hands(names: Iterable[str], surroundings: Mapping[str, str] = os.environ) -> HandsSettings:
    """Read what a worker of the environments `names` (none: all) needs; raises Misconfigured."""
    _no_slack(surroundings)
    workflow = _workflow(surroundings)
    served = tuple(dict.fromkeys(_environment(workflow, name) for name in names)) or workflow.environments
    _databases_are_set(served, surroundings)
    return HandsSettings(
        workflow=workflow,
        environments=served,
        databases={e.name: _database_of(e, surroundings) for e in served},
        ledger=_ledger(surroundings),
        redis=_redis(surroundings),
        pg_bin=surroundings.get("PG_BIN") or None,
        path=surroundings.get("PATH", ""),
        scratch=_scratch(workflow, surroundings),
        generator_sees={name: surroundings[name] for name in GENERATOR_SEES if name in surroundings},
    )


def for_sweep(surroundings: Mapping[str, str] = os.environ) -> SweepSettings:
    """Read what the sweep needs; raises Misconfigured, also when an environment's database is in sight."""
    _no_slack(surroundings)
    workflow = _workflow(surroundings)
    for variable in workflow.dsn_variables:
        if surroundings.get(variable):
            raise Misconfigured(
                f"{variable} is in sight of the sweep, which needs no environment's database. "
                "Unset it here; it belongs to python -m workers."
            )
    return SweepSettings(workflow=workflow, ledger=_ledger(surroundings), redis=_redis(surroundings))


def for_prepare(surroundings: Mapping[str, str] = os.environ) -> PrepareSettings:
    """Read what `prepare` needs; raises Misconfigured."""
    _no_slack(surroundings)
    example = "the address of the ledger's owner: postgresql://owner:password@host/ledger"
    variables = {role: f"LEDGER_{role.upper()}_URL" for role in ("bot", "worker", "sweep")}
    return PrepareSettings(
        owner=_url("LEDGER_OWNER_URL", surroundings, schemes=POSTGRES, example=example),
        logins={
            f"twokey_{role}": _url(name, surroundings, schemes=POSTGRES, example=f"the ledger's address for the {role}")
            for role, name in variables.items()
            if surroundings.get(name)
        },
        backups=Path(folder) if (folder := surroundings.get("LEDGER_BACKUPS")) else None,
        pg_bin=surroundings.get("PG_BIN") or None,
        path=surroundings.get("PATH", ""),
    )


def _no_slack(surroundings: Mapping[str, str]) -> None:
    for name in SLACK_TOKENS:
        if surroundings.get(name):
            raise Misconfigured(
                f"{name} is in sight of the workers. No process holds both a Slack token and a database's address: "
                "unset it here; it belongs to python -m bot."
            )


def _workflow(surroundings: Mapping[str, str]) -> Workflow:
    try:
        return workflow_file.load(Path(surroundings.get("TWOKEY_CONFIG") or "twokey.toml"))
    except WorkflowError as wrong:
        raise Misconfigured(str(wrong)) from wrong


def _environment(workflow: Workflow, name: str) -> Environment:
    if found := workflow.environment(name):
        return found
    known = [e.name for e in workflow.environments]
    words = {word: e.name for e in workflow.environments for word in (e.name, *e.aliases)}
    near = get_close_matches(name, words, n=1)
    hint = f" Did you mean {words[near[0]]}?" if near else ""
    raise Misconfigured(f"twokey.toml has no environment {name!r}. It has {', '.join(known)}.{hint}")


def _databases_are_set(served: Iterable[Environment], surroundings: Mapping[str, str]) -> None:
    """All that are not are named at once; raises Misconfigured."""
    unset = [f"{one.dsn_variable} ({one.name})" for one in served if not surroundings.get(one.dsn_variable)]
    if unset:
        holds = "it holds an environment's address" if len(unset) == 1 else "each holds an environment's address"
        raise Misconfigured(
            f"Not set: {', '.join(unset)}; {holds}: postgresql://login:password@host/database. "
            "To serve other environments alone, name them: python -m workers <environment …>."
        )


def _database_of(environment: Environment, surroundings: Mapping[str, str]) -> Secret:
    name = environment.dsn_variable
    example = f"the address of {environment.name}'s database: postgresql://login:password@host/database"
    return _url(name, surroundings, schemes=POSTGRES, example=example)


def _scratch(workflow: Workflow, surroundings: Mapping[str, str]) -> Mapping[str, Secret]:
    """The servers for scratch databases. A worker may do without, and says so when it is asked for what needs one."""
    example = "the address of a server for scratch databases: postgresql://login:password@host/postgres"
    names = [one.dsn_variable for one in workflow.scratch_servers if surroundings.get(one.dsn_variable)]
    return {name: _url(name, surroundings, schemes=POSTGRES, example=example) for name in names}


def _ledger(surroundings: Mapping[str, str]) -> Secret:
    example = "the ledger's address: postgresql://login:password@host/ledger"
    return _url("LEDGER_DATABASE_URL", surroundings, schemes=POSTGRES, example=example)


def _redis(surroundings: Mapping[str, str]) -> Secret:
    return _url("REDIS_URL", surroundings, schemes=REDIS, example="the ring's address: redis://host:6379/0")


def _url(name: str, surroundings: Mapping[str, str], *, schemes: tuple[str, ...], example: str) -> Secret:
    value = surroundings.get(name, "")
    if not value:
        raise Misconfigured(f"{name} is not set; it holds {example}.")
    if not value.startswith(schemes):
        raise Misconfigured(f"{name} does not start with {' or '.join(schemes)}. It holds {example}.")
    return Secret(value)
