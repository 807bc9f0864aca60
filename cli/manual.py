"""What `twokey --help` teaches below the list of commands, and what words of other tools are answered with."""

import click

SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 120}

#: What is typed by who knows dbmate, Alembic, Flyway or the channel → what is meant here.
_BRINGS = "What brings migrations to an environment, after a backup: twokey apply ENVIRONMENT"
_TAKES_BACK = "What takes the newest back, after a backup: twokey rollback ENVIRONMENT"
_WRITES = (
    "A migration is a file that you write into the migrations folder (twokey --help shows one), or that is made from "
    "what changed in the models: twokey generate NAME"
)
_SHOWS = "What is where, and what is pending: twokey status"
_IN_SLACK = "That is said in Slack, where it stands in the ledger: /migrate"
ELSEWHERE = {
    "init": "twokey --help shows the smallest twokey.toml and a migration; write both, then: twokey check",
    **dict.fromkeys(("up", "migrate", "upgrade", "deploy", "run"), _BRINGS),
    **dict.fromkeys(("down", "downgrade", "revert", "undo"), _TAKES_BACK),
    **dict.fromkeys(("new", "create", "revision", "make", "add"), _WRITES),
    **dict.fromkeys(("current", "heads", "info", "ls", "list"), _SHOWS),
    "stamp": "What writes files down as applied, without running them: twokey baseline ENVIRONMENT MIGRATION",
    "dump": "What dumps an environment: twokey backup ENVIRONMENT",
    "help": "Say: twokey --help, or: twokey apply --help",
    **{
        word: f"{_IN_SLACK} {word}" for word in ("certify", "freeze", "thaw", "history", "requests", "cancel", "export")
    },
}


class Commands(click.Group):
    """The commands, and a word for who types another tool's."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that was typed; raises UsageError."""
        if self.get_command(ctx, args[0]) is None and (meant := ELSEWHERE.get(args[0])):
            raise click.UsageError(f"No such command {args[0]!r}. {meant}", ctx)
        return super().resolve_command(ctx, args)


EXAMPLES = """\b
Examples:
  twokey check                    whether everything a run needs is there
  twokey status                   what is where, and what is pending
  twokey plan test                what would run on test, without running it
  twokey plan test --rehearse     the same, after it ran on a copy restored from a backup
  twokey lint                     what a reviewer should know of the files, without a database
  twokey lint --round-trip        whether each migration has a way back, and what that costs
  twokey generate add_cities      a migration from what changed in the models, proven up and down
  twokey apply development        back up, then apply what is pending
  twokey promote test             bring to test what development has
  twokey rollback development     take the newest migration back
  twokey backup test              a dump with a manifest beside it
  twokey backups test             which backups there are, each verified
  twokey restore test BACKUP      bring test back to a backup; the old database is kept
  twokey validate                 missing, extra, edited, out of order, drifted, ready to promote
  twokey status --json | jq .environments

\b
A migration is a file YYYYMMDDHHMMSS_name.sql in the migrations folder. It may say how it is taken back:
  -- migrate:up
  CREATE TABLE cities (id bigint PRIMARY KEY, name text NOT NULL);
  -- migrate:down
  DROP TABLE cities;

\b
The smallest twokey.toml; an [[environment]] more for each further one, in the order in which migrations travel:
  migrations = "migrations"
  channel = "C0MIGRATE"
  [[environment]]
  name = "development"
  database_url = { env = "DEVELOPMENT_DATABASE_URL" }

\b
The workflow file is twokey.toml, or the file that TWOKEY_CONFIG names. Each environment's address is in the variable
that the file names for it. pg_dump is found in PG_BIN, else through PATH.

\b
Completion of commands, environments, migrations and backups is one line in the shell's own file:
  bash  ~/.bashrc                                eval "$(_TWOKEY_COMPLETE=bash_source twokey)"
  zsh   ~/.zshrc, after compinit                 eval "$(_TWOKEY_COMPLETE=zsh_source twokey)"
  fish  ~/.config/fish/completions/twokey.fish   env _TWOKEY_COMPLETE=fish_source twokey | source

\b
Exit codes: 0 done · 1 refused or failed · 2 wrong usage · 3 could not reach a database · 130 Ctrl-C.

\b
A protected environment is never changed from here. Ask in Slack: /migrate apply <environment>
"""
