"""What `twokey --help` teaches below the list of commands."""

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
