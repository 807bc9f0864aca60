"""The `twokey` command: what can be typed, and the way from an answer to an exit code."""

import sys
from collections.abc import Callable, Sequence

import click

from cli import completing, manual
from cli.answer import Answer, Code, no, sentence
from cli.terminal import show, stopped

as_json = click.option("--json", "as_json", is_flag=True, help="One JSON object instead of words.")
an_environment = click.argument("environment", metavar="ENVIRONMENT", shell_complete=completing.environments)
maybe_an_environment = click.argument(
    "environment", metavar="[ENVIRONMENT]", required=False, shell_complete=completing.environments
)


@click.group(cls=manual.Commands, epilog=manual.EXAMPLES, context_settings=manual.SETTINGS)
@click.version_option(package_name="twokey", message="%(prog)s %(version)s")
def twokey() -> None:
    """Promote SQL migrations development → test → production, from a terminal."""


@twokey.command(
    short_help="What is where, what is pending, who applied the last.",
    epilog="\b\nExamples:\n  twokey status\n  twokey status test",
)
@maybe_an_environment
@as_json
def status(environment: str | None, as_json: bool) -> int:
    """Show which migration is where, what is pending, and who applied the last one."""
    from cli import questions

    return _end(lambda: questions.status(environment), as_json=as_json)


@twokey.command(
    short_help="What would run on ENVIRONMENT; runs nothing.",
    epilog="\b\nExamples:\n  twokey plan dev --json\n  twokey plan production --rehearse",
)
@an_environment
@click.option("--rehearse", is_flag=True, help="Run it on a copy of a backup taken now, and show what it did.")
@as_json
def plan(environment: str, rehearse: bool, as_json: bool) -> int:
    """Show what would run on ENVIRONMENT, and run nothing.

    With --rehearse it runs on a copy of a backup taken now: what it takes, locks and changes, what its way back loses.
    """
    if rehearse:
        from cli import rehearsing

        return _end(lambda: rehearsing.rehearse(environment, aloud=not as_json), as_json=as_json)
    from cli import planning

    return _end(lambda: planning.plan(environment), as_json=as_json)


@twokey.command(
    short_help="The environments side by side.",
    epilog="\b\nExamples:\n  twokey validate\n  twokey validate --json | jq .findings",
)
@as_json
def validate(as_json: bool) -> int:
    """Compare the environments: missing, extra, edited, out of order, drifted, ready to promote.

    Each schema is held against the one that its history makes, replayed where twokey.toml names a [scratch] server.
    Exits 1 when they disagree.
    """
    from cli import questions

    return _end(questions.validate, as_json=as_json)


@twokey.command(
    short_help="What files would be told, without a database.",
    epilog="\b\nExamples:\n  twokey lint\n  twokey lint migrations/20250818130001_create_users.sql\n"
    "  twokey lint --strict\n  twokey lint --round-trip --json | jq '.migrations[] | {id, verdict}'",
)
@click.argument("files", metavar="[FILE]...", nargs=-1, type=click.Path())
@click.option("--strict", is_flag=True, help="Exit 1 on any hazard, too; of a round trip, on all but lossless ones.")
@click.option("--round-trip", is_flag=True, help="Instead: up, down and up again, with rows, on a scratch database.")
@as_json
def lint(files: tuple[str, ...], strict: bool, round_trip: bool, as_json: bool) -> int:
    """Parse each FILE (or the whole folder) and show its hazards, without a database.

    Exits 1 on a file that will not run. Hazards are no failure unless --strict is said.

    With --round-trip each migration of the folder goes up, down and up again on the [scratch] server: its class is
    lossless, loses (which rows and values), irreversible (no way down) or broken (no way back), which exits 1.
    """
    from cli import linting, tripping

    ask = tripping.lint if round_trip else linting.lint
    return _end(lambda: ask(files, strict=strict), as_json=as_json)


@twokey.command(
    short_help="A migration from what changed in the models.",
    epilog="\b\nExamples:\n  twokey generate add_cities\n  twokey generate add_cities --json | jq -r .text",
)
@click.argument("name", metavar="NAME")
@as_json
def generate(name: str, as_json: bool) -> int:
    """Compare the declared models with the first environment and write the migration NAME, with its way down.

    It is proven on a scratch database first, up and down. Writes nothing when there is no difference or any doubt.
    """
    from cli import generating

    return _end(lambda: generating.generate(name, aloud=not as_json), as_json=as_json)


@twokey.command(
    short_help="Back up ENVIRONMENT, then apply what is pending.",
    epilog="\b\nExamples:\n  twokey apply development\n  twokey apply test --json",
)
@an_environment
@as_json
def apply(environment: str, as_json: bool) -> int:
    """Back up ENVIRONMENT, then apply what may come now: each migration in a transaction with its history row."""
    from cli import applying

    return _end(lambda: applying.apply(environment, aloud=not as_json), as_json=as_json)


@twokey.command(
    short_help="Bring to ENVIRONMENT what the one before it has.", epilog="\b\nExamples:\n  twokey promote test"
)
@an_environment
@as_json
def promote(environment: str, as_json: bool) -> int:
    """Bring to ENVIRONMENT what the one before it has. The same act as apply."""
    from cli import applying

    return _end(lambda: applying.promote(environment, aloud=not as_json), as_json=as_json)


@twokey.command(
    short_help="Take the newest migrations of ENVIRONMENT back.",
    epilog="\b\nExamples:\n  twokey rollback development\n  twokey rollback development last 2\n"
    "  twokey rollback test to 20250818130001_create_users",
)
@an_environment
@click.argument("how", metavar="[to MIGRATION | last N]", nargs=-1, shell_complete=completing.how_far)
@as_json
def rollback(environment: str, how: tuple[str, ...], as_json: bool) -> int:
    """Take the newest migration back, or the last N, or all that came after MIGRATION, which stays.

    Backs up first, then runs each file's `-- migrate:down` section, newest first, in a transaction of its own.
    """
    from cli import reverting

    return _end(lambda: reverting.rollback(environment, how, aloud=not as_json), as_json=as_json)


@twokey.command(
    short_help="Dump ENVIRONMENT into the backups folder.",
    epilog="\b\nExamples:\n  twokey backup test\n  twokey backup production --json | jq .backup.file",
)
@an_environment
@as_json
def backup(environment: str, as_json: bool) -> int:
    """Dump ENVIRONMENT into the backups folder, read it back, and put a manifest beside it. Changes nothing there."""
    from cli import backing

    return _end(lambda: backing.backup(environment, aloud=not as_json), as_json=as_json)


@twokey.command(
    short_help="The backups of ENVIRONMENT, each verified.",
    epilog="\b\nExamples:\n  twokey backups test\n  twokey backups test --json | jq '.backups[0].file'",
)
@an_environment
@as_json
def backups(environment: str, as_json: bool) -> int:
    """List the backups of ENVIRONMENT, newest first, each held against its manifest. Exits 1 when one is wrong."""
    from cli import backing

    return _end(lambda: backing.backups(environment), as_json=as_json)


@twokey.command(
    short_help="Bring ENVIRONMENT back to BACKUP.",
    epilog="\b\nExamples:\n  twokey restore development development-backup-2025-08-18T16-00-00.sql\n"
    "  twokey restore test test-backup-2025-08-18T16-00-00.sql --into test_of_monday",
)
@an_environment
@click.argument("backup", metavar="BACKUP", shell_complete=completing.backups)
@click.option("--into", metavar="NAME", help="Restore into a new database of this name; nothing is swapped.")
@as_json
def restore(environment: str, backup: str, into: str | None, as_json: bool) -> int:
    """Load BACKUP into a new database, compare it with its manifest, and swap it in. The old one is kept, renamed."""
    from cli import restoring

    return _end(lambda: restoring.back(environment, backup, into=into, aloud=not as_json), as_json=as_json)


@twokey.command(
    short_help="Drop a database that a restore kept.",
    epilog="\b\nExamples:\n  twokey discard development\n  twokey discard development shop_before_20250818_161500",
)
@an_environment
@click.argument("database", metavar="[DATABASE]", required=False)
@as_json
def discard(environment: str, database: str | None, as_json: bool) -> int:
    """Drop DATABASE, which a restore of ENVIRONMENT kept, for good. Without DATABASE: list those there are."""
    from cli import restoring

    return _end(lambda: restoring.discard(environment, database), as_json=as_json)


@twokey.command(
    short_help="Take over a database that has the schema.",
    epilog="\b\nExamples:\n  twokey baseline test 20250818140001_add_user_columns",
)
@an_environment
@click.argument("migration", metavar="MIGRATION", shell_complete=completing.migrations)
@as_json
def baseline(environment: str, migration: str, as_json: bool) -> int:
    """Write down every pending file up to and with MIGRATION as applied on ENVIRONMENT, without running any.

    For a database that already has the schema, made by hand or by another tool.
    """
    from cli import amending

    return _end(lambda: amending.baseline(environment, migration), as_json=as_json)


@twokey.command(
    short_help="Show what changed in applied files; accept it.",
    epilog="\b\nExamples:\n  twokey repair test\n  twokey repair test --accept 20250818140001_add_user_columns",
)
@an_environment
@click.option(
    "--accept",
    metavar="MIGRATION",
    multiple=True,
    help="Let this edited file count as it is now.",
    shell_complete=completing.migrations,
)
@as_json
def repair(environment: str, accept: tuple[str, ...], as_json: bool) -> int:
    """Show what changed in files after ENVIRONMENT applied them. Changes nothing unless --accept names a file.

    Accepting runs nothing: the history then says that the file ran as it is now. Exits 1 while a file is edited.
    """
    from cli import amending

    return _end(lambda: amending.repair(environment, accept), as_json=as_json)


@twokey.command(
    short_help="Whether everything a run needs is there.", epilog="\b\nExamples:\n  twokey check\n  twokey check test"
)
@maybe_an_environment
@as_json
def check(environment: str | None, as_json: bool) -> int:
    """Look at everything a run needs, and say what is wrong and how to mend it.

    Workflow file, folder, addresses, servers, poolers, identity, privileges, pg_dump, clocks. Exits 1 when something is
    wrong, 3 when a server could not be reached.
    """
    from cli import checking

    return _end(lambda: checking.check(environment), as_json=as_json)


def _end(ask: Callable[[], Answer], *, as_json: bool) -> int:
    """Say the answer, or the trouble that came instead of one; gives the exit code."""
    from cli.surroundings import WrongUsage
    from engine.errors import BadAddress, ConnectionLost, EngineError, Unreachable
    from ledger.workflow import WorkflowError

    try:
        answer = ask()
    except (WrongUsage, WorkflowError, BadAddress) as wrong:
        answer = no(Code.WRONG_USAGE, str(wrong), *(wrong.more if isinstance(wrong, WrongUsage) else ()))
    except (Unreachable, ConnectionLost) as away:
        answer = no(Code.UNREACHABLE, str(away))
    except EngineError as trouble:
        answer = no(Code.REFUSED, sentence(trouble))
    show(answer, as_json=as_json)
    return answer.code


def run(words: Sequence[str]) -> int:
    """Do what the words say and give the exit code."""
    try:
        return twokey.main(list(words), prog_name="twokey", standalone_mode=False) or Code.DONE
    except click.ClickException as wrong:
        wrong.show()
        return Code.WRONG_USAGE
    except click.Abort:  # Ctrl-C
        return stopped()


def main() -> None:
    """The entry point."""
    sys.exit(run(sys.argv[1:]))
