"""`python -m workers`: the hands of Twokey, its sweep, and the preparation of its ledger."""

import logging
import sys
from collections.abc import Sequence

from engine.errors import EngineError
from ledger import traces
from ledger.errors import LedgerError, MalformedUrl
from workers import config
from workers.config import Misconfigured

#: How a worker's log is written.
LINES = traces.Discreet("%(asctime)s %(message)s", (EngineError, LedgerError), datefmt="%H:%M:%S")

HELP = """\
python -m workers [environment …]   Serve these environments (none: all): plan, back up, apply, look.
python -m workers sweep             Ring again, expire, warn, and find out about runs that fell silent.
python -m workers prepare           Make the ledger's schema and roles. Once at deploy; again does no harm.

Settings are environment variables:
  TWOKEY_CONFIG         the workflow file                      (default: twokey.toml)
  LEDGER_DATABASE_URL   postgresql://login:password@host/ledger        (workers, sweep)
  REDIS_URL             redis://host:6379/0                            (workers, sweep)
  the variables that twokey.toml names, one per environment served     (workers alone)
  PG_BIN                the folder that holds pg_dump  (workers, prepare; default: found through PATH)
  LEDGER_OWNER_URL      the ledger's owner                             (prepare alone)
  LEDGER_BACKUPS        a folder for the backup that comes before an upgrade    (prepare alone)
  LEDGER_BOT_URL, LEDGER_WORKER_URL, LEDGER_SWEEP_URL
                        the addresses the others will use: prepare makes these logins (optional)

A worker of one environment is two processes: one runs, one answers questions, so a long run never delays a
status. SIGTERM or Ctrl-C lets a run in hand finish; a second one ends it, and PostgreSQL rolls back.
No Slack token may be in sight.
"""


def main(words: Sequence[str]) -> int:
    """Do what the words say until it is done; gives the exit code: 2 for a wrong setting, 1 when it went wrong."""
    if any(word in {"-h", "--help"} for word in words):
        sys.stdout.write(HELP)
        return 0
    logging.basicConfig(level=logging.INFO, handlers=[traces.to(sys.stderr, LINES)])
    try:
        _start(words)
    except (Misconfigured, MalformedUrl) as wrong:
        return _say(wrong, code=2)
    except LedgerError as wrong:
        return _say(wrong, code=1)
    except KeyboardInterrupt:  # while waiting for the ledger, before anything was in hand
        return 130
    return 0


def _start(words: Sequence[str]) -> None:
    """Each verb imports what it needs: the sweep carries no engine, and `prepare` no queue."""
    match list(words):
        case [word, *_] if word.startswith("-"):
            raise Misconfigured(f"There is no option {word}. Try: python -m workers --help")
        case ["sweep"]:
            from workers import sweep

            sweep.keep_sweeping(config.for_sweep())
        case ["prepare"]:
            from workers import prepare

            prepare.prepare(config.for_prepare(), say=_tell)
        case names:
            from workers import stations

            stations.serve(config.for_hands(names))


def _tell(sentence: str) -> None:
    logging.getLogger("twokey.workers").info(sentence)


def _say(wrong: Exception, *, code: int) -> int:
    sys.stderr.write(f"{wrong}\n")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
