"""What a request's events say in one line: its state with its history, and the facts that several messages need."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from bot.blocks import counted, moment, mono, said, seconds, spoken
from ledger import events, policy
from ledger.records import Told
from ledger.request import POLICY, Request, Source
from ledger.states import FINAL
from ledger.workflow import Environment, Workflow

E = TypeVar("E", bound=events.Event)

#: What ends a request.
ENDS = (
    events.Applied
    | events.Reverted
    | events.BackupKept
    | events.Restored
    | events.Discarded
    | events.Generated
    | events.NothingGenerated
    | events.TakenOver
    | events.Repaired
    | events.Certified
    | events.Frozen
    | events.Thawed
    | events.Failed
    | events.Interrupted
    | events.Rejected
    | events.Denied
    | events.Cancelled
    | events.Expired
    | events.Stale
)

#: What leaves a protected request waiting, when it comes last.
_SOME = events.Agreed | events.Withdrawn

#: How many past steps the state line keeps; approving and withdrawing could go on for hours.
STEPS_KEPT = 4


@dataclass(frozen=True, slots=True)
class Story:
    """A request, its environment and its events: all that its messages are made from."""

    request: Request
    environment: Environment
    told: tuple[Told, ...]
    workflow: Workflow

    @property
    def over(self) -> bool:
        """Whether nothing can follow any more."""
        return self.request.state in FINAL

    @property
    def two_keys(self) -> bool:
        """Whether this request needs a second person."""
        return policy.needs_second_key(self.request, self.environment)

    @property
    def protected(self) -> bool:
        """Whether anybody calls its environment protected: twokey.toml here, when it was asked, or the database."""
        plan = self.request.plan
        return self.environment.protected or self.request.protected or (plan is not None and plan.protected)

    @property
    def end(self) -> Told | None:
        """The event that ended the request."""
        return end(self.told)

    def last(self, kind: type[E]) -> E | None:
        """The newest event of a kind."""
        return next((told.event for told in reversed(self.told) if isinstance(told.event, kind)), None)


def end(told: Sequence[Told]) -> Told | None:
    """The event that ended a request. A refused reaction, a forecast or an export may still follow it."""
    return next((one for one in reversed(told) if isinstance(one.event, ENDS)), None)


def brought(told: Iterable[Told]) -> tuple[str, ...]:
    """What a run committed, in the order in which it did; by its end, and by nothing else."""
    for one in told:
        match one.event:
            case events.Applied(migrations=done) | events.Failed(done=done) | events.Interrupted(done=done):
                return done
    return ()


def none_of(looked_for: tuple[str, ...]) -> str:
    """That no hazard was found, and what that means: nobody looked for anything else."""
    return f"none of the {counted(len(looked_for), 'kind')} that are looked for (docs/hazards)"


def grouped(digest: str) -> str:
    """The first twelve hex digits of a digest in groups that two people can compare aloud."""
    return "·".join(digest[i : i + 4] for i in (0, 4, 8))


@dataclass(frozen=True, slots=True)
class Step:
    """One state as it is said while it lasts, and as it is said, struck through, once it is past."""

    now: str
    past: str


def now(story: Story) -> str:
    """Where the request stands, alone."""
    steps = _steps(story)
    return steps[-1].now if steps else "⏳ Written down"


def state_line(story: Story) -> str:
    """Where the request stands, after where it stood: `~Waiting~ → ~Approved by Bo~ → 🔵 Running`."""
    steps = _steps(story)
    past = [f"~{step.past}~" for step in steps[:-1]]
    kept = past if len(past) <= STEPS_KEPT else ["…", *past[-STEPS_KEPT:]]
    return " → ".join([*kept, now(story)])


def _steps(story: Story) -> list[Step]:
    steps: list[Step] = []
    for told in story.told:
        step = _step(told, story)
        if step is None:
            continue
        if steps and steps[-1].past == step.past:
            steps.pop()
        steps.append(step)
    return steps


def _step(told: Told, story: Story) -> Step | None:
    match told.event:
        case events.Planned() if story.two_keys:
            return Step(f"⏳ Waiting for {whom(story.environment.approvals)}: {_starts(story)}", "Waiting")
        case events.Planned():
            return Step("⏳ Planned", "Planned")
        case events.Waiting(holder=holder):
            return Step(f"⏳ Waiting, because {said(holder)} holds {story.environment.name}", "Waiting for the lock")
        case events.Unanswered(seconds=silent):
            return Step(f"⚠️ No worker of {story.environment.name} has answered for {silent} s", "No worker answered")
        case events.Started() | events.Answered():
            return Step("🔵 Running", "Running")
        case events.Halted(actor_name=name, until=until, reason=why):
            return Step(f"❄️ {frozen(name, until, why)}; nothing starts", "Frozen")
        case events.Lifted() | events.RanOut():
            over = thawed(story)
            return Step(f"✅ {over}", "Frozen") if over else None
        case events.Released(by=number):
            return Step(f"⏳ Thawed by #{number}{_again(story)}", "Thawed")
        case events.Agreed(actor_name=name, missing=missing):
            more = "1 more person" if missing == 1 else f"{missing} more people"
            by = f"Approved by {said(name)}"
            return Step(f"⏳ {by}, waiting for {more}: {_starts(story)}", f"{by} {moment(told.at)}")
        case events.Withdrawn():
            return _taken_back(told.event, story)
        case events.Approved():
            return _key_turned(told.event, told.at, story)
        case events.Expired():
            return Step(f"⌛ Expired: {_never_came(story)}", "Expired")
        case _:
            return _end(told)


def whom(needed: int) -> str:
    """Whom a card waits for, as the middle of a sentence."""
    return "a second person" if needed == 1 else f"{needed} people"


def frozen(name: str, until: str | None, reason: str) -> str:
    """That somebody froze an environment: `Frozen by ada until 12:00: the disk is full`."""
    return f"Frozen {_frozen_by(name, until, reason)}"


def frozen_before(by: events.Halted) -> str:
    """The freeze that another one came to: `It was frozen already, and both hold: by ada until 12:00: … (#9)`."""
    return f"It was frozen already, and both hold: #{by.by}, {_frozen_by(by.actor_name, by.until, by.reason)}"


def thawed(story: Story) -> str | None:
    """How the freeze that a request said came to its end, by what was told of that first; None while it has not."""
    said_then = story.last(events.Frozen)
    told = next((one for one in story.told if isinstance(one.event, events.Lifted | events.RanOut)), None)
    if said_then is None or told is None:
        return None
    over = f"~{frozen(said_then.actor_name, said_then.until, said_then.reason)}~ →"
    if isinstance(told.event, events.Lifted):
        return f"{over} Thawed by {said(told.event.actor_name)} (#{told.event.by}) {_minute(told.at)}"
    return f"{over} Over since {_minute(datetime.fromisoformat(said_then.until) if said_then.until else told.at)}"


def _frozen_by(name: str, until: str | None, reason: str) -> str:
    ends = f" until {_minute(datetime.fromisoformat(until))}" if until else ""
    return f"by {said(name)}{ends}: {said(reason)}"


def _minute(at: datetime) -> str:
    return moment(at, "{date_short_pretty} {time}")


def _again(story: Story) -> str:
    if not story.two_keys:
        return ""
    yes, no = f":{story.workflow.approve_with}:", f":{story.workflow.reject_with}:"
    return f", waiting for {whom(story.environment.approvals)}: {yes} given anew starts it, {no} rejects it"


def _starts(story: Story) -> str:
    return f":{story.workflow.approve_with}: starts it, :{story.workflow.reject_with}: rejects it"


def _taken_back(event: events.Withdrawn, story: Story) -> Step:
    name = said(event.actor_name)
    whose = "the approval no longer stands" if event.actor_id == POLICY.id else f"{name} took the key back"
    again = f"again for {whom(event.missing)}" if event.missing > 1 else "again"
    return Step(f"⏳ Waiting {again}, {whose}: {_starts(story)}", "Taken back")


def _key_turned(event: events.Approved, at: datetime, story: Story) -> Step | None:
    yes, name = f":{story.workflow.approve_with}:", said(event.actor_name)
    if event.actor_id == POLICY.id:
        return None
    starts = moment(datetime.fromisoformat(event.starts_at), "{time_secs}")
    stop = f"remove your {yes} to stop it"
    if event.source == Source.BUTTON:
        cancel = f"`/migrate cancel {story.request.id}`"  # the button goes when the setting does
        stop = f"{'*Take back*' if story.workflow.approve_button else cancel} stops it"
    return Step(f"🟡 Approved by {name}, starts at {starts}; {stop}", f"Approved by {name} {moment(at)}")


def _never_came(story: Story) -> str:
    """What an expired request waited for until the end."""
    if story.last(events.Planned) is None:
        begun = story.last(events.Rehearsing) is not None
        return "its rehearsal did not end in time" if begun else "no worker took it up in time"
    keys = [told.event for told in story.told if isinstance(told.event, events.Approved | _SOME)]
    if story.two_keys and not (keys and isinstance(keys[-1], events.Approved)):
        several = story.environment.approvals > 1
        return "too few people turned the second key in time" if several else "nobody turned the second key in time"
    return "it did not start in time"


#: Ends of which there is no more to say than that, and when.
_DONE: Mapping[type[events.Event], str] = {
    events.BackupKept: "Backed up",
    events.Discarded: "Dropped",
    events.Generated: "Generated",
    events.NothingGenerated: "Nothing to generate",
    events.TakenOver: "Taken over",
    events.Repaired: "Repaired",
    events.Thawed: "Thawed",
}


def _end(told: Told) -> Step | None:
    if done := _DONE.get(type(told.event)):
        return Step(f"✅ {done} {moment(told.at)}", done)
    match told.event:
        case events.Applied(seconds=took):
            return Step(f"✅ Applied {moment(told.at)} in {seconds(took)}", "Applied")
        case events.Reverted(seconds=took):
            return Step(f"✅ Taken back {moment(told.at)} in {seconds(took)}", "Taken back")
        case events.Restored(seconds=took):
            return Step(f"✅ Restored {moment(told.at)} in {seconds(took)}", "Restored")
        case events.Certified(actor_name=name):
            return Step(f"✅ Certified by {said(name)}", "Certified")
        case events.Frozen(actor_name=name, until=until, reason=why):
            return Step(f"❄️ {frozen(name, until, why)}", "Frozen")
        case events.Failed(migration=migration, line=line):
            place = f" in {mono(migration)}" + (f", line {line}" if line else "") if migration else ""
            return Step(f"❌ Failed{place}", "Failed")
        case events.Interrupted(done=done):
            return Step(f"❌ Interrupted after {counted(len(done), 'migration')}", "Interrupted")
        case events.Rejected(actor_name=name):
            return Step(f"🚫 Rejected by {said(name)}", "Rejected")
        case events.Denied(why=why):
            return Step(f"🚫 Refused: {spoken(why)}", "Refused")
        case events.Cancelled(actor_name=name):
            return Step(f"🚫 Cancelled by {said(name)}", "Cancelled")
        case events.Stale(what=what):
            return Step(f"⌛ Stale: {spoken(what)}", "Stale")
        case _:
            return None
