"""`rollback`: the newest migrations are taken back by their down sections, newest first, after a backup."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engine import catalog, hazards, revert, standing
from engine import reversal as reversals
from engine.checkout import Checkout
from engine.connection import Session
from engine.plan import Advice, Planned
from engine.refusals import AfterUnobserved, PlanRefused
from engine.reversal import Reversal
from engine.revert import Last, To
from engine.standing import Standing
from engine.validate import Seen
from ledger.request import Fact, PlanSummary, Request
from workers import comparing, drawing, neighbours, reporting
from workers.craft import Drawn, Ending, Found, Frozen, NotUnderstood, Run
from workers.hands import Hands
from workers.neighbours import Known

learn = neighbours.after


@dataclass(eq=False)
class NotTheNewest(PlanRefused):
    """What a run brought is no longer what is newest, so the button under its message is no way back any more."""

    environment: str
    run: int
    newest: str

    def __str__(self) -> str:
        return (
            f"{self.environment} moved on since #{self.run}: its newest migration is {self.newest} now. "
            f"Say how far back: `/migrate rollback {self.environment} to <migration>`, or `… last <number>`."
        )


def draw(hands: Hands, request: Request, session: Session, known: Known) -> Drawn:
    """Which migrations go, as they were kept when they ran; the folder has no say in it, and may be broken."""
    here = standing.look(session, ())
    after = [_seen(hands, one) for one in known.after]
    chosen = revert.choose(session, _how(request), after=after, folder=hands.into.folder)
    _must_be_meant(hands, request, here, chosen)
    advice = Advice(catalog.read(session), checkout=hands.checkout(()))
    drawn = reversals.draw(here, chosen, limits=hands.limits, advice=advice)
    return Drawn(_summarize(hands, drawn, here, *_nobodys(drawn, advice.checkout)), drawn.as_json())


def digest(request: Request, frozen: Frozen) -> str:
    """Of the reversal, once its texts and its digest are found to belong together."""
    del request
    return Reversal.from_json(frozen).digest


def difference(was: PlanSummary, now: PlanSummary) -> str:
    """Which history or database is another."""
    return drawing.difference(was, now)


def carry_out(run: Run) -> Ending:
    """The frozen ways down run; the first failure ends it, and is told."""
    reversal = Reversal.from_json(run.frozen)
    into = run.hands.into
    report = revert.run(run.session, reversal, into=into, actor=run.actor, request=run.label, tell=run.step)
    comparing.tell(run, report)
    return run.ends(*reporting.reverted(report))


def find_out(hands: Hands, request: Request, session: Session) -> Found:
    """The environment's own records say what was taken back for this request."""
    reversal = Reversal.from_json(hands.book.frozen_plan(request.id))
    done, left = revert.what_is_back(session, reversal, request=f"#{request.id}")
    again = f"The rest can be asked for again: `/migrate rollback {request.environment} last {len(left)}`."
    return Found(done, left, again if left else "Everything of it was taken back.")


def _how(request: Request) -> Last | To:
    match request.about:
        case ():
            return Last(1)
        case ("last", count) if count.isdecimal() and int(count) > 0:
            return Last(int(count))
        case ("to", migration):
            return To(migration)
    raise NotUnderstood(request.words)


def _seen(hands: Hands, after: Seen) -> Standing:
    """What an environment further on has. Who was not seen may have everything."""
    if after.standing is None:
        raise AfterUnobserved(hands.environment.name, after.name)
    return after.standing


def _must_be_meant(hands: Hands, request: Request, here: Standing, chosen: Sequence[Planned]) -> None:
    """Where a button under a run's message was pressed, that run's migrations go, all of them and no other."""
    if request.covers_of is None:
        return
    meant = hands.book.request(request.covers_of).plan
    brought = [one.id for one in meant.migrations] if meant else []
    if [one.id for one in reversed(chosen)] != brought[: len(chosen)]:
        raise NotTheNewest(here.environment, request.covers_of, here.head or "none")


def _nobodys(drawn: Reversal, checkout: Checkout | None) -> Iterator[Fact]:
    """What git knows only a part of: else all of it is said to be nobody's."""
    unknown = [one.id for one in drawn.migrations if checkout and not checkout.origin([one.id])]
    if drawn.origin and unknown:
        yield Fact("In no commit", f"{', '.join(unknown)}: who wrote that cannot be known")


def _summarize(hands: Hands, drawn: Reversal, here: Standing, *more: Fact) -> PlanSummary:
    """What a person is shown of it."""
    stays = [one.id for one in here.applied][: -len(drawn.migrations)]
    newest = Fact("Newest afterwards", stays[-1] if stays else "none, the history is empty then")
    return PlanSummary(
        environment=drawn.environment,
        protected=drawn.protected,
        digest=drawn.digest,
        database=drawn.database,
        server=drawn.server,
        head=drawn.head,
        migrations=tuple(map(drawing.shown, drawn.migrations)),
        held=(),
        certified=None,
        backup_folder=hands.workflow.backups.name,
        database_bytes=drawn.bytes,
        lock_timeout=drawing.spoken(drawn.lock_timeout),
        statement_timeout=drawing.spoken(drawn.statement_timeout),
        looked_for=hazards.NAMES,
        facts=(newest, *more),
        origin=drawing.origin(drawn.origin),
    )
