"""`generate`: a migration is drafted from what is declared, proven on a scratch database, and told; no file is written.

The folder that a worker has is a copy of what was committed. Who asked puts the file there, and commits it.
"""

from engine import generate, plan, standing
from engine.connection import Session
from engine.generate import Draft, Progress, naming
from engine.generate.command import Command
from engine.generate.declared import Models
from engine.generate.errors import NoSource
from engine.scratch import NoScratch, Server
from ledger.events import Generated, Generating, NothingGenerated
from ledger.request import Fact, PlanSummary, Request
from ledger.states import State
from workers import drawing, neighbours, reporting
from workers.craft import Drawn, Ending, Found, Frozen, NoScratchHere, NotUnderstood, Run
from workers.hands import Hands
from workers.neighbours import Known

learn = neighbours.nobody

_MEANWHILE = " Until then `twokey generate` does it at a terminal that has one."


def draw(hands: Hands, request: Request, session: Session, known: Known) -> Drawn:
    """What it would be generated from, and on what; that it can be is found out when it is."""
    del known
    name, source = _name(hands, request), _source(hands)
    _scratch(hands)
    files = hands.files()
    naming.stem(name, files, hands.book.now())
    here = standing.look(session, files)
    bound = {
        "act": "generate",
        "environment": here.environment,
        "database": here.database,
        "system_identifier": here.system_identifier,
        "head": here.head,
        "fingerprint": here.fingerprint,
        "folder": [[file.id, file.checksum] for file in files],
        "source": source.name,
        "name": name,
    }
    otherwise = naming.changed(name)
    facts = (
        *([Fact("Name", otherwise)] if otherwise else []),
        Fact("From", source.name),
        Fact("Changes nothing", "it is proven on a scratch database, and comes as a file that somebody has to commit"),
    )
    return Drawn(drawing.alone(hands, here, digest=plan.sealed(bound), facts=facts), bound)


def digest(request: Request, frozen: Frozen) -> str:
    """Of all that is frozen."""
    del request
    return plan.sealed(frozen)


def difference(was: PlanSummary, now: PlanSummary) -> str:
    """Which history or database is another."""
    if was.head == now.head and was.database == now.database:
        return f"The folder, or what stands in {now.environment}, changed meanwhile."
    return drawing.difference(was, now)


def carry_out(run: Run) -> Ending:
    """What was drafted is the request's last event, whole. Raises a child of NotGenerated where it cannot be proven."""
    hands, source = run.hands, _source(run.hands)
    drawn = generate.draft(
        run.session,
        hands.files(),
        source,
        server=_scratch(hands),
        name=_name(hands, run.request),
        now=hands.book.now(),
        tell=lambda said: run.tell(Generating(_phrase(said))),
    )
    return run.ends(State.APPLIED, _told(drawn) if drawn else NothingGenerated(source.name))


def find_out(hands: Hands, request: Request, session: Session) -> Found:
    """Whatever was done was done on a scratch database."""
    del hands, session
    left = "Nothing was changed; a scratch database that it left is dropped by a later one."
    return Found((), (), f"{left} Ask again: {reporting.again(request)}.")


def _name(hands: Hands, request: Request) -> str:
    if len(request.about) != 1 or hands.workflow.environments[0] != hands.environment:
        raise NotUnderstood(request.words)
    return request.about[0]


def _source(hands: Hands) -> Models | Command:
    """What to generate from. Raises NoSource."""
    ours = hands.workflow.generate
    if ours is None:
        raise NoSource
    if ours.models:
        return Models(ours.models, ours.folder, ours.python)
    return Command(ours.command, ours.folder, hands.generator_sees)


def _scratch(hands: Hands) -> Server:
    """Where it is proven. Raises NoScratch and NoScratchHere."""
    if hands.workflow.scratch is None:
        raise NoScratch
    if hands.scratch is None:
        raise NoScratchHere(hands.environment.name, hands.workflow.scratch.dsn_variable, meanwhile=_MEANWHILE)
    return hands.scratch


def _phrase(said: Progress) -> str:
    match said:
        case generate.Reading(what):
            return f"Reading {what}"
        case generate.Replaying(count):
            return f"Replaying {count} migrations on a scratch database"
        case generate.Proving(file):
            return f"Proving {file} there"


def _told(drawn: Draft) -> Generated:
    migration = drawn.migration
    return Generated(
        migration=migration.id,
        text=migration.text,
        checksum=migration.checksum,
        back=drawn.down,
        reordered=drawn.reordered,
        hazards=tuple(f"line {one.line}, {one.name}: {one.sentence}" for one in drawn.hazards),
        seconds=drawn.seconds,
    )
