"""`python -m ledger`: does the record hold? For whoever audits it, from the database or from an evidence file."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from enum import IntEnum
from pathlib import Path

from sqlalchemy.exc import ProgrammingError

from ledger import chain, config, evidence, verification
from ledger.book import Book
from ledger.chain import Tally
from ledger.errors import LedgerError, LedgerUnreachable
from ledger.pen import sqlstate
from ledger.verification import Findings

#: How many breaches are told; the first is the one that counts.
SHOWN = 20

_NOT_GRANTED = "42501"
_MAY_NOT = "The login in LEDGER_DATABASE_URL may not read all of that. The bot's and the owner's may."

_UNPROVEN = (
    "Neither a seal nor a tally stands over it. Export it again a minute after the end, when the ledger has sealed it, "
    "or hold it against the end that the environment keeps, with --tallies."
)

_EXAMPLES = """\
examples:
  python -m ledger verify
  python -m ledger export 7 > evidence-7.json
  python -m ledger verify evidence-7.json
  psql "$PRODUCTION_DATABASE_URL" -Atc 'SELECT tally FROM twokey_tallies' | python -m ledger verify --tallies -

The ledger's address stands in LEDGER_DATABASE_URL; any of its logins may verify, the bot's may export.
exit codes: 0 it holds, 1 it does not or its end is not proven, 2 wrong usage or setting, 3 it could not be read
"""


class Code(IntEnum):
    """What the shell is told."""

    HOLDS = 0
    BROKEN = 1
    WRONG_USAGE = 2
    UNREADABLE = 3


class Unreadable(Exception):
    """A file that was named cannot be read. The sentence says which and why."""


def main(words: Sequence[str]) -> int:
    """Do what the words say and give the exit code."""
    said = _parser().parse_args(words)
    try:
        return said.verb(said)
    except (LedgerUnreachable, Unreadable) as away:
        return _complain(away, Code.UNREADABLE)
    except ProgrammingError as denied:
        if sqlstate(denied) != _NOT_GRANTED:
            raise
        return _complain(Unreadable(_MAY_NOT), Code.UNREADABLE)
    except LedgerError as wrong:
        return _complain(wrong, Code.WRONG_USAGE)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ledger",
        description="Does the record hold? Nothing is written, in the ledger or elsewhere.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(metavar="verify | export", required=True)
    export = verbs.add_parser(
        "export", help="write all that is known of a request, as one file that verifies by itself"
    )
    export.add_argument("request", type=int, help="its number")
    export.set_defaults(verb=_export)
    verify = verbs.add_parser(
        "verify",
        help="recompute every event and every seal, and name the first that does not hold",
        description="Recompute every event and every seal, and name the first that does not hold.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verify.add_argument("file", nargs="?", help="an evidence file; without one the ledger itself is verified")
    verify.add_argument("--tallies", metavar="FILE", help="ends that were kept elsewhere, one a line; - reads stdin")
    verify.add_argument("--json", action="store_true", help="tell it as JSON")
    verify.set_defaults(verb=_verify)
    return parser


def _verify(said: argparse.Namespace) -> int:
    kept = _tallies(said.tallies) if said.tallies else ()
    if said.file:
        found = evidence.verify(evidence.read(_read(said.file)), kept=kept)
    else:
        with _ledger() as book:
            found = verification.of_ledger(book, kept=kept)
    sys.stdout.write(_as_json(found) if said.json else _as_words(found, kept))
    return Code.HOLDS if found.holds else Code.BROKEN


def _export(said: argparse.Namespace) -> int:
    with _ledger() as book:
        sys.stdout.write(evidence.as_text(evidence.gather(book, said.request)))
    return Code.HOLDS


@contextmanager
def _ledger() -> Iterator[Book]:
    book = Book(config.ledger_url(), name="twokey audit")
    try:
        yield book
    finally:
        book.close()


def _tallies(file: str) -> tuple[Tally, ...]:
    kept = chain.tallies(_read(file))
    if not kept:
        raise Unreadable(f"{file} holds no tally. One looks like this: #7.12 and the event's hash, or its beginning.")
    return kept


def _read(file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not text"
        raise Unreadable(f"{file} cannot be read: {why}.") from error


def _as_json(found: Findings) -> str:
    return json.dumps({"holds": found.holds, **asdict(found)}) + "\n"


def _as_words(found: Findings, kept: Sequence[Tally]) -> str:
    counts = {"request": found.requests, "event": found.events, "seal": found.seals, "tally": len(kept)}
    looked = ", ".join(_counted(count, noun) for noun, count in counts.items())
    if found.breaches:
        more = len(found.breaches) - SHOWN
        lines = [f"The record does not hold ({looked}). The first place first:"]
        lines += [_on_one_line(breach.why) for breach in found.breaches[:SHOWN]]
        lines += [f"and {more} more"] if more > 0 else []
    elif not found.proven:
        lines = [f"The record holds together ({looked}), but nothing proves its end, {found.stands}.", _UNPROVEN]
    else:
        newest = f" Seal {found.head.id} is {found.head.hash}." if found.head else ""
        lines = [f"The record holds: {looked}.{newest} Since the last seal: {_counted(found.unsealed, 'event')}."]
        lines += [f"By its story the request is {found.stands}."] if found.stands else []
    return "\n".join(lines) + "\n"


def _on_one_line(why: str) -> str:
    """A sentence that quotes a file, which could write on the terminal otherwise."""
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in why)


def _counted(count: int, noun: str) -> str:
    plural = noun.removesuffix("y") + "ies" if noun.endswith("y") else f"{noun}s"
    return f"{count} {noun if count == 1 else plural}"


def _complain(wrong: Exception, code: Code) -> int:
    sys.stderr.write(f"{wrong}\n")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
